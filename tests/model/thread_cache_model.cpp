// Models of the thread caches (src/arena/thread_cache.h), of their shared stores (slots.h, cache_quota.h), and of the
// byte limit (budget.h). A block has one owner at a time, and so has a cache; the next owner sees the writes of the
// last one; in the end every block is freed.
#include "thread_caches_under_model.h"

namespace xichan::internal::model {
namespace {

// Two threads and two caches: each thread takes over one, or the one that the other has abandoned.
struct TakenOver : WithCaches<TakenOver, 2> {
  void begin() {
    WithCaches::begin();
    leave_behind(2);
  }
  void work(int thread) {
    if (ThreadCache* cache = cache_of(thread)) cache->count_alive(0, 1);
  }
  void after() {
    RL_ASSERT(ThreadCache::counts(0).alive == 2);
    ThreadCache::count_alive_without_cache(0, -2);
    WithCaches::after();
  }
};

// Threads start and end, with blocks of an earlier thread in the caches. A thread that starts takes over a cache or
// creates one, which another thread finds in the list.
template <unsigned Threads, int Things>
struct ComeAndGo : WithCaches<ComeAndGo<Threads, Things>, Threads> {
  void begin() {
    ComeAndGo::WithCaches::begin();
    this->leave_behind(1, 1);
  }
  void work(int thread) {
    Thing* things[Things];
    for (Thing*& thing : things) thing = this->get(thread);
    for (Thing* thing : things) this->drop(thing, thread);
  }
};

// One thread frees the blocks that another allocates, and ends; the allocating thread reuses them.
template <int Things>
struct ThereAndBack : WithCaches<ThereAndBack<Things>, 2> {
  void begin() {
    ThereAndBack::WithCaches::begin();
    this->leave_behind(2, 1);
  }
  void work(int thread) {
    for (int i = 0; i < Things; ++i) {
      if (thread == 0) {
        this->send(this->get(0), 0, i);
      } else if (Thing* thing = this->receive(1, i)) {
        this->drop(thing, 1);
      }
    }
    if (thread == 0) {
      Thing* last = this->get(0);
      this->drop(last, 0);
    }
  }
};

// Each thread fills more magazines than the depot has room for, and takes blocks out again.
template <unsigned Threads>
struct Overflow : WithCaches<Overflow<Threads>, Threads> {
  void begin() {
    Overflow::WithCaches::begin();
    this->leave_behind(Threads);
  }
  void work(int thread) {
    fill_and_take(thread, thread == 0 ? 3 : 5);
    fill_and_take(thread, thread == 0 ? 1 : 3);
  }
  void fill_and_take(int thread, int count) {
    Thing* things[5];
    for (int i = 0; i < count; ++i) things[i] = this->get(thread);
    for (int i = 0; i < count; ++i) this->drop(things[i], thread);
  }
};

// The stores are swept, by the clock or on demand, and emptied, while other threads take and put.
template <bool HasClock>
struct Swept : WithCaches<Swept<HasClock>, 3> {
  void begin() {
    Swept::WithCaches::begin();
    this->leave_behind(2, 3);
    this->surroundings.has_clock = HasClock;
  }
  void work(int thread) {
    if (thread == 2 && HasClock) {
      ThreadCache::empty_depot();
    } else if (thread == 2) {
      ThreadCache::sweep_depot();
      ThreadCache::sweep_depot();
    } else {
      Thing* things[] = {this->get(thread), this->get(thread)};
      for (Thing* thing : things) this->drop(thing, thread);
      this->cache_of(thread)->flush();
    }
  }
};

// Caches and depot may hold two blocks each; then a cache may hold only one.
struct Limited : WithCaches<Limited, 3> {
  void begin() {
    WithCaches::begin();
    quota.follow_limit(64 * block_bytes * 2);
    bind(2);
    leave_behind(2, 1);
  }
  void work(int thread) {
    if (thread == 2) return bind(1);
    Thing* things[] = {get(thread), get(thread), get(thread)};
    for (Thing* thing : things) {
      drop(thing, thread);
      RL_ASSERT(ThreadCache::current_->bytes_ <= block_bytes * 2);
    }
  }
  static void bind(int blocks) { ThreadCache::bound_.store(block_bytes * blocks, memory_order_relaxed); }
};

// A thread frees a block after it has abandoned its cache: it frees to malloc, and takes over no other cache.
struct Late : WithCaches<Late, 2> {
  void begin() {
    WithCaches::begin();
    leave_behind(1, 1);
  }
  void work(int thread) {
    Thing* early = get(thread);
    Thing* late = get(thread);
    drop(early, thread);
    leave();
    drop(late, thread);
    RL_ASSERT(ThreadCache::current_ == nullptr && world->freed[late - world->things]);
  }
};

// A thread reads the counts while caches are created and taken over: it sees no partially constructed cache.
struct Counted : WithCaches<Counted, 3> {
  void begin() { WithCaches::begin(); }
  void work(int thread) {
    if (thread == 2) {
      const ClassCounts counts = ThreadCache::counts(0);
      RL_ASSERT(counts.alive <= 2 && counts.cached <= 4);
    } else {
      drop(get(thread), thread);
    }
  }
};

// The byte limit, with credits: the charges never exceed the limit, and bytes not in use are available.
template <class Derived, unsigned Threads>
struct WithLimit : WithCaches<Derived, Threads> {
  static constexpr std::uint64_t batch = Budget::batch;
  static constexpr std::uint64_t limit = 3 * batch;
  std::uint64_t charged = 0;

  void begin() {
    WithLimit::WithCaches::begin();
    Budget::set_limit(limit);
    this->leave_behind(Threads);
  }
  void after() {
    RL_ASSERT(Budget::bytes_alive() == 0 && words.reserved.debug_value() == 0);  // A1
    RL_ASSERT(Budget::high_water() <= limit);
    WithLimit::WithCaches::after();
  }
  bool charge(ThreadCache* cache, std::uint64_t bytes) {
    if (!Budget::charge(cache, bytes)) return false;
    charged += bytes;
    RL_ASSERT(charged <= limit);
    check_reserved();
    if (bytes > batch) Budget::note_high_water();
    return true;
  }
  void refund(ThreadCache* cache, std::uint64_t bytes) {
    charged -= bytes;
    Budget::refund(cache, bytes);
    if (cache != nullptr) RL_ASSERT(cache->credit.debug_value() <= 2 * batch);
    check_reserved();
  }
  static void check_reserved() { RL_ASSERT(words.reserved.debug_value() <= limit); }  // A2
};

// Threads charge and refund, one block at a time, while the limit falls or not.
template <unsigned Threads, bool LimitFalls>
struct Charged : WithLimit<Charged<Threads, LimitFalls>, Threads> {
  static constexpr std::uint64_t batch = Budget::batch;

  void work(int thread) {
    if (LimitFalls && thread == 0) return Budget::set_limit(batch);
    ThreadCache* cache = this->cache_of(thread);
    for (const std::uint64_t bytes : {batch / 2, batch, batch + 1}) {
      if (this->charge(cache, bytes)) this->refund(cache, bytes);
    }
  }
  void after() {
    const std::uint64_t last = Budget::limit();
    RL_ASSERT(last == (LimitFalls ? batch : Charged::limit));
    set_locals({});
    ThreadCache* cache = this->cache_of(0);
    RL_ASSERT(!this->charge(cache, last + 1) && this->charge(cache, last) && !this->charge(cache, 1));
    this->refund(cache, last);
    // A credit is reclaimed when another account needs it, and does not outlive its limit.
    RL_ASSERT(this->charge(cache, 1) && this->charge(nullptr, last - 1));
    this->refund(nullptr, last - 1);
    RL_ASSERT(this->charge(cache, 1));
    Budget::set_limit(0);
    RL_ASSERT(!this->charge(cache, 1));
    this->refund(cache, 2);
    this->leave();
    Charged::WithLimit::after();
  }
};

// One thread refunds so much that it sheds some of its credit while another thread charges the whole limit.
struct Reclaimed : WithLimit<Reclaimed, 2> {
  bool has_all = false;

  void work(int thread) {
    ThreadCache* cache = cache_of(thread);
    if (thread == 0) {
      int blocks = 0;
      while (blocks < 3 && charge(cache, batch)) ++blocks;
      while (blocks-- > 0) refund(cache, batch);
    } else {
      has_all = charge(cache, limit);
    }
  }
  void after() {
    check_reserved();
    if (has_all) refund(nullptr, limit);
    WithLimit::after();
  }
};

}  // namespace
}  // namespace xichan::internal::model

int main(int argc, char** argv) {
  using namespace xichan::internal::model;
  return xichan::internal::model::main(argc, argv,
                                       {
                                           {"taken_over", random_search<TakenOver>, 200'000},
                                           {"come_and_go_2", random_search<ComeAndGo<2, 2>>, 200'000},
                                           {"come_and_go_3", random_search<ComeAndGo<3, 1>>, 100'000},
                                           {"there_and_back", random_search<ThereAndBack<3>>, 200'000},
                                           {"overflow", random_search<Overflow<2>>, 100'000},
                                           {"swept", random_search<Swept<false>>, 100'000},
                                           {"swept_by_the_clock", random_search<Swept<true>>, 100'000},
                                           {"limited", random_search<Limited>, 100'000},
                                           {"late", random_search<Late>, 100'000},
                                           {"counted", random_search<Counted>, 100'000},
                                           {"charged", random_search<Charged<2, false>>, 150'000},
                                           {"charged_with_less", random_search<Charged<3, true>>, 150'000},
                                           {"reclaimed", random_search<Reclaimed>, 150'000},
                                       });
}
