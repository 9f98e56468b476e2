// How many CPUs the calling thread may run on.
#pragma once

#include "xichan/export.h"

namespace xichan::internal {

/// From the thread's affinity mask, read again every few hundred calls because it may change. Any thread.
XICHAN_API unsigned usable_cpus() noexcept;

}  // namespace xichan::internal
