// WaitList: FIFO order, linking and unlinking, and tokens for undecided waiters.
#include "sync/wait_list.h"
#include "sync/thread_waiter.h"

#include "support/support.h"

namespace xichan::internal {
namespace {

// A waiter that logs its decisions, and may be decided already.
struct Recorder final : Waiter {
  explicit Recorder(std::vector<int>& to, int n, const void* of = nullptr) : log(to), number(n) {
    node.waiter = this;
    node.owner = of;
  }
  bool notify(WaitNode&, Wake&) noexcept override {
    if (decided) return false;
    log.push_back(number);
    return decided = true;
  }
  bool cancel(WaitNode&, Wake&) noexcept override {
    if (decided) return false;
    log.push_back(-number);
    return decided = true;
  }

  bool transfer(WaitNode&, Wake&) noexcept override { return false; }
  bool can_transfer(const WaitNode&) const noexcept override { return false; }
  bool nudge(WaitNode& self, Wake& wake) noexcept override { return notify(self, wake); }

  std::vector<int>& log;
  const int number;
  bool decided = false;
  WaitNode node;
};

class WaitListTest : public ::testing::Test {
 protected:
  Recorder& add(int number, const void* owner = nullptr) {
    recorders_.push_back(std::make_unique<Recorder>(log, number, owner));
    list.add(recorders_.back()->node);
    return *recorders_.back();
  }

  Mutex lock;
  WaitList list{lock};
  std::vector<int> log;

 private:
  std::vector<std::unique_ptr<Recorder>> recorders_;
};

using Log = std::vector<int>;

TEST_F(WaitListTest, NudgeReachesEveryWaiterThoughOthersReturnToTheirPlaces) {
  // Waits again before the list has visited all: more waiters than one round takes.
  struct Returning final : Waiter {
    bool notify(WaitNode&, Wake&) noexcept override { return false; }
    bool cancel(WaitNode&, Wake&) noexcept override { return false; }
    bool transfer(WaitNode&, Wake&) noexcept override { return false; }
    bool can_transfer(const WaitNode&) const noexcept override { return false; }
    bool nudge(WaitNode& self, Wake&) noexcept override {
      ++nudges;
      list->link_in_order(self);
      return true;
    }

    WaitList* list = nullptr;
    WaitNode node;
    int nudges = 0;
  };
  Returning waiters[40];
  for (std::uint64_t i = 0; i < std::size(waiters); ++i) {
    waiters[i].list = &list;
    waiters[i].node = {.waiter = &waiters[i], .ticket = i + 1};
    const std::lock_guard guard(lock);
    list.link_in_order(waiters[i].node);
  }
  list.nudge_all();
  for (Returning& waiter : waiters) {
    EXPECT_EQ(waiter.nudges, 1) << "ticket " << waiter.node.ticket;
    list.remove(waiter.node);
  }
}

TEST_F(WaitListTest, NotifyOneNotifiesLongestWaiting) {
  for (int i = 1; i <= 3; ++i) add(i);
  EXPECT_EQ(list.waiting(), 3u);
  list.notify_one();
  EXPECT_EQ(log, (Log{1}));
  list.notify_one();
  EXPECT_EQ(log, (Log{1, 2}));
  add(4);
  list.notify_one();
  list.notify_one();
  EXPECT_EQ(log, (Log{1, 2, 3, 4}));
  EXPECT_EQ(list.waiting(), 0u);
  list.notify_one();
  EXPECT_EQ(log.size(), 4u) << "a notification without waiters is not stored";
}

TEST_F(WaitListTest, NotifyAllNotifiesAllInOrder) {
  for (int i = 1; i <= 5; ++i) add(i);
  list.notify_all();
  EXPECT_EQ(log, (Log{1, 2, 3, 4, 5}));
  EXPECT_FALSE(list.has_attention());
}

TEST_F(WaitListTest, NotifyOneSkipsDecidedWaiters) {
  add(1).decided = true;
  add(2).decided = true;
  add(3);
  add(4);
  list.notify_one();
  EXPECT_EQ(log, (Log{3})) << "the token goes to an undecided waiter";
  EXPECT_EQ(list.waiting(), 1u);
}

TEST_F(WaitListTest, RemoveReturnsFalseForUnlinkedNode) {
  Recorder& first = add(1);
  Recorder& second = add(2);
  Recorder& third = add(3);
  EXPECT_TRUE(list.remove(second.node));
  EXPECT_FALSE(list.remove(second.node));
  EXPECT_EQ(list.waiting(), 2u);
  list.notify_one();
  EXPECT_FALSE(list.remove(first.node)) << "it was notified: it may hold a token";
  EXPECT_TRUE(list.remove(third.node));
  EXPECT_EQ(log, (Log{1}));
  EXPECT_EQ(list.waiting(), 0u);
}

TEST_F(WaitListTest, RemoveWorksAtEveryPosition) {
  for (int removed = 1; removed <= 3; ++removed) {
    log.clear();
    Recorder* nodes[] = {&add(1), &add(2), &add(3)};
    ASSERT_TRUE(list.remove(nodes[removed - 1]->node));
    list.notify_all();
    Log expected{1, 2, 3};
    expected.erase(expected.begin() + removed - 1);
    EXPECT_EQ(log, expected);
  }
}

TEST_F(WaitListTest, RemovedNodeCanBeAddedAgain) {
  Recorder& first = add(1);
  add(2);
  ASSERT_TRUE(list.remove(first.node));
  list.add(first.node);
  list.notify_all();
  EXPECT_EQ(log, (Log{2, 1}));
}

TEST_F(WaitListTest, CancelOwnerCancelsOnlyItsNodes) {
  const int a = 0;
  const int b = 0;
  add(1, &a);
  add(2, &b);
  add(3, &a);
  add(4, nullptr);
  list.cancel_owner(&a);
  EXPECT_EQ(log, (Log{-1, -3}));
  EXPECT_EQ(list.waiting(), 2u);
  list.cancel_owner(&a);
  EXPECT_EQ(log.size(), 2u);
  list.notify_all();
  EXPECT_EQ(log, (Log{-1, -3, 2, 4}));
}

TEST_F(WaitListTest, NudgeOwnerNudgesOnlyItsNodes) {
  const int a = 0;
  const int b = 0;
  add(1, &a);
  add(2, &b);
  add(3, &a);
  list.nudge_owner(&a);
  EXPECT_EQ(log, (Log{1, 3}));
  EXPECT_EQ(list.waiting(), 1u);
}

TEST_F(WaitListTest, NotifyOneExceptPassesOverOneWaiter) {
  Recorder& self = add(1);
  add(2);
  add(3);
  list.notify_one_except(self);
  EXPECT_EQ(log, (Log{2}));
  EXPECT_EQ(list.waiting(), 2u);
}

// More waiters than fit into one batch of wakes, the last of which takes the token.
TEST_F(WaitListTest, LongListsAreServedCompletely) {
  Log expected;
  for (int i = 1; i <= 100; ++i) {
    add(i).decided = true;
    if (i % 7 == 0) add(1000 + i, this), expected.push_back(1000 + i);
  }
  add(1);
  list.cancel_owner(this);
  for (int& number : expected) number = -number;
  EXPECT_EQ(log, expected);
  list.notify_one();
  expected.push_back(1);
  EXPECT_EQ(log, expected);
  EXPECT_EQ(list.waiting(), 0u);
}

TEST_F(WaitListTest, AttentionDoesNotCountAsWaiter) {
  EXPECT_FALSE(list.has_attention());
  list.demand_attention();
  list.demand_attention();
  EXPECT_TRUE(list.has_attention());
  EXPECT_TRUE(list.demands_attention());
  EXPECT_EQ(list.waiting(), 0u);
  list.notify_one();
  list.notify_all();
  add(1);
  EXPECT_EQ(list.waiting(), 1u);
  list.notify_all();
  EXPECT_EQ(log, (Log{1}));
  EXPECT_TRUE(list.demands_attention()) << "permanently";
}

TEST_F(WaitListTest, WaitersWithoutAttentionDoNotDemandIt) {
  add(1);
  EXPECT_TRUE(list.has_attention());
  EXPECT_FALSE(list.demands_attention());
  list.notify_all();
}

// notify_all wakes every waiter that was linked when it began, while others join and leave by themselves.
TEST(WaitListThreads, NotifyAllWakesAllWhileOthersLeave) {
  const test::Watchdog watchdog("notify_all");
  Mutex lock;
  WaitList list{lock};
  std::atomic<bool> done{false};
  constexpr unsigned leaving = 2;
  test::together(leaving + 2, [&](unsigned thread) {
    if (thread == 0) {
      for (int i = 0; i < test::rounds(3'000); ++i) {
        test::await([&] { return list.waiting() > 0; });
        list.notify_all();
      }
      done.store(true);
      list.notify_all();
    } else if (thread == 1) {
      while (!done.load()) {  // this thread never times out: only notify_all wakes it
        ThreadWaiter waiter;
        WaitNode node{.waiter = &waiter, .owner = nullptr};
        list.add(node);
        if (done.load() && list.remove(node)) return;
        EXPECT_EQ(waiter.park(Deadline::never()), WaitResult::woken);
      }
    } else {
      while (!done.load()) {
        ThreadWaiter waiter;
        WaitNode node{.waiter = &waiter, .owner = nullptr};
        list.add(node);
        (void)waiter.park(Deadline::after(1'000 * thread));
        list.remove(node);
      }
    }
  });
  EXPECT_FALSE(list.has_attention());
}

}  // namespace
}  // namespace xichan::internal
