// What fuzzing begins with: made here rather than stored, so that they follow the format.
#include "targets.h"
#include "value/bodies.h"
#include "value/dump.h"
#include "xichan/value.h"

namespace xichan::fuzz {

using namespace internal;
namespace {

std::string as_string(std::span<const std::byte> data) {
  return {reinterpret_cast<const char*>(data.data()), data.size()};
}

std::string dump_of(const Value& value) {
  Dump dump;
  XICHAN_FUZZ_REQUIRE(value.dump(dump) == Status::ok);
  return as_string(dump.header()) + as_string(dump.body());
}

Value text(std::string_view utf8) {
  Value value;
  XICHAN_FUZZ_REQUIRE(Value::text(utf8, value) == Status::ok);
  return value;
}

Value tuple(std::span<const Value> items) {
  Value value;
  XICHAN_FUZZ_REQUIRE(Value::tuple(items, value) == Status::ok);
  return value;
}

}  // namespace

std::vector<std::string> foreign_seeds() {
  std::vector<std::string> seeds{"", as_string(test::rich_body())};
  const auto add = [&](const Value& value) {
    seeds.push_back(dump_of(value));
    seeds.push_back(seeds.back().substr(sizeof(DumpHeader)));
  };
  add(Value());
  add(Value::of(-5));
  add(Value::of(1.5));
  for (const char* point : {"a", "\u00e9", "\u20ac", "\U0001f600"}) {
    std::string run;
    for (int length = 0; length < 20; ++length, run += point) add(text(run));
  }
  Value chain = text("the bottom of a chain of tuples");
  for (int i = 0; i < 5; ++i) {
    const Value items[] = {chain.clone(), Value::of(i), chain.clone()};
    chain = tuple(items);
    add(chain);
  }
  return seeds;
}

std::vector<std::string> round_trip_seeds() {
  using namespace std::string_literals;
  return {
      "\x00"s,                                  // None
      "\x01\x01\x02\x03\x04\x05\x06\x07\x08"s,  // an int
      "\x02\x00\x00\x00\x00\x00\x00\xf8\x7f"s,  // a float
      "\xa3twenty letters of ABC\x23"
      "four\x15"s,                                        // texts, and a tuple of them
      "\xff\xf0\x9f\x98\x80\x06\x06\x1d\xff\xe2\x82\xac"  // wide texts, repeated, in tuples
      "\x15"s,
      "\xfc\x20"
      " bytes that are longer than a cell\x06\x06\x06\x25\x06\x15"s,
      "\x05\x0d\x0d\x0d\x0d\x0d\x06\x15\x06\x15\x06\x15"s,  // tuples in tuples
  };
}

}  // namespace xichan::fuzz
