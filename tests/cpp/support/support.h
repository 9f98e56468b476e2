// Test helpers: threads that start together, small stacks, CPU affinity, and a fixture that detects leaks.
#pragma once

#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/atomic.h"
#include "support/watchdog.h"
#include "xichan/memory.h"

namespace xichan::test {

using namespace internal;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif

/// Returns the value of the environment variable XICHAN_STRESS, at least 1.
inline int stress_factor() {
  const char* text = std::getenv("XICHAN_STRESS");
  const int factor = text == nullptr ? 1 : std::atoi(text);
  return factor > 0 ? factor : 1;
}

/// Returns the number of rounds of a nondeterministic test: `usual`, a tenth under a sanitizer, multiplied under
/// stress.
inline int rounds(int usual) { return std::max(1, usual / (sanitized ? 10 : 1) * stress_factor()); }

/// Pauses in a loop that waits for another thread: spins, then yields, then sleeps briefly. A thread that only yields
/// is scheduled last on a busy machine, so that a test with many rounds takes minutes.
class Backoff {
 public:
  void pause() {
    ++calls_;
    if (calls_ < 100) return cpu_relax();
    if (calls_ < 110) return std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::microseconds(20));
  }

 private:
  int calls_ = 0;
};

/// Waits until `done` returns true. For conditions that another thread certainly fulfills; a watchdog limits the wait.
template <class Done>
void await(Done done) {
  for (Backoff backoff; !done();) backoff.pause();
}

/// A reusable barrier. Replaces std::barrier, which loses wake-ups in libstdc++ 12.
class Meeting {
 public:
  explicit Meeting(unsigned members) : members_(members) {}

  void arrive() {
    std::unique_lock guard(lock_);
    const unsigned round = round_.load();
    if (++present_ == members_) {
      present_ = 0;
      round_.store(round + 1);
      guard.unlock();
      return changed_.notify_all();
    }
    guard.unlock();
    // Spin for a while, so that all threads continue at the same moment if there are enough CPUs.
    for (int i = 0; i < 200 && round_.load() == round; ++i) cpu_relax();
    guard.lock();
    changed_.wait(guard, [&] { return round_.load() != round; });
  }

 private:
  const unsigned members_;
  std::mutex lock_;
  std::condition_variable changed_;
  unsigned present_ = 0;
  std::atomic<unsigned> round_{0};
};

/// Runs `work(0)` .. `work(count - 1)` on threads that start together, and waits for all of them.
inline void together(unsigned count, const std::function<void(unsigned)>& work) {
  Meeting start(count);
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      start.arrive();
      work(i);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

/// Runs `work` on a thread with a stack of 256 KiB.
inline void on_small_stack(std::function<void()> work) {
  pthread_attr_t attributes;
  ASSERT_EQ(pthread_attr_init(&attributes), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, 256 * 1024), 0);
  pthread_t thread;
  const auto run = [](void* argument) -> void* {
    (*static_cast<std::function<void()>*>(argument))();
    return nullptr;
  };
  ASSERT_EQ(pthread_create(&thread, &attributes, run, &work), 0);
  ASSERT_EQ(pthread_join(thread, nullptr), 0);
  pthread_attr_destroy(&attributes);
}

/// Pins the calling thread, and threads that it starts, to one CPU for the lifetime of the object.
class OneCpu {
 public:
  OneCpu() {
    sched_getaffinity(0, sizeof before_, &before_);
    cpu_set_t one;
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (!CPU_ISSET(cpu, &before_)) continue;
      CPU_SET(cpu, &one);
      break;
    }
    sched_setaffinity(0, sizeof one, &one);
  }
  OneCpu(const OneCpu&) = delete;
  OneCpu& operator=(const OneCpu&) = delete;
  ~OneCpu() { sched_setaffinity(0, sizeof before_, &before_); }

  unsigned cpus_before() const { return static_cast<unsigned>(CPU_COUNT(&before_)); }

 private:
  cpu_set_t before_;
};

/// A test that fails if the arena has more or fewer blocks afterwards.
class ArenaTest : public ::testing::Test {
 protected:
  void TearDown() override {
    const MemoryStats after = memory_stats();
    EXPECT_EQ(after.blocks, before_.blocks);
    EXPECT_EQ(after.bytes, before_.bytes);
  }

  std::uint64_t new_blocks() const { return memory_stats().blocks - before_.blocks; }
  std::uint64_t new_bytes() const { return memory_stats().bytes - before_.bytes; }

 private:
  const MemoryStats before_ = memory_stats();
};

}  // namespace xichan::test
