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

// Every container, and a repeat of one.
template <class Add>
void add_containers(Add add) {
  const auto made = [](Status status, Value& value) {
    XICHAN_FUZZ_REQUIRE(status == Status::ok);
    return std::move(value);
  };
  Value value;
  const Value items[] = {Value::of(1), text("two"), text("three, which is longer than a cell"), Value::of(2.5)};
  std::vector<Value> all;
  all.push_back(made(Value::list(items, value), value));
  all.push_back(made(Value::set(items, value), value));
  all.push_back(made(Value::frozen_set(items, value), value));
  ValueEntry entries[2];
  for (ValueEntry& entry : entries) entry = {Value::of(static_cast<int>(&entry - entries)), all[0].clone()};
  all.push_back(made(Value::dict(entries, value), value));
  all.push_back(made(Value::frozen_dict(entries, value), value));
  all.push_back(made(Value::range(1, 10, 2, value), value));
  all.push_back(made(Value::slice(items[0], items[1], items[2], value), value));
  all.push_back(made(Value::complex({1, 2}, value), value));
  all.push_back(made(Value::byte_array(std::as_bytes(std::span("bytes of a bytearray")), value), value));
  all.push_back(Value::ellipsis());
  const std::size_t shape[] = {2, 1};
  for (const char* format : {"<u4", "|V4"}) {
    all.push_back(
        made(Value::array(ArrayType::ndarray, format, shape, std::as_bytes(std::span("12345678", 8)), value), value));
  }
  const std::string_view names[] = {"a", "b", "c", "d"};
  Value type;
  XICHAN_FUZZ_REQUIRE(Value::record_type("module", "Class", names, type) == Status::ok);
  all.push_back(made(Value::record(type, items, value), value));
  all.push_back(made(Value::record(Value::of(7), {items + 1, 1}, value), value));  // a Decimal
  const Value deque[] = {all[0].clone(), Value()};
  all.push_back(made(Value::record(Value::of(21), deque, value), value));
  std::vector<Value> keys;
  for (int i = 0; i < 40; ++i) keys.push_back(Value::of(i));
  all.push_back(made(Value::set(keys, value), value));
  for (const Value& each : all) add(each);
  add(tuple(all));
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
  add_containers(add);
  for (std::string& body : forged_seeds()) seeds.push_back(std::move(body));
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
      "\x00\x08\x4d\x06\x06\x55\x00\x06\x95\x06\x95"s,      // lists and dicts
      "\xc5\x08"s,                                          // a record without fields
      "\x00\x08\xd5\x08\x01"s,                              // a record
      "\x00\xcd\x00\xcd\x01\xcd\x02\xcd\x03\x40\xcd\x04\xcd\x05\x08\xcd\x06\xcd\x07\x05\xcd\x08\x06\x55"s,  // all
  };
}

}  // namespace xichan::fuzz
