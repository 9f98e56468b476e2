// A growable list of plain items that replaces recursion; the first items need no allocation.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <type_traits>

#include "base/failure.h"

namespace xichan::internal {

/// Thread safety: one thread at a time. Reports failed allocations by return value.
template <class T, std::size_t Inline = 32>
class Worklist {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Worklist() noexcept = default;
  Worklist(const Worklist&) = delete;
  Worklist& operator=(const Worklist&) = delete;
  ~Worklist() {
    if (items_ != local()) std::free(items_);
  }

  /// Appends an item. Returns false without memory.
  [[nodiscard]] bool push(const T& item) noexcept {
    if (size_ == capacity_ && !grow()) return false;
    items_[size_++] = item;
    return true;
  }
  /// Appends an item that is not initialized. Returns null without memory.
  [[nodiscard]] T* add() noexcept {
    if (size_ == capacity_ && !grow()) return nullptr;
    return &items_[size_++];
  }
  /// Makes room for a total of `count` items, for which `push` cannot fail. Returns false without memory.
  [[nodiscard]] bool reserve(std::size_t count) noexcept {
    while (capacity_ < count) {
      if (!grow()) return false;
    }
    return true;
  }
  /// Inserts items before all others, in time proportional to the size. Returns false without memory.
  [[nodiscard]] bool insert_first(const T* items, std::size_t count) noexcept {
    if (!reserve(size_ + count)) return false;
    std::memmove(items_ + count, items_, size_ * sizeof(T));
    std::memcpy(items_, items, count * sizeof(T));
    size_ += count;
    return true;
  }
  /// Removes and returns the last item.
  T pop() noexcept { return items_[--size_]; }
  /// Removes and returns the first item, in time proportional to the size.
  T remove_first() noexcept {
    const T first = items_[0];
    std::memmove(items_, items_ + 1, --size_ * sizeof(T));
    return first;
  }

  T& last() noexcept { return items_[size_ - 1]; }
  const T& operator[](std::size_t i) const noexcept { return items_[i]; }
  T* begin() noexcept { return items_; }
  T* end() noexcept { return items_ + size_; }
  bool empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; }

 private:
  bool grow() noexcept {
    const std::size_t capacity = capacity_ * 2;
    void* old = items_ == local() ? nullptr : items_;
    void* fresh = should_inject_failure() ? nullptr : std::realloc(old, capacity * sizeof(T));
    if (fresh == nullptr) return false;
    if (old == nullptr) std::memcpy(fresh, local_, sizeof(local_));
    items_ = static_cast<T*>(fresh);
    capacity_ = capacity;
    return true;
  }

  T* local() noexcept { return reinterpret_cast<T*>(local_); }

  alignas(T) std::byte local_[Inline * sizeof(T)];  // not initialized: most lists stay short
  T* items_ = local();
  std::size_t size_ = 0;
  std::size_t capacity_ = Inline;
};

}  // namespace xichan::internal
