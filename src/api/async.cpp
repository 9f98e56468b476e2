// Waiting without a thread, for C++: the counterpart of endpoint/watch.h, which serves the event loops of Python.
//
// A call is decided by a peer and queued with its loop. The thread that runs the loop then performs the operation and
// resumes the coroutine, or enlists the call again if another caller was faster: a call leaves its list with a decision
// or a removal, and is enlisted again unless it is complete.
#include "xichan/async.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <new>
#include <optional>

#include "api/access.h"
#include "sync/decision.h"

namespace xichan::internal {

class AsyncCall;

/// The decided calls of a notifier, and the descriptor that is readable while there are any.
///
/// Thread safety: any thread.
class AsyncLoop {
 public:
  explicit AsyncLoop(int descriptor) noexcept : descriptor_(descriptor) {}
  AsyncLoop(const AsyncLoop&) = delete;
  AsyncLoop& operator=(const AsyncLoop&) = delete;
  ~AsyncLoop() { ::close(descriptor_); }

  int descriptor() const noexcept { return descriptor_; }
  std::size_t size() noexcept {
    std::lock_guard guard(lock_);
    return size_;
  }

  void add(AsyncCall& call) noexcept;
  /// Removes a call. Returns false if it is not in the list.
  bool remove(AsyncCall& call) noexcept;
  AsyncCall* pop() noexcept;

 private:
  void unlink(AsyncCall& call) noexcept;

  const int descriptor_;
  Mutex lock_;
  AsyncCall* first_ = nullptr;
  AsyncCall* last_ = nullptr;
  std::size_t size_ = 0;
};

/// One suspended operation. Owned by its Operation; while it is enlisted or decided, by the thread that runs the loop.
class AsyncCall final : public Waiter {
 public:
  AsyncCall(AsyncLoop& loop, const EndpointBase& endpoint, Side side, Value& value, void* address) noexcept
      : coroutine(address),
        loop_(loop),
        channel_(*EndpointAccess::channel(endpoint)),
        lane_(EndpointAccess::lane(endpoint)),
        side_(side),
        value_(ValueAccess::cell(value)) {}

  /// Enlists the call until it has to wait. Returns true if it waits: another thread may have completed it already, so
  /// the caller must not access it. False if it is complete.
  bool wait() noexcept {
    for (;;) {
      decision_.emplace();
      node_ = {.waiter = this, .owner = this};
      if (side_ == Side::sender) {
        node_.packet = to_packet(value_);
        node_.cost = cost_of(value_);
      }
      if (!channel_.enlist(side_, node_)) return true;
      // If the loop has taken the decided call, it completes it.
      if (!withdraw()) return true;
      if (complete()) return false;
    }
  }

  /// Performs the operation of a decided call. Returns false if it is not possible after all.
  bool complete() noexcept {
    const Outcome outcome = decision_->outcome();
    status = outcome == Outcome::transferred ? Status::ok : attempt();
    if (status == Status::full || status == Status::empty) return false;
    if (status == Status::ok && side_ == Side::sender) value_ = Cell::none();
    // Wake-token rule (b), as in wait_any.
    if (status == Status::closed || (status != Status::ok && outcome == Outcome::notified)) channel_.pass_token(side_);
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
    if (decision_->outcome() == Outcome::transferred) value_ = Cell::none();
    if (decision_->outcome() == Outcome::notified) channel_.pass_token(side_);
  }

  void delist() noexcept { channel_.delist(side_, node_); }

  bool notify(WaitNode&, Wake&) noexcept override { return decide(Outcome::notified); }
  bool transfer(WaitNode&, Wake&) noexcept override { return decide(Outcome::transferred); }
  /// A receiver is only notified, so that a coroutine that is destroyed loses no value.
  bool can_transfer(const WaitNode&) const noexcept override { return side_ == Side::sender; }
  bool cancel(WaitNode&, Wake&) noexcept override { return decide(Outcome::cancelled); }
  bool nudge(WaitNode&, Wake&) noexcept override { return decide(Outcome::nudged); }

  void* const coroutine;
  Status status = Status::empty;
  bool is_complete = false;
  AsyncCall* previous = nullptr;  // in the loop's list; guarded by its lock
  AsyncCall* next = nullptr;
  bool listed = false;

 private:
  // Called by a peer, under the lock of the channel's lists. The call lives until it is delisted, under that lock.
  bool decide(Outcome outcome) noexcept {
    if (!decision_->decide(outcome, 0)) return false;
    loop_.add(*this);
    return true;
  }

  Status attempt() noexcept {
    if (side_ == Side::sender) return channel_.try_send(value_, lane_);
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
};

void AsyncLoop::add(AsyncCall& call) noexcept {
  std::lock_guard guard(lock_);
  call.listed = true;
  call.previous = last_;
  call.next = nullptr;
  (last_ == nullptr ? first_ : last_->next) = &call;
  last_ = &call;
  if (size_++ == 0) (void)eventfd_write(descriptor_, 1);
}

void AsyncLoop::unlink(AsyncCall& call) noexcept {
  call.listed = false;
  (call.previous == nullptr ? first_ : call.previous->next) = call.next;
  (call.next == nullptr ? last_ : call.next->previous) = call.previous;
  eventfd_t ignored;
  if (--size_ == 0) (void)eventfd_read(descriptor_, &ignored);
}

bool AsyncLoop::remove(AsyncCall& call) noexcept {
  std::lock_guard guard(lock_);
  if (!call.listed) return false;
  unlink(call);
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
  const int descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (descriptor < 0) return Status::no_memory;
  auto* loop = new (std::nothrow) AsyncLoop(descriptor);
  if (loop == nullptr) {
    ::close(descriptor);
    return Status::no_memory;
  }
  delete std::exchange(out.loop_, loop);
  return Status::ok;
}

Notifier::~Notifier() { delete loop_; }

int Notifier::descriptor() const noexcept { return loop_ == nullptr ? -1 : loop_->descriptor(); }

std::size_t Notifier::pending() const noexcept { return loop_ == nullptr ? 0 : loop_->size(); }

void* Notifier::next() noexcept {
  AsyncCall* const call = loop_->pop();
  if (call == nullptr) return nullptr;
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
