// Stands in for src/page/wait_report.h in the models, where no reader looks at the waits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace xichan::internal {

struct WaitTarget {
  enum class What : std::uint8_t { none, channel, object };

  What what = What::none;
  bool receives = false;
  std::uint8_t kind = 0;
  bool until_closed = false;
  std::uint64_t low = 0;
  std::uint64_t high = 0;
};

inline constexpr std::size_t most_wait_cases = 1;

class WaitReport {
 public:
  enum Flag : std::uint32_t { is_coroutine = 4 };

  explicit WaitReport(const char*, std::uint32_t = 0) noexcept {}
  bool is_shown() const noexcept { return true; }
  void show(std::span<const WaitTarget>, std::size_t) noexcept {}
  void hide_shared() noexcept {}
};

}  // namespace xichan::internal
