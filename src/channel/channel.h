// A channel: a ring of cells plus waiting, closing and counting.
//
// Two counts. Ends say what the channel means: when the last end of a side goes, that side is finished for ever. Pins
// say when its memory may go: each unfinished side holds one, and so does every call that runs while its own end might
// be closed. Whoever drops the last pin frees what is left.
//
// Invariants
//   H1  a count of ends never leaves zero again.
//   H2  once the ring is closed no further send is accepted; accepted = received + discarded + queued.
//   H3  with no receivers left, what is queued is discarded by the closer, or by the sender that published it after the
//       closer had looked (it finds the attention bit of `not_empty_` set).
//   H4  values are given back outside every lock.
//
// Thread safety: every function may be called from any thread that holds an end or a pin, unless it says otherwise.
#pragma once

#include <cstdint>

#include "base/deadline.h"
#include "channel/channel_id.h"
#include "ring/mpmc.h"
#include "sync/wait_list.h"
#include "value/message.h"
#include "xichan/status.h"

namespace xichan {

enum class Side : std::uint8_t { sender, receiver };

/// What bounds one round of waiting.
struct WaitRound {
  Deadline deadline;  // past it: `timeout`
  Deadline slice;     // past it: `interrupted`, so that the caller can look at the world and call again
  const atomic<bool>&
      closed;  // set, and cancelled by the owner below, when the end of this call is closed: `end_closed`
  const void* owner;
};

class XICHAN_API Channel {
 public:
  static constexpr std::uint64_t max_capacity = std::uint64_t{1} << 24;

  /// A channel with one end counted on each side. `too_large` if the capacity is not in 1 .. max_capacity.
  static Status create(std::uint64_t capacity, Channel*& channel) noexcept;

  /// Neither waits nor spins. `ok` takes over what the cell owns; any other answer leaves it with the caller.
  Status try_send(const Cell& cell) noexcept {
    const Status status = ring_.try_push(cell);
    if (status == Status::ok) after_send();
    return status;
  }
  Status try_recv(Cell& cell) noexcept {
    const Status status = ring_.try_pop(cell);
    if (status == Status::ok) after_recv();
    return status;
  }

  /// Spins shortly, then sleeps, until the call is decided: `ok | closed | end_closed | timeout | interrupted`.
  /// Anything but `ok` has sent or taken nothing. The caller holds a pin.
  Status send(const Cell& cell, const WaitRound& round) noexcept;
  Status recv(Cell& cell, const WaitRound& round) noexcept;

  /// One more end of a side of which the caller holds one.
  void add_end(Side side) noexcept { ends(side).fetch_add(1, memory_order_relaxed); }
  /// One more end, unless that side is finished. Any thread that knows the channel to be alive (the registry).
  bool try_add_end(Side side) noexcept;
  /// Gives one end back; the last one of a side finishes it. Not under a lock.
  void drop_end(Side side) noexcept;

  void pin() noexcept { pins_.fetch_add(1, memory_order_relaxed); }
  void unpin() noexcept;

  /// Closes the channel for everybody. `immediate` discards what is queued; else receivers drain it. Not under a lock.
  void shutdown(bool immediate) noexcept;

  /// Wakes every call that waits on behalf of `owner` with `end_closed`.
  void cancel_calls(Side side, const void* owner) noexcept { waiters(side).cancel_owner(owner); }

  /// Whether the side can do nothing more: shut down; for senders, no receivers; for receivers, no senders and drained.
  bool finished_for(Side side) const noexcept;
  bool is_shut_down() const noexcept { return shut_down_.load(memory_order_acquire); }

  const ChannelId& id() const noexcept { return id_; }
  std::uint64_t capacity() const noexcept { return ring_.capacity(); }
  std::uint64_t size() const noexcept { return ring_.size(); }
  std::uint32_t end_count(Side side) const noexcept { return ends(side).load(memory_order_relaxed); }
  std::uint32_t waiting(Side side) const noexcept { return (side == Side::sender ? not_full_ : not_empty_).waiting(); }

 private:
  explicit Channel(std::uint64_t capacity) noexcept : ring_(capacity) {
    for (auto& count : ends_) count.store(1, memory_order_relaxed);
    pins_.store(2, memory_order_relaxed);
    shut_down_.store(false, memory_order_relaxed);
  }
  ~Channel() = default;

  void after_send() noexcept {
    if (not_empty_.has_attention()) serve_receivers();
    if (not_full_.has_attention() && ring_.can_push()) not_full_.notify_one();  // wake-token rule (a)
  }
  void after_recv() noexcept {
    not_full_.notify_one();
    // Wake-token rule (a). A closed ring counts as ready: a receiver may have gone to sleep while the last item was
    // still being written, and would have been told `closed` now.
    if (not_empty_.has_attention() && (ring_.can_pop() || ring_.is_closed())) not_empty_.notify_one();
  }
  void serve_receivers() noexcept;
  void discard_queued() noexcept;

  template <class Attempt>
  Status wait(WaitList& list, const WaitRound& round, Attempt attempt) noexcept;

  atomic<std::uint32_t>& ends(Side side) noexcept { return ends_[static_cast<unsigned>(side)]; }
  const atomic<std::uint32_t>& ends(Side side) const noexcept { return ends_[static_cast<unsigned>(side)]; }
  WaitList& waiters(Side side) noexcept { return side == Side::sender ? not_full_ : not_empty_; }

  MpmcRing<Cell> ring_;
  alignas(cache_line) WaitList not_empty_;
  WaitList not_full_;
  atomic<std::uint32_t> ends_[2];
  atomic<std::uint32_t> pins_;
  atomic<bool> shut_down_;
  ChannelId id_;
};

/// The types of references that name an end; they own one count of it.
XICHAN_API extern const ReferenceType sender_reference;
XICHAN_API extern const ReferenceType receiver_reference;

inline const ReferenceType& end_reference(Side side) noexcept {
  return side == Side::sender ? sender_reference : receiver_reference;
}

}  // namespace xichan
