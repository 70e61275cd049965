// Uploads, lists, downloads and compares every size with the AWS SDK for JavaScript v3.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import {
  CopyObjectCommand, CreateBucketCommand, DeleteBucketCommand, DeleteObjectsCommand, GetObjectCommand,
  HeadObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client, paginateListObjectsV2,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";

const s3 = new S3Client({ endpoint: process.env.KURA_URL, forcePathStyle: true, maxAttempts: 1 });
const Bucket = process.env.KURA_BUCKET;
const sizes = process.env.KURA_SIZES.split(",").map(Number);
const body = (size) => createHash("shake128", { outputLength: Math.max(size, 1) }).update(`js${size}`).digest().subarray(0, size);
const get = async (Key, more = {}) => {
  const answer = await s3.send(new GetObjectCommand({ Bucket, Key, ...more }));
  return Buffer.from(await answer.Body.transformToByteArray());
};

await s3.send(new CreateBucketCommand({ Bucket }));
for (const size of sizes) {
  const Key = `größe ${size}+%41.bin`;
  await s3.send(new PutObjectCommand({ Bucket, Key, Body: body(size), Metadata: { size: String(size) }, ContentType: "x/y" }));
  const head = await s3.send(new HeadObjectCommand({ Bucket, Key }));
  assert.deepEqual([head.ContentLength, head.Metadata.size, head.ContentType], [size, String(size), "x/y"]);
  assert(body(size).equals(await get(Key)), `bytes of ${size}`);
}

// A stream of unknown length in parts, and its ranges.
const large = body(17 * 1024 * 1024 + 1);
const pieces = Readable.from((function* () {
  for (let i = 0; i < large.length; i += 100_000) yield large.subarray(i, i + 100_000);
})());
await new Upload({ client: s3, params: { Bucket, Key: "large", Body: pieces }, partSize: 5 * 1024 * 1024 }).done();
assert(large.equals(await get("large")), "bytes of the multipart upload");
assert(large.subarray(5242870, 5242891).equals(await get("large", { Range: "bytes=5242870-5242890" })), "range over parts");
await s3.send(new CopyObjectCommand({ Bucket, Key: "copy", CopySource: `${Bucket}/large` }));
assert(large.equals(await get("copy")), "bytes of the copy");

const keys = [];
for await (const page of paginateListObjectsV2({ client: s3, pageSize: 4 }, { Bucket })) keys.push(...(page.Contents ?? []).map((c) => c.Key));
assert.equal(keys.length, sizes.length + 2);
await assert.rejects(get("absent"), { name: "NoSuchKey" });
await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: keys.map((Key) => ({ Key })) } }));
assert.equal((await s3.send(new ListObjectsV2Command({ Bucket }))).KeyCount, 0);
await s3.send(new DeleteBucketCommand({ Bucket }));
console.log(`${sizes.length} sizes, all equal`);
