// A map from addresses to plain values, for finding repeated pointers. Single keys are never removed.
//
// Algorithm: open addressing with linear probing (Knuth, TAOCP vol. 3, 6.4), at most half full. Addresses are mixed by
// the finalizer of MurmurHash3 (Austin Appleby, public domain): an attacker who controls the distances between
// addresses cannot provoke collisions without knowing their base.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <type_traits>
#include <utility>

namespace xichan::internal {

/// Thread safety: one thread at a time. Reports failed allocations by return value. An empty map owns no memory.
template <class T>
class PointerMap {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  PointerMap() noexcept = default;
  PointerMap(const PointerMap&) = delete;
  PointerMap& operator=(const PointerMap&) = delete;
  ~PointerMap() {
    if (entries_ != nullptr) std::free(entries_);
  }

  /// Removes all keys, and frees the memory.
  void clear() noexcept {
    std::free(std::exchange(entries_, nullptr));
    capacity_ = size_ = 0;
  }

  std::size_t size() const noexcept { return size_; }

  /// Makes room for a total of `count` keys. Returns false without memory.
  [[nodiscard]] bool reserve(std::size_t count) noexcept {
    std::size_t capacity = 16;
    while (capacity / 2 < count) {
      if (capacity > SIZE_MAX / 2) return false;
      capacity *= 2;
    }
    return capacity <= capacity_ || rehash(capacity);
  }

  /// Returns the value of `key`, which must not be null; the value of a new key is zeroed. Valid until the next
  /// insertion. Returns null without memory.
  [[nodiscard]] T* insert(const void* key) noexcept {
    if (size_ >= capacity_ / 2 && !reserve(size_ + 1)) return nullptr;
    Entry& entry = entries_[slot_of(key)];
    if (entry.key == nullptr) {
      entry.key = key;
      ++size_;
    }
    return &entry.value;
  }

  /// Returns the value of `key`, or null if the key is absent.
  T* find(const void* key) noexcept {
    if (size_ == 0) return nullptr;
    Entry& entry = entries_[slot_of(key)];
    return entry.key == nullptr ? nullptr : &entry.value;
  }

 private:
  struct Entry {
    const void* key;
    T value;
  };

  static std::size_t mix(const void* key) noexcept {
    std::uint64_t h = reinterpret_cast<std::uintptr_t>(key);
    h = (h ^ h >> 33) * 0xff51afd7ed558ccdu;
    h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53u;
    return static_cast<std::size_t>(h ^ h >> 33);
  }

  // Returns the slot of the key, or the free slot where it belongs.
  std::size_t slot_of(const void* key) const noexcept {
    std::size_t i = mix(key) & (capacity_ - 1);
    while (entries_[i].key != nullptr && entries_[i].key != key) i = (i + 1) & (capacity_ - 1);
    return i;
  }

  bool rehash(std::size_t capacity) noexcept {
    auto* fresh = static_cast<Entry*>(std::calloc(capacity, sizeof(Entry)));
    if (fresh == nullptr) return false;
    Entry* old = std::exchange(entries_, fresh);
    const std::size_t count = std::exchange(capacity_, capacity);
    for (std::size_t i = 0; i < count; ++i) {
      if (old[i].key != nullptr) entries_[slot_of(old[i].key)] = old[i];
    }
    std::free(old);
    return true;
  }

  Entry* entries_ = nullptr;
  std::size_t capacity_ = 0;  // a power of two, or 0
  std::size_t size_ = 0;
};

}  // namespace xichan::internal
