// usable_cpus(), and spinning, which depends on it.
#include "sync/cpus.h"
#include "support/support.h"
#include "sync/spin.h"

namespace xichan::internal {
namespace {

// On a new thread, because usable_cpus caches its result per thread.
void on_new_thread(const std::function<void()>& work) { std::thread(work).join(); }

TEST(UsableCpus, FollowsAffinityOfThread) {
  on_new_thread([] {
    unsigned before = usable_cpus();
    {
      const test::OneCpu one;
      EXPECT_EQ(before, one.cpus_before());
      for (int i = 0; i < 1'000; ++i) (void)usable_cpus();  // it re-reads the affinity every few hundred calls
      EXPECT_EQ(usable_cpus(), 1u);
    }
    for (int i = 0; i < 1'000; ++i) (void)usable_cpus();
    EXPECT_EQ(usable_cpus(), before);
  });
}

TEST(UsableCpus, IsOneForThreadStartedOnOneCpu) {
  const test::OneCpu one;
  on_new_thread([] { EXPECT_EQ(usable_cpus(), 1u); });
}

TEST(Spin, DoesNotSpinOnOneCpu) {
  const test::OneCpu one;
  on_new_thread([] {
    int calls = 0;
    EXPECT_FALSE(spin(detached_spin_ns, reply_pauses, [&]() noexcept {
      ++calls;
      return true;
    }));
    EXPECT_EQ(calls, 0);
  });
}

TEST(Spin, SpinsUntilDoneOrTimeout) {
  on_new_thread([] {
    if (usable_cpus() < 2) return;
    int calls = 0;
    EXPECT_TRUE(spin(INT64_MAX / 2, reply_pauses, [&]() noexcept { return ++calls == 10; }));
    EXPECT_EQ(calls, 10);
    const std::int64_t start = Deadline::now();
    EXPECT_FALSE(spin(200'000, reply_pauses, []() noexcept { return false; }));
    EXPECT_GE(Deadline::now() - start, 200'000);
  });
}

}  // namespace
}  // namespace xichan::internal
