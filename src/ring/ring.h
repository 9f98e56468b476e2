// The concept that every queue of cells models. Adding a flavor takes one file, its enumerator in xichan/flavor.h and
// one row of the table in ring/any_ring.h.
#pragma once

#include <concepts>
#include <cstdint>

#include "ring/lane.h"
#include "xichan/status.h"

namespace xichan::internal {

/// Every function may be called from any thread. None waits for another thread, stopped or not.
///
///   try_push  ok | full | closed | no_memory | arena_full. `full` also while a receiver is still emptying the slot.
///   `lane` belongs
///             to the sending endpoint; items pushed through one lane are popped in order. Most rings ignore it.
///   try_pop   ok | empty | closed. `empty` also while a sender is still writing the item; `closed` only once the ring
///             is drained and no push can succeed.
///   close     makes every later push fail. Idempotent.
///   can_pop, can_push   return true if a call could succeed now.
///   pushed    returns how many items have ever been pushed.
///
/// The channel's wake-up protocol (docs/explanation/memory-ordering.md) requires sequential consistency of the store
/// that publishes in push and in pop, and of the load that decides `empty` or `full`.
template <class R, class T>
concept Ring = requires(R ring, const R constant, T& item, Lane& lane) {
  { constant.valid() } noexcept -> std::same_as<bool>;
  { ring.try_push(item, lane) } noexcept -> std::same_as<Status>;
  { ring.try_pop(item) } noexcept -> std::same_as<Status>;
  { ring.close() } noexcept;
  { constant.is_closed() } noexcept -> std::same_as<bool>;
  { constant.can_pop() } noexcept -> std::same_as<bool>;
  { constant.can_push() } noexcept -> std::same_as<bool>;
  { constant.size() } noexcept -> std::same_as<std::uint64_t>;
  { constant.capacity() } noexcept -> std::same_as<std::uint64_t>;
  { constant.pushed() } noexcept -> std::same_as<std::uint64_t>;
};

}  // namespace xichan::internal
