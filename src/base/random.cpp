#include "base/random.h"

#include <sys/random.h>

namespace xichan::internal {

std::uint64_t random_bits() noexcept {
  std::uint64_t bits = 0;
  // Requests of up to 256 bytes are complete once the pool is initialized; before that, a signal may interrupt them.
  while (getrandom(&bits, sizeof bits, 0) != static_cast<ssize_t>(sizeof bits)) {
  }
  return bits;
}

}  // namespace xichan::internal
