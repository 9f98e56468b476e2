// Copies large payloads past the caches.
//
// memcpy reads the destination's lines into the cache before it overwrites them, so a copy moves three bytes over the
// memory bus for each byte. Streaming stores move two, and leave what other threads have in the cache where it is.
// memcpy of glibc uses them too, but only from three quarters of the last-level cache on, and a virtual machine may
// report a cache that is shared with other machines, many times as large as the one it has. Up to a few MiB memcpy is
// better, because the reader of the copy finds it in the cache.
#pragma once

#include <cstdint>

#include "xichan/export.h"

namespace xichan::internal {

/// The size from which `copy_payload` streams: about the share of one core in the last-level cache.
inline constexpr std::uint64_t smallest_streamed = 4u << 20;

/// Copies `bytes` bytes between ranges that do not overlap. As memcpy, but faster for many MiB.
XICHAN_API void copy_payload(void* to, const void* from, std::uint64_t bytes) noexcept;

}  // namespace xichan::internal
