// Identifies a channel while it lives. Ids are never reused.
#pragma once

#include <cstdint>

namespace xichan::internal {

/// place:  generation (40 bits) | slot (24 bits);  secret: 64 random bits. Never all zero.
struct ChannelId {
  std::uint64_t place = 0;
  std::uint64_t secret = 0;

  static constexpr unsigned slot_bits = 24;
  static constexpr std::uint64_t last_generation = UINT64_MAX >> slot_bits;

  std::uint64_t slot() const noexcept { return place & ((std::uint64_t{1} << slot_bits) - 1); }
  friend bool operator==(const ChannelId&, const ChannelId&) = default;
};

}  // namespace xichan::internal
