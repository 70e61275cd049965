#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "base/limits.h"
#include "s3/codec/time.h"
#include "s3/codec/xml_reader.h"
#include "s3/codec/xml_request.h"
#include "s3/codec/xml_writer.h"

namespace kura::s3 {
namespace {

std::string code_of_delete(const std::string& xml) {
  const auto parsed = parse_delete(xml);
  return parsed ? "ok" : parsed.error().code;
}

TEST(XmlWriter, EscapesWhatXmlCannotHold) {
  XmlWriter xml("R", "");
  xml.text("K", "a<b>&\"'\x01\r\n\t");
  EXPECT_EQ(xml.finish(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<R><K>a&lt;b&gt;&amp;&quot;&apos;&#x1;&#xd;&#xa;&#x9;</K></R>");
}

TEST(XmlRequest, DeleteTakesEveryField) {
  const auto parsed = parse_delete(
      "<?xml version=\"1.0\"?><Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
      "<Quiet>true</Quiet><Object><Key> a&amp;b&#13;</Key><VersionId>null</VersionId>"
      "<ETag>\"abc\"</ETag><Size>5</Size>"
      "<LastModifiedTime>Sun, 06 Nov 1994 08:49:37 GMT</LastModifiedTime></Object>"
      "<Object><Key><![CDATA[<c>]]></Key></Object></Delete>");
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(parsed->quiet);
  ASSERT_EQ(parsed->objects.size(), 2u);
  const DeleteRequest::Object& first = parsed->objects[0];
  EXPECT_EQ(first.key, " a&b\r");  // Keys keep their spaces.
  EXPECT_EQ(first.version_id, "null");
  EXPECT_EQ(first.etag, "\"abc\"");
  EXPECT_EQ(first.size_bytes, 5u);
  EXPECT_EQ(first.last_modified_ms, 784111777000);
  EXPECT_EQ(parsed->objects[1].key, "<c>");
  EXPECT_FALSE(parsed->objects[1].version_id);
}

TEST(XmlRequest, WhateverIsWrittenIsRead) {
  EXPECT_TRUE(rc::check([] {
    // Control characters have no form in XML 1.0.
    const auto printable = rc::gen::inRange<char>(0x20, 0x7f);
    const auto key = *rc::gen::nonEmpty(rc::gen::container<std::string>(printable));
    XmlWriter xml("Delete");
    xml.open("Object");
    xml.text("Key", key);
    const auto parsed = parse_delete(xml.finish());
    RC_ASSERT(parsed.has_value());
    RC_ASSERT(parsed->objects[0].key == key);
  }));
}

TEST(XmlRequest, RefusesWhatIsNotADelete) {
  const std::string object = "<Object><Key>k</Key></Object>";
  for (const std::string& bad : std::vector<std::string>{
           "", "x", "<Delete>", "<Delete></Delete>", "<Other>" + object + "</Other>",
           "<Delete><Object></Object></Delete>", "<Delete><Object><Key/></Object></Delete>",
           "<Delete><Object><Key>a</Key><Key>b</Key></Object></Delete>",
           "<Delete><Quiet>true</Quiet><Quiet>false</Quiet>" + object + "</Delete>",
           "<Delete><Quiet>yes</Quiet>" + object + "</Delete>",
           "<Delete>" + object + "text</Delete>", "<Delete>" + object + "</Delete><x/>",
           "<Delete xmlns='urn:other'>" + object + "</Delete>",
           "<Delete><Object><Key>a<b/></Key></Object></Delete>",
           "<Delete><Object><Key>a</Key><IfSomething>1</IfSomething></Object></Delete>",
           "<Delete><Object><Key>a</Key><Size>-1</Size></Object></Delete>",
           "<Delete><Object><Key>\xff\xfe</Key></Object></Delete>",
           "<Delete><Object><Key>&undefined;</Key></Object></Delete>"})
    EXPECT_EQ(code_of_delete(bad), "MalformedXML") << bad;
}

// Expat reports the end of an empty element even when its start ended the parsing.
TEST(XmlRequest, AnUnknownEmptyElementIsRefused) {
  for (const std::string bad :
       {"<Erase/>", "<E/>", "<Delete><Other/></Delete>",
        "<Delete><Object><Other/></Object></Delete>", "<Delete xmlns='http://example.com/'/>",
        "<Delete><Object><Key><a/></Key></Object></Delete>"})
    EXPECT_EQ(code_of_delete(bad), "MalformedXML") << bad;
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "<Delete>";
  EXPECT_EQ(code_of_delete(deep + "<a/>"), "MalformedXML");
}

TEST(XmlRequest, NeverReadsADtd) {
  EXPECT_EQ(code_of_delete("<!DOCTYPE Delete [<!ENTITY a \"aaaa\">]><Delete><Object><Key>&a;</Key>"
                           "</Object></Delete>"),
            "MalformedXML");
  EXPECT_EQ(code_of_delete("<!DOCTYPE Delete SYSTEM \"file:///etc/passwd\"><Delete><Object><Key>a"
                           "</Key></Object></Delete>"),
            "MalformedXML");
}

TEST(XmlRequest, BoundsDepthCountAndSize) {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "<Delete>";
  EXPECT_EQ(code_of_delete(deep), "MalformedXML");

  std::string many = "<Delete>";
  for (size_t i = 0; i < kDeleteObjectsMax; ++i) many += "<Object><Key>k</Key></Object>";
  EXPECT_EQ(code_of_delete(many + "</Delete>"), "ok");
  EXPECT_EQ(code_of_delete(many + "<Object><Key>k</Key></Object></Delete>"), "MalformedXML");

  EXPECT_EQ(code_of_delete(std::string(kXmlBodyBytesMax + 1, ' ')), "EntityTooLarge");
}

TEST(XmlRequest, BoundsTagsAndTexts) {
  const std::string key = "<Object><Key>k</Key></Object></Delete>";
  std::string attributes, namespaces;
  for (size_t i = 0; i < kXmlAttributesMax; ++i) {
    attributes += " a" + std::to_string(i) + "=\"1\"";
    namespaces += " xmlns:n" + std::to_string(i) + "=\"u\"";
  }
  EXPECT_EQ(code_of_delete("<Delete" + attributes + ">" + key), "ok");
  EXPECT_EQ(code_of_delete("<Delete" + attributes + " b=\"1\">" + key), "MalformedXML");
  EXPECT_EQ(code_of_delete("<Delete" + namespaces + ">" + key), "ok");
  EXPECT_EQ(code_of_delete("<Delete" + namespaces + " xmlns:b=\"u\">" + key), "MalformedXML");

  const std::string most(kXmlTextBytesMax, 'k');
  EXPECT_EQ(code_of_delete("<Delete><Object><Key>" + most + "</Key></Object></Delete>"), "ok");
  EXPECT_EQ(code_of_delete("<Delete><Object><Key>k" + most + "</Key></Object></Delete>"),
            "MalformedXML");
  // A token is as long as the slices that it keeps silent.
  EXPECT_EQ(code_of_delete("<Delete><!--" + std::string(8000, 'c') + "-->" + key), "ok");
  const std::string endless(2 * kXmlTokenBytesMax, 'c');
  EXPECT_EQ(code_of_delete("<Delete><!--" + endless + "-->" + key), "MalformedXML");
  EXPECT_EQ(code_of_delete("<Delete a=\"" + endless + "\">" + key), "MalformedXML");
  EXPECT_EQ(code_of_delete("<" + endless + "/>"), "MalformedXML");
  EXPECT_EQ(code_of_delete("<Delete>" + std::string(endless.size(), ' ') + key), "ok");
}

TEST(XmlRequest, CompleteTakesPartsAsListed) {
  const auto parsed = parse_complete(
      "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
      "<Part><PartNumber>2</PartNumber><ETag>&quot;e2&quot;</ETag>"
      "<ChecksumCRC32>y/Q5Jg==</ChecksumCRC32></Part>"
      "<Part><ETag>e1</ETag><PartNumber>10000</PartNumber></Part></CompleteMultipartUpload>");
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->parts.size(), 2u);
  EXPECT_EQ(parsed->parts[0].number, 2u);
  EXPECT_EQ(parsed->parts[0].etag, "\"e2\"");
  EXPECT_EQ(parsed->parts[0].checksum->value(), "\xcb\xf4\x39\x26");
  EXPECT_EQ(parsed->parts[1].number, 10000u);
  EXPECT_FALSE(parsed->parts[1].checksum);
}

TEST(XmlRequest, CompleteRefusesBadParts) {
  const auto code = [](const std::string& part) {
    const auto parsed =
        parse_complete("<CompleteMultipartUpload>" + part + "</CompleteMultipartUpload>");
    return parsed ? "ok" : parsed.error().code;
  };
  EXPECT_EQ(code(""), "MalformedXML");
  EXPECT_EQ(code("<Part><PartNumber>1</PartNumber></Part>"), "MalformedXML");
  EXPECT_EQ(code("<Part><ETag>e</ETag></Part>"), "MalformedXML");
  EXPECT_EQ(code("<Part><PartNumber>x</PartNumber><ETag>e</ETag></Part>"), "MalformedXML");
  EXPECT_EQ(code("<Part><PartNumber>0</PartNumber><ETag>e</ETag></Part>"), "InvalidArgument");
  EXPECT_EQ(code("<Part><PartNumber>10001</PartNumber><ETag>e</ETag></Part>"), "InvalidArgument");
  EXPECT_EQ(code("<Part><PartNumber>1</PartNumber><ETag>e</ETag><ChecksumCRC32>y</ChecksumCRC32>"
                 "</Part>"),
            "MalformedXML");
}

TEST(XmlRequest, TenThousandPartsFit) {
  std::string xml = "<CompleteMultipartUpload>";
  for (uint32_t i = 1; i <= kPartNumberMax; ++i)
    xml += "<Part><PartNumber>" + std::to_string(i) + "</PartNumber><ETag>" + std::string(32, 'e') +
           "</ETag><ChecksumSHA256>47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=</ChecksumSHA256>"
           "</Part>";
  ASSERT_LT(xml.size(), kXmlBodyBytesMax);
  EXPECT_EQ(parse_complete(xml + "</CompleteMultipartUpload>").value().parts.size(), 10'000u);
}

TEST(XmlRequest, BucketLocation) {
  EXPECT_EQ(parse_create_bucket("").value(), "");
  EXPECT_EQ(parse_create_bucket("<CreateBucketConfiguration/>").value(), "");
  EXPECT_EQ(parse_create_bucket("<CreateBucketConfiguration><LocationConstraint>eu-west-1"
                                "</LocationConstraint></CreateBucketConfiguration>")
                .value(),
            "eu-west-1");
  EXPECT_EQ(parse_create_bucket("<Nonsense/>").error().code, "MalformedXML");
  auto tags = [](const std::string& inside) {
    return "<CreateBucketConfiguration><Tags>" + inside + "</Tags></CreateBucketConfiguration>";
  };
  EXPECT_EQ(parse_create_bucket(tags("")).value(), "");
  EXPECT_EQ(parse_create_bucket(tags("<Tag><Key>a</Key><Value>b</Value></Tag>")).error().code,
            "NotImplemented");
  EXPECT_EQ(parse_create_bucket(tags("<Key>a</Key>")).error().code, "MalformedXML");
}

}  // namespace
}  // namespace kura::s3
