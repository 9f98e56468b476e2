// Buffers that move to their receiver.
#include <atomic>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

#include "public/public_support.h"

namespace xichan {
namespace {

using PublicBuffer = test::PublicTest;

Buffer filled(std::size_t size) {
  Buffer buffer;
  EXPECT_EQ(Buffer::make(size, buffer), Status::ok);
  for (std::size_t i = 0; i < size; ++i) buffer.data()[i] = static_cast<std::byte>(i % 251);
  return buffer;
}

bool is_filled(Buffer& buffer, std::size_t size) {
  if (buffer.data().size() != size) return false;
  for (std::size_t i = 0; i < size; ++i) {
    if (buffer.data()[i] != static_cast<std::byte>(i % 251)) return false;
  }
  return true;
}

TEST_F(PublicBuffer, ContentIsAligned) {
  for (const std::size_t size : {0u, 1u, 14u, 15u, 100u, 5'000u, 1'000'000u}) {
    Buffer buffer = filled(size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data().data()) % 64, 0u);
  }
}

TEST_F(PublicBuffer, MovesThroughChannelWithoutCopy) {
  auto [tx, rx] = open({.capacity = 4});
  for (const std::size_t size : {0u, 1u, 14u, 15u, 100u, 5'000u, 1'000'000u}) {
    Buffer buffer = filled(size);
    const void* const place = buffer.data().data();
    Value value;
    ASSERT_EQ(buffer.move_to(value), Status::ok);
    EXPECT_TRUE(buffer.data().empty());
    EXPECT_EQ(buffer.move_to(value), Status::invalid) << "it is empty";
    ASSERT_EQ(tx.send(std::move(value)), Status::ok);
    Value received;
    ASSERT_EQ(rx.recv(received), Status::ok);
    EXPECT_EQ(received.view().kind(), ValueKind::buffer);
    Buffer taken;
    ASSERT_EQ(Buffer::take(received.view(), taken), Status::ok);
    EXPECT_TRUE(is_filled(taken, size));
    EXPECT_EQ(taken.data().data(), place);
    received = Value();
    EXPECT_TRUE(is_filled(taken, size)) << "the message is not needed any more";
    const Value frozen = taken.freeze();
    EXPECT_EQ(frozen.view().as_bytes().size(), size);
  }
}

TEST_F(PublicBuffer, IsTakenOnce) {
  Value value, clone;
  ASSERT_EQ(filled(100).move_to(value), Status::ok);
  clone = value.clone();
  const Value holder = tuple(1, value);
  Buffer first, second = filled(3);
  ASSERT_EQ(Buffer::take(holder.view()[1], first), Status::ok);
  for (const ValueView view : {value.view(), clone.view(), holder.view()[1], holder.view(), holder.view()[0]}) {
    EXPECT_EQ(Buffer::take(view, second), Status::not_found);
  }
  EXPECT_TRUE(is_filled(first, 100));
  EXPECT_TRUE(is_filled(second, 3)) << "unchanged";
}

TEST_F(PublicBuffer, OneOfSeveralThreadsTakesIt) {
  for (int round = 0; round < 200; ++round) {
    Value value;
    ASSERT_EQ(filled(64).move_to(value), Status::ok);
    std::atomic<int> ready = 0, taken = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&, mine = value.clone()] {
        ready.fetch_add(1);
        while (ready.load() < 4) {
        }
        Buffer buffer;
        if (Buffer::take(mine.view(), buffer) != Status::ok) return;
        EXPECT_TRUE(is_filled(buffer, 64));
        std::memset(buffer.data().data(), 1, 64);
        taken.fetch_add(1);
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(taken.load(), 1);
  }
}

TEST_F(PublicBuffer, IsReleasedWithItsMessage) {
  const std::uint64_t before = new_bytes();
  {
    Value value;
    ASSERT_EQ(filled(10'000).move_to(value), Status::ok);
    const Value holder = tuple(value, tuple(value));
    EXPECT_GT(new_bytes() - before, 10'000u);
  }
  EXPECT_EQ(new_bytes(), before);
}

TEST_F(PublicBuffer, CannotLeaveItsProcess) {
  Value value;
  ASSERT_EQ(filled(100).move_to(value), Status::ok);
  Dump dump;
  EXPECT_EQ(value.dump(dump), Status::invalid);
  EXPECT_EQ(tuple(1, value).dump(dump), Status::invalid);
}

TEST_F(PublicBuffer, EqualsOnlyItself) {
  Value one, other;
  ASSERT_EQ(filled(100).move_to(one), Status::ok);
  ASSERT_EQ(filled(100).move_to(other), Status::ok);
  EXPECT_TRUE(one == one.clone());
  EXPECT_FALSE(one == other);
  EXPECT_TRUE(tuple(one) == tuple(one));
  EXPECT_FALSE(tuple(one) == tuple(other));
}

TEST_F(PublicBuffer, IsVisitedAsView) {
  Value value;
  ASSERT_EQ(filled(100).move_to(value), Status::ok);
  const bool seen =
      visit(value.view(), overloaded{[](BufferView buffer) {
                                       Buffer taken;
                                       return Buffer::take(buffer.view, taken) == Status::ok && is_filled(taken, 100);
                                     },
                                     [](auto) { return false; }});
  EXPECT_TRUE(seen);
  const bool none = visit(
      value.view(), overloaded{[](None) { return true; }, [](bool b) { return !b; }, [](std::int64_t) { return false; },
                               [](double) { return false; }, [](TextView) { return false; },
                               [](BytesView) { return false; }, [](BigIntegerView) { return false; },
                               [](TupleView) { return false; }, [](SenderView) { return false; },
                               [](ReceiverView) { return false; }, [](QueueView) { return false; }});
  EXPECT_TRUE(none) << "a visitor that does not know buffers";
}

TEST_F(PublicBuffer, FailedMoveKeepsTheMemory) {
  Buffer buffer = filled(100);
  set_memory_limit(memory_stats().bytes);
  Value value = Value::of(7);
  EXPECT_EQ(buffer.move_to(value), Status::arena_full);
  set_memory_limit(UINT64_MAX);
  EXPECT_TRUE(is_filled(buffer, 100));
  EXPECT_EQ(value.view().as_integer(), 7);
}

}  // namespace
}  // namespace xichan
