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
//   H5  a channel from before a fork is never changed in the child.
//
// Thread safety: every function may be called from any thread that holds an end or a pin, unless it says otherwise.
#pragma once

#include <bit>
#include <cstdint>
#include <memory>
#include <string_view>

#include "channel/channel_id.h"
#include "ring/any_ring.h"
#include "sync/process_words.h"
#include "sync/wait_list.h"
#include "value/message.h"
#include "xichan/export.h"
#include "xichan/options.h"
#include "xichan/status.h"

namespace xichan::internal {

enum class Side : std::uint8_t { sender, receiver };
constexpr Side other(Side side) noexcept { return side == Side::sender ? Side::receiver : Side::sender; }

/// How many cells callers hand to try_send_many and try_recv_many at a time: enough to make the claim cheap, few enough
/// to lie on a stack.
inline constexpr std::size_t batch_size = 64;

// Wait nodes carry cells as packets, so that sync/ does not depend on value/.
inline Packet to_packet(const Cell& cell) noexcept { return std::bit_cast<Packet>(cell); }
inline Cell to_cell(const Packet& packet) noexcept { return std::bit_cast<Cell>(packet); }

class XICHAN_API Channel {
 public:
  static constexpr std::uint64_t max_capacity = std::uint64_t{1} << 24;

  /// Creates a channel with one endpoint counted on each side, which calls `retire` before it is destroyed;
  /// create_channel (directory/create_channel.h) also registers it. Errors: `too_large` if the capacity is not in 1 ..
  /// max_capacity (or, relaxed, `unbounded`); `no_memory`.
  using Retire = void (*)(Channel&) noexcept;
  static Status create(const ChannelOptions& options, Retire retire, Channel*& channel) noexcept;

  /// Neither waits nor spins: `ok | full | closed`, `claimed` if an spsc side belongs to another lane, `too_large` for
  /// a message over the byte bound, `no_memory`. `ok` takes over what the cell owns; any other answer leaves it with
  /// the caller. `lane` is that of the end.
  Status try_send(const Cell& cell, Lane& lane) noexcept {
    if (!plain_) [[unlikely]]
      return try_send_special(cell, lane);
    const Status status = ring_.mpmc().try_push(cell, lane);
    if (status == Status::ok) after_send();
    return status;
  }
  Status try_recv(Cell& cell, Lane& lane) noexcept {
    if (!plain_) [[unlikely]]
      return try_recv_special(cell, lane);
    const Status status = ring_.mpmc().try_pop(cell);
    if (status == Status::ok) after_recv();
    return status;
  }
  /// The first of several, as many as go now: `done`, and `ok` if there are any. What stopped the next is not told, so
  /// a caller that has more tries again. `count` > 0.
  Status try_send_many(const Cell* cells, std::uint64_t count, std::uint64_t& done, Lane& lane) noexcept;
  Status try_recv_many(Cell* cells, std::uint64_t count, std::uint64_t& done, Lane& lane) noexcept;

  // Waiting, for select.cpp: a case of an operation that waits stands in the list of its side from `enlist` to
  // `delist`. `enlist` answers whether it should not sleep but try again, because something may be ready.
  bool enlist(Side side, WaitNode& node) noexcept;
  void delist(Side side, WaitNode& node) noexcept { waiters(side).remove(node); }
  /// Wake-token rule (b): somebody notified leaves without having used it.
  void pass_token(Side side) noexcept { side == Side::sender ? wake_senders() : not_empty_.notify_one(); }
  void count_park() noexcept { parks_.fetch_add(1, memory_order_relaxed); }
  void count_wakeup() noexcept { wakeups_.fetch_add(1, memory_order_relaxed); }

  /// One more end of a side of which the caller holds one.
  void add_endpoint(Side side) noexcept { ends(side).fetch_add(1, memory_order_relaxed); }
  /// One more end, unless that side is finished. Any thread that knows the channel to be alive (the registry).
  bool try_add_endpoint(Side side) noexcept { return increment_unless_zero(ends(side)); }
  /// Gives one end back; the last one of a side finishes it. Not under a lock.
  void drop_endpoint(Side side) noexcept;
  /// Gives back what the ring keeps for an end; no call may be using the lane.
  void forget(Lane& lane) noexcept {
    if (!is_inherited()) ring_.forget(lane);
  }
  /// Gives up the lane's claim to a side of an spsc channel, if it has one.
  void unclaim(Side side, Lane& lane) noexcept;

  void pin() noexcept { pins_.fetch_add(1, memory_order_relaxed); }
  /// A pin for one who only knows that the memory is there still (the registry).
  bool try_pin() noexcept { return increment_unless_zero(pins_); }
  void unpin() noexcept;

  /// Closes the channel for everybody. `immediate` discards what is queued; else receivers drain it. Not under a lock.
  void shutdown(bool immediate) noexcept;

  /// Wakes every call that waits on behalf of `owner` with `end_closed`.
  void cancel_calls(Side side, const void* owner) noexcept { waiters(side).cancel_owner(owner); }
  /// Makes every call that waits look at the world again.
  void nudge() noexcept;

  /// Whether the side can do nothing more: shut down; for senders, no receivers; for receivers, no senders and drained.
  bool finished_for(Side side) const noexcept;
  bool is_shut_down() const noexcept { return shut_down_.load(memory_order_acquire); }
  std::uint32_t generation() const noexcept { return generation_; }
  /// Made before a fork, of which this process is the child (H5).
  bool is_inherited() const noexcept { return generation_ != process_generation(); }

  const ChannelId& id() const noexcept { return id_; }
  /// For the registry, before other threads find the channel.
  void set_id(const ChannelId& id) noexcept { id_ = id; }
  /// Whether the entry for `name` in the table of names belongs to this channel. Set by its creator.
  bool owns_name() const noexcept { return owns_name_; }
  void set_owns_name() noexcept { owns_name_ = true; }
  Flavor flavor() const noexcept { return ring_.flavor(); }
  std::uint64_t capacity() const noexcept { return capacity_; }
  std::uint64_t size() const noexcept { return ring_.size(); }
  /// Acquire, with the release half of (6): who reads zero sees what was done through the ends.
  std::uint32_t endpoint_count(Side side) const noexcept { return ends(side).load(memory_order_acquire); }
  std::string_view name() const noexcept { return {name_.get(), name_length_}; }
  std::uint64_t max_bytes() const noexcept { return max_bytes_; }
  std::uint32_t waiting(Side side) const noexcept { return (side == Side::sender ? not_full_ : not_empty_).waiting(); }
  /// Messages ever accepted.
  std::uint64_t sent() const noexcept { return ring_.pushed() + met_.load(memory_order_relaxed); }
  ChannelStats stats() const noexcept;

 private:
  Channel(const ChannelOptions& options, Retire retire) noexcept;
  ~Channel() = default;

  void after_send() noexcept {
    if (not_empty_.has_attention()) serve_receivers();
    if (not_full_.has_attention() && can_send()) wake_senders();  // wake-token rule (a)
  }
  void after_recv() noexcept {
    wake_senders();
    // Wake-token rule (a). A closed ring counts as ready: a receiver may have gone to sleep while the last item was
    // still being written, and would have been told `closed` now.
    if (not_empty_.has_attention() && (ring_.can_pop() || ring_.is_closed())) not_empty_.notify_one();
  }
  // Under a byte bound all: the first may need more bytes than there are now, another fewer.
  void wake_senders() noexcept {
    if (max_bytes_ == 0) [[likely]] {
      not_full_.notify_one();
    } else {
      not_full_.notify_all();
    }
  }
  void serve_receivers() noexcept;
  void discard_queued() noexcept;
  bool can_send() const noexcept;

  Status try_send_special(const Cell& cell, Lane& lane) noexcept;
  Status try_recv_special(Cell& cell, Lane& lane) noexcept;
  bool claim(Side side, Lane& lane) noexcept;
  bool reserve(std::uint64_t bytes) noexcept;

  static bool increment_unless_zero(atomic<std::uint32_t>& count) noexcept;

  // rendezvous.cpp
  Status meet(Side side, Cell& cell) noexcept;
  bool enlist_to_meet(Side side, WaitNode& node) noexcept;

  atomic<std::uint32_t>& ends(Side side) noexcept { return ends_[static_cast<unsigned>(side)]; }
  const atomic<std::uint32_t>& ends(Side side) const noexcept { return ends_[static_cast<unsigned>(side)]; }
  WaitList& waiters(Side side) noexcept { return side == Side::sender ? not_full_ : not_empty_; }

  AnyRing ring_;
  alignas(cache_line) const bool plain_;  // mpmc without a byte bound: nothing but the ring on the way of a message
  const std::uint32_t generation_;
  WaitList not_empty_;
  WaitList not_full_;
  Mutex waiters_lock_;
  const std::uint64_t capacity_;
  const std::uint64_t max_bytes_;
  atomic<std::uint64_t> bytes_{0};  // reserved by messages queued, only with max_bytes_
  atomic<std::uint32_t> ends_[2] = {1, 1};
  atomic<std::uint32_t> pins_{2};
  atomic<Lane*> claims_[2] = {nullptr, nullptr};  // spsc: whose a side is
  atomic<bool> shut_down_{false};
  atomic<std::uint64_t> met_{0};  // rendezvous: messages that changed hands
  atomic<std::uint64_t> discarded_{0};
  atomic<std::uint64_t> parks_{0};
  atomic<std::uint64_t> wakeups_{0};
  ChannelId id_;
  std::unique_ptr<char[]> name_;
  std::size_t name_length_ = 0;
  bool owns_name_ = false;
  const Retire retire_;
};

/// The types of references that name an end; they own one count of it.
XICHAN_API extern const ReferenceType sender_reference;
XICHAN_API extern const ReferenceType receiver_reference;

inline const ReferenceType& endpoint_reference(Side side) noexcept {
  return side == Side::sender ? sender_reference : receiver_reference;
}

}  // namespace xichan::internal
