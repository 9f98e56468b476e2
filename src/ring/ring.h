// What the channel asks of a queue of cells. A flavor is one file behind this concept; adding one touches nothing
// else.
#pragma once

#include <concepts>
#include <cstdint>

#include "xichan/status.h"

namespace xichan::internal {

/// Every function may be called from any thread, and none waits for another thread, stopped or not.
///
///   try_push  ok | full | closed. `full` also while the slot in question is still being emptied by a receiver.
///   try_pop   ok | empty | closed. `empty` also while the item in question is still being written by a sender;
///             `closed` only when nothing is left and nothing can come.
///   close     from here on no push succeeds. Idempotent.
///   can_pop, can_push   whether a call would find something to do now.
///
/// For the wake-up protocol of the channel (see docs/explanation/memory-ordering.md) the publishing store of push and
/// of pop, and the load by which the other decides `empty` or `full`, are sequentially consistent.
template <class R, class T>
concept Ring = requires(R ring, const R constant, T& item) {
  { ring.try_push(item) } noexcept -> std::same_as<Status>;
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
