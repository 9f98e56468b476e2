// One handle's share of a channel: one counted endpoint, until it is closed.
//
// An Endpoint is separate from the handle's own object, because a thread may still be inside a call after that object's
// interpreter is gone. Endpoints are listed with their owner, which releases all of them when it ends.
//
// Invariants
//   E1  an Endpoint owns exactly one count of its channel from `open` until it is released, by `close` or by its owner.
//   E2  if calls are inside when it is closed, the last of them releases the count.
//   E3  `channel()` is valid while the count is owned.
//
// Thread safety: the owner's own lock guards the members (in Python the interpreter's GIL); only waiting calls read
// `closed` without it.
#pragma once

#include <string_view>

#include "base/intrusive_list.h"
#include "channel/select.h"
#include "endpoint/endpoint_table.h"
#include "sync/return_gate.h"

namespace xichan::internal {

class EndpointOwner;
class Lender;
class Readiness;

class XICHAN_API Endpoint : public InSlab {
 public:
  /// Takes over one count of `channel`. On failure drops the count and returns null: memory is exhausted, or the owner
  /// has ended.
  static Endpoint* open(Channel* channel, Side side, EndpointOwner& owner, EndpointOrigin origin = {}) noexcept;

  /// Closes the endpoint if necessary and destroys it. No call may be inside, unless the owner has ended.
  static void destroy(Endpoint* endpoint) noexcept;

  /// Returns true if it was closed, or inherited through a fork.
  bool is_closed() const noexcept { return open_generation_ != process_generation(); }
  /// Returns true if it is open, no trace records, and each value is sent as it is: the channel does not pickle, and
  /// `mark_special` was not called. A Receiver is special only while a trace records. As fast as `is_closed`.
  bool is_plain() const noexcept { return plain_generation_ == internal::plain_generation(); }
  /// Makes `is_plain` return false from now on.
  void mark_special() noexcept { plain_generation_ = ~generation_; }
  Channel* channel() const noexcept { return channel_; }
  Lane& lane() noexcept { return lane_; }
  [[gnu::always_inline]] Status try_send(const Cell& cell) noexcept { return channel_->try_send(cell, lane_); }
  [[gnu::always_inline]] Status try_recv(Cell& cell, Line* line = nullptr) noexcept {
    return channel_->try_recv(cell, lane_, line);
  }
  Status try_send_line(const Cell& cell, const Line& line) noexcept {
    return channel_->try_send_line(cell, line, lane_);
  }
  Status try_send_many(const Cell* cells, std::uint64_t count, std::uint64_t& done) noexcept {
    return channel_->try_send_many(cells, count, done, lane_);
  }
  Status try_recv_many(Cell* cells, std::uint64_t count, std::uint64_t& done, Line* lines = nullptr) noexcept {
    return channel_->try_recv_many(cells, count, done, lane_, lines);
  }
  Side side() const noexcept { return side_; }
  /// Returns the descriptor by which other event loops watch this endpoint; the first call creates it. Returns -1 on
  /// failure. The endpoint must be open.
  int descriptor() noexcept;
  /// Arms the descriptor, if there is one, after an attempt that was not possible, to send a message of `cost` bytes or
  /// to receive. Returns true if the caller should try once more.
  bool arm(std::uint64_t cost = 0) noexcept;

  // Valid even after the channel is destroyed.
  const ChannelId& id() const noexcept { return id_; }
  std::uint64_t capacity() const noexcept { return capacity_; }
  bool has_lines() const noexcept { return has_lines_; }

  /// Brackets a call that releases the owner's lock. `enter` pins the channel for the call; the call itself unpins it
  /// before it takes the lock again.
  void enter() noexcept {
    ++calls_;
    channel_->pin();
  }
  void leave() noexcept;

  /// Releases the count, now or when the last call inside leaves. Waiting calls return `end_closed`. Idempotent.
  void close() noexcept;
  /// Closes the endpoint and makes the other side fail with `error`, which it takes over. If the endpoint is already
  /// closed, only releases the error.
  void close(const Cell& error) noexcept;

  /// Returns a call on this endpoint as a case of a select; `cell` is the message to send.
  Case as_case(const Cell& cell = {}) noexcept {
    return {.channel = channel_, .side = side_, .lane = &lane_, .end_closed = &closed_, .owner = this, .cell = cell};
  }

 private:
  friend class EndpointOwner;

  Endpoint(Channel* channel, Side side) noexcept
      : channel_(channel),
        id_(channel->id()),
        capacity_(channel->capacity()),
        has_lines_(channel->has_lines()),
        side_(side),
        generation_(channel->generation()),
        open_generation_(generation_),
        plain_generation_(side == Side::sender && channel->pickles() ? ~generation_ : generation_),
        lane_(*channel) {
    closed_.store(false, memory_order_relaxed);
  }
  ~Endpoint() = default;

  /// Returns false if no call and no descriptor waits on behalf of this endpoint.
  bool has_waiters() const noexcept { return calls_ != 0 || readiness_ != nullptr; }
  void release_count() noexcept;

  Channel* channel_;
  const ChannelId id_;
  const std::uint64_t capacity_;
  EndpointOwner* owner_ = nullptr;
  ListHook<Endpoint> hook_;
  Readiness* readiness_ = nullptr;
  EndpointTable::Slot* listed_ = nullptr;  // until it is closed
  std::uint32_t calls_ = 0;
  const bool has_lines_;
  const Side side_;
  const std::uint32_t generation_;  // of the channel
  // The same, or its complement, which no process has: this is closed; sends are special, or this is closed.
  std::uint32_t open_generation_;
  std::uint32_t plain_generation_;
  Lane lane_;
  atomic<bool> closed_;  // the same as `is_closed`, for waiting calls
  bool owns_count_ = true;
};

/// A wait that its owner abandons when the owner ends.
class OwnedWait {
 public:
  ListHook<OwnedWait> owned_hook;  // of EndpointOwner

  /// Ends the wait and removes it from its owner. Called under the owner's lock.
  virtual void abandon() noexcept = 0;

 protected:
  ~OwnedWait() = default;
};

/// The endpoints of one interpreter, or of any other owner that may end before its handles do.
///
/// Thread safety: as for Endpoint.
class XICHAN_API EndpointOwner {
 public:
  EndpointOwner() noexcept;
  EndpointOwner(const EndpointOwner&) = delete;
  EndpointOwner& operator=(const EndpointOwner&) = delete;
  ~EndpointOwner();

  /// Identifies the owner of a lock (state/lock.h). Never reused, never 0.
  const std::uint32_t number;
  /// The id of the interpreter; -1: a program in C++. Set before the first endpoint is opened.
  atomic<std::int64_t> interpreter{-1};
  /// Sets what the owner is called: "main", or the name of a worker. Longer names are cut. Called under its lock.
  void set_name(std::string_view name) noexcept;
  static constexpr std::size_t most_name_bytes = 48;
  /// Copies the name and returns its length; 0 if it has none. Any thread, while the owner exists.
  std::size_t read_name(char (&out)[most_name_bytes]) const noexcept;
  /// The open endpoints, for other threads.
  const EndpointTable& table() const noexcept { return table_; }

  /// Calls `visit(owner)` for all owners that have not ended, under a lock: `visit` calls nothing that takes one.
  template <class Visit>
  static void for_each(Visit visit) noexcept {
    lock_all();
    for (const EndpointOwner* owner = first_of_all(); owner != nullptr; owner = owner->all_hook_.next) {
      if (!owner->has_ended()) visit(*owner);
    }
    unlock_all();
  }

  /// Returns a number by which the calling thread owns locks. Never 0; below 2^31.
  static std::uint32_t next_unit() noexcept;
  /// Returns the native id of the thread that got this number; 0 if it is not known: many threads came after it.
  static std::uint32_t thread_of_unit(std::uint32_t unit) noexcept;

  /// Closes every endpoint and releases its count, even if calls are still inside; wakes those. Later `Endpoint::open`
  /// fails. Idempotent.
  void release_all() noexcept;

  void add(OwnedWait& wait) noexcept { waits_.push_front(wait); }
  void remove(OwnedWait& wait) noexcept { waits_.remove(wait); }

  /// Returns true once `release_all` has begun: a call still inside must not return. Any thread.
  bool has_ended() const noexcept { return ended_.load(memory_order_seq_cst); }

  /// Brackets a call that releases the owner's lock and may never return. The owner's memory must not be freed
  /// meanwhile.
  void enter() noexcept { ++calls_; }
  void leave() noexcept { --calls_; }
  bool has_calls() const noexcept { return calls_ != 0; }
  /// A hint that callers maintain: a message has been sent since the last blocking call.
  bool has_sent = false;
  /// Lends objects of the owner (arena/lender.h), or null. Not used here; the owner closes it when it ends.
  Lender* lender = nullptr;
  /// Passed by each call that released the owner's lock, before it takes the lock again. `release_all` ends it.
  ReturnGate returns;

  /// Announces the owner's end: bounds every wait on its behalf, present and future, by `exit_patience_ns`.
  void begin_exit() noexcept;
  bool is_exiting() const noexcept { return process_is_exiting() || exiting_.load(memory_order_seq_cst); }
  /// What identifies the owner in wait lists.
  const atomic<bool>* exiting_flag() const noexcept { return &exiting_; }
  /// Makes every wait that has begun on the owner's behalf return `interrupted`, so that its thread looks for what it
  /// is to raise. Called under the owner's lock.
  void interrupt_waits() noexcept;
  /// The number of these calls. A thread reads it before it releases the owner's lock to wait.
  std::uint32_t interrupts() const noexcept { return interrupts_.load(memory_order_seq_cst); }
  WaitLimits limits(Deadline deadline, Deadline slice, bool exiting, std::uint32_t interrupts_seen) const noexcept {
    return {deadline, slice, &exiting_, exiting, &interrupts_, interrupts_seen};
  }

 private:
  friend class Endpoint;

  static std::uint32_t next_number() noexcept;
  static void lock_all() noexcept;
  static void unlock_all() noexcept;
  static const EndpointOwner* first_of_all() noexcept;
  void nudge_waits() noexcept;

  IntrusiveList<Endpoint, &Endpoint::hook_> endpoints_;
  IntrusiveList<OwnedWait, &OwnedWait::owned_hook> waits_;
  std::uint32_t calls_ = 0;
  EndpointTable table_;
  SequencedWords<1 + most_name_bytes / 8> name_;  // length, text
  atomic<bool> ended_{false};
  atomic<bool> exiting_{false};
  atomic<std::uint32_t> interrupts_{0};

 public:
  ListHook<EndpointOwner> all_hook_;  // of the owners of the process; guarded by a lock of endpoint_owner.cpp
};

}  // namespace xichan::internal
