#include "nats/json.h"

#include <gtest/gtest.h>

namespace xichan::nats::internal {
namespace {

Json parsed(std::string_view text) {
  Json json;
  EXPECT_TRUE(Json::parse(text, json)) << text;
  return json;
}

TEST(Json, ReadsReplyOfApi) {
  const Json json = parsed(R"( {"config": {"sealed": true, "description": "{\"a\": 1}"},
                               "state": {"messages": 12, "subjects": {"x": 1, "y": 2}}, "none": null} )");
  EXPECT_TRUE(json["config"]["sealed"].truth());
  EXPECT_EQ(json["config"]["description"].text(), R"({"a": 1})");
  EXPECT_EQ(json["state"]["messages"].integer(), 12);
  EXPECT_EQ(json["state"]["subjects"].entries().size(), 2u);
  EXPECT_EQ(json["state"]["subjects"].entries()[1].first, "y");
  EXPECT_FALSE(json["none"]);
  EXPECT_FALSE(json["missing"]["missing"]);
}

TEST(Json, ReadsNumbers) {
  const Json json = parsed("[0, -5, 9223372036854775807, 30.5, 1e3, 1e300]");
  ASSERT_EQ(json.items().size(), 6u);
  EXPECT_EQ(json.items()[1].integer(), -5);
  EXPECT_EQ(json.items()[2].integer(), INT64_MAX);
  EXPECT_EQ(json.items()[3].number(), 30.5);
  EXPECT_EQ(json.items()[3].integer(), 30);
  EXPECT_EQ(json.items()[4].integer(), 1000);
  EXPECT_EQ(json.items()[5].integer(), 0);
}

TEST(Json, ReadsEscapes) {
  EXPECT_EQ(parsed(R"("\"\\\/\n\u0041\u00e9\u20ac\ud83d\ude00")").text(), "\"\\/\nAé€😀");
  EXPECT_EQ(parsed(R"("")").text(), "");
}

TEST(Json, ReadsEmptyContainers) {
  EXPECT_EQ(parsed("[]").kind(), Json::Kind::list);
  EXPECT_EQ(parsed("{ }").kind(), Json::Kind::object);
}

TEST(Json, RejectsMalformedText) {
  for (const char* text : {"", " ", "{", "[1", "[1,]", "{\"a\"}", "{\"a\":}", "\"", "\"\\", "\"\\u12",
                           "\"\\ud83d\\u0041\"", "\"\\x\"", "nul", "nan", "+1", "1 2", "[1]]", "{1: 2}"}) {
    Json json;
    EXPECT_FALSE(Json::parse(text, json)) << text;
  }
}

TEST(Json, RejectsDeepNesting) {
  Json json;
  EXPECT_FALSE(Json::parse(std::string(100'000, '['), json));
}

TEST(Json, QuotesText) { EXPECT_EQ(quote(R"({"a": "b\c"})"), R"("{\"a\": \"b\\c\"}")"); }

TEST(Base64, Decodes) {
  std::string out;
  EXPECT_TRUE(decode_base64("", out));
  EXPECT_EQ(out, "");
  EXPECT_TRUE(decode_base64("Zm9vYmE=", out));
  EXPECT_EQ(out, "fooba");
  EXPECT_TRUE(decode_base64("Zm9vYg==", out));
  EXPECT_EQ(out, "foob");
  EXPECT_TRUE(decode_base64("AP+A", out));
  EXPECT_EQ(out, std::string("\0\xff\x80", 3));
}

TEST(Base64, RejectsOtherText) {
  std::string out;
  EXPECT_FALSE(decode_base64("Zm9v*", out));
  EXPECT_FALSE(decode_base64("Zm9vY", out));
}

}  // namespace
}  // namespace xichan::nats::internal
