// A set of small numbers that finds the next member in constant time.
//
// Algorithm: a tree of bits with 64 children per node (as in van Emde Boas trees): a bit of a level is set if the word
// below it has any bit set.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

namespace xichan::internal {

/// Thread safety: none; the owner guards it.
class SlotSet {
 public:
  static constexpr std::uint64_t none = UINT64_MAX;

  /// Makes room for members below `count`, at most 2^24. Throws std::bad_alloc.
  void grow(std::uint64_t count) {
    for (std::vector<std::uint64_t>& level : levels_) {
      count = (count + 63) / 64;
      if (level.size() < count) level.resize(count);
    }
  }

  void insert(std::uint64_t member) noexcept {
    for (std::vector<std::uint64_t>& level : levels_) {
      level[member / 64] |= std::uint64_t{1} << member % 64;
      member /= 64;
    }
  }

  void erase(std::uint64_t member) noexcept {
    for (std::vector<std::uint64_t>& level : levels_) {
      if ((level[member / 64] &= ~(std::uint64_t{1} << member % 64)) != 0) return;
      member /= 64;
    }
  }

  /// Returns the first member at or after `from`, or `none`.
  std::uint64_t next(std::uint64_t from) const noexcept {
    for (unsigned level = 0; level < level_count && from / 64 < levels_[level].size(); ++level) {
      const std::uint64_t rest = levels_[level][from / 64] >> from % 64 << from % 64;
      from = from / 64 + (rest == 0);
      if (rest == 0) continue;
      from = from * 64 + static_cast<unsigned>(std::countr_zero(rest));
      while (level-- > 0) from = from * 64 + static_cast<unsigned>(std::countr_zero(levels_[level][from]));
      return from;
    }
    return none;
  }

 private:
  static constexpr unsigned level_count = 4;

  std::vector<std::uint64_t> levels_[level_count];
};

}  // namespace xichan::internal
