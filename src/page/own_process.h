// What the system says of this process.
#pragma once

#include <cstdint>

namespace xichan::internal {

/// Returns when the process began, in clock ticks since the system has booted; 0 if it is not known. May be called in
/// the child of a fork.
std::uint64_t process_start() noexcept;

/// Returns true if the process was started with XICHAN_PAGE=0 in its environment. Reads no environment that other
/// threads may change meanwhile, as getenv() does.
bool is_started_private() noexcept;

}  // namespace xichan::internal
