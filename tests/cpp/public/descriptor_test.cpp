// Descriptors that move to their receiver.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <thread>
#include <vector>

#include "public/public_support.h"

namespace xichan {
namespace {

/// A pipe whose writing end the test owns; the reading end shows whether it is open.
class PublicDescriptor : public test::PublicTest {
 protected:
  void SetUp() override {
    PublicTest::SetUp();
    ASSERT_EQ(pipe2(ends_, O_CLOEXEC | O_NONBLOCK), 0);
  }
  void TearDown() override {
    close(ends_[0]);
    PublicTest::TearDown();
  }

  /// Returns the writing end. Call it once.
  Descriptor writer() const { return Descriptor(ends_[1]); }
  /// Returns true while any descriptor of the writing end is open. Discards one byte that was written.
  bool is_open() const {
    char byte;
    return read(ends_[0], &byte, 1) != 0;
  }

  static Value moved(Descriptor descriptor) {
    Value value;
    EXPECT_EQ(descriptor.move_to(value), Status::ok);
    return value;
  }

  int ends_[2];
};

TEST_F(PublicDescriptor, OwnsAndCloses) {
  Descriptor empty;
  EXPECT_FALSE(empty);
  EXPECT_EQ(empty.get(), -1);
  EXPECT_EQ(empty.release(), -1);
  {
    Descriptor first = writer();
    EXPECT_TRUE(first);
    EXPECT_EQ(first.get(), ends_[1]);
    Descriptor second(std::move(first));
    EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move)
    first = std::move(second);
    EXPECT_EQ(first.get(), ends_[1]);
    first = Descriptor(first.release());
    EXPECT_TRUE(is_open());
  }
  EXPECT_FALSE(is_open());
}

TEST_F(PublicDescriptor, DuplicateIsNotInherited) {
  Descriptor original = writer(), duplicate;
  ASSERT_EQ(Descriptor::dup(original.get(), duplicate), Status::ok);
  EXPECT_NE(duplicate.get(), original.get());
  EXPECT_TRUE(fcntl(duplicate.get(), F_GETFD) & FD_CLOEXEC);
  original.close();
  original.close();
  EXPECT_TRUE(is_open());
  const int number = duplicate.get();
  EXPECT_EQ(Descriptor::dup(-1, duplicate), Status::invalid);
  EXPECT_EQ(errno, EBADF);
  EXPECT_EQ(duplicate.get(), number) << "unchanged";
}

TEST_F(PublicDescriptor, MovesThroughChannel) {
  auto [tx, rx] = open({.capacity = 4});
  Descriptor descriptor = writer();
  Value value;
  ASSERT_EQ(descriptor.move_to(value), Status::ok);
  EXPECT_FALSE(descriptor);
  EXPECT_EQ(descriptor.move_to(value), Status::invalid) << "it is empty";
  ASSERT_EQ(tx.send(tuple(1, std::move(value))), Status::ok);
  value = Value();
  Value received;
  ASSERT_EQ(rx.recv(received), Status::ok);
  EXPECT_EQ(received.view()[1].kind(), ValueKind::descriptor);
  Descriptor taken;
  ASSERT_EQ(Descriptor::take(received.view()[1], taken), Status::ok);
  received = Value();
  EXPECT_EQ(taken.get(), ends_[1]);
  EXPECT_EQ(write(taken.get(), "x", 1), 1);
  EXPECT_TRUE(is_open());
  taken.close();
  EXPECT_FALSE(is_open());
}

TEST_F(PublicDescriptor, IsTakenOnce) {
  Value value = moved(writer()), clone = value.clone();
  const Value holder = tuple(1, value);
  Descriptor first, second;
  ASSERT_EQ(Descriptor::take(holder.view()[1], first), Status::ok);
  Buffer buffer;
  for (const ValueView view : {value.view(), clone.view(), holder.view()[1], holder.view(), holder.view()[0]}) {
    EXPECT_EQ(Descriptor::take(view, second), Status::not_found);
    EXPECT_EQ(Buffer::take(view, buffer), Status::not_found);
  }
  EXPECT_TRUE(first);
  EXPECT_FALSE(second);
}

TEST_F(PublicDescriptor, IsNotTakenAsBuffer) {
  const Value value = moved(writer());
  Buffer buffer;
  EXPECT_EQ(Buffer::take(value.view(), buffer), Status::not_found);
  Buffer memory;
  ASSERT_EQ(Buffer::make(10, memory), Status::ok);
  Value other;
  ASSERT_EQ(memory.move_to(other), Status::ok);
  Descriptor descriptor;
  EXPECT_EQ(Descriptor::take(other.view(), descriptor), Status::not_found);
  EXPECT_EQ(Descriptor::take(value.view(), descriptor), Status::ok);
  EXPECT_EQ(Buffer::take(other.view(), buffer), Status::ok);
}

TEST_F(PublicDescriptor, OneOfSeveralThreadsTakesIt) {
  Descriptor original = writer();
  for (int round = 0; round < 200; ++round) {
    Descriptor duplicate;
    ASSERT_EQ(Descriptor::dup(original.get(), duplicate), Status::ok);
    const Value value = moved(std::move(duplicate));
    std::atomic<int> ready = 0, taken = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&, mine = value.clone()] {
        ready.fetch_add(1);
        while (ready.load() < 4) {
        }
        Descriptor descriptor;
        if (Descriptor::take(mine.view(), descriptor) == Status::ok) taken.fetch_add(1);
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(taken.load(), 1);
  }
  original.close();
  EXPECT_FALSE(is_open());
}

TEST_F(PublicDescriptor, IsClosedWithItsMessage) {
  {
    const Value value = moved(writer());
    const Value holder = tuple(value, tuple(value));
    EXPECT_TRUE(is_open());
  }
  EXPECT_FALSE(is_open());
}

TEST_F(PublicDescriptor, IsClosedIfTheMessageIsDropped) {
  Descriptor original = writer();
  const auto send_one = [&](Sender& tx) {
    Descriptor duplicate;
    EXPECT_EQ(Descriptor::dup(original.get(), duplicate), Status::ok);
    EXPECT_EQ(tx.send(moved(std::move(duplicate))), Status::ok);
  };
  {
    auto [tx, rx] = open({.capacity = 4});
    send_one(tx);
    rx.close();
    auto [other_tx, other_rx] = open({.capacity = 4});
    send_one(other_tx);
    other_tx.shutdown(true);
    auto [dropping_tx, dropping_rx] = open({.capacity = 1, .overflow = Overflow::drop_oldest});
    send_one(dropping_tx);
    ASSERT_EQ(dropping_tx.send(Value()), Status::ok);
    original.close();
    EXPECT_FALSE(is_open());
  }
}

TEST_F(PublicDescriptor, CannotLeaveItsProcess) {
  const Value value = moved(writer());
  Dump dump;
  EXPECT_EQ(value.dump(dump), Status::invalid);
  EXPECT_EQ(tuple(1, value).dump(dump), Status::invalid);
}

TEST_F(PublicDescriptor, EqualsOnlyItself) {
  Descriptor original = writer(), duplicate;
  ASSERT_EQ(Descriptor::dup(original.get(), duplicate), Status::ok);
  const Value one = moved(std::move(original)), other = moved(std::move(duplicate));
  EXPECT_TRUE(one == one.clone());
  EXPECT_FALSE(one == other);
  EXPECT_FALSE(tuple(one) == tuple(other));
}

TEST_F(PublicDescriptor, IsVisitedAsView) {
  const Value value = moved(writer());
  const bool seen = visit(value.view(), overloaded{[](DescriptorView descriptor) {
                                                     Descriptor taken;
                                                     return Descriptor::take(descriptor.view, taken) == Status::ok;
                                                   },
                                                   [](auto) { return false; }});
  EXPECT_TRUE(seen);
}

TEST_F(PublicDescriptor, FailedMoveKeepsIt) {
  Descriptor descriptor = writer();
  set_memory_limit(memory_stats().bytes);
  Value value = Value::of(7);
  EXPECT_EQ(descriptor.move_to(value), Status::arena_full);
  set_memory_limit(UINT64_MAX);
  EXPECT_EQ(descriptor.get(), ends_[1]);
  EXPECT_EQ(value.view().as_integer(), 7);
}

}  // namespace
}  // namespace xichan
