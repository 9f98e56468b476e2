// Stops a thread at its n-th instruction: the processor traps after each one (x86-64 only).
#pragma once

#include <signal.h>
#include <time.h>
#include <ucontext.h>

#include <atomic>
#include <functional>
#include <thread>

#include "support/support.h"

namespace xichan::test {

/// A thread that makes one call and stops in the middle of it. One at a time. The trap runs a signal handler, in which
/// the thread sleeps until it may go on, at full speed.
class Stepper {
 public:
#if defined(__x86_64__)
  static constexpr bool available = !sanitized;
#else
  static constexpr bool available = false;
#endif

  /// Starts `call` and waits until it stops after `instructions`, or has returned.
  Stepper(std::function<void()> call, long instructions) {
    struct sigaction action{};
    action.sa_sigaction = on_trap;
    action.sa_flags = SA_SIGINFO;
    EXPECT_EQ(sigaction(SIGTRAP, &action, nullptr), 0);
    left_ = instructions;
    state_ = State::running;
    thread_ = std::thread([call = std::move(call)] {
      set_trap_flag(true);
      call();
      set_trap_flag(false);
      state_ = State::finished;
    });
    await([] { return state_ != State::running; });
  }
  Stepper(const Stepper&) = delete;
  Stepper& operator=(const Stepper&) = delete;
  ~Stepper() {
    go_on();
    signal(SIGTRAP, SIG_DFL);
  }

  bool is_stopped() const { return state_ == State::stopped; }
  /// Lets the call finish.
  void go_on() {
    if (!thread_.joinable()) return;
    may_go_on_ = true;
    thread_.join();
    may_go_on_ = false;
  }

 private:
  enum class State { running, stopped, finished };

  static void set_trap_flag(bool on) {
#if defined(__x86_64__)
    constexpr unsigned long long trap_flag = 0x100;
    const unsigned long long flags = __builtin_ia32_readeflags_u64();
    __builtin_ia32_writeeflags_u64(on ? flags | trap_flag : flags & ~trap_flag);
#else
    (void)on;
#endif
  }

  static void on_trap(int, siginfo_t*, void* context) {
    if (--left_ != 0) return;
#if defined(__x86_64__)
    static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_EFL] &= ~greg_t{0x100};
#else
    (void)context;
#endif
    state_ = State::stopped;
    const timespec moment{0, 20'000};
    while (!may_go_on_) nanosleep(&moment, nullptr);
  }

  static inline std::atomic<long> left_;
  static inline std::atomic<State> state_;
  static inline std::atomic<bool> may_go_on_{false};

  std::thread thread_;
};

}  // namespace xichan::test
