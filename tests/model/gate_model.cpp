// Models of the gate through which threads return into an interpreter that ends (src/sync/return_gate.cpp). They run
// the real code, with the memory orders, of what test_return_gate.py states and visits as a protocol.
//
// A thread that is attaching touches the interpreter, without its lock; so does the thread that frees it.
#include "model.h"

// After the checker.
#include "sync/mutex.h"
#include "sync/return_gate.cpp"

namespace xichan::internal {
namespace model {
namespace {

constexpr unsigned most_threads = 4;

struct Interpreter {
  struct Sleeper {
    const void* word = nullptr;
    rl::generic_event bell;
  };

  ReturnGate gate;
  Mutex lock;
  rl::var<int> memory;  // written when it is freed
  Sleeper sleepers[most_threads];
};
Interpreter* interpreter;

}  // namespace
}  // namespace model

// As in channel_under_model.h: comparing and sleeping is one step, and so is finding and waking a sleeper.
WaitResult futex_wait(atomic<std::uint32_t>& word, std::uint32_t expected, Deadline) noexcept {
  auto& me = model::interpreter->sleepers[rl::thread_index()];
  if (word.debug_value() != expected) return WaitResult::woken;
  me.word = &word;
  me.bell.wait(false, false, $);
  me.word = nullptr;
  return WaitResult::woken;
}
void futex_wake_all(atomic<std::uint32_t>* word) noexcept {
  for (auto& sleeper : model::interpreter->sleepers) {
    if (std::exchange(sleeper.word, sleeper.word == word ? nullptr : sleeper.word) == word) sleeper.bell.set($);
  }
}

namespace model {
namespace {

template <class Derived, unsigned Threads>
struct WithInterpreter : Model<Derived, Threads> {
  Interpreter its;
  bool locks = true;  // false: what the gate orders without the help of the interpreter's lock

  void begin() {
    interpreter = &its;
    its.memory($) = 0;
    for (auto& sleeper : its.sleepers) sleeper.bell.init(false, false, $);
  }
  void after() {
    for (auto& sleeper : its.sleepers) sleeper.bell.deinit($);
  }
  // Returns from a wait, runs a little Python code, and waits again. Returns false if the interpreter has ended.
  bool visit() {
    if (!its.gate.enter()) return false;
    RL_ASSERT(its.memory($) == 0);
    if (locks) its.lock.lock();
    its.gate.leave();
    if (locks) its.lock.unlock();
    return true;
  }
  // As CPython ends an interpreter: no thread is on its way back when it is freed.
  void end() {
    its.gate.close(Deadline::never());
    if (locks) its.lock.lock();
    its.gate.end();
    its.memory($) = 1;
    if (locks) its.lock.unlock();
  }
};

// Two threads return, one of them twice, while a third ends the interpreter.
template <bool Locks>
struct Ends : WithInterpreter<Ends<Locks>, 3> {
  Ends() { this->locks = Locks; }
  void thread(unsigned index) {
    if (index == 2) return this->end();
    if (this->visit() && index == 0) this->visit();
  }
};

// The gate is opened again, for a thread that is joined while the interpreter ends. The thread that closes it passes.
template <bool Locks>
struct Reopened : WithInterpreter<Reopened<Locks>, 3> {
  atomic<bool> joined;

  Reopened() { this->locks = Locks; }
  void begin() {
    Reopened::WithInterpreter::begin();
    joined.store(false, memory_order_relaxed);
  }
  void thread(unsigned index) {
    if (index == 0) {
      RL_ASSERT(this->visit());
      joined.store(true, memory_order_release);
    } else if (index == 1) {
      this->visit();
    } else {
      this->its.gate.close(Deadline::never());
      RL_ASSERT(this->visit());
      if (!Locks) this->its.memory($) = 0;
      RL_ASSERT(this->its.gate.open());
      while (!joined.load(memory_order_acquire)) rl::yield(1, $);
      this->end();
    }
  }
};

// One thread closes the gate and opens it again, and returns later, when another one may have closed it.
struct ClosedTwice : WithInterpreter<ClosedTwice, 3> {
  atomic<bool> opened;

  void begin() {
    WithInterpreter::begin();
    opened.store(false, memory_order_relaxed);
  }
  void thread(unsigned index) {
    if (index == 0) {
      its.gate.close(Deadline::never());
      its.gate.open();
      opened.store(true, memory_order_release);
      visit();
    } else if (index == 1) {
      visit();
    } else {
      while (!opened.load(memory_order_acquire)) rl::yield(1, $);
      end();
    }
  }
};

}  // namespace
}  // namespace model
}  // namespace xichan::internal

int main(int argc, char** argv) {
  using namespace xichan::internal::model;
  return xichan::internal::model::main(argc, argv,
                                       {
                                           {"ends", random_search<Ends<true>>, 300'000},
                                           {"ends_without_lock", random_search<Ends<false>>, 200'000},
                                           {"reopened", random_search<Reopened<true>>, 300'000},
                                           {"reopened_without_lock", random_search<Reopened<false>>, 200'000},
                                           {"closed_twice", random_search<ClosedTwice>, 300'000},
                                       });
}
