// A thread that is stopped at any instruction of a call blocks no call that is documented as lock-free.
#include "state/atomic_int.h"
#include "state/event.h"
#include "state/lock.h"
#include "state/semaphore.h"
#include "state/versioned_cell.h"
#include "support/stepper.h"
#include "support/support.h"
#include "value/message.h"

namespace xichan::internal {
namespace {

using test::Stepper;

constexpr long most_instructions = 5'000;

// Calls `stopped` in a thread that stops after 1, 2, ... instructions, and `others` meanwhile, until it is not stopped.
template <class Stopped, class Others>
void with_stopped(Stopped stopped, Others others) {
  if (!Stepper::available) GTEST_SKIP();
  const test::Watchdog watchdog("a stopped thread");
  for (long instructions = 1; instructions < most_instructions; ++instructions) {
    Stepper stepper(stopped, instructions);
    if (!stepper.is_stopped()) return;
    others();
    stepper.go_on();
  }
}

Cell number(std::int64_t value) { return Cell::integer(value); }

HeldValue* held(std::int64_t value) {
  HeldValue* made = nullptr;
  EXPECT_EQ(HeldValue::make(number(value), made), Status::ok);
  return made;
}

TEST(StateStopped, StoppedWriterOfACellBlocksNoReaderAndNoWriter) {
  auto* cell = new (std::nothrow) VersionedCell(held(1));
  StateObjects::add(*cell);
  with_stopped([&] { EXPECT_EQ(cell->set(number(2)), Status::ok); },
               [&] {
                 Cell value;
                 const std::uint64_t seen = cell->get(value);
                 EXPECT_EQ(cell->set(number(3)), Status::ok);
                 EXPECT_EQ(cell->get(value), seen + 1);
               });
  cell->release();
}

TEST(StateStopped, StoppedReaderOfACellBlocksNoWriter) {
  auto* cell = new (std::nothrow) VersionedCell(held(1));
  StateObjects::add(*cell);
  with_stopped(
      [&] {
        Cell value;
        cell->get(value);
      },
      [&] { EXPECT_EQ(cell->set(number(3)), Status::ok); });
  cell->release();
}

TEST(StateStopped, StoppedReleaseBlocksNoAttempt) {
  auto* lock = new (std::nothrow) SharedLock(false);
  StateObjects::add(*lock);
  const Token mine = Token::of(1, 1), other = Token::of(1, 2);
  with_stopped(
      [&] {
        if (lock->try_acquire(mine) == SharedLock::Attempt::acquired) lock->release_once(mine);
      },
      [&] {
        if (lock->try_acquire(other) == SharedLock::Attempt::acquired) lock->release_once(other);
      });
  EXPECT_FALSE(lock->is_locked());
  lock->release();
}

TEST(StateStopped, StoppedCallsOfSemaphoresEventsAndIntegersBlockNoOther) {
  auto* semaphore = new (std::nothrow) SharedSemaphore(1);
  auto* event = new (std::nothrow) SharedEvent;
  auto* integer = new (std::nothrow) AtomicInteger(INT64_MAX - 1);
  for (StateObject* object :
       {static_cast<StateObject*>(semaphore), static_cast<StateObject*>(event), static_cast<StateObject*>(integer)}) {
    StateObjects::add(*object);
  }
  const auto call = [&] {
    std::int64_t sum;
    if (semaphore->try_acquire()) semaphore->release_many(1);
    event->set();
    event->clear();
    integer->add(-1, sum);
    integer->add(1, sum);
  };
  with_stopped(call, call);
  EXPECT_EQ(semaphore->value(), 1u);
  EXPECT_EQ(integer->load(), INT64_MAX - 1);
  semaphore->release();
  event->release();
  integer->release();
}

// The value jumps to the end of its range between the check of an addition and its effect.
TEST(StateStopped, StoppedAdditionNeverWrapsAround) {
  if (!Stepper::available) GTEST_SKIP();
  const test::Watchdog watchdog("a stopped addition");
  for (long instructions = 1; instructions < most_instructions; ++instructions) {
    for (const bool by_addition : {false, true}) {
      auto* integer = new (std::nothrow) AtomicInteger(0);
      StateObjects::add(*integer);
      std::int64_t sum = 0, far_sum;
      bool added = false;
      Stepper stepper([&] { added = integer->add(5, sum); }, instructions);
      const bool is_stopped = stepper.is_stopped();
      if (is_stopped) {
        if (by_addition) {
          EXPECT_TRUE(integer->add(INT64_MAX - 5, far_sum));
        } else {
          integer->store(INT64_MAX);
        }
        stepper.go_on();
        EXPECT_EQ(integer->load(), by_addition && !added ? INT64_MAX - 5 : INT64_MAX) << instructions;
        EXPECT_TRUE(!added || sum > 0) << instructions;
      }
      integer->release();
      if (!is_stopped) return;
    }
  }
}

TEST(AtomicInteger, OperationsAgreeOnBothSidesOfItsMove) {
  auto* integer = new (std::nothrow) AtomicInteger(0);
  StateObjects::add(*integer);
  std::int64_t sum;
  for (const std::int64_t value : {std::int64_t{0}, std::int64_t{1} << 60, INT64_MAX, std::int64_t{7}, INT64_MIN,
                                   std::int64_t{3} << 61, std::int64_t{-1} << 62}) {
    const std::int64_t before = integer->load();
    EXPECT_EQ(integer->exchange(value), before);
    EXPECT_EQ(integer->load(), value);
    EXPECT_FALSE(integer->compare_exchange(value ^ 1, 0));
    EXPECT_TRUE(integer->compare_exchange(value, value ^ 2));
    EXPECT_TRUE(integer->compare_exchange(value ^ 2, value));
    EXPECT_EQ(integer->add(INT64_MAX, sum), value <= 0);
    if (value <= 0) EXPECT_EQ(sum, value + INT64_MAX);
    if (value <= 0) EXPECT_TRUE(integer->add(-INT64_MAX, sum));
    EXPECT_EQ(integer->load(), value);
  }
  integer->release();
}

}  // namespace
}  // namespace xichan::internal
