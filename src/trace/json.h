// Writes a trace as a file in the Trace Event Format, which Perfetto and chrome://tracing open.
#pragma once

#include "trace/trace.h"

namespace xichan::internal {

/// Writes to a descriptor, which stays open. Returns 0, or an error number: ENOMEM without memory, else that of
/// write(). Blocks while it writes.
XICHAN_API int write_trace(const TraceData& data, int descriptor) noexcept;

}  // namespace xichan::internal
