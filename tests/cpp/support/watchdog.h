// Aborts a hanging test with a message that names it, so that the test run continues.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>

namespace xichan::test {

/// Construct one at the top of every test that starts threads. Thread safety: one thread constructs and destroys it.
class Watchdog {
 public:
  explicit Watchdog(const char* what, std::chrono::seconds limit = std::chrono::seconds(60))
      : what_(what), limit_(limit), thread_([this] { watch(); }) {}
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  ~Watchdog() {
    {
      std::lock_guard guard(lock_);
      done_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }

 private:
  void watch() {
    std::unique_lock guard(lock_);
    if (changed_.wait_for(guard, limit_, [this] { return done_; })) return;
    std::fprintf(stderr, "watchdog: %s hangs after %lld s\n", what_, static_cast<long long>(limit_.count()));
    std::abort();
  }

  const char* what_;
  const std::chrono::seconds limit_;
  std::mutex lock_;
  std::condition_variable changed_;
  bool done_ = false;
  std::thread thread_;
};

}  // namespace xichan::test
