// Atomics for models of code that has some in static storage. The checker's own atomics exist within one schedule only,
// so these construct a new one for each schedule: `Statics::make` and `Statics::drop` enclose a schedule.
//
// They also emulate thread-local variables. The checker's threads are fibers of one thread, which share its
// thread-locals; but the checker switches fibers only at accesses to atomics. So each access saves the running thread's
// values on its stack and restores them before it returns.
#pragma once

#include "model.h"

namespace xichan::internal {
class ThreadCache;

namespace model {

/// The thread-local variables of the code under the model. The model defines the two functions.
struct Locals {
  ThreadCache* current;
  bool departed;
};
Locals locals() noexcept;
void set_locals(const Locals& values) noexcept;

/// The atomics that were constructed outside a schedule.
class Statics {
 public:
  static void make() noexcept {
    in_schedule = true;
    for (Statics* one = first; one != nullptr; one = one->next_) one->begin();
  }
  static void drop() noexcept {
    for (Statics* one = first; one != nullptr; one = one->next_) one->end();
    in_schedule = false;
  }

 protected:
  virtual void begin() noexcept = 0;
  virtual void end() noexcept = 0;
  void enter() noexcept { next_ = std::exchange(first, this); }

  inline static bool in_schedule = false;

 private:
  inline static Statics* first = nullptr;
  Statics* next_ = nullptr;
};

template <class T>
class StaticAtomic : Statics {
 public:
  StaticAtomic(T value = T()) noexcept : value_(value), is_static_(!in_schedule) {
    KeepLocals guard;
    is_static_ ? enter() : begin();
  }
  StaticAtomic(const StaticAtomic&) = delete;
  ~StaticAtomic() {
    if (!is_static_) end();
  }

  T debug_value() const noexcept { return real()->debug_value(); }
  template <class... Order>
  T load(Order... order) const noexcept {
    KeepLocals guard;
    return real()->load(order...);
  }
  template <class... Order>
  void store(T value, Order... order) noexcept {
    KeepLocals guard;
    real()->store(value, order...);
  }
  template <class... Order>
  T exchange(T value, Order... order) noexcept {
    KeepLocals guard;
    return real()->exchange(value, order...);
  }
  template <class... Order>
  T fetch_add(T value, Order... order) noexcept {
    KeepLocals guard;
    return real()->fetch_add(value, order...);
  }
  template <class... Order>
  T fetch_sub(T value, Order... order) noexcept {
    KeepLocals guard;
    return real()->fetch_sub(value, order...);
  }
  template <class... Order>
  bool compare_exchange_weak(T& expected, T value, Order... order) noexcept {
    KeepLocals guard;
    return real()->compare_exchange_weak(expected, value, order...);
  }
  template <class... Order>
  bool compare_exchange_strong(T& expected, T value, Order... order) noexcept {
    KeepLocals guard;
    return real()->compare_exchange_strong(expected, value, order...);
  }

 private:
  // Other threads may run during an access.
  struct KeepLocals {
    const Locals mine = locals();
    ~KeepLocals() { set_locals(mine); }
  };

  rl::atomic<T>* real() const noexcept { return reinterpret_cast<rl::atomic<T>*>(place_); }
  void begin() noexcept override { new (place_) rl::atomic<T>(value_); }
  void end() noexcept override { real()->~atomic(); }

  const T value_;
  const bool is_static_;
  alignas(rl::atomic<T>) mutable std::byte place_[sizeof(rl::atomic<T>)];
};

}  // namespace model
}  // namespace xichan::internal
