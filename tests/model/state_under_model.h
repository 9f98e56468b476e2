// The objects on which threads wait, under the model checker: the real src/state/*.cpp with src/sync/{wait_list,
// thread_waiter}.cpp over a modeled futex. A lost wake-up or admission shows as a deadlock. Include it in one source
// file per model, because it defines functions.
#pragma once

#include "model.h"

#define XICHAN_MODEL_HAS_BLOCKS
#define static_assert(...)  // sizes differ: the checker's atomics are large
#include "arena/block.h"
#undef static_assert
#include "sync/mutex.h"

namespace xichan::internal {
namespace {

// For ./mutate.py, in place of an object's lock: a lock that excludes no other thread.
[[maybe_unused]] Mutex& private_lock() noexcept;

}  // namespace
}  // namespace xichan::internal

#include "state/barrier.cpp"
#include "state/condition.cpp"
#include "state/event.h"
#include "state/lock.cpp"
#include "state/object.cpp"
#include "state/semaphore.cpp"
#include "state/turnstile.cpp"
#include "state/versioned_cell.cpp"
#include "sync/thread_waiter.cpp"
#include "sync/wait_list.cpp"

namespace xichan::internal {

// For the checker's account of a failed execution.
inline std::ostream& operator<<(std::ostream& out, WaitRecord::Outcome outcome) {
  return out << static_cast<unsigned>(outcome);
}

namespace model {
namespace {

struct World {
  static constexpr unsigned threads = 4;

  struct Sleeper {
    const void* word = nullptr;
    rl::generic_event bell;
  };
  Sleeper sleepers[threads];
  int values = 0;  // that are held by a cell
};
World* world;

}  // namespace
}  // namespace model

// As in channel_under_model.h: comparing and sleeping is one step, and so is finding and waking a sleeper. A sleep with
// a deadline may time out at any moment.
WaitResult futex_wait(atomic<std::uint32_t>& word, std::uint32_t expected, Deadline deadline) noexcept {
  model::World::Sleeper& me = model::world->sleepers[rl::thread_index()];
  if (word.debug_value() != expected) return WaitResult::woken;
  me.word = &word;
  const rl::sema_wakeup_reason reason = me.bell.wait(false, !deadline.is_never(), $);
  me.word = nullptr;
  return reason == rl::sema_wakeup_reason_timeout ? WaitResult::timed_out : WaitResult::woken;
}
void futex_wake(atomic<std::uint32_t>* word) noexcept {
  static_cast<void>(StateObjects::count());  // takes a lock: no system call may happen under it
  for (model::World::Sleeper& sleeper : model::world->sleepers) {
    if (sleeper.word != word) continue;
    sleeper.word = nullptr;
    return sleeper.bell.set($);
  }
}
void EventDescriptor::destroy() noexcept {}
void EventDescriptor::signal() noexcept {}
void retain(const Cell&) noexcept { ++model::world->values; }
void release(const Cell&) noexcept { --model::world->values; }

namespace model {
namespace {

Mutex* private_locks;

// The table is created once per process; here each schedule is a process.
void make_table() noexcept {
  static bool made = false;
  if (made) new (&table()) Table;
  table();
  made = true;
}

// A deadline that has passed: a sleep until then may time out, and then it is late.
constexpr Deadline soon = Deadline::at(1);

// One object, of which each thread holds a reference.
template <class Derived, unsigned Threads, class Object>
struct WithObject : Model<Derived, Threads> {
  World surroundings;
  Mutex unneeded[Threads];
  Object* object;
  atomic<bool> exiting;
  rl::var<int> guarded;  // of a lock
  int shared = 0;        // what the threads count together, without the checker's notice

  void begin() {
    make_table();
    world = &surroundings;
    private_locks = unneeded;
    for (World::Sleeper& sleeper : surroundings.sleepers) sleeper.bell.init(false, false, $);
    exiting.store(false, memory_order_relaxed);
    guarded($) = 0;
    object = static_cast<Derived*>(this)->make();
    StateObjects::add(*object);
  }
  void after() {
    RL_ASSERT(!object->has_waiters());
    object->release();
    RL_ASSERT(StateObjects::count() == 0);
    RL_ASSERT(surroundings.values == 0);
    for (World::Sleeper& sleeper : surroundings.sleepers) sleeper.bell.deinit($);
    table().~Table();
  }

  WaitLimits limits(Deadline deadline = Deadline::never()) const {
    return {deadline, Deadline::never(), &exiting, false};
  }
  // As the callers of `wait` do it: in rounds, until it is decided. The first round may be cut short.
  Status wait(Turnstile& turnstile, Request& request, Deadline deadline = Deadline::never(), bool sliced = false) {
    for (;;) {
      WaitLimits its = limits(deadline);
      if (sliced) its.slice = soon;
      sliced = false;
      const Status status = turnstile.wait(request, its);
      if (status != Status::interrupted) return status;
    }
  }
};

}  // namespace

namespace {
[[maybe_unused]] Mutex& private_lock_of_thread() noexcept { return private_locks[rl::thread_index()]; }
}  // namespace
}  // namespace model

namespace {
Mutex& private_lock() noexcept { return model::private_lock_of_thread(); }
}  // namespace
}  // namespace xichan::internal
