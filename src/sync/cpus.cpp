#include "sync/cpus.h"

#include <sched.h>

namespace xichan::internal {

unsigned usable_cpus() noexcept {
  constexpr unsigned calls_between_updates = 256;
  thread_local unsigned cpus = 0;
  thread_local unsigned calls = 0;
  if (calls++ % calls_between_updates == 0) {
    cpu_set_t set;
    // Fails with EINVAL on a machine with more CPUs than the set holds, which has more than one.
    cpus = sched_getaffinity(0, sizeof(set), &set) == 0 ? static_cast<unsigned>(CPU_COUNT(&set)) : 2;
  }
  return cpus;
}

}  // namespace xichan::internal
