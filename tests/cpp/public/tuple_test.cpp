// Integers of any size; packing, iterating, visiting and comparing values.
#include <algorithm>
#include <limits>
#include <numeric>
#include <ranges>
#include <vector>

#include "public/public_support.h"

namespace xichan {
namespace {

using PublicTuple = test::PublicTest;

using Words = std::vector<std::uint64_t>;

Value integer(const Words& words) {
  Value value;
  EXPECT_EQ(Value::integer(std::as_bytes(std::span(words)), value), Status::ok);
  return value;
}

TEST_F(PublicTuple, IntegersOfAnySizeAreNormalized) {
  EXPECT_EQ(view_of(integer({})).as_integer(), 0);
  EXPECT_EQ(view_of(integer({0, 0, 0})).as_integer(), 0);
  EXPECT_EQ(view_of(integer({~0ull, ~0ull})).as_integer(), -1);
  EXPECT_EQ(view_of(integer({1ull << 63, ~0ull})).as_integer(), INT64_MIN);
  EXPECT_EQ(view_of(integer({1ull << 63, 0})).kind(), ValueKind::big_integer);
  const Words words{1, 2, 3, 1ull << 62};
  const Value large = integer(words);
  const auto data = large.view().as_bytes();
  EXPECT_TRUE(std::ranges::equal(data, std::as_bytes(std::span(words))));
  EXPECT_TRUE(large == integer({1, 2, 3, 1ull << 62, 0, 0})) << "extra words are dropped";
  EXPECT_EQ(view_of(integer({5, 0})).kind(), ValueKind::integer);
  for (std::size_t size = 0; size <= 20; ++size) {  // sizes that are not multiples of a word
    std::vector<std::byte> bytes(size, std::byte{0x5a});
    Value value;
    ASSERT_EQ(Value::integer(bytes, value), Status::ok);
    EXPECT_EQ(value.view().kind(), size <= 8 ? ValueKind::integer : ValueKind::big_integer);
    if (size > 8) {
      EXPECT_EQ(value.view().as_bytes().size(), (size + 7) / 8 * 8);
    }
    if (!bytes.empty()) bytes.back() = std::byte{0xa5};
    ASSERT_EQ(Value::integer(bytes, value), Status::ok);
    if (size > 8) {
      EXPECT_EQ(value.view().as_bytes().back(), size % 8 == 0 ? std::byte{0xa5} : std::byte{0xff});
    }
    if (size == 1) {
      EXPECT_EQ(value.view().as_integer(), 0xa5 - 256);
    }
  }
}

TEST_F(PublicTuple, UnsignedIntegersRoundTrip) {
  for (const std::uint64_t number : {std::uint64_t{0}, std::uint64_t{1} << 63, UINT64_MAX, std::uint64_t{INT64_MAX}}) {
    Value value;
    ASSERT_EQ(Value::unsigned_integer(number, value), Status::ok);
    EXPECT_EQ(value.view().as_unsigned(), number);
  }
  EXPECT_EQ(view_of(Value::of(-1)).as_unsigned(), 0u);
  EXPECT_EQ(view_of(integer({0, 1})).as_unsigned(), 0u);
  EXPECT_EQ(view_of(integer({5, ~0ull})).as_unsigned(), 0u);
  EXPECT_EQ(view_of(text("x")).as_unsigned(), 0u);
}

TEST_F(PublicTuple, PackAcceptsEveryItemType) {
  const std::string name = "AAPL";
  const std::byte raw[] = {std::byte{1}, std::byte{2}};
  const Value value = tuple(7, std::uint64_t{UINT64_MAX}, -1.5f, true, "char", name, std::string_view("view"),
                            std::span<const std::byte>(raw), Value(), tuple(1, 2), view_of(tuple(9))[0]);
  const ValueView view = value.view();
  ASSERT_EQ(view.size(), 11u);
  EXPECT_EQ(view[0].as_integer(), 7);
  EXPECT_EQ(view[1].as_unsigned(), UINT64_MAX);
  EXPECT_EQ(view[2].as_real(), -1.5);
  EXPECT_TRUE(view[3].as_bool());
  EXPECT_EQ(view[4].as_ascii(), "char");
  EXPECT_EQ(view[5].as_ascii(), "AAPL");
  EXPECT_EQ(view[6].as_ascii(), "view");
  EXPECT_EQ(view[7].as_bytes().size(), 2u);
  EXPECT_EQ(view[8].kind(), ValueKind::none);
  EXPECT_EQ(view[9].size(), 2u);
  EXPECT_EQ(view[10].as_integer(), 9);
  Value out = Value::of(3);
  EXPECT_EQ(Value::pack(out, 1, "bad \xff", 2), Status::invalid);
  EXPECT_EQ(out.view().as_integer(), 3) << "unchanged";
  EXPECT_EQ(view_of(tuple()).size(), 0u);
  Value kept = text("a text that needs a block"), moved = kept.clone();
  EXPECT_EQ(Value::pack(out, std::move(moved), "bad \xff"), Status::invalid);
  EXPECT_TRUE(moved == kept) << "unchanged";
  EXPECT_EQ(Value::pack(out, kept, std::move(moved)), Status::ok);
  EXPECT_EQ(moved.view().kind(), ValueKind::none);
  EXPECT_TRUE(out == tuple(kept, kept));
  EXPECT_EQ(Value::pack(out, std::move(out)), Status::ok) << "pack a value into itself";
  EXPECT_TRUE(out.view()[0] == view_of(tuple(kept, kept)));
}

TEST_F(PublicTuple, IterationIsRandomAccess) {
  const Value value = tuple(1, 2, 3, 4);
  std::int64_t sum = 0;
  for (const ValueView item : value.view()) sum += item.as_integer();
  EXPECT_EQ(sum, 10);
  static_assert(std::random_access_iterator<ValueView::Iterator>);
  const auto reversed = value.view() | std::views::reverse;
  EXPECT_EQ((*reversed.begin()).as_integer(), 4);
  EXPECT_EQ(value.view().begin()[2].as_integer(), 3);
  EXPECT_EQ(value.view().end() - value.view().begin(), 4);
  const Value leaves[] = {Value(), Value::of(1), text("text that has a length"), bytes("bytes too"), tuple()};
  for (const Value& leaf : leaves) {
    EXPECT_EQ(leaf.view().begin(), leaf.view().end());
    EXPECT_EQ(leaf.view()[0].kind(), ValueKind::none);
  }
  EXPECT_EQ(value.view()[4].kind(), ValueKind::none);
}

TEST_F(PublicTuple, VisitDispatchesByKind) {
  auto [tx, rx] = open({});
  Value end;
  ASSERT_EQ(tx.as_value(end), Status::ok);
  Value receiver;
  ASSERT_EQ(rx.as_value(receiver), Status::ok);
  const Value value = tuple(Value(), true, 7, 2.5, "text", integer({0, 1}), bytes("b"), tuple(1), end, receiver);
  std::string seen;
  const auto visitor = overloaded{
      [](None) { return 'n'; },           [](bool b) { return b ? 't' : 'f'; },
      [](std::int64_t) { return 'i'; },   [](double) { return 'r'; },
      [](TextView) { return 's'; },       [](BytesView) { return 'y'; },
      [](BigIntegerView) { return 'I'; }, [](TupleView t) { return t.view.size() == 1 ? '(' : '?'; },
      [](SenderView) { return '>'; },     [](ReceiverView) { return '<'; },
      [](QueueView) { return 'q'; },
  };
  for (const ValueView item : value.view()) seen += visit(item, visitor);
  EXPECT_EQ(seen, "ntirsIy(><");
  EXPECT_EQ(visit(view_of(Value::of(3)), overloaded{[](std::int64_t n) { return n; }, [](auto) { return INT64_C(0); }}),
            3);
}

TEST_F(PublicTuple, EqualityComparesKindAndContent) {
  const auto every = [&] {
    std::vector<Value> values;
    for (const auto* t :
         {"", "a", "b", "a text that needs a block", "\u20ac", "\u20ac\u20ac\u20ac\u20ac\u20ac\u20ac\u20ac\u20ac",
          "\u00e9", "\U0001f600", "\U0001f600\U0001f601"}) {  // short texts of all widths, whose payload is not aligned
      values.push_back(text(t));
      values.push_back(bytes(t));
      values.push_back(tuple(t));
    }
    for (const Words& words : {Words{}, Words{1}, Words{~0ull}, Words{0, 1}, Words{0, 2}, Words{0, ~0ull - 1}}) {
      values.push_back(integer(words));
    }
    values.push_back(Value());
    values.push_back(Value::of(true));
    values.push_back(Value::of(false));
    values.push_back(Value::of(1.0));
    values.push_back(tuple(1, tuple(2, tuple(3, "x"))));
    values.push_back(tuple(1, tuple(2, tuple(3, "y"))));
    values.push_back(tuple(1, tuple(2, tuple(3, "x", 4))));
    values.push_back(tuple());
    return values;
  };
  const std::vector<Value> one = every(), other = every();
  for (std::size_t i = 0; i < one.size(); ++i) {
    for (std::size_t j = 0; j < other.size(); ++j) EXPECT_EQ(one[i] == other[j], i == j) << i << ' ' << j;
  }
  EXPECT_TRUE(Value::of(0.0) == Value::of(-0.0));
  const Value nan = Value::of(std::numeric_limits<double>::quiet_NaN());
  EXPECT_FALSE(nan == nan);
  const Value holder = tuple(nan);
  EXPECT_TRUE(holder == holder);
  EXPECT_FALSE(holder == tuple(nan));
}

TEST_F(PublicTuple, DeepEqualityNeedsNoStack) {
  const auto nest = [] {
    Value value = Value::of(1);
    for (int i = 0; i < 100'000; ++i) {
      Value outer;
      ASSERT_EQ(Value::tuple({&value, 1}, outer), Status::ok);
      value = std::move(outer);
    }
    static Value kept[2];
    (kept[0].view().kind() == ValueKind::none ? kept[0] : kept[1]) = std::move(value);
    if (kept[1].view().kind() == ValueKind::none) return;
    bool equal = false;
    EXPECT_EQ(ValueView::equal(kept[0].view(), kept[1].view(), equal), Status::ok);
    EXPECT_TRUE(equal);
    kept[0] = Value(), kept[1] = Value();
  };
  test::on_small_stack([&] { nest(), nest(); });
}

TEST_F(PublicTuple, MemoryLimitIsReported) {
  const Value keep = tuple(text("a text that needs a block"));
  set_memory_limit(memory_stats().bytes);
  Value out = Value::of(1);
  Buffer buffer;
  EXPECT_EQ(Value::pack(out, 1, 2), Status::arena_full);
  EXPECT_EQ(Value::unsigned_integer(UINT64_MAX, out), Status::arena_full);
  EXPECT_EQ(keep.share(out), Status::ok) << "sharing an existing block needs no memory";
  EXPECT_EQ(Value::of(1).share(out), Status::arena_full);
  EXPECT_TRUE(out == keep);
  EXPECT_EQ(Buffer::make(100, buffer), Status::arena_full);
  set_memory_limit(UINT64_MAX);
}

}  // namespace
}  // namespace xichan
