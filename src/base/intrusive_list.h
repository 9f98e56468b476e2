// A doubly linked list through hooks inside its elements: no allocation, O(1) insertion and removal.
//
// Thread safety: none; the owner of the list guards the list and the hooks of its elements together.
#pragma once

namespace xichan::internal {

/// The links of one element in one list. Lives in the element.
template <class T>
struct ListHook {
  T* previous = nullptr;
  T* next = nullptr;
};

/// A list of elements linked by the member `hook`. Owns nothing: remove an element before destroying it.
template <class T, ListHook<T> T::* hook>
class IntrusiveList {
 public:
  T* first() const noexcept { return first_; }
  T* last() const noexcept { return last_; }
  static T* next(const T& element) noexcept { return (element.*hook).next; }
  static T* previous(const T& element) noexcept { return (element.*hook).previous; }

  void push_back(T& element) noexcept { insert_after(last_, element); }
  void push_front(T& element) noexcept { insert_after(nullptr, element); }
  /// Inserts `element` behind `before`, which must be in this list; at the front if that is null.
  void insert_after(T* before, T& element) noexcept {
    T* const after = before == nullptr ? first_ : (before->*hook).next;
    element.*hook = {before, after};
    (before == nullptr ? first_ : (before->*hook).next) = &element;
    (after == nullptr ? last_ : (after->*hook).previous) = &element;
  }
  /// `element` must be in this list.
  void remove(T& element) noexcept {
    const ListHook<T> links = element.*hook;
    (links.previous == nullptr ? first_ : (links.previous->*hook).next) = links.next;
    (links.next == nullptr ? last_ : (links.next->*hook).previous) = links.previous;
    element.*hook = {};
  }
  /// Empties the list without writing to the elements.
  void clear() noexcept { first_ = last_ = nullptr; }

 private:
  T* first_ = nullptr;
  T* last_ = nullptr;
};

}  // namespace xichan::internal
