// The concept that every queue of cells models.
#pragma once

#include <concepts>
#include <cstdint>

#include "xichan/status.h"

namespace xichan::internal {

/// Every function may be called from any thread. None waits for another thread, stopped or not.
///
///   try_push  ok | full | closed | no_memory | arena_full. `full` also while a receiver is still emptying the slot.
///   try_pop   ok | empty | closed. `empty` also while a sender is still writing the item; `closed` only once the ring
///             is drained and no push can succeed.
///   close     makes every later push fail. Idempotent.
///   can_pop, can_push   return true if a call could succeed now.
///   size      returns the number of items that were claimed by a push and not yet by a pop. In a closed ring 0 means
///             that pops return `closed`.
///   pushed    returns how many items have ever been pushed.
///   push_version, pop_version   return a number that each successful push or close, or each successful pop, changes
///             to one that it never had before. While the push version stays the same, a push that can succeed
///             remains able to; likewise for pops.
///
/// The channel's wake-up protocol (docs/explanation/memory-ordering.md) requires sequential consistency of the store
/// that publishes in push and in pop, and of the load that decides `empty` or `full`.
template <class R, class T>
concept Ring = requires(R ring, const R constant, T& item) {
  { constant.valid() } noexcept -> std::same_as<bool>;
  { ring.try_push(item) } noexcept -> std::same_as<Status>;
  { ring.try_pop(item) } noexcept -> std::same_as<Status>;
  { ring.close() } noexcept;
  { constant.is_closed() } noexcept -> std::same_as<bool>;
  { constant.can_pop() } noexcept -> std::same_as<bool>;
  { constant.can_push() } noexcept -> std::same_as<bool>;
  { constant.size() } noexcept -> std::same_as<std::uint64_t>;
  { constant.capacity() } noexcept -> std::same_as<std::uint64_t>;
  { constant.pushed() } noexcept -> std::same_as<std::uint64_t>;
  { constant.push_version() } noexcept -> std::same_as<std::uint64_t>;
  { constant.pop_version() } noexcept -> std::same_as<std::uint64_t>;
};

}  // namespace xichan::internal
