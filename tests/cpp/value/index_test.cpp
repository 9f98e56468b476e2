// Hashing and finding the keys of dicts and sets.
#include "value/index.h"

#include <cmath>
#include <set>

#include "support/support.h"
#include "value/body_writer.h"
#include "value/dump.h"
#include "value/value_access.h"
#include "xichan/value.h"

namespace xichan::internal {
namespace {

using test::Body;
using test::BodyWriter;
using test::Node;

ValueView view_of(const Value& value) { return value.view(); }

class Index : public test::ArenaTest {
 protected:
  Value load(Node* root) {
    const Body body = w.write(root);
    const DumpHeader header = dump_header(body.size());
    Body dump(sizeof header);
    std::memcpy(dump.data(), &header, sizeof header);
    dump.insert(dump.end(), body.begin(), body.end());
    Value value;
    EXPECT_EQ(Value::load(dump, value), Status::ok);
    return value;
  }
  static CellRef place(ValueView view) { return {ValueAccess::reader(view), &ValueAccess::cell(view)}; }
  static bool equal(ValueView one, ValueView other) {
    const CellRef a = place(one), b = place(other);
    const bool result = equal_keys(a.reader, *a.cell, b.reader, *b.cell);
    EXPECT_EQ(result, equal_keys(b.reader, *b.cell, a.reader, *a.cell));
    return result;
  }
  static bool hashes(ValueView view, std::uint64_t& hash) {
    return hash_key(place(view).reader, *place(view).cell, hash);
  }
  static std::uint64_t hash(ValueView view) {
    std::uint64_t result = 0;
    EXPECT_TRUE(hashes(view, result));
    return result;
  }
  static Lookup find(ValueView dict, ValueView key, std::uint64_t& entry) {
    return find_entry(place(dict).reader, *place(dict).cell, place(key).reader, *place(key).cell, entry);
  }
  static Value integer(std::vector<std::uint64_t> words) {
    Value value;
    EXPECT_EQ(Value::integer(std::as_bytes(std::span(words)), value), Status::ok);
    return value;
  }
  static Value text(std::string_view utf8) {
    Value value;
    EXPECT_EQ(Value::text(utf8, value), Status::ok);
    return value;
  }
  template <class... Items>
  static Value tuple(Items&&... items) {
    Value value;
    EXPECT_EQ(Value::pack(value, std::forward<Items>(items)...), Status::ok);
    return value;
  }

  BodyWriter w;
};

TEST_F(Index, EqualNumbersHashAlike) {
  const Value numbers[][3] = {
      {Value::of(0), Value::of(-0.0), Value::of(false)},
      {Value::of(1), Value::of(1.0), Value::of(true)},
      {Value::of(-7), Value::of(-7.0), Value::of(-7)},
      {Value::of(INT64_MIN), Value::of(-0x1p63), Value::of(INT64_MIN)},
      {integer({1ull << 63, 0}), Value::of(0x1p63), integer({1ull << 63, 0})},
      {integer({0, 1}), Value::of(0x1p64), integer({0, 1})},
      {integer({0, ~0ull}), Value::of(-0x1p64), integer({0, ~0ull})},
      {integer({0, 3ull << 50, 0}), Value::of(std::ldexp(3, 114)), integer({0, 3ull << 50})},
      {integer({1ull << 60, 1}), Value::of(0x1p64 + 0x1p60), integer({1ull << 60, 1})},
      {integer({1ull << 63, ~0ull - 1}), Value::of(-0x1p65 + 0x1p63), integer({1ull << 63, ~0ull - 1})},
      {integer({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1ull << 63, 0}), Value::of(0x1p1023),
       integer({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1ull << 63, 0})},
  };
  for (const auto& same : numbers) {
    for (const Value& other : same) {
      EXPECT_TRUE(equal(same[0].view(), other.view()));
      EXPECT_EQ(hash(same[0].view()), hash(other.view()));
    }
  }
  std::set<std::uint64_t> all;
  for (const auto& same : numbers) all.insert(hash(same[0].view()));
  EXPECT_EQ(all.size(), std::size(numbers));
}

TEST_F(Index, DifferentNumbersAreNotEqual) {
  const Value infinity = Value::of(INFINITY), huge = integer({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
  const Value huger = integer({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
  const Value odd = integer({1, 1}), odder = integer({1, 2}), wide = integer({1, 0, 1}), exact = Value::of(0x1p64);
  const Value high = integer({1ull << 63, 1ull << 62}), nan = Value::of(NAN);
  for (const Value* one : {&infinity, &huge, &huger, &odd, &odder, &wide, &exact, &high, &nan}) {
    for (const Value* other : {&infinity, &huge, &huger, &odd, &odder, &wide, &exact, &high, &nan}) {
      EXPECT_EQ(equal(one->view(), other->view()), one == other && one != &nan);
    }
  }
}

TEST_F(Index, KeysOfDifferentKindsAreNotEqual) {
  const Value keys[] = {Value(),   Value::ellipsis(), Value::of(97), text("a"), tuple(std::as_bytes(std::span("a", 1))),
                        tuple(97), tuple(97, 98),     tuple(),       text(""),  text(std::string(30, 'x'))};
  for (const Value& one : keys) {
    for (const Value& other : keys) {
      EXPECT_EQ(equal(one.view(), other.view()), &one == &other);
      EXPECT_EQ(hash(one.view()) == hash(other.view()), &one == &other);
    }
  }
}

TEST_F(Index, TextHashesAlikeInEveryWidth) {
  const Value message = text("0123456789\u20ac\U0001f600");  // four bytes a code point
  const Cell& cell = ValueAccess::cell(message.view());
  for (const std::uint64_t length : {1u, 4u, 7u, 8u, 9u, 10u, 11u}) {
    const Cell slice = Cell::of(cell.tag(), length, cell.word);
    std::string expected = std::string("0123456789").substr(0, length);
    if (length == 11) expected += "\u20ac";
    const Value narrow = text(expected);
    const BlockReader reader = ValueAccess::reader(message.view());
    std::uint64_t one = 0;
    EXPECT_TRUE(hash_key(reader, slice, one));
    EXPECT_EQ(one, hash(narrow.view())) << length;
    EXPECT_TRUE(equal_keys(reader, slice, place(narrow.view()).reader, *place(narrow.view()).cell));
  }
}

TEST_F(Index, OtherKeysDoNotHash) {
  std::uint64_t unused;
  Value value;
  EXPECT_EQ(Value::list({}, value), Status::ok);
  EXPECT_FALSE(hashes(value.view(), unused));
  EXPECT_EQ(Value::complex(1, value), Status::ok);
  EXPECT_FALSE(hashes(value.view(), unused));
  EXPECT_FALSE(hashes(view_of(tuple(tuple(1))), unused)) << "a tuple in a tuple";
  std::vector<Value> items(largest_tuple_key + 1);
  EXPECT_EQ(Value::tuple(items, value), Status::ok);
  EXPECT_FALSE(hashes(value.view(), unused));
  items.pop_back();
  EXPECT_EQ(Value::tuple(items, value), Status::ok);
  EXPECT_TRUE(hashes(value.view(), unused));
}

// The time of n keys that repeat one payload must not be that of n payloads.
TEST_F(Index, LongRepeatedKeyDoesNotHash) {
  std::uint64_t unused;
  for (Node* node :
       {w.text(std::string(257, 'x')), w.bytes(std::string(257, 'x')), w.big_int(std::vector<std::uint64_t>(40, 1))}) {
    const Value value = load(w.tuple({node, w.repeat(node), w.tuple({w.repeat(node)})}));
    EXPECT_FALSE(hashes(value.view()[0], unused)) << "it is marked";
    EXPECT_FALSE(hashes(value.view()[2], unused));
  }
  Node* node = w.text(std::string(256, 'x'));
  const Value value = load(w.tuple({node, w.repeat(node), w.tuple({w.repeat(node)})}));
  EXPECT_TRUE(hashes(value.view()[2], unused));
  Node* alone = w.text(std::string(1000, 'x'));
  const Value once = load(w.tuple({alone}));
  EXPECT_TRUE(hashes(once.view()[0], unused));
}

TEST_F(Index, EveryKeyIsFound) {
  for (const int count : {0, 1, 32, 33, 1000, 5000}) {
    std::vector<Node*> parts;
    for (int i = 0; i < count; ++i) {
      parts.push_back(i % 3 == 0   ? w.number(i)
                      : i % 3 == 1 ? w.text("a key with number " + std::to_string(i))
                                   : w.tuple({w.number(i), w.text("t")}));
      parts.push_back(w.number(-i));
    }
    if (count > 32) parts.push_back(w.index());
    const Value dict = load(w.dict(parts));
    std::uint64_t entry;
    for (int i = 0; i < count; ++i) {
      const Value key = i % 3 == 0   ? Value::of(double(i))
                        : i % 3 == 1 ? text("a key with number " + std::to_string(i))
                                     : tuple(i, "t");
      ASSERT_EQ(find(dict.view(), key.view(), entry), Lookup::found) << i;
      ASSERT_EQ(entry, static_cast<std::uint64_t>(i));
    }
    EXPECT_EQ(find(dict.view(), view_of(text("missing")), entry), Lookup::missing);
    EXPECT_EQ(find(dict.view(), view_of(Value::of(NAN)), entry), Lookup::missing);
    EXPECT_EQ(find(dict.view(), view_of(tuple(tuple())), entry), Lookup::unknown);
  }
}

TEST_F(Index, UnknownIfAKeyOfTheDictDoesNotHash) {
  std::uint64_t entry;
  for (const int count : {2, 40}) {
    std::vector<Node*> parts;
    for (int i = 0; i < count; ++i) parts.push_back(w.number(i));
    parts[0] = w.container(Tag::frozenset, {});
    if (count > 32) parts.push_back(w.index());
    const Value set = load(w.set(parts));
    EXPECT_EQ(find(set.view(), view_of(Value::of(100)), entry), Lookup::unknown);
    EXPECT_EQ(find(set.view(), view_of(Value::of(1)), entry), count == 2 ? Lookup::found : Lookup::unknown);
  }
  const Value nested = load(w.set({w.tuple({w.tuple({})}), w.tuple({})}));
  EXPECT_EQ(find(nested.view(), view_of(Value::of(100)), entry), Lookup::unknown);
  std::vector<Node*> items(17);
  for (Node*& item : items) item = w.none();
  const Value wide = load(w.set({w.tuple(items)}));
  EXPECT_EQ(find(wide.view(), view_of(Value::of(100)), entry), Lookup::unknown);
}

// A NaN equals nothing; thousands of them do not collide.
TEST_F(Index, NaNsAreNotIndexed) {
  std::vector<Node*> parts;
  for (int i = 0; i < 20'000; ++i) parts.push_back(w.real(NAN));
  parts.push_back(w.number(5));
  parts.push_back(w.index());
  const Value set = load(w.set(parts));
  std::uint64_t entry;
  EXPECT_EQ(find(set.view(), view_of(Value::of(5.0)), entry), Lookup::found);
  EXPECT_EQ(entry, 20'000u);
  EXPECT_EQ(find(set.view(), set.view()[0], entry), Lookup::missing);
}

TEST_F(Index, DumpHasNoTable) {
  std::vector<Node*> parts;
  for (int i = 0; i < 100; ++i) parts.push_back(w.number(i));
  parts.push_back(w.index());
  const Body body = w.write(w.set(parts));
  const Value set = load(w.set(parts));
  Dump dump;
  ASSERT_EQ(set.dump(dump), Status::ok);
  EXPECT_TRUE(std::ranges::equal(dump.body(), body));
}

}  // namespace
}  // namespace xichan::internal
