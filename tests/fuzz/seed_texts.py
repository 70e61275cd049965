"""Texts that make_seeds.py starts from: one list for each grammar."""

HEADS = [
    "GET / HTTP/1.1\nHost: 127.0.0.1:9000\n\n",
    "PUT /bucket/a%20key?partNumber=2&uploadId=x HTTP/1.1\nHost: b\nContent-Length: 5\n"
    "Expect: 100-continue\nConnection: keep-alive, close\n\nhello",
    "POST /b?delete HTTP/1.1\nHost: s3.example.com\nTransfer-Encoding: chunked\n\n0\n\n",
    "HEAD /photos/cat HTTP/1.0\nX-Amz-Meta-Colour:  black \nRange: bytes=0-9\n\n",
    "GET /key HTTP/1.1\nHost: bucket.s3.example.com:9000\nConnection: close\n\n",
    "GET /?AWSAccessKeyId=a&Signature=b&Expires=1 HTTP/1.1\nHost: h\n\n",
    "GET / HTTP/1.1\nHost: h\nAuthorization: AWS a:b\n\n",
    "GET / HTTP/1.1\nHost: h\nAuthorization: AWS4-ECDSA-P256-SHA256 Credential=a\n\n",
    "GET / HTTP/1.1\nHost: h\nDate: Fri, 02 Jan 2026 03:04:05 GMT\nx-amz-content-sha256: UNSIGNED-PAYLOAD\n"
    "Authorization: AWS4-HMAC-SHA256 Credential=AKID/20260102/us-east-1/s3/aws4_request, "
    "SignedHeaders=date;host;x-amz-content-sha256, Signature=" + "0" * 64 + "\n\n",
    "GET /%e2%82%ac/%00?list-type=2&prefix=%2F&max-keys=10 HTTP/1.1\nHost: h\n\n",
    "GET / HTTP/1.1\nHost: h\nContent-Length: 1\nContent-Length: 1\n\n",
    "GET / HTTP/1.1\nHost: h\n folded\n\n",
]

CHUNKED = [
    "0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n", "1\r\na\r\nA\r\n0123456789\r\n0\r\nX-A: b\r\nc:d\r\n\r\nGET /",
    "1;ext\r\na\r\n", "ffffffffffffffff\r\n", "0\r\n: b\r\n\r\n", "00000000000000f\r\n",
]

URIS = [
    "a=1&b&c=%20", "X-Amz-Signature=abc&x-amz-%53ignature=d&uploads", "a+b=c+d&&=&%", "/a/b%2Fc/",
    "\u00fc\u20ac\U0001f600", "X-Amz-Credential=a%2Fb&X-Amz-Security-Token=t&versionId=1",
]

# Numbers; dates; ranges (behind 8 bytes of size); copy sources; checksums and ETags.
VALUES = [
    ["0", "18446744073709551615", "0012", "00ff", "AbCd", "aGVsbG8=", "aGU=", "aGVs", "-1"],
    ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
     "1994-11-06T08:49:37.000Z", "2026-02-28T23:59:60+01:30", "19941106T084937Z",
     "9999-12-31T23:59:59.999999999-00:01", "1970-01-01T00:00:00Z", "20240229T000000Z"],
    ["\0\1\0\0\0\0\0\0" + text for text in
     ("bytes=0-9", "bytes=-5", "bytes=200-", "bytes=999-", "bytes=5-1", "bytes = 1 - 2", "bytes=0-1,3-4")],
    ["bucket/key", "/bucket/a%2Fkey?versionId=1", "arn:aws:s3", "/b/", "b/%e2%82%ac?versionId=%zz"],
    ["y/Q5Jg==", "rosUhgp5mIY=", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
     '"d41d8cd98f00b204e9800998ecf8427e"', 'W/"x"', "*"],
]

_NS = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
DELETE = [
    f"<Delete{_NS}><Object><Key>a</Key></Object><Quiet>true</Quiet></Delete>",
    '<?xml version="1.0" encoding="UTF-8"?>\n<Delete><Object><Key>a&amp;&#x9;b</Key><VersionId>null</VersionId>'
    "<ETag>&quot;e&quot;</ETag><Size>12</Size><LastModifiedTime>Sun, 06 Nov 1994 08:49:37 GMT"
    "</LastModifiedTime></Object><Object><Key><![CDATA[<x>]]></Key><VersionId/></Object></Delete>",
    '<!DOCTYPE a [<!ENTITY b "c">]><Delete><Object><Key>&b;</Key></Object></Delete>',
    "<Delete><Object><Key>a</Key><Key>b</Key></Object></Delete>", "<a:Delete xmlns:a='x'/>",
    "<Delete><Object><Key><A><B><C><D><E><F/></E></D></C></B></A></Key></Object></Delete>",
]
COMPLETE = [
    f"<CompleteMultipartUpload{_NS}><Part><PartNumber>1</PartNumber><ETag>\"e\"</ETag></Part>"
    "<Part><PartNumber>10000</PartNumber><ETag>f</ETag><ChecksumCRC32>y/Q5Jg==</ChecksumCRC32></Part>"
    "</CompleteMultipartUpload>",
    "<CompleteMultipartUpload><Part><ETag/><PartNumber>10001</PartNumber></Part></CompleteMultipartUpload>",
    "<CompleteMultipartUpload><Part><ChecksumSHA256>47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=</ChecksumSHA256>"
    "<PartNumber>2</PartNumber><ETag>x</ETag></Part> </CompleteMultipartUpload>",
    "<CompleteMultipartUpload><Part><ChecksumSHA1>2jmj7l5rSw0yVb/vlWAYkK/YBwk=</ChecksumSHA1><PartNumber>2"
    "</PartNumber><ETag>x</ETag></Part><Part><ChecksumCRC64NVME>rosUhgp5mIY=</ChecksumCRC64NVME><PartNumber>3"
    "</PartNumber><ETag>y</ETag></Part><Part><ChecksumCRC32C>y/Q5Jg==</ChecksumCRC32C></Part>"
    "</CompleteMultipartUpload>",
]
CREATE_BUCKET = [
    "", f"<CreateBucketConfiguration{_NS}><LocationConstraint>eu-west-1</LocationConstraint>"
    "</CreateBucketConfiguration>",
    "<CreateBucketConfiguration><Tags/></CreateBucketConfiguration>", "a < b & \"c\" 'd' > \t\u00fc\x01",
    "<CreateBucketConfiguration><LocationConstraint>&#10;</LocationConstraint></CreateBucketConfiguration>",
]

# Of mirrors (journal_merge.cc): mirror, file, position (2), length / 16, kind.
DAMAGES = [
    b"", b"\0\0\0\x10\1\0", b"\0\0\0\x10\4\1\1\0\x80\x10\2\1", b"\0\0\0\x12\0\2\1\1\0\x10\0\3",
    b"\0\0\0\x10\x20\1\1\0\0\x10\x20\1",
]

CONFIG = [
    ['listen = "0.0.0.0:9000"\ndrives = ["/mnt/d{1...6}"]\ncache_size = "512MiB"\nregion_strict = true\n',
     'io_threads = 4\ndomain = ["a.example.com", "b.example.com"]\nstorage_class_standard = "EC:2"\n',
     "test_transform = false\nconnections_max = 100\njournal_segment_size = '1GiB'\n", "unknown = 1",
     "[table]\nlisten = 1", 'drives = [["a"], 1, 2.5, 1979-05-27T07:32:00Z, { b = """c\\u00e9""" }]',
     "a.b.c = [ 1, ]\n# comment\n\"q\" = 0x1F\nx = inf"],
    ["/mnt/d{1...6}", "/d{01...12}/{1...2}", "{1...", "{2...1}", "/plain", "{1...1025}"],
    ["64MiB", "4096", "18446744073709551615", "1TiB", "16777216TiB", "12kb", ""],
]
