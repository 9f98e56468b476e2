#include "base/random.h"

#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>

#include "base/atomic.h"

namespace xichan::internal {
namespace {

bool read_kernel(std::uint64_t& bits) noexcept {
  // Requests of up to 256 bytes are complete once the pool is initialized; before that, a signal may interrupt them.
  ssize_t size;
  do {
    size = getrandom(&bits, sizeof bits, 0);
  } while (size < 0 && errno == EINTR);
  return size == static_cast<ssize_t>(sizeof bits);
}

bool read_device(std::uint64_t& bits) noexcept {
  const int file = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  const ssize_t size = read(file, &bits, sizeof bits);
  close(file);
  return size == static_cast<ssize_t>(sizeof bits);
}

// The finalizer of SplitMix64 (Steele, Lea, Flood 2014).
std::uint64_t mix(std::uint64_t h) noexcept {
  h = (h ^ h >> 30) * 0xbf58476d1ce4e5b9u;
  h = (h ^ h >> 27) * 0x94d049bb133111ebu;
  return h ^ h >> 31;
}

// Unique in the process, and hard to guess from outside: the 16 random bytes that the kernel passes to each program,
// the clocks, and a counter.
std::uint64_t mix_process() noexcept {
  static constinit atomic<std::uint64_t> calls{0};
  std::uint64_t seed[2] = {};
  const auto* given = reinterpret_cast<const void*>(getauxval(AT_RANDOM));
  if (given != nullptr) std::memcpy(seed, given, sizeof seed);
  timespec wall{}, cpu{};
  clock_gettime(CLOCK_REALTIME, &wall);
  clock_gettime(CLOCK_MONOTONIC, &cpu);
  std::uint64_t bits = mix(seed[0] + 0x9e3779b97f4a7c15u * (1 + calls.fetch_add(1, memory_order_relaxed)));
  bits = mix(bits ^ seed[1] ^ static_cast<std::uint64_t>(wall.tv_nsec) << 32 ^ static_cast<std::uint64_t>(cpu.tv_nsec));
  return mix(bits ^ static_cast<std::uint64_t>(wall.tv_sec) << 20 ^ static_cast<std::uint64_t>(getpid()));
}

}  // namespace

std::uint64_t random_bits() noexcept {
  std::uint64_t bits = 0;
  return read_kernel(bits) || read_device(bits) ? bits : mix_process();
}

}  // namespace xichan::internal
