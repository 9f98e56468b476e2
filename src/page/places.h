// Places in source files that outlive the code they name: what is known of where endpoints were opened.
//
// Algorithm: a hash table whose buckets are lists that only grow at the front, by compare-and-swap. Its entries are
// never freed, so a place can be read after the interpreter that it comes from has ended. Their number is bounded.
//
// Progress: looking up is wait-free, adding lock-free.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/atomic.h"
#include "xichan/export.h"

namespace xichan::internal {

/// A line of a file. Immortal; no two are equal.
class XICHAN_API Place {
 public:
  /// Returns the place, or null if there are too many or memory is exhausted. Any thread.
  static const Place* intern(std::string_view file, std::uint32_t line) noexcept;

  std::string_view file() const noexcept { return {reinterpret_cast<const char*>(this + 1), length_}; }
  std::uint32_t line() const noexcept { return line_; }

 private:
  Place(const Place* next, std::uint32_t line, std::uint32_t length) noexcept
      : next_(next), line_(line), length_(length) {}

  static Place* make(std::string_view file, std::uint32_t line) noexcept;

  const Place* next_;  // written before the place is in its list
  const std::uint32_t line_;
  const std::uint32_t length_;
  // followed by the name of the file
};

}  // namespace xichan::internal
