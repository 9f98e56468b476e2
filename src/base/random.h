// Random bits from the kernel, for unpredictable ids and nonces.
#pragma once

#include <cstdint>

#include "xichan/export.h"

namespace xichan::internal {

/// Returns 64 random bits. Any thread; blocks only while the machine boots.
XICHAN_API std::uint64_t random_bits() noexcept;

}  // namespace xichan::internal
