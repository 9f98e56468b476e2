// Helpers of the relacy models. Include it first: relacy's headers define macros (`$`, `memory_order_...`, `assert`)
// that the standard library must not see.
//
// A model runs the real code of src/ under a scheduler that decides, at each access to an atomic, which thread
// continues and which of the values allowed by the C++ memory model a load returns. A plain location that two threads
// touch unordered, a thread that never wakes up, an assertion and a leaked or doubly freed allocation end the search.
#pragma once

#include <time.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <concepts>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <mutex>
#include <new>
#include <streambuf>
#include <string>
#include <vector>

#include "base/atomic.h"
#include "xichan/status.h"

// Relacy's random search takes any thread at each step, so that none is ever held up for long: but that is what a lost
// wake-up needs (a sender stopped between claim and publish, while all other threads go to sleep). Here a thread goes
// on for a while, on average 1, 4, 16 or 64 steps, by turns of schedules, unless it blocks or yields.
#define XICHAN_SEARCH_IN_STRETCHES(threads)                                                              \
  template <>                                                                                            \
  inline thread_id_t random_scheduler<threads>::schedule_impl(unpark_reason& reason, unsigned yield) {   \
    const unsigned stretch = 1u << this->iter_ % 4 * 2;                                                  \
    const thread_id_t running = this->running_threads_count;                                             \
    if (const thread_id_t timed = this->timed_thread_count_) {                                           \
      const unsigned which = rand_.rand() % (running != 0 ? timed * 4 * stretch : timed);                \
      if (which < timed) {                                                                               \
        const thread_id_t index = this->timed_threads_[which]->index_;                                   \
        this->unpark_thread(index);                                                                      \
        reason = unpark_reason_timeout;                                                                  \
        return index;                                                                                    \
      }                                                                                                  \
    }                                                                                                    \
    reason = unpark_reason_normal;                                                                       \
    const bool may_stay = this->thread_ != 0 && this->thread_->state_ == thread_state_running && !yield; \
    if (may_stay && rand_.rand() % stretch != 0) return this->thread_->index_;                           \
    return this->running_threads[rand_.rand() % running];                                                \
  }
namespace rl {
XICHAN_SEARCH_IN_STRETCHES(2)
XICHAN_SEARCH_IN_STRETCHES(3)
XICHAN_SEARCH_IN_STRETCHES(4)
XICHAN_SEARCH_IN_STRETCHES(5)
}  // namespace rl
#undef XICHAN_SEARCH_IN_STRETCHES

namespace xichan::internal::model {

/// Schedules that were really run, counted by the models themselves.
inline std::uint64_t schedules_run = 0;

/// A model: `thread(i)` for each thread, `before()` and `after()` around them, as relacy wants it.
template <class Derived, unsigned Threads>
struct Model : rl::test_suite<Derived, Threads> {
  void before() {
    ++schedules_run;
    static_cast<Derived*>(this)->begin();
  }
};

/// A stream into fixed memory: relacy replaces operator new, and does not expect its own output to use it.
class Report : public std::streambuf {
 public:
  Report() { setp(text_, text_ + sizeof text_); }
  std::string text() const { return {pbase(), pptr()}; }

 private:
  inline static char text_[1 << 20];
};

/// Searches one model. True if nothing was found; `report` says what was, with the history of a second run.
template <class M, class Scheduler, rl::scheduler_type_e Type>
bool simulate(std::uint64_t schedules, std::string& report) {
  Report buffer;
  std::ostream output(&buffer);
  std::ostream progress(nullptr);
  rl::test_params params;
  params.search_type = Type;
  params.iteration_count = schedules;
  params.execution_depth_limit = 10'000;
  params.output_stream = &output;
  params.progress_stream = &progress;
  rl::ostringstream state;
  // As rl::simulate does it, but for one scheduler: to compile all of them takes three times as long.
  const bool passed = rl::run_test<M, Scheduler>(params, state, false) == rl::test_result_success;
  if (!passed) {
    params.initial_state = params.final_state = state.str();
    params.collect_history = true;
    rl::ostringstream unused;
    rl::run_test<M, Scheduler>(params, unused, true);
    report = buffer.text();
  }
  return passed;
}

struct Search {
  bool full;
  bool (*run)(std::uint64_t schedules, std::string& report);
};
template <class M>
constexpr Search full_search{true, simulate<M, rl::full_search_scheduler<M::params::thread_count>, rl::sched_full>};
template <class M>
constexpr Search random_search{false, simulate<M, rl::random_scheduler<M::params::thread_count>, rl::sched_random>};

struct Entry {
  const char* name;
  Search search;
  std::uint64_t at_least;  // schedules: of a full search, those it is known to have; of a random one, those it is worth
};

/// Runs the model named on the command line, or all: `PROGRAM [NAME] [SCHEDULES]`. The exit code is 0 if each of them
/// found nothing and ran at least as many schedules as it should. XICHAN_STRESS multiplies those of random searches;
/// without it they run a quarter, which is enough for every day.
inline int main(int argc, char** argv, const std::vector<Entry>& models) {
  const std::string wanted = argc > 1 ? argv[1] : "all";
  const std::uint64_t schedules = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 0;
  const char* const stress = std::getenv("XICHAN_STRESS");
  const std::uint64_t quarters =
      stress == nullptr ? 1 : 4 * std::max<std::uint64_t>(1, std::strtoull(stress, nullptr, 10));
  int run = 0;
  int failed = 0;
  for (const Entry& model : models) {
    if (wanted != "all" && wanted != model.name) continue;
    ++run;
    const bool full = model.search.full;
    const std::uint64_t asked = full ? model.at_least : schedules != 0 ? schedules : model.at_least * quarters / 4;
    schedules_run = 0;
    std::string report;
    bool passed = model.search.run(full ? UINT64_MAX >> 1 : asked, report);
    if (passed && schedules_run < asked) {
      passed = false;
      report = "fewer schedules than asked for: " + std::to_string(asked);
    }
    std::cout << (passed ? "passed  " : "FAILED  ") << model.name << ": " << schedules_run << " schedules, "
              << (full ? "full search" : "random") << std::endl;
    if (!passed) std::cout << report << std::endl;
    failed += !passed;
  }
  if (run == 0) std::cout << "no model " << wanted << std::endl;
  return run == 0 || failed != 0;
}

}  // namespace xichan::internal::model
