// Random bits for unpredictable ids and nonces.
#pragma once

#include <cstdint>

#include "xichan/export.h"

namespace xichan::internal {

/// Returns 64 random bits: from getrandom, or from /dev/urandom where a sandbox refuses that system call, or else mixed
/// from the kernel's bytes for this program, the clocks and a counter. Any thread; blocks only while the machine boots.
XICHAN_API std::uint64_t random_bits() noexcept;

}  // namespace xichan::internal
