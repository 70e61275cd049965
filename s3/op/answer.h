// Answers in the shapes that operations share, and documents that requests carry.

#pragma once

#include <string>

#include "s3/codec/xml_writer.h"
#include "s3/op/operation.h"

namespace kura::s3 {

Response xml_answer(XmlWriter xml);
Response empty_answer(int status);

// What the client asked, without the query, as an absolute URL: its scheme, its Host, its path as
// it was encoded. So it leads to the bucket in path style and in virtual-host style.
std::string url_of(const Request& request);

// The whole body of a request that carries a document. Errors: EntityTooLarge above
// kXmlBodyBytesMax; those of the body (a wrong digest or signature).
Task<S3Result<std::string>> read_document(Request& request);

// x-amz-checksum-<algorithm> and x-amz-checksum-type; nothing for algorithm NONE.
void add_checksum_headers(const v1::Checksum& checksum, uint32_t parts, Headers* headers);
// <Checksum...> and <ChecksumType>; nothing for algorithm NONE.
void write_checksum(XmlWriter* xml, const v1::Checksum& checksum, uint32_t parts);

}  // namespace kura::s3
