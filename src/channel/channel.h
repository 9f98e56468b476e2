// A channel: a ring of cells plus waiting, closing and counting.
//
// Two counts. Endpoints determine the channel's state: when the last endpoint of a side is closed, that side is
// finished permanently. Pins determine its lifetime: each unfinished side holds one, and so does every call during
// which its own endpoint might be closed. Dropping the last pin destroys the channel.
//
// Invariants
//   H1  once a count of endpoints is zero it stays zero.
//   H2  once the ring is closed no further send is accepted, at a rendezvous none that begins after that; accepted =
//       received + discarded + dropped + queued.
//   H3  with no receivers left, queued messages are discarded by the closer, or by the sender that published one after
//       the closer had looked (that sender finds the attention bit of `not_empty_` set).
//   H4  values are released outside every lock.
//   H5  the child of a fork never modifies a channel that it inherited.
//
// Thread safety: every function may be called from any thread that holds an endpoint or a pin, unless documented
// otherwise.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/deadline.h"
#include "channel/byte_bound.h"
#include "channel/channel_id.h"
#include "channel/failure.h"
#include "channel/task_count.h"
#include "page/places.h"
#include "ring/any_ring.h"
#include "sync/process_words.h"
#include "sync/wait_list.h"
#include "trace/event.h"
#include "value/line.h"
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

class Channel;

/// What a channel keeps for one endpoint. Its address also identifies the endpoint that owns a side of an spsc channel.
struct Lane {
  /// For calls to any channel: each call checks what its channel requires.
  Lane() noexcept : bound(false) { reset(); }
  /// For calls to one side of this channel: once nothing is left to check, `passes` says so.
  explicit Lane(const Channel& channel) noexcept;

  atomic<std::uint64_t> ticket;  // under a byte bound: of the coroutine that is about to send, see Watch::close
  // A message passes only through the bounded ring: the channel is plain, and the side, if it has owners, is this
  // lane's. relaxed: a thread that does not see it makes the checks again, and the ring orders all of its users.
  // A trace makes it false, so that each message is recorded.
  atomic<bool> passes;
  const bool bound;

  /// Called by a call that sees that a trace records.
  void follow_trace() noexcept { passes.store(false, memory_order_relaxed); }

 private:
  void reset() noexcept {
    ticket.store(0, memory_order_relaxed);
    passes.store(false, memory_order_relaxed);
  }
};

/// What inspection shows of a channel besides its state.
struct ChannelNote {
  const Place* made = nullptr;  // the line of the program that has made it; null: not known
  std::string_view label = {};  // what the channel is, if it has no name: "pool 'x' tasks"
  ChannelId part_of = {};       // of the channel for which it exists; zero: of none
  bool is_internal = false;     // xichan itself uses it
};

class XICHAN_API Channel : public InSlab {
 public:
  static constexpr std::uint64_t max_capacity = std::uint64_t{1} << 24;

  /// Creates a channel with one endpoint counted on each side, which calls `retire` before it is destroyed;
  /// create_channel (directory/create_channel.h) also registers it. Errors: `too_large` if the capacity is not in 1 ..
  /// max_capacity (or, relaxed, `unbounded`); `invalid` for a rendezvous that drops the oldest; `no_memory`.
  using Retire = void (*)(Channel&) noexcept;
  static Status create(const ChannelOptions& options, Retire retire, Channel*& channel,
                       const ChannelNote& note = {}) noexcept;

  /// Sends or receives without blocking or spinning: `ok | full | empty | closed | no_memory | arena_full`; `claimed`
  /// if another lane owns this side of an spsc channel; `too_large` for a message over the byte bound. `ok` transfers
  /// ownership of the cell; any other status leaves it with the caller. `lane` belongs to the calling endpoint.
  /// A received value that has a line is copied to `line`, to which the cell then refers; if that is null, to a block.
  // Always inlined, because they are most of the path of a small message.
  [[gnu::always_inline]] Status try_send(const Cell& cell, Lane& lane) noexcept {
    if (!lane.passes.load(memory_order_relaxed)) [[unlikely]]
      return overflow_ == Overflow::block ? try_send_special(cell, lane) : try_send_dropping(cell, lane);
    return send_plain(cell);
  }
  [[gnu::always_inline]] Status try_recv(Cell& cell, Lane& lane, Line* line = nullptr) noexcept {
    if (!lane.passes.load(memory_order_relaxed)) [[unlikely]]
      return try_recv_special(cell, lane, line);
    return recv_plain(cell, line);
  }
  /// Does the same as `try_send` for a value in a line. `invalid` or `no_memory` if it needs a block instead, or if the
  /// side of an spsc channel belongs to another lane: so never after `full`.
  Status try_send_line(const Cell& cell, const Line& line, Lane& lane) noexcept;
  /// As `try_send`, for a call that has waited with `node`: it may use the bytes that its ticket has claimed.
  Status try_send_again(const Cell& cell, Lane& lane, const WaitNode& node) noexcept {
    return node.ticket == 0 ? try_send(cell, lane) : try_send_special(cell, lane, node.ticket);
  }
  /// Sends or receives a prefix of `cells` without blocking and stores its length in `done`: at least one with `ok`,
  /// else none. The reason for stopping early is not reported; call again. Requires `count` > 0.
  Status try_send_many(const Cell* cells, std::uint64_t count, std::uint64_t& done, Lane& lane) noexcept;
  /// The line of a value goes to the same place of `lines`, which has room for `batch_size`. If that is null, a value
  /// that has a line is received alone.
  Status try_recv_many(Cell* cells, std::uint64_t count, std::uint64_t& done, Lane& lane,
                       Line* lines = nullptr) noexcept;

  // Waiting, for select.cpp: a blocked operation is in the wait list of its side from `enlist` to `delist`. `enlist`
  // returns true if the caller should try again instead of sleeping, because the operation may be possible now.
  bool enlist(Side side, WaitNode& node) noexcept;
  void delist(Side side, WaitNode& node) noexcept { waiters(side).remove(node); }
  /// Returns a number for try_any, which must know that a side was not ready at one moment between two attempts. While
  /// it stays the same, a ring with room or with a message keeps it, and a rendezvous without a peer gets none.
  std::uint64_t version(Side side) const noexcept;
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
  /// Records messages that passed through the channel from `begin` to `end`; `at` is the position of the first one.
  /// Called while a trace records, and not under a lock.
  void trace(TraceKind kind, std::int64_t begin, std::uint64_t at, std::uint64_t count = 1,
             std::int64_t end = Deadline::now()) noexcept;
  /// Returns what the events of a trace call this channel, which it names there.
  TraceSubject trace_subject() noexcept;
  void count_park() noexcept { parks_.fetch_add(1, memory_order_relaxed); }
  void count_wakeup() noexcept { wakeups_.fetch_add(1, memory_order_relaxed); }

  /// Adds an endpoint to a side of which the caller holds one.
  void add_endpoint(Side side) noexcept { endpoints(side).fetch_add(1, memory_order_relaxed); }
  /// Adds an endpoint unless that side is finished. For callers that know the channel to be alive (the registry).
  bool try_add_endpoint(Side side) noexcept { return increment_unless_zero(endpoints(side)); }
  /// Drops an endpoint; dropping the last one of a side finishes that side. Not under a lock.
  void drop_endpoint(Side side) noexcept;
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
  /// Does the same with an error for both sides, which it takes over.
  void shutdown(bool immediate, const Cell& error) noexcept;
  /// Records the error that calls of `side` get once the channel is closed for them, unless it has ended already. Takes
  /// over the cell. The caller still owns an endpoint of the other side, and drops it afterwards (F1).
  void fail(Side side, const Cell& error) noexcept { failure(side).fail(error, false); }
  /// Returns true if the channel is closed and calls of `side` fail with an error, and stores it. The cell belongs to
  /// the channel.
  bool error(Side side, Cell& error) const noexcept { return ring_.is_closed() && failure(side).error(error); }
  /// Returns the status of a call of `side` that ended with `status`: `failed` in place of `closed` if there is an
  /// error.
  Status outcome(Side side, Status status) const noexcept {
    Cell ignored;
    return status == Status::closed && failure(side).error(ignored) ? Status::failed : status;
  }

  // Waiting until the channel is closed: see wait_closed.h. `enlist_closing` returns true if it is.
  bool is_closed() const noexcept { return ring_.is_closed(); }
  bool enlist_closing(WaitNode& node) noexcept {
    closing_.add(node);
    return is_closed();
  }
  void delist_closing(WaitNode& node) noexcept { closing_.remove(node); }

  /// Wakes every call that waits on behalf of `owner`, with `end_closed`.
  void cancel_calls(Side side, const void* owner) noexcept {
    waiters(side).cancel_owner(owner);
    closing_.cancel_owner(owner);
  }
  /// Makes every waiting call re-check all conditions, or every one that waits on behalf of `owner`.
  void nudge() noexcept;
  void nudge_calls(Side side, const void* owner) noexcept {
    waiters(side).nudge_owner(owner);
    closing_.nudge_owner(owner);
  }

  /// Returns true if the side can do nothing more: the channel is shut down, or the other side is finished (for
  /// receivers: and the queue is drained).
  bool finished_for(Side side) const noexcept;
  bool is_shut_down() const noexcept { return shut_down_.load(memory_order_acquire); }
  std::uint32_t generation() const noexcept { return generation_; }
  /// Returns true if the channel was created before a fork of which this process is the child (H5).
  bool is_inherited() const noexcept { return generation_ != process_generation(); }

  const ChannelId& id() const noexcept { return id_; }
  /// Returns when the channel was created, on the clock of Deadline.
  std::int64_t created() const noexcept { return created_; }
  /// Test hook: adds endpoints that nothing owns.
  void add_endpoints(Side side, std::uint64_t count) noexcept {
    endpoints(side).fetch_add(count, memory_order_relaxed);
  }
  /// Test hook: drops `count` endpoints, which must not be all.
  void drop_endpoints(Side side, std::uint64_t count) noexcept {
    endpoints(side).fetch_sub(count, memory_order_relaxed);
  }
  /// For the registry, before other threads find the channel.
  void set_id(const ChannelId& id) noexcept { id_ = id; }
  /// Returns true if the entry for `name` in the table of names belongs to this channel. Set by its creator.
  bool owns_name() const noexcept { return owns_name_; }
  void set_owns_name() noexcept { owns_name_ = true; }
  /// Exempts the waits on this channel from the bound at exit. For a channel inside a component that ends by itself.
  void outlast_exit() noexcept { outlasts_exit_.store(true, memory_order_relaxed); }
  bool outlasts_exit() const noexcept { return outlasts_exit_.load(memory_order_relaxed); }
  Flavor flavor() const noexcept { return flavor_; }
  Overflow overflow() const noexcept { return overflow_; }
  bool pickles() const noexcept { return pickles_; }
  void count_pickled() noexcept { pickled_.fetch_add(1, memory_order_relaxed); }
  /// Counts the endpoints of programs in C++, which no EndpointOwner lists.
  void count_native(Side side, std::uint64_t change) noexcept {
    native_[static_cast<std::size_t>(side)].fetch_add(change, memory_order_relaxed);
  }
  std::uint64_t native_count(Side side) const noexcept {
    return native_[static_cast<std::size_t>(side)].load(memory_order_relaxed);
  }
  std::uint64_t capacity() const noexcept { return capacity_; }
  /// Returns false if `try_send_line` always fails.
  bool has_lines() const noexcept { return plain_ && capacity_ <= MpmcRing<Cell, Line>::most_lines; }
  std::uint64_t size() const noexcept { return std::min(ring_.size(), capacity_); }
  /// Acquire, with the release half of (6): a reader of zero sees everything done through the endpoints.
  std::uint64_t endpoint_count(Side side) const noexcept { return endpoints(side).load(memory_order_acquire); }
  /// Returns "open", "no senders", "no receivers" or "shut down".
  const char* state_name() const noexcept {
    if (is_shut_down()) return "shut down";
    if (endpoint_count(Side::receiver) == 0) return "no receivers";
    return endpoint_count(Side::sender) == 0 ? "no senders" : "open";
  }
  std::string_view name() const noexcept { return {text_.get(), name_length_}; }
  /// These four as in ChannelNote.
  std::string_view label() const noexcept { return {text_.get() + name_length_, label_length_}; }
  const Place* made() const noexcept { return made_; }
  const ChannelId& part_of() const noexcept { return part_of_; }
  bool is_internal() const noexcept { return is_internal_; }
  std::uint64_t max_bytes() const noexcept { return bytes_.max(); }
  std::uint32_t waiting(Side side) const noexcept { return (side == Side::sender ? not_full_ : not_empty_).waiting(); }
  /// Returns the number of messages ever accepted.
  std::uint64_t sent() const noexcept {
    return ring_.pushed() + met_.load(memory_order_relaxed) + refused_.load(memory_order_relaxed);
  }
  ChannelStats stats() const noexcept;

  /// Counts up to `count` messages as done with and returns how many; fewer if fewer are unfinished.
  std::uint64_t finish_tasks(std::uint64_t count) noexcept {
    return tasks_.finish(count, [this]() noexcept { return sent(); });
  }
  std::uint64_t tasks_done() const noexcept { return tasks_.done(); }
  /// Returns the number of messages accepted and not done with.
  std::uint64_t unfinished_tasks() const noexcept {
    const std::uint64_t done = tasks_done();  // before the messages accepted: T1
    return sent() - done;
  }

 private:
  Channel(const ChannelOptions& options, Retire retire, const ChannelNote& note) noexcept;
  ~Channel() = default;

  // On a plain channel.
  [[gnu::always_inline]] Status send_plain(const Cell& cell) noexcept {
    const Status status = ring_.mpmc().try_push(cell);
    if (status == Status::ok) after_send();
    return status;
  }
  [[gnu::always_inline]] Status recv_plain(Cell& cell, Line* line) noexcept {
    const Status status = ring_.mpmc().try_pop(cell);
    if (status == Status::ok) {
      not_full_.notify_one();
      pass_on_after_recv();
    } else if (status == Status::full) {
      return try_recv_line(cell, line);
    }
    return status;
  }

  void after_send() noexcept {
    if (not_empty_.has_attention()) serve_receivers();
    if (not_full_.has_attention() && can_send()) wake_senders();  // wake-token rule (a)
  }
  void after_recv() noexcept {
    wake_senders();
    pass_on_after_recv();
  }
  void pass_on_after_recv() noexcept {
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
  Status try_recv_special(Cell& cell, Lane& lane, Line* line) noexcept;
  Status send_recorded(const Cell& cell, Lane& lane, std::uint64_t ticket) noexcept;  // the same, for a trace
  Status recv_recorded(Cell& cell, Lane& lane, Line* line) noexcept;
  // The same, with the position of the message for a trace: `at` is that in the ring, or a number if there is none.
  template <bool is_recorded>
  Status send_special(const Cell& cell, Lane& lane, std::uint64_t ticket, std::uint64_t& at) noexcept;
  template <bool is_recorded>
  Status recv_special(Cell& cell, Lane& lane, Line* line, std::uint64_t& at) noexcept;
  Status try_send_dropping(const Cell& cell, Lane& lane) noexcept;  // overflow.cpp
  void drop_excess() noexcept;
  bool claim(Side side, Lane& lane) noexcept;
  bool admit(Side side, Lane& lane) noexcept;
  friend struct Lane;

  static bool increment_unless_zero(atomic<std::uint64_t>& count) noexcept;

  // lines.cpp
  Status try_recv_line(Cell& cell, Line* line) noexcept;
  Status recv_recorded(Cell& cell, Line* line, std::uint64_t& at) noexcept;
  template <class Receive>
  static Status recv_block(Cell& cell, Receive receive) noexcept;
  Status try_recv_lines(Cell* cells, std::uint64_t count, std::uint64_t& done, Line* lines, std::uint64_t& at) noexcept;

  // bounded_send.cpp
  Status try_send_bounded(const Cell& cell, Lane& lane, std::uint64_t ticket, std::uint64_t& at) noexcept;
  bool enlist_bounded(WaitNode& node) noexcept;
  bool can_proceed(WaitNode& node) noexcept;
  void serve_senders() noexcept;
  bool end_claim(std::uint64_t ticket) noexcept;
  void lapse_claim() noexcept;

  // rendezvous.cpp
  Status meet(Side side, Cell& cell, std::uint64_t& at) noexcept;
  bool enlist_to_meet(Side side, WaitNode& node) noexcept;

  atomic<std::uint64_t>& endpoints(Side side) noexcept { return endpoints_[static_cast<unsigned>(side)]; }
  const atomic<std::uint64_t>& endpoints(Side side) const noexcept { return endpoints_[static_cast<unsigned>(side)]; }
  Failure& failure(Side side) noexcept { return failures_[static_cast<unsigned>(side)]; }
  const Failure& failure(Side side) const noexcept { return failures_[static_cast<unsigned>(side)]; }
  WaitList& waiters(Side side) noexcept { return side == Side::sender ? not_full_ : not_empty_; }

  AnyRing ring_;
  // a bound of messages alone, without overflow: a message passes only through the ring, once a side is claimed
  alignas(cache_line) const bool plain_;
  const bool byte_bounded_;  // a rendezvous queues nothing: there max_bytes bounds only each message
  const Flavor flavor_;
  const Overflow overflow_;
  const std::uint32_t generation_;
  WaitList not_empty_;
  WaitList not_full_;
  Mutex waiters_lock_;
  const std::uint64_t capacity_;
  ByteBound bytes_;
  atomic<std::uint64_t> endpoints_[2] = {1, 1};  // 64 bits, because values in memory can hold more than 2^32
  atomic<std::uint64_t> pins_{2};
  atomic<Lane*> claims_[2] = {nullptr, nullptr};  // spsc: the owner of each side
  atomic<bool> shut_down_{false};
  atomic<std::uint64_t> met_{0};                // rendezvous: messages handed over directly
  atomic<std::uint64_t> arrivals_[2] = {0, 0};  // rendezvous: calls of each side that ever enlisted
  atomic<std::uint64_t> discarded_{0};
  atomic<std::uint64_t> parks_{0};
  atomic<std::uint64_t> wakeups_{0};
  TaskCount tasks_;
  ChannelId id_;
  std::unique_ptr<char[]> text_;  // the name, then the label
  std::size_t name_length_ = 0;
  std::size_t label_length_ = 0;
  bool owns_name_ = false;
  atomic<bool> outlasts_exit_{false};
  const Retire retire_;
  atomic<std::uint64_t> dropped_{0};
  atomic<std::uint64_t> refused_{0};  // those of `dropped_` that were never pushed
  Failure failures_[2];               // by the side that raises
  WaitList closing_{waiters_lock_};   // calls that wait until the channel is closed
  const bool pickles_;
  atomic<std::uint64_t> pickled_{0};
  atomic<std::uint32_t> named_in_{0};  // the last trace in which this channel was named
  const std::int64_t created_ = Deadline::recently();
  const Place* const made_;
  const ChannelId part_of_;
  const bool is_internal_;
  atomic<std::uint64_t> native_[2] = {0, 0};  // of the endpoints: those of programs in C++, by side
};

inline Lane::Lane(const Channel& channel) noexcept : bound(true) {
  reset();
  passes.store(channel.plain_ && channel.flavor_ != Flavor::spsc, memory_order_relaxed);
}

/// The types of references to an endpoint. Each reference owns one count.
XICHAN_API extern const ReferenceType sender_reference;
XICHAN_API extern const ReferenceType receiver_reference;

inline const ReferenceType& endpoint_reference(Side side) noexcept {
  return side == Side::sender ? sender_reference : receiver_reference;
}

}  // namespace xichan::internal
