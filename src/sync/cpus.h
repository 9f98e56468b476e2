// The number of CPUs that the calling thread may run on.
#pragma once

#include "xichan/export.h"

namespace xichan::internal {

/// Returns the number of CPUs in the thread's affinity mask, which is re-read every 256 calls. Any thread.
XICHAN_API unsigned usable_cpus() noexcept;

}  // namespace xichan::internal
