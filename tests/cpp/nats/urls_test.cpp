#include "nats/urls.h"

#include <gtest/gtest.h>

namespace xichan::nats::internal {
namespace {

using Urls = std::vector<std::string>;

TEST(Urls, AreDividedAndStripped) {
  Urls urls;
  ASSERT_EQ(parse_urls("nats://a:1,tls://b, c:4222 ,\tNATS://d\n", urls), Status::ok);
  EXPECT_EQ(urls, (Urls{"nats://a:1", "tls://b", "c:4222", "NATS://d"}));
}

TEST(Urls, AreRefusedIfEmpty) {
  for (const char* servers : {"", " ", ",", "nats://a,", ",nats://a", "nats://a,\t,nats://b"}) {
    Urls urls;
    EXPECT_EQ(parse_urls(servers, urls), Status::invalid) << servers;
    EXPECT_EQ(kept_error().message, "servers contains an empty URL");
  }
}

TEST(Urls, AreRefusedIfTheirSchemeIsUnknown) {
  for (const char* servers : {"http://me:secret@a", "nats://b,http://me:secret@a", "://a", "nats ://a"}) {
    Urls urls;
    EXPECT_EQ(parse_urls(servers, urls), Status::invalid) << servers;
    EXPECT_TRUE(kept_error().message.starts_with("the URL of a server begins with nats:// or tls://, got '"));
    EXPECT_EQ(kept_error().message.find("secret"), std::string::npos);
  }
}

TEST(Urls, AskForTls) {
  EXPECT_TRUE(has_tls("tls://a"));
  EXPECT_TRUE(has_tls("TLS://a"));
  EXPECT_FALSE(has_tls("nats://a"));
  EXPECT_FALSE(has_tls("tls"));
}

TEST(Urls, AreShownWithoutSecrets) {
  EXPECT_EQ(without_secrets("nats://user:secret@host:4222"), "nats://host:4222");
  EXPECT_EQ(without_secrets("nats://token@host"), "nats://host");
  EXPECT_EQ(without_secrets("nats://user:sec//ret@host"), "nats://host");
  EXPECT_EQ(without_secrets("nats://user:sec://ret@host"), "nats://host");
  EXPECT_EQ(without_secrets("user:secret@host"), "//host");
  EXPECT_EQ(without_secrets("user:sec://ret@host"), "//host");
  EXPECT_EQ(without_secrets("nats://host:4222"), "nats://host:4222");
}

}  // namespace
}  // namespace xichan::nats::internal
