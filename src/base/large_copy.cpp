#include "base/large_copy.h"

#include <cstddef>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace xichan::internal {

void copy_payload(void* to, const void* from, std::uint64_t bytes) noexcept {
#ifdef __SSE2__
  if (bytes >= smallest_streamed) {
    constexpr std::uint64_t line = 64;
    auto* out = static_cast<std::byte*>(to);
    auto* in = static_cast<const std::byte*>(from);
    const std::uint64_t head = -reinterpret_cast<std::uintptr_t>(out) % line;  // a line is written as a whole
    std::memcpy(out, in, head);
    out += head, in += head, bytes -= head;
    for (; bytes >= line; out += line, in += line, bytes -= line) {
      auto* const source = reinterpret_cast<const __m128i*>(in);
      auto* const target = reinterpret_cast<__m128i*>(out);
      const __m128i a = _mm_loadu_si128(source), b = _mm_loadu_si128(source + 1);
      const __m128i c = _mm_loadu_si128(source + 2), d = _mm_loadu_si128(source + 3);
      _mm_stream_si128(target, a), _mm_stream_si128(target + 1, b);
      _mm_stream_si128(target + 2, c), _mm_stream_si128(target + 3, d);
    }
    _mm_sfence();  // streaming stores are not ordered before a later release
    to = out, from = in;
  }
#endif
  if (bytes != 0) std::memcpy(to, from, bytes);
}

}  // namespace xichan::internal
