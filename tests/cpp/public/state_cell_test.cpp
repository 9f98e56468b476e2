// AtomicInt and Cell.
#include <chrono>
#include <stop_token>

#include "public/state_support.h"

namespace xichan {
namespace {

using namespace std::chrono_literals;
using PublicAtomicInt = test::StateTest;
using PublicCell = test::StateTest;

TEST_F(PublicAtomicInt, OperationsReturnValues) {
  AtomicInt number;
  ASSERT_EQ(AtomicInt::make(10, number), Status::ok);
  std::int64_t sum = 0;
  EXPECT_EQ(number.add(), Status::ok);
  EXPECT_EQ(number.add(-5, sum), Status::ok);
  EXPECT_EQ(sum, 6);
  EXPECT_EQ(number.exchange(7), 6);
  EXPECT_TRUE(number.compare_exchange(7, 8));
  EXPECT_FALSE(number.compare_exchange(7, 9));
  EXPECT_EQ(number.value(), 8);
  number.set(INT64_MAX);
  EXPECT_EQ(number.add(1, sum), Status::too_large);
  EXPECT_EQ(sum, 6) << "unchanged";
  EXPECT_EQ(number.value(), INT64_MAX);
  number.set(INT64_MIN);
  EXPECT_EQ(number.add(-1), Status::too_large);
}

TEST_F(PublicAtomicInt, ThreadsShareOneHandle) {
  AtomicInt number;
  ASSERT_EQ(AtomicInt::make(0, number), Status::ok);
  const int rounds = test::rounds(10'000);
  test::together(4, [&](unsigned) {
    for (int i = 0; i < rounds; ++i) EXPECT_EQ(number.add(), Status::ok);
  });
  EXPECT_EQ(number.value(), 4 * rounds);
}

class PublicCells : public test::StateTest {
 protected:
  void SetUp() override {
    StateTest::SetUp();
    ASSERT_EQ(Cell::make(text("the first value, in a block"), cell), Status::ok);
  }
  void TearDown() override {
    cell.close();
    StateTest::TearDown();
  }

  Cell cell;
};

TEST_F(PublicCells, GetSharesContent) {
  const Value one = cell.get();
  std::uint64_t version = 0;
  const Value two = cell.get(version);
  EXPECT_EQ(version, 1u);
  EXPECT_EQ(one.view().as_ascii().data(), two.view().as_ascii().data()) << "no copy";
  ASSERT_EQ(cell.set(Value::of(2)), Status::ok);
  EXPECT_EQ(one.view().as_ascii(), "the first value, in a block") << "it stays after it was replaced";
  EXPECT_EQ(cell.get().clone(), Value::of(2));
  EXPECT_EQ(cell.version(), 2u);
}

TEST_F(PublicCells, SwapAndCompareAndSetReplace) {
  Value previous;
  EXPECT_EQ(cell.swap(Value::of(2), previous), Status::ok);
  EXPECT_EQ(previous.view().as_ascii(), "the first value, in a block");
  bool done = true;
  Value value = text("a value that is not taken over");
  EXPECT_EQ(cell.compare_and_set(1, std::move(value), done), Status::ok);
  EXPECT_FALSE(done);
  EXPECT_EQ(value.view().size(), 30u);
  EXPECT_EQ(cell.compare_and_set(2, std::move(value), done), Status::ok);
  EXPECT_TRUE(done);
  EXPECT_EQ(value.view().kind(), ValueKind::none);
  EXPECT_EQ(cell.version(), 3u);
}

TEST_F(PublicCells, UpdateLosesNoChange) {
  ASSERT_EQ(cell.set(Value::of(0)), Status::ok);
  const int rounds = test::rounds(2'000);
  test::together(4, [&](unsigned) {
    for (int i = 0; i < rounds; ++i) {
      const Status status = cell.update([](ValueView before, Value& after) {
        after = Value::of(before.as_integer() + 1);
        return Status::ok;
      });
      EXPECT_EQ(status, Status::ok);
    }
  });
  EXPECT_EQ(cell.get().clone(), Value::of(4 * rounds));
}

TEST_F(PublicCells, UpdateThatFailsChangesNothing) {
  EXPECT_EQ(cell.update([](ValueView, Value&) { return Status::no_memory; }), Status::no_memory);
  const auto raise = [](ValueView, Value&) -> Status { throw 5; };
  EXPECT_THROW((void)cell.update(raise), int);
  EXPECT_EQ(cell.version(), 1u);
  int calls = 0;
  const auto disturbed = [&](ValueView, Value& after) {
    after = Value::of(++calls);
    return calls == 1 ? cell.set(Value::of(1)) : Status::ok;
  };
  EXPECT_EQ(cell.update(disturbed), Status::ok);
  EXPECT_EQ(calls, 2) << "the value was replaced meanwhile";
  EXPECT_EQ(cell.get().clone(), Value::of(2));
}

TEST_F(PublicCells, WaitReturnsTheNextVersion) {
  std::uint64_t version = 0;
  EXPECT_EQ(cell.wait(version), Status::ok) << "it has another version already";
  EXPECT_EQ(version, 1u);
  EXPECT_EQ(cell.wait(version, 1ms), Status::timeout);
  EXPECT_EQ(cell.wait(version, 0s), Status::timeout);
  const auto set = [&] { EXPECT_EQ(cell.set(Value::of(2)), Status::ok); };
  EXPECT_EQ(waited(cell, [&] { return cell.wait(version); }, set), Status::ok);
  EXPECT_EQ(version, 2u);
  std::stop_source source;
  const auto stop = [&] { source.request_stop(); };
  EXPECT_EQ(waited(cell, [&] { return cell.wait(version, source.get_token()); }, stop), Status::cancelled);
  EXPECT_EQ(cell.wait(version, source.get_token(), 1h), Status::cancelled);
  EXPECT_EQ(version, 2u) << "unchanged";
}

TEST_F(PublicCells, MemoryLimitRefusesValuesAndChangesNothing) {
  Value value = Value::of(5), previous;
  bool done = false;
  Cell other;
  set_memory_limit(memory_stats().bytes);
  const Status statuses[] = {cell.set(std::move(value)), cell.swap(std::move(value), previous),
                             cell.compare_and_set(1, std::move(value), done), Cell::make(std::move(value), other)};
  set_memory_limit(UINT64_MAX);
  for (const Status status : statuses) EXPECT_EQ(status, Status::arena_full);
  EXPECT_EQ(value.view().as_integer(), 5);
  EXPECT_EQ(cell.version(), 1u);
  EXPECT_FALSE(done || other);
}

}  // namespace
}  // namespace xichan
