// Models of the watch over the shared stores (src/sync/idle_watch.h): threads that put memory into a store, and threads
// that sleep, sweep, and leave.
//
// Once all threads rest, the events have been swept, or one of the sleepers has the watch or was nudged to take it. The
// futex is left out: a sleeper that rests is one that sleeps on, unless its decision is made.
#include "model.h"

#include "sync/decision.h"
#define private public  // the model inspects the watchers
#define XICHAN_MODEL_OF_IDLE_WATCH
#include "sync/idle_watch.h"
#undef private
#include "sync/wait_list.cpp"

namespace xichan::internal {

void futex_wake(atomic<std::uint32_t>*) noexcept {}
void EventDescriptor::signal() noexcept {}
void EventDescriptor::destroy() noexcept {}
IdleWatchers& idle_watchers() noexcept { std::abort(); }

namespace model {
namespace {

class Thread final : public Waiter {
 public:
  bool notify(WaitNode&, Wake&) noexcept override { return false; }
  bool transfer(WaitNode&, Wake&) noexcept override { return false; }
  bool can_transfer(const WaitNode&) const noexcept override { return false; }
  bool cancel(WaitNode&, Wake&) noexcept override { return false; }
  bool nudge(WaitNode& node, Wake&) noexcept override { return decision.decide(Outcome::nudged, node.index); }
  bool was_nudged() const noexcept { return decision.outcome() == Outcome::nudged; }

  Decision decision;
};

template <class Derived, unsigned Threads>
struct Watched : Model<Derived, Threads> {
  static constexpr unsigned thread_count = Threads;

  IdleWatchers all;
  Thread threads[Threads];
  bool rests[Threads];
  bool holds[Threads];
  alignas(IdleWatch) std::byte memory[Threads][sizeof(IdleWatch)];

  void begin() {
    for (bool& one : rests) one = false;
    for (bool& one : holds) one = false;
    for (auto& one : memory) new (&one) IdleWatch(all);
  }
  IdleWatch& watch(unsigned thread) { return *reinterpret_cast<IdleWatch*>(&memory[thread]); }

  void put(int times = 1) {
    for (int i = 0; i < times; ++i) all.note_cached();
  }
  // Goes to sleep, and sleeps on or naps.
  void rest(unsigned thread) {
    holds[thread] = watch(thread).begin_sleep(threads[thread]);
    rests[thread] = true;
  }
  // Sleeps with the watch, if it gets it, until it has swept in vain.
  void sweep(unsigned thread) {
    while (watch(thread).begin_sleep(threads[thread])) {
      watch(thread).end_sleep(threads[thread].was_nudged());
      watch(thread).note_sweep();
    }
    rests[thread] = true;
  }
  // The same, once, and is then woken by a message.
  void sweep_and_leave(unsigned thread) {
    if (watch(thread).begin_sleep(threads[thread])) {
      watch(thread).end_sleep(threads[thread].was_nudged());
      watch(thread).note_sweep();
    } else {
      threads[thread].decision.decide(Outcome::notified, 0);
      watch(thread).end_sleep(threads[thread].was_nudged());
    }
    watch(thread).~IdleWatch();
  }
  // Goes to sleep, and is woken by a message.
  void leave(unsigned thread) {
    (void)watch(thread).begin_sleep(threads[thread]);
    threads[thread].decision.decide(Outcome::notified, 0);
    watch(thread).end_sleep(threads[thread].was_nudged());
    watch(thread).~IdleWatch();
  }

  void after() {
    bool any_rests = false, any_watches = false;
    for (unsigned i = 0; i < Threads; ++i) {
      any_rests |= rests[i];
      any_watches |= rests[i] && (watch(i).is_held() || threads[i].was_nudged());
    }
    RL_ASSERT(!any_rests || any_watches || !all.has_news());
    RL_ASSERT(any_watches || !all.watched_.load(memory_order_relaxed));
    for (unsigned i = 0; i < Threads; ++i) {
      if (rests[i]) (void)all.sleepers_.remove(watch(i).node_);
    }
  }
};

// A thread goes to sleep while another puts memory into a store.
struct OneSleeper : Watched<OneSleeper, 2> {
  void thread(unsigned thread) { thread == 0 ? put() : rest(1); }
};

// The sleeper sweeps until nothing is new.
struct Sweeper : Watched<Sweeper, 2> {
  void thread(unsigned thread) { thread == 0 ? put(2) : sweep(1); }
};

// One of two sleepers leaves, perhaps with the watch.
struct Leaver : Watched<Leaver, 3> {
  void thread(unsigned thread) { thread == 0 ? put() : thread == 1 ? leave(1) : rest(2); }
};

// A thread gives up the watch and leaves, while another sleeps.
struct Quitter : Watched<Quitter, 3> {
  void thread(unsigned thread) { thread == 0 ? put(2) : thread == 1 ? sweep_and_leave(1) : rest(2); }
};

// Two threads put memory into a store, one sleeper sweeps, and one leaves.
struct Crowd : Watched<Crowd, 4> {
  void thread(unsigned thread) { thread < 2 ? put() : thread == 2 ? sweep(2) : leave(3); }
};

// Two sleepers sweep, and a third thread leaves.
struct TwoSweepers : Watched<TwoSweepers, 4> {
  void thread(unsigned thread) { thread == 0 ? put(2) : thread == 3 ? leave(3) : sweep(thread); }
};

}  // namespace
}  // namespace model
}  // namespace xichan::internal

int main(int argc, char** argv) {
  using namespace xichan::internal::model;
  return xichan::internal::model::main(argc, argv,
                                       {
                                           {"one_sleeper", full_search<OneSleeper>, 100},
                                           {"sweeper", random_search<Sweeper>, 400'000},
                                           {"leaver", random_search<Leaver>, 400'000},
                                           {"quitter", random_search<Quitter>, 400'000},
                                           {"crowd", random_search<Crowd>, 400'000},
                                           {"two_sweepers", random_search<TwoSweepers>, 400'000},
                                       });
}
