// Atomics for models of code that keeps some of them in static storage. The checker's own exist within a schedule only,
// so these make theirs anew for each: `Statics::make` and `Statics::drop` go around a schedule.
//
// They carry the variables of a thread as well. The checker's threads are fibers of one thread, for which
// `thread_local` means nothing; but they change at accesses to atomics alone. So each access keeps the running thread's
// values on its stack and puts them back in place before it goes on.
#pragma once

#include "model.h"

namespace xichan::internal {
class ThreadCache;

namespace model {

/// What code under the model declares `thread_local`. Defined by the model, as are the two functions.
struct Locals {
  ThreadCache* current;
  bool departed;
};
Locals locals() noexcept;
void set_locals(const Locals& values) noexcept;

/// All atomics that were made outside of any schedule.
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
    UnportableValue stay;
    is_static_ ? enter() : begin();
  }
  StaticAtomic(const StaticAtomic&) = delete;
  ~StaticAtomic() {
    if (!is_static_) end();
  }

  T debug_value() const noexcept { return real()->debug_value(); }
  template <class... Order>
  T load(Order... order) const noexcept {
    UnportableValue stay;
    return real()->load(order...);
  }
  template <class... Order>
  void store(T value, Order... order) noexcept {
    UnportableValue stay;
    real()->store(value, order...);
  }
  template <class... Order>
  T exchange(T value, Order... order) noexcept {
    UnportableValue stay;
    return real()->exchange(value, order...);
  }
  template <class... Order>
  T fetch_add(T value, Order... order) noexcept {
    UnportableValue stay;
    return real()->fetch_add(value, order...);
  }
  template <class... Order>
  T fetch_sub(T value, Order... order) noexcept {
    UnportableValue stay;
    return real()->fetch_sub(value, order...);
  }
  template <class... Order>
  bool compare_exchange_weak(T& expected, T value, Order... order) noexcept {
    UnportableValue stay;
    return real()->compare_exchange_weak(expected, value, order...);
  }
  template <class... Order>
  bool compare_exchange_strong(T& expected, T value, Order... order) noexcept {
    UnportableValue stay;
    return real()->compare_exchange_strong(expected, value, order...);
  }

 private:
  // Others may run meanwhile.
  struct UnportableValue {
    const Locals mine = locals();
    ~UnportableValue() { set_locals(mine); }
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
