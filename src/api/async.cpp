// Waiting without a thread, for C++: the counterpart of endpoint/watch.h, which serves the event loops of Python.
//
// A call is decided by a peer and queued with its loop. The thread that runs the loop then performs the operation and
// resumes the coroutine, or enlists the call again if another caller was faster: a call leaves its list with a decision
// or a removal, and is enlisted again unless it is complete.
//
// A call that another thread begins may be decided, and taken by the loop, while that thread still enlists it. Each of
// the two then changes `phase_`, and the second one goes on with the call. So neither the call nor its channel ends
// while `wait` uses them.
#include "xichan/async.h"

#include <new>
#include <optional>

#include "api/access.h"
#include "page/wait_report.h"
#include "sync/decision.h"
#include "sync/event_descriptor.h"

namespace xichan::internal {

class AsyncCall;

/// The decided calls of a notifier, and the descriptor that is readable while there are any.
///
/// Thread safety: any thread.
class AsyncLoop {
 public:
  /// Takes over a reference to the descriptor.
  explicit AsyncLoop(EventDescriptor& event) noexcept : event_(event) {}
  AsyncLoop(const AsyncLoop&) = delete;
  AsyncLoop& operator=(const AsyncLoop&) = delete;
  ~AsyncLoop() { event_.release(); }

  int descriptor() const noexcept { return event_.number(); }
  void clear() noexcept { event_.clear(); }
  void signal() noexcept { event_.signal(); }
  std::size_t size() noexcept {
    std::lock_guard guard(lock_);
    return size_;
  }

  void add(AsyncCall& call, Wake& wake) noexcept;
  /// Removes a call. Returns false if it is not in the list.
  bool remove(AsyncCall& call) noexcept;
  AsyncCall* pop() noexcept;

 private:
  void unlink(AsyncCall& call) noexcept;

  EventDescriptor& event_;
  Mutex lock_;
  AsyncCall* first_ = nullptr;
  AsyncCall* last_ = nullptr;
  std::size_t size_ = 0;
};

/// One suspended operation. Owned by its Operation; once it has been enlisted, by the thread that runs the loop.
class AsyncCall final : public Waiter {
 public:
  AsyncCall(AsyncLoop& loop, const EndpointBase& endpoint, Side side, Value& value, void* address) noexcept
      : coroutine(address),
        loop_(loop),
        channel_(*EndpointAccess::channel(endpoint)),
        lane_(EndpointAccess::lane(endpoint)),
        side_(side),
        value_(ValueAccess::cell(value)),
        report_(side == Side::sender ? "Notifier.send" : "Notifier.recv", WaitReport::is_coroutine) {}

  /// Enlists the call until it has to wait. Returns true if it waits: another thread may have completed it already, so
  /// the caller must not access it. Returns false if it is complete.
  bool wait() noexcept {
    for (;;) {
      decision_.emplace();
      phase_.store(Phase::starting, memory_order_relaxed);  // published by the lock of the list
      node_ = {.waiter = this, .owner = this, .kind = WaitKind::coroutine, .ticket = node_.ticket};
      if (side_ == Side::sender) {
        node_.packet = to_packet(value_);
        node_.cost = cost_of(value_);
      }
      // Before the call is in the list, so that the thread that decides it finds it shown.
      const WaitTarget target = wait_target(channel_, side_);
      report_.show({&target, 1}, 1);
      const bool is_withdrawn = channel_.enlist(side_, node_) && withdraw();
      // (20) acq_rel among the two threads: what the first did with the call happens before the second goes on.
      if (!is_withdrawn && phase_.exchange(Phase::waiting, memory_order_acq_rel) == Phase::starting) return true;
      delist();  // from here on no peer accesses the call
      report_.hide_shared();
      if (complete()) return false;
    }
  }

  /// Called by the loop that has taken the call. Returns false if the thread in `wait` goes on with it.
  bool take_over() noexcept { return phase_.exchange(Phase::taken, memory_order_acq_rel) == Phase::waiting; }  // (20)

  /// Performs the operation of a decided call. Returns false if it is not possible after all.
  bool complete() noexcept {
    const Outcome outcome = decision_->outcome();
    status = outcome == Outcome::transferred ? Status::ok : attempt();
    if (status == Status::full || status == Status::empty) {
      // Wake-token rule (d).
      if (outcome == Outcome::notified && channel_.has_uneven_waiters(side_)) channel_.pass_token(side_);
      return false;
    }
    if (status == Status::ok && side_ == Side::sender) value_ = Cell::none();
    // Wake-token rule (b), as in wait_any.
    if (status == Status::closed || (status != Status::ok && outcome == Outcome::notified)) channel_.pass_token(side_);
    status = channel_.outcome(side_, status);
    end_claim();
    is_complete = true;
    return true;
  }

  /// Ends the wait. Returns false if the loop has taken the call.
  bool withdraw() noexcept {
    delist();
    return !decision_->is_decided() || loop_.remove(*this);
  }

  /// Ends a call whose coroutine is destroyed. A value that was transferred stays transferred.
  void abandon() noexcept {
    if (is_complete || channel_.is_inherited()) return;
    withdraw();
    report_.hide_shared();
    if (decision_->outcome() == Outcome::transferred) value_ = Cell::none();
    if (decision_->outcome() == Outcome::notified) channel_.pass_token(side_);
    end_claim();
  }

  void delist() noexcept { channel_.delist(side_, node_); }

  bool notify(WaitNode&, Wake& wake) noexcept override { return decide(Outcome::notified, wake); }
  bool transfer(WaitNode&, Wake& wake) noexcept override { return decide(Outcome::transferred, wake); }
  /// A receiver is only notified, so that a coroutine that is destroyed loses no value.
  bool can_transfer(const WaitNode&) const noexcept override { return side_ == Side::sender; }
  bool cancel(WaitNode&, Wake& wake) noexcept override { return decide(Outcome::cancelled, wake); }
  bool nudge(WaitNode&, Wake& wake) noexcept override { return decide(Outcome::nudged, wake); }

  void* const coroutine;
  Status status = Status::empty;
  bool is_complete = false;
  AsyncCall* previous = nullptr;  // in the loop's list; guarded by its lock
  AsyncCall* next = nullptr;
  bool listed = false;

 private:
  /// Starting: `wait` enlists the call. Waiting: it has. Taken: the loop had the call before that.
  enum class Phase : std::uint8_t { starting, waiting, taken };

  // Called by a peer, under the lock of the channel's lists. The call lives until it is delisted, under that lock.
  bool decide(Outcome outcome, Wake& wake) noexcept {
    if (!decision_->decide(outcome, 0)) return false;
    report_.hide_shared();
    loop_.add(*this, wake);
    return true;
  }

  // A claim on bytes ends with the call.
  void end_claim() noexcept {
    if (node_.ticket != 0) channel_.withdraw(node_.ticket);
  }

  Status attempt() noexcept {
    if (side_ == Side::sender) return channel_.try_send_again(value_, lane_, node_);
    Cell cell;
    const Status tried = channel_.try_recv(cell, lane_);
    if (tried == Status::ok) release(std::exchange(value_, cell));
    return tried;
  }

  AsyncLoop& loop_;
  Channel& channel_;
  Lane& lane_;
  const Side side_;
  Cell& value_;
  WaitNode node_;
  std::optional<Decision> decision_;
  atomic<Phase> phase_{Phase::starting};
  WaitReport report_;  // shown until the call is decided or withdrawn
};

// The descriptor is written after the call is in the list, and `clear` precedes the look at the list: no decided call
// stays behind an unreadable descriptor.
void AsyncLoop::add(AsyncCall& call, Wake& wake) noexcept {
  std::lock_guard guard(lock_);
  call.listed = true;
  call.previous = last_;
  call.next = nullptr;
  (last_ == nullptr ? first_ : last_->next) = &call;
  last_ = &call;
  ++size_;
  event_.retain();
  wake.event = &event_;
}

void AsyncLoop::unlink(AsyncCall& call) noexcept {
  call.listed = false;
  (call.previous == nullptr ? first_ : call.previous->next) = call.next;
  (call.next == nullptr ? last_ : call.next->previous) = call.previous;
  --size_;
}

bool AsyncLoop::remove(AsyncCall& call) noexcept {
  bool is_empty;
  {
    std::lock_guard guard(lock_);
    if (!call.listed) return false;
    unlink(call);
    is_empty = size_ == 0;
  }
  if (is_empty) {
    clear();
    if (size() != 0) signal();
  }
  return true;
}

AsyncCall* AsyncLoop::pop() noexcept {
  std::lock_guard guard(lock_);
  AsyncCall* const call = first_;
  if (call != nullptr) unlink(*call);
  return call;
}

}  // namespace xichan::internal

namespace xichan {

using namespace internal;

Status Notifier::make(Notifier& out) noexcept {
  EventDescriptor* event = EventDescriptor::create();
  if (event == nullptr) return Status::no_memory;
  auto* loop = new (std::nothrow) AsyncLoop(*event);
  if (loop == nullptr) {
    event->release();
    return Status::no_memory;
  }
  delete std::exchange(out.loop_, loop);
  return Status::ok;
}

Notifier::~Notifier() { delete loop_; }

int Notifier::descriptor() const noexcept { return loop_ == nullptr ? -1 : loop_->descriptor(); }

std::size_t Notifier::begin_run() noexcept {
  if (loop_ == nullptr) return 0;
  loop_->clear();
  return loop_->size();
}

void Notifier::end_run() noexcept {
  if (loop_ != nullptr && loop_->size() != 0) loop_->signal();
}

void* Notifier::next() noexcept {
  AsyncCall* const call = loop_->pop();
  if (call == nullptr || !call->take_over()) return nullptr;
  call->delist();  // from here on no peer accesses the call
  return call->complete() || !call->wait() ? call->coroutine : nullptr;
}

bool Notifier::Operation::await_ready() noexcept {
  status_ = sender_ != nullptr ? sender_->send_nowait(std::move(*value_)) : receiver_->recv_nowait(*value_);
  if (status_ != Status::full && status_ != Status::empty) return true;
  if (loop_ != nullptr) return false;
  status_ = Status::invalid;  // an empty notifier
  return true;
}

bool Notifier::Operation::suspend(void* coroutine) noexcept {
  const Side side = sender_ != nullptr ? Side::sender : Side::receiver;
  const EndpointBase& endpoint = sender_ != nullptr ? static_cast<EndpointBase&>(*sender_) : *receiver_;
  call_ = new (std::nothrow) AsyncCall(*loop_, endpoint, side, *value_, coroutine);
  if (call_ != nullptr) return call_->wait();
  status_ = Status::no_memory;
  return false;
}

Status Notifier::Operation::await_resume() noexcept { return call_ == nullptr ? status_ : call_->status; }

Notifier::Operation::~Operation() {
  if (call_ == nullptr) return;
  call_->abandon();
  delete call_;
}

}  // namespace xichan
