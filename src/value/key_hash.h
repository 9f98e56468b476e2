// The hash of keys, with a secret of the process, so that input from outside cannot choose keys that collide.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/random.h"
#include "value/cell.h"

namespace xichan::internal {

/// SipHash-1-3 (Aumasson, Bernstein 2012) over words of 64 bits.
///
/// Thread safety: one thread at a time.
class KeyHash {
 public:
  KeyHash() noexcept {
    static const Secret secret;  // the same in every interpreter of the process
    v_[0] = secret.k[0] ^ 0x736f6d6570736575;
    v_[1] = secret.k[1] ^ 0x646f72616e646f6d;
    v_[2] = secret.k[0] ^ 0x6c7967656e657261;
    v_[3] = secret.k[1] ^ 0x7465646279746573;
  }

  void add(std::uint64_t word) noexcept {
    v_[3] ^= word;
    round();
    v_[0] ^= word;
  }
  void add_bytes(const void* data, std::uint64_t size) noexcept {
    const auto* at = static_cast<const std::byte*>(data);
    for (; size >= sizeof(std::uint64_t); size -= sizeof(std::uint64_t), at += sizeof(std::uint64_t)) add(load(at, 8));
    if (size != 0) add(load(at, size));
  }
  std::uint64_t finish() noexcept {
    v_[2] ^= 0xff;
    for (int i = 0; i < 3; ++i) round();
    return v_[0] ^ v_[1] ^ v_[2] ^ v_[3];
  }

 private:
  struct Secret {
    std::uint64_t k[2] = {random_bits(), random_bits()};
  };

  static std::uint64_t load(const std::byte* at, std::uint64_t size) noexcept {
    std::uint64_t word = 0;
    std::memcpy(&word, at, size);
    return word;
  }
  void round() noexcept {
    v_[0] += v_[1], v_[1] = std::rotl(v_[1], 13) ^ v_[0], v_[0] = std::rotl(v_[0], 32);
    v_[2] += v_[3], v_[3] = std::rotl(v_[3], 16) ^ v_[2];
    v_[0] += v_[3], v_[3] = std::rotl(v_[3], 21) ^ v_[0];
    v_[2] += v_[1], v_[1] = std::rotl(v_[1], 17) ^ v_[2], v_[2] = std::rotl(v_[2], 32);
  }

  std::uint64_t v_[4];
};

/// What a key compares as. Keys of different classes are never equal.
enum class KeyClass : std::uint8_t { none, ellipsis, integer, big, real, text, bytes, tuple, other };

/// Returns true for an int, and a text of narrow characters or bytes that lie within a cell.
constexpr bool is_short_key(Tag tag) noexcept {
  return tag == Tag::integer || tag == Tag::short_ascii || tag == Tag::short_latin1 || tag == Tag::short_bytes;
}
/// Adds such a key. Fast path: the payload is added as the words that the cell consists of; what follows it is zero.
inline void add_short_key(KeyHash& hash, const Cell& cell) noexcept {
  if (cell.tag() == Tag::integer) {
    hash.add(static_cast<std::uint64_t>(KeyClass::integer) | sizeof cell.word << 8);
    return hash.add(cell.word);
  }
  const KeyClass kind = cell.tag() == Tag::short_bytes ? KeyClass::bytes : KeyClass::text;
  const std::uint64_t length = cell.short_length();
  hash.add(static_cast<std::uint64_t>(kind) | length << 8);
  if (length != 0) hash.add(cell.head >> 16 | cell.word << 48);
  if (length > sizeof cell.word) hash.add(cell.word >> 16);
}

}  // namespace xichan::internal
