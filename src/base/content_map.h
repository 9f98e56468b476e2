// Maps the contents of values, each an address and a description, to plain values; and classes of equal contents.
//
// Two cells have the same content if they describe the same bytes in the same way, although the cells themselves may
// differ. These maps bound work on values that refer to one content many times.
//
// Algorithm: open addressing as in PointerMap; the classes are a union-find forest with path halving (Tarjan and van
// Leeuwen 1984).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <type_traits>
#include <utility>

#include "base/failure.h"

namespace xichan::internal {

struct Content {
  const void* at = nullptr;
  std::uint64_t head = 0;  // the kind and length of a cell, or 0

  friend bool operator==(const Content&, const Content&) = default;
};

/// Thread safety: one thread at a time. Reports failed allocations by return value. An empty map owns no memory.
template <class T>
class ContentMap {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  ContentMap() noexcept = default;
  ContentMap(const ContentMap&) = delete;
  ContentMap& operator=(const ContentMap&) = delete;
  ~ContentMap() {
    if (entries_ != nullptr) std::free(entries_);
  }

  /// Returns the value of `key`, whose address must not be null; the value of a new key is zeroed. Valid until the next
  /// insertion. Returns null without memory.
  [[nodiscard]] T* insert(const Content& key) noexcept {
    if (size_ >= capacity_ / 2 && !grow()) return nullptr;
    Entry& entry = entries_[slot_of(key)];
    if (entry.key.at == nullptr) {
      entry.key = key;
      ++size_;
    }
    return &entry.value;
  }

  /// Returns the value of `key`, or null if the key is absent.
  T* find(const Content& key) noexcept {
    if (size_ == 0) return nullptr;
    Entry& entry = entries_[slot_of(key)];
    return entry.key.at == nullptr ? nullptr : &entry.value;
  }

 private:
  struct Entry {
    Content key;
    T value;
  };

  static std::uint64_t mix(std::uint64_t h) noexcept {
    h = (h ^ h >> 33) * 0xff51afd7ed558ccdu;
    h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53u;
    return h ^ h >> 33;
  }

  std::size_t slot_of(const Content& key) const noexcept {
    std::size_t i = mix(mix(reinterpret_cast<std::uintptr_t>(key.at)) + key.head) & (capacity_ - 1);
    while (entries_[i].key.at != nullptr && entries_[i].key != key) i = (i + 1) & (capacity_ - 1);
    return i;
  }

  bool grow() noexcept {
    const std::size_t capacity = capacity_ == 0 ? 16 : capacity_ * 2;
    auto* fresh = should_inject_failure() ? nullptr : static_cast<Entry*>(std::calloc(capacity, sizeof(Entry)));
    if (fresh == nullptr) return false;
    Entry* old = std::exchange(entries_, fresh);
    const std::size_t count = std::exchange(capacity_, capacity);
    for (std::size_t i = 0; i < count; ++i) {
      if (old[i].key.at != nullptr) entries_[slot_of(old[i].key)] = old[i];
    }
    std::free(old);
    return true;
  }

  Entry* entries_ = nullptr;
  std::size_t capacity_ = 0;  // a power of two, or 0
  std::size_t size_ = 0;
};

/// Contents that are known, or assumed, to be equal. Equality is transitive, so a comparison that records each pair
/// here compares fewer pairs than there are contents. A comparison that fails must discard all assumptions.
///
/// Thread safety: one thread at a time.
class EqualContents {
 public:
  enum class Joined : std::uint8_t { before, now, no_memory };

  /// Records that two contents are equal. Returns `before` if that follows from earlier calls.
  Joined join(const Content& one, const Content& other) noexcept {
    const Content left = root_of(one), right = root_of(other);
    if (left == right) return Joined::before;
    Content* parent = parents_.insert(left);
    if (parent == nullptr) return Joined::no_memory;
    *parent = right;
    return Joined::now;
  }

 private:
  Content root_of(Content content) noexcept {
    for (Content* parent; (parent = parents_.find(content)) != nullptr && parent->at != nullptr;) {
      const Content* above = parents_.find(*parent);
      if (above != nullptr && above->at != nullptr) *parent = *above;
      content = *parent;
    }
    return content;
  }

  ContentMap<Content> parents_;
};

}  // namespace xichan::internal
