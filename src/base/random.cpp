#include "base/random.h"

#include <sys/random.h>

namespace xichan::internal {

std::uint64_t random_bits() noexcept {
  std::uint64_t bits = 0;
  // Up to 256 bytes are never cut short by a signal once the pool is ready; before that, try again.
  while (getrandom(&bits, sizeof bits, 0) != static_cast<ssize_t>(sizeof bits)) {
  }
  return bits;
}

}  // namespace xichan::internal
