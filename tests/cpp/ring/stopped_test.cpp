// A thread that is stopped in the middle of a call blocks no other call: others return `empty` or `full` at once.
#include "ring/ring_flavors.h"
#include "support/gate.h"
#include "support/support.h"

namespace xichan::internal {
namespace {

using test::Gate;
using Item = test::GatedItem;

template <class Flavor>
class RingStopped : public ::testing::Test {
 protected:
  using Ring = typename Flavor::template Of<Item>;
};
TYPED_TEST_SUITE(RingStopped, test::AllRings);

// Returns the time of the fastest of 100 calls, which excludes interruptions by other work.
template <class Call>
std::int64_t fastest(Call call) {
  std::int64_t best = INT64_MAX;
  for (int i = 0; i < 100; ++i) {
    const auto start = std::chrono::steady_clock::now();
    call();
    best = std::min<std::int64_t>(best, (std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

constexpr std::int64_t one_millisecond = 1'000'000;

TYPED_TEST(RingStopped, StoppedProducerBlocksNoOtherCall) {
  const test::Watchdog watchdog("a stopped producer");
  for (const std::uint64_t capacity : {1, 2, 3, 8}) {
    typename TestFixture::Ring ring(capacity);
    Gate gate;
    std::thread stopped([&] { EXPECT_EQ(ring.try_push(Item(1, &gate)), Status::ok); });
    gate.await_arrival();

    Item item;
    EXPECT_LT(fastest([&] { EXPECT_EQ(ring.try_pop(item), Status::empty); }), one_millisecond);
    EXPECT_FALSE(ring.can_pop());
    std::uint64_t queued = 1;
    EXPECT_EQ(ring.size(), 1u) << "claimed items count";
    for (; queued < capacity; ++queued) {
      ASSERT_EQ(ring.try_push(Item(static_cast<int>(queued) + 1)), Status::ok);
    }
    if (TypeParam::bounded) {
      EXPECT_LT(fastest([&] { EXPECT_EQ(ring.try_push(Item(99)), Status::full); }), one_millisecond);
    }
    EXPECT_EQ(ring.try_pop(item), Status::empty) << "items behind it wait: strict order";
    ring.close();
    EXPECT_EQ(ring.try_pop(item), Status::empty) << "closed only once no item can arrive";
    EXPECT_EQ(ring.try_push(Item(99)), Status::closed);

    gate.open();
    stopped.join();
    for (std::uint64_t i = 0; i < queued; ++i) {
      ASSERT_EQ(ring.try_pop(item), Status::ok);
      EXPECT_EQ(item.value, static_cast<int>(i) + 1);
    }
    EXPECT_EQ(ring.try_pop(item), Status::closed);
  }
}

TYPED_TEST(RingStopped, StoppedConsumerBlocksNoOtherCall) {
  const test::Watchdog watchdog("a stopped consumer");
  for (const std::uint64_t capacity : {1, 2, 3, 8}) {
    typename TestFixture::Ring ring(capacity);
    for (std::uint64_t i = 0; i < capacity; ++i) ASSERT_EQ(ring.try_push(Item(static_cast<int>(i))), Status::ok);
    Gate gate;
    Item taken(-1, &gate);
    std::thread stopped([&] { EXPECT_EQ(ring.try_pop(taken), Status::ok); });
    gate.await_arrival();

    if (TypeParam::bounded) {
      EXPECT_LT(fastest([&] { EXPECT_EQ(ring.try_push(Item(99)), Status::full); }), one_millisecond);
      EXPECT_FALSE(ring.can_push());
    }
    Item item;
    for (std::uint64_t i = 1; i < capacity; ++i) {  // the others may be taken meanwhile
      ASSERT_EQ(ring.try_pop(item), Status::ok);
      EXPECT_EQ(item.value, static_cast<int>(i));
    }
    EXPECT_LT(fastest([&] { EXPECT_EQ(ring.try_pop(item), Status::empty); }), one_millisecond);
    if (TypeParam::bounded) {
      EXPECT_EQ(ring.try_push(Item(99)), Status::full) << "the next slot is still being emptied";
    }

    gate.open();
    stopped.join();
    EXPECT_EQ(taken.value, 0);
    EXPECT_EQ(ring.try_push(Item(5)), Status::ok);
  }
}

TYPED_TEST(RingStopped, CloseSucceedsWhileAProducerIsStopped) {
  const test::Watchdog watchdog("close against a stopped producer");
  typename TestFixture::Ring ring(4);
  Gate gate;
  std::thread stopped([&] { EXPECT_EQ(ring.try_push(Item(1, &gate)), Status::ok) << "claimed before the close"; });
  gate.await_arrival();
  ring.close();
  EXPECT_TRUE(ring.is_closed());
  gate.open();
  stopped.join();
  Item item;
  EXPECT_EQ(ring.try_pop(item), Status::ok);
  EXPECT_EQ(ring.try_pop(item), Status::closed);
}

}  // namespace
}  // namespace xichan::internal
