// Random bits from the kernel, for ids and nonces that cannot be guessed.
#pragma once

#include <cstdint>

#include "xichan/export.h"

namespace xichan::internal {

/// 64 fresh bits. Any thread; blocks only while the machine boots.
XICHAN_API std::uint64_t random_bits() noexcept;

}  // namespace xichan::internal
