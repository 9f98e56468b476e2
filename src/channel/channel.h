// A channel: a ring of cells plus waiting, closing and counting.
//
// Two counts. Endpoints determine the channel's state: when the last endpoint of a side is closed, that side is
// finished permanently. Pins determine its lifetime: each unfinished side holds one, and so does every call during
// which its own endpoint might be closed. Dropping the last pin destroys the channel.
//
// Invariants
//   H1  once a count of endpoints is zero it stays zero.
//   H2  once the ring is closed no further send is accepted; accepted = received + discarded + queued.
//   H3  with no receivers left, queued messages are discarded by the closer, or by the sender that published one after
//       the closer had looked (that sender finds the attention bit of `not_empty_` set).
//   H4  values are released outside every lock.
//   H5  the child of a fork never modifies a channel that it inherited.
//
// Thread safety: every function may be called from any thread that holds an endpoint or a pin, unless documented
// otherwise.
#pragma once

#include <bit>
#include <cstdint>
#include <memory>
#include <string_view>

#include "channel/byte_bound.h"
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

/// How many cells callers pass to try_send_many and try_recv_many at a time: enough to amortize the claim, few enough
/// for the stack.
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

  /// Sends or receives without blocking or spinning: `ok | full | empty | closed | no_memory`; `claimed` if another
  /// lane owns this side of an spsc channel; `too_large` for a message over the byte bound. `ok` transfers ownership of
  /// the cell; any other status leaves it with the caller. `lane` belongs to the calling endpoint.
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
  /// As `try_send`, for a call that has waited with `node`: it may use the bytes that its ticket has claimed.
  Status try_send_again(const Cell& cell, Lane& lane, const WaitNode& node) noexcept {
    return node.ticket == 0 ? try_send(cell, lane) : try_send_special(cell, lane, node.ticket);
  }
  /// Sends or receives a prefix of `cells` without blocking and stores its length in `done`: at least one with `ok`,
  /// else none. The reason for stopping early is not reported; call again. Requires `count` > 0.
  Status try_send_many(const Cell* cells, std::uint64_t count, std::uint64_t& done, Lane& lane) noexcept;
  Status try_recv_many(Cell* cells, std::uint64_t count, std::uint64_t& done, Lane& lane) noexcept;

  // Waiting, for select.cpp: a blocked operation is in the wait list of its side from `enlist` to `delist`. `enlist`
  // returns true if the caller should try again instead of sleeping, because the operation may be possible now.
  bool enlist(Side side, WaitNode& node) noexcept;
  void delist(Side side, WaitNode& node) noexcept { waiters(side).remove(node); }
  /// Wake-token rule (b): a waiter that was notified leaves without having used its token.
  void pass_token(Side side) noexcept { side == Side::sender ? wake_senders() : not_empty_.notify_one(); }
  /// Returns true if waiters of the side need different amounts: one that was notified and cannot proceed passes its
  /// token on, because another one might.
  bool has_uneven_waiters(Side side) const noexcept { return byte_bounded_ && side == Side::sender; }
  /// The claims of senders that wait for bytes (byte_bound.h). `withdraw` ends that of a call that ends, or of the
  /// calls of an endpoint; `suspend` is for a call that is interrupted and may resume.
  void withdraw(std::uint64_t ticket) noexcept;
  void withdraw_owner(const void* owner) noexcept;
  void suspend(std::uint64_t ticket) noexcept;
  void count_park() noexcept { parks_.fetch_add(1, memory_order_relaxed); }
  void count_wakeup() noexcept { wakeups_.fetch_add(1, memory_order_relaxed); }

  /// Adds an endpoint to a side of which the caller holds one.
  void add_endpoint(Side side) noexcept { endpoints(side).fetch_add(1, memory_order_relaxed); }
  /// Adds an endpoint unless that side is finished. For callers that know the channel to be alive (the registry).
  bool try_add_endpoint(Side side) noexcept { return increment_unless_zero(endpoints(side)); }
  /// Drops an endpoint; dropping the last one of a side finishes that side. Not under a lock.
  void drop_endpoint(Side side) noexcept;
  /// Releases what the ring keeps for an endpoint. No call may be using the lane.
  void forget(Lane& lane) noexcept {
    if (!is_inherited()) ring_.forget(lane);
  }
  /// Releases the lane's claim to a side of an spsc channel, if it has one.
  void unclaim(Side side, Lane& lane) noexcept;

  void pin() noexcept { pins_.fetch_add(1, memory_order_relaxed); }
  /// Pins the channel unless its destruction has begun. For callers that only know its memory to be valid (the
  /// registry).
  bool try_pin() noexcept { return increment_unless_zero(pins_); }
  void unpin() noexcept;

  /// Closes the channel for all endpoints. `immediate` discards the queue; otherwise receivers drain it. Not under a
  /// lock.
  void shutdown(bool immediate) noexcept;

  /// Wakes every call that waits on behalf of `owner`, with `end_closed`.
  void cancel_calls(Side side, const void* owner) noexcept { waiters(side).cancel_owner(owner); }
  /// Makes every waiting call re-check all conditions, or every one that waits on behalf of `owner`.
  void nudge() noexcept;
  void nudge_calls(Side side, const void* owner) noexcept { waiters(side).nudge_owner(owner); }

  /// Returns true if the side can do nothing more: the channel is shut down, or the other side is finished (for
  /// receivers: and the queue is drained).
  bool finished_for(Side side) const noexcept;
  bool is_shut_down() const noexcept { return shut_down_.load(memory_order_acquire); }
  std::uint32_t generation() const noexcept { return generation_; }
  /// Returns true if the channel was created before a fork of which this process is the child (H5).
  bool is_inherited() const noexcept { return generation_ != process_generation(); }

  const ChannelId& id() const noexcept { return id_; }
  /// For the registry, before other threads find the channel.
  void set_id(const ChannelId& id) noexcept { id_ = id; }
  /// Returns true if the entry for `name` in the table of names belongs to this channel. Set by its creator.
  bool owns_name() const noexcept { return owns_name_; }
  void set_owns_name() noexcept { owns_name_ = true; }
  Flavor flavor() const noexcept { return ring_.flavor(); }
  std::uint64_t capacity() const noexcept { return capacity_; }
  std::uint64_t size() const noexcept { return ring_.size(); }
  /// Acquire, with the release half of (6): a reader of zero sees everything done through the endpoints.
  std::uint32_t endpoint_count(Side side) const noexcept { return endpoints(side).load(memory_order_acquire); }
  std::string_view name() const noexcept { return {name_.get(), name_length_}; }
  std::uint64_t max_bytes() const noexcept { return bytes_.max(); }
  std::uint32_t waiting(Side side) const noexcept { return (side == Side::sender ? not_full_ : not_empty_).waiting(); }
  /// Returns the number of messages ever accepted.
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
    // still being written, and would now get `closed`.
    if (not_empty_.has_attention() && (ring_.can_pop() || ring_.is_closed())) not_empty_.notify_one();
  }
  // Under a byte bound the first sender may need more bytes than are free, another fewer.
  void wake_senders() noexcept {
    if (!byte_bounded_) [[likely]] {
      not_full_.notify_one();
    } else {
      serve_senders();
    }
  }
  void serve_receivers() noexcept;
  void discard_queued() noexcept;
  bool can_send() const noexcept;

  Status try_send_special(const Cell& cell, Lane& lane, std::uint64_t ticket = 0) noexcept;
  Status try_recv_special(Cell& cell, Lane& lane) noexcept;
  bool claim(Side side, Lane& lane) noexcept;

  static bool increment_unless_zero(atomic<std::uint32_t>& count) noexcept;

  // bounded_send.cpp
  Status try_send_bounded(const Cell& cell, Lane& lane, std::uint64_t ticket) noexcept;
  bool enlist_bounded(WaitNode& node) noexcept;
  bool can_proceed(WaitNode& node) noexcept;
  void serve_senders() noexcept;
  bool end_claim(std::uint64_t ticket) noexcept;
  void lapse_claim() noexcept;

  // rendezvous.cpp
  Status meet(Side side, Cell& cell) noexcept;
  bool enlist_to_meet(Side side, WaitNode& node) noexcept;

  atomic<std::uint32_t>& endpoints(Side side) noexcept { return endpoints_[static_cast<unsigned>(side)]; }
  const atomic<std::uint32_t>& endpoints(Side side) const noexcept { return endpoints_[static_cast<unsigned>(side)]; }
  WaitList& waiters(Side side) noexcept { return side == Side::sender ? not_full_ : not_empty_; }

  AnyRing ring_;
  alignas(cache_line) const bool plain_;  // mpmc without a byte bound: a message passes only through the ring
  const bool byte_bounded_;               // a rendezvous queues nothing: there max_bytes bounds only each message
  const std::uint32_t generation_;
  WaitList not_empty_;
  WaitList not_full_;
  Mutex waiters_lock_;
  const std::uint64_t capacity_;
  ByteBound bytes_;
  atomic<std::uint32_t> endpoints_[2] = {1, 1};
  atomic<std::uint32_t> pins_{2};
  atomic<Lane*> claims_[2] = {nullptr, nullptr};  // spsc: the owner of each side
  atomic<bool> shut_down_{false};
  atomic<std::uint64_t> met_{0};  // rendezvous: messages handed over directly
  atomic<std::uint64_t> discarded_{0};
  atomic<std::uint64_t> parks_{0};
  atomic<std::uint64_t> wakeups_{0};
  ChannelId id_;
  std::unique_ptr<char[]> name_;
  std::size_t name_length_ = 0;
  bool owns_name_ = false;
  const Retire retire_;
};

/// The types of references to an endpoint. Each reference owns one count.
XICHAN_API extern const ReferenceType sender_reference;
XICHAN_API extern const ReferenceType receiver_reference;

inline const ReferenceType& endpoint_reference(Side side) noexcept {
  return side == Side::sender ? sender_reference : receiver_reference;
}

}  // namespace xichan::internal
