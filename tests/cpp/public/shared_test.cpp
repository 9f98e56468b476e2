// Values that share content: clones, parts, buffers and Shared, and views of them.
#include <cmath>
#include <cstring>
#include <vector>

#include "public/public_support.h"

namespace xichan {
namespace {

using PublicShared = test::PublicTest;

const std::string big(100'000, 'b');

TEST_F(PublicShared, ClonesShareMemory) {
  const Value value = bytes(big);
  const std::uint64_t before = new_bytes();
  const Value clone = value.clone();
  EXPECT_EQ(new_bytes(), before);
  EXPECT_EQ(clone.view().as_bytes().data(), value.view().as_bytes().data());
}

TEST_F(PublicShared, PartBecomesIndependentValue) {
  Value parts[8];
  std::uint64_t before;
  {
    const Value whole = tuple(bytes(big), text("short"), tuple(1, text(big), tuple()), -7, 2.5, tuple());
    before = new_bytes();
    for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(whole.view()[i].to_value(parts[i]), Status::ok);
    EXPECT_EQ(whole.view()[2][1].to_value(parts[6]), Status::ok);
    EXPECT_EQ(whole.view().to_value(parts[7]), Status::ok);
    EXPECT_LT(new_bytes() - before, 1'000u) << "large content is not copied";
    EXPECT_TRUE(parts[7] == whole);
  }
  EXPECT_EQ(parts[0].view().as_bytes().size(), big.size());
  EXPECT_EQ(parts[1].view().as_ascii(), "short");
  EXPECT_EQ(parts[2].view().size(), 3u);
  EXPECT_EQ(parts[3].view().as_integer(), -7);
  EXPECT_EQ(parts[4].view().as_real(), 2.5);
  EXPECT_EQ(parts[5].view().kind(), ValueKind::tuple);
  EXPECT_EQ(parts[6].view().as_ascii(), big);
  Value again;
  EXPECT_EQ(parts[2].view()[1].to_value(again), Status::ok) << "a part of a part";
  parts[2] = Value(), parts[6] = Value(), parts[7] = Value();
  EXPECT_EQ(again.view().as_ascii(), big);
}

TEST_F(PublicShared, PartWithinSameBlockBecomesValue) {
  // A tuple from Python has its texts in its own block; here it is a part of a tuple of tuples.
  Value inner, part;
  ASSERT_EQ(view_of(tuple(tuple(1, 2, 3)))[0].to_value(inner), Status::ok);
  const Value outer = tuple(inner, inner);
  inner = Value();
  ASSERT_EQ(outer.view()[1].to_value(part), Status::ok);
  EXPECT_TRUE(part == tuple(1, 2, 3));
}

TEST_F(PublicShared, SharedReadsLikeItsContent) {
  const Value values[] = {tuple(1, big), text("x"), Value::of(3), bytes(big)};
  for (const Value& value : values) {
    Value shared, again;
    ASSERT_EQ(value.share(shared), Status::ok);
    EXPECT_TRUE(shared.is_shared());
    EXPECT_FALSE(value.is_shared());
    EXPECT_TRUE(shared == value);
    ASSERT_EQ(shared.share(again), Status::ok);
    EXPECT_TRUE(again == value);
    const Value holder = tuple(0, shared, tuple(again));
    EXPECT_TRUE(holder.view()[1] == value.view());
    EXPECT_TRUE(holder.view()[2][0] == value.view());
    Value part;
    ASSERT_EQ(holder.view()[1].to_value(part), Status::ok);
    EXPECT_TRUE(part == value);
  }
}

TEST_F(PublicShared, FreezeConvertsBufferInPlace) {
  Buffer buffer;
  EXPECT_TRUE(buffer.data().empty());
  ASSERT_EQ(Buffer::make(big.size(), buffer), Status::ok);
  ASSERT_EQ(buffer.data().size(), big.size());
  const std::byte* address = buffer.data().data();
  std::memcpy(buffer.data().data(), big.data(), big.size());
  const Value value = buffer.freeze();
  EXPECT_EQ(value.view().as_bytes().data(), address);
  EXPECT_TRUE(value == bytes(big));
  EXPECT_TRUE(buffer.data().empty());
  EXPECT_TRUE(buffer.freeze() == bytes("")) << "an empty buffer freezes to empty bytes";
}

TEST_F(PublicShared, FreezeTruncatesBuffer) {
  for (const std::size_t size : {0, 1, 14, 15, 16, 99, 100, 101}) {
    Buffer buffer;
    ASSERT_EQ(Buffer::make(100, buffer), Status::ok);
    std::memset(buffer.data().data(), 'b', 100);
    EXPECT_TRUE(buffer.freeze(size) == bytes(std::string(std::min<std::size_t>(size, 100), 'b')));
  }
  Buffer empty, dropped, moved;
  ASSERT_EQ(Buffer::make(0, empty), Status::ok);
  EXPECT_TRUE(empty.freeze() == bytes(""));
  ASSERT_EQ(Buffer::make(1'000, dropped), Status::ok);
  moved = std::move(dropped);
  EXPECT_TRUE(dropped.data().empty());
  EXPECT_EQ(moved.data().size(), 1'000u);
  EXPECT_EQ(Buffer::make(SIZE_MAX, moved), Status::too_large);
  EXPECT_EQ(moved.data().size(), 1'000u) << "unchanged";
}

// Doubles a value 41 times: 2^41 leaves that share one.
Value doubled(Value value) {
  for (int i = 0; i < 41; ++i) {
    const Value both[] = {value.clone(), std::move(value)};
    EXPECT_EQ(Value::tuple(both, value), Status::ok);
  }
  return value;
}

TEST_F(PublicShared, EqualityOfValuesThatShareTheirPartsIsLinear) {
  const test::Watchdog watchdog("equality of 2^41 leaves");
  const Value one = doubled(bytes(big)), two = doubled(bytes(big));
  EXPECT_TRUE(one == two);
  EXPECT_FALSE(one == doubled(bytes(big + "!")));
  EXPECT_FALSE(one == doubled(tuple(1)));
  const double nan = std::nan("");
  EXPECT_FALSE(doubled(tuple(nan, 1)) == doubled(tuple(nan, 1)));
  EXPECT_TRUE(one == one.clone());
  Value shared;
  ASSERT_EQ(two.share(shared), Status::ok);
  EXPECT_TRUE(one == shared);
}

TEST_F(PublicShared, EqualityComparesARepeatedPartOnce) {
  const test::Watchdog watchdog("equality of 2^16 repeats");
  Value values[2];
  for (Value& value : values) {
    const Value part = bytes(std::string(1 << 22, 'p'));
    std::vector<Value> items(1 << 16);
    for (Value& item : items) item = part.clone();
    ASSERT_EQ(Value::tuple(items, value), Status::ok);
  }
  EXPECT_TRUE(values[0] == values[1]);  // 2^38 bytes, each compared once
}

}  // namespace
}  // namespace xichan
