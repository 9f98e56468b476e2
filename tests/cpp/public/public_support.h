// What the tests of the public interface share. Only what is installed, and the fixture that finds leaks.
#pragma once

#include <string>
#include <utility>

#include "support/support.h"
#include "xichan/xichan.h"

namespace xichan {

/// Returns the view of a value that may be temporary; valid until the end of the full expression.
inline ValueView view_of(const Value& value) noexcept { return value.view(); }

}  // namespace xichan

namespace xichan::test {

using namespace internal;

class PublicTest : public ArenaTest {
 protected:
  static std::pair<Sender, Receiver> open(const ChannelOptions& options) {
    std::pair<Sender, Receiver> ends;
    EXPECT_EQ(channel(options, ends.first, ends.second), Status::ok);
    return ends;
  }

  static Value text(std::string_view utf8) {
    Value value;
    EXPECT_EQ(Value::text(utf8, value), Status::ok);
    return value;
  }

  static Value bytes(std::string_view data) {
    Value value;
    EXPECT_EQ(Value::bytes(std::as_bytes(std::span(data)), value), Status::ok);
    return value;
  }

  template <class... Items>
  static Value tuple(Items&&... items) {
    Value value;
    EXPECT_EQ(Value::pack(value, std::forward<Items>(items)...), Status::ok);
    return value;
  }
};

}  // namespace xichan::test
