#include "endpoint/state_watch.h"

#include <new>

#include "base/deadline.h"
#include "trace/trace.h"

namespace xichan::internal {

StateWatch* StateWatch::open(Notifier& notifier, EndpointOwner& owner, std::uint64_t key, Turnstile& object,
                             const Request& request, bool& admitted, const WaitCaller& caller) noexcept {
  auto* const watch = new (std::nothrow) StateWatch(notifier, key, object, request, caller);
  if (watch == nullptr) return nullptr;
  notifier.retain();
  object.retain();
  watch->owner_ = &owner;
  owner.add(*watch);
  // (13) as for a thread: a nudge of an exiting owner finds the node, or the coroutine sees the exit before it waits.
  watch->node_ = {.waiter = watch, .owner = owner.exiting_flag(), .kind = WaitKind::coroutine};
  object.show(watch->report_);  // before it is in the queue, so that the thread that admits it finds it shown
  admitted = watch->admitted_ = object.join(watch->node_, watch->request_);
  if (!admitted && is_traced()) watch->waits_since_ = Deadline::now();
  return watch;
}

// Called under the lock of the queue, before the watch can be freed: closing it takes the same lock.
bool StateWatch::decide(Outcome outcome, Wake& wake) noexcept {
  if (!decision_.decide(outcome, 0)) return false;
  report_.hide_shared();
  notifier_.add(*this, wake);
  return true;
}

bool StateWatch::close() noexcept {
  if (closed_) return admitted_;
  closed_ = true;
  report_.hide_shared();
  if (object_ == nullptr || object_->is_inherited()) return admitted_ = false;
  object_->leave(node_);
  if (waits_since_ != 0 && is_traced()) {
    Trace::record({.begin = waits_since_,
                   .end = Deadline::now(),
                   .subject = object_->trace_subject(),
                   .kind = TraceKind::coroutine_wait,
                   .call = TraceCall::wait});
  }
  notifier_.remove(*this);
  if (decision_.outcome() == Outcome::transferred) admitted_ = true;
  return admitted_;
}

void StateWatch::withdraw() noexcept {
  if (object_ != nullptr && close()) object_->withdraw(request_);
  admitted_ = false;
}

void StateWatch::abandon() noexcept {
  if (owner_ == nullptr) return;
  if (!closed_) withdraw();
  owner_->remove(*this);
  owner_ = nullptr;
  object_->release();
  object_ = nullptr;
}

void StateWatch::destroy(StateWatch* watch) noexcept {
  watch->close();
  if (watch->owner_ != nullptr) {
    watch->owner_->remove(*watch);
    watch->object_->release();
  }
  watch->notifier_.release();
  delete watch;
}

}  // namespace xichan::internal
