// One handle's share of a channel: one counted end, until it is closed.
//
// An End lives apart from the handle's own object, because a thread may still be inside a call when that object's world
// (an interpreter) has gone. Ends are listed with their owner, who gives back all of them when it ends.
//
// Invariants
//   E1  an End owns exactly one count of its channel from `open` until it is given back, by close or by its owner.
//   E2  closing while calls are inside leaves the count with the last of them.
//   E3  `channel()` is valid while the count is owned.
//
// Thread safety: the members are guarded by the owner's own exclusion (in Python the interpreter's GIL); only `closed`
// is read outside it, by the calls that wait.
#pragma once

#include "base/intrusive_list.h"
#include "channel/select.h"

namespace xichan::internal {

class EndpointOwner;
class Readiness;

class XICHAN_API Endpoint {
 public:
  /// Takes over one count of `channel`. Null if there is no memory; then the count has been given back.
  static Endpoint* open(Channel* channel, Side side, EndpointOwner& owner) noexcept;

  /// Closes the end if need be and forgets it. No call may be inside, unless the owner has gone.
  static void destroy(Endpoint* end) noexcept;

  /// Closed, or inherited from the process before a fork.
  bool is_closed() const noexcept { return closed_.load(memory_order_relaxed) || generation_ != process_generation(); }
  Channel* channel() const noexcept { return channel_; }
  Lane& lane() noexcept { return lane_; }
  Status try_send(const Cell& cell) noexcept { return channel_->try_send(cell, lane_); }
  Status try_recv(Cell& cell) noexcept { return channel_->try_recv(cell, lane_); }
  Status try_send_many(const Cell* cells, std::uint64_t count, std::uint64_t& done) noexcept {
    return channel_->try_send_many(cells, count, done, lane_);
  }
  Status try_recv_many(Cell* cells, std::uint64_t count, std::uint64_t& done) noexcept {
    return channel_->try_recv_many(cells, count, done, lane_);
  }
  Side side() const noexcept { return side_; }
  /// The descriptor by which other event loops watch this end, made at the first call; -1 if there is none to be had.
  /// The end must be open.
  int descriptor() noexcept;
  /// After an attempt that found nothing ready: arms the descriptor, if there is one. True: try once more.
  bool arm() noexcept;

  // Known also when the channel has gone.
  const ChannelId& id() const noexcept { return id_; }
  std::uint64_t capacity() const noexcept { return capacity_; }

  /// Brackets a call that lets go of the owner's exclusion. `enter` pins the channel's memory for the call; the call
  /// itself unpins it before it asks for the exclusion again.
  void enter() noexcept {
    ++calls_;
    channel_->pin();
  }
  void leave() noexcept;

  /// Gives the count back, now or with the last call inside, whose waits end with `end_closed`. Idempotent.
  void close() noexcept;

  /// A call on this end as a case of a select; `cell` is what to send.
  Case as_case(const Cell& cell = {}) noexcept {
    return {.channel = channel_, .side = side_, .lane = &lane_, .end_closed = &closed_, .owner = this, .cell = cell};
  }

 private:
  friend class EndpointOwner;

  Endpoint(Channel* channel, Side side) noexcept
      : channel_(channel),
        id_(channel->id()),
        capacity_(channel->capacity()),
        side_(side),
        generation_(channel->generation()) {
    closed_.store(false, memory_order_relaxed);
  }
  ~Endpoint() = default;

  void give_back() noexcept;

  Channel* channel_;
  const ChannelId id_;
  const std::uint64_t capacity_;
  EndpointOwner* owner_ = nullptr;
  ListHook<Endpoint> hook_;
  Readiness* readiness_ = nullptr;
  std::uint32_t calls_ = 0;
  const Side side_;
  const std::uint32_t generation_;  // of the channel
  Lane lane_;
  atomic<bool> closed_;
  bool owns_count_ = true;
};

/// A wait that its owner abandons when the owner ends.
class OwnedWait {
 public:
  ListHook<OwnedWait> owned_hook;  // of EndpointOwner

  /// Ends the wait and removes it from its owner. Called under the owner's exclusion.
  virtual void abandon() noexcept = 0;

 protected:
  ~OwnedWait() = default;
};

/// The ends of one interpreter (or of any other owner that may end before its handles do).
///
/// Thread safety: as for Endpoint.
class XICHAN_API EndpointOwner {
 public:
  EndpointOwner() noexcept = default;
  EndpointOwner(const EndpointOwner&) = delete;
  EndpointOwner& operator=(const EndpointOwner&) = delete;
  ~EndpointOwner() { give_back_all(); }

  /// Closes every end and takes its count back, also from calls still inside, which are woken. Ends that are opened
  /// later are refused. Idempotent.
  void give_back_all() noexcept;

  void add(OwnedWait& wait) noexcept { waits_.push_back(wait); }
  void remove(OwnedWait& wait) noexcept { waits_.remove(wait); }

  /// A call still inside has nowhere to return to. Any thread.
  bool has_ended() const noexcept { return ended_.load(memory_order_seq_cst); }

  /// Brackets a call that lets go of the owner's exclusion, and may never come back. Who keeps the owner's memory must
  /// not free it meanwhile.
  void enter() noexcept { ++calls_; }
  void leave() noexcept { --calls_; }
  bool has_calls() const noexcept { return calls_ != 0; }
  /// A hint, kept by those who call: something has been sent since the last wait.
  bool has_sent = false;

  /// The owner is about to end: every wait on its behalf, present and future, is bounded by `exit_patience_ns`.
  void begin_exit() noexcept;
  bool is_exiting() const noexcept { return process_is_exiting() || exiting_.load(memory_order_seq_cst); }
  WaitLimits limits(Deadline deadline, Deadline slice, bool exiting) const noexcept {
    return {deadline, slice, &exiting_, exiting};
  }

 private:
  friend class Endpoint;

  IntrusiveList<Endpoint, &Endpoint::hook_> endpoints_;
  IntrusiveList<OwnedWait, &OwnedWait::owned_hook> waits_;
  std::uint32_t calls_ = 0;
  atomic<bool> ended_{false};
  atomic<bool> exiting_{false};
};

}  // namespace xichan::internal
