// Waiting at a Turnstile without a thread: the event loop is notified once the object has admitted the coroutine.
//
// Thread safety: one thread at a time uses it (in Python under the GIL); the object admits it from any thread.
#pragma once

#include "endpoint/watch.h"
#include "state/turnstile.h"

namespace xichan::internal {

/// A coroutine's wait, listed with its owner. Destroy it with `destroy`.
class XICHAN_API StateWatch final : public LoopWaiter, public OwnedWait {
 public:
  /// Lets a coroutine join the queue of an object. Returns null if memory is exhausted. Sets `admitted` if there is no
  /// need to wait.
  static StateWatch* open(Notifier& notifier, EndpointOwner& owner, std::uint64_t key, Turnstile& object,
                          const Request& request, bool& admitted, const WaitCaller& caller = {}) noexcept;

  /// Leaves the queue. Returns true if the coroutine was admitted. Idempotent.
  bool close() noexcept;
  const Request& request() const noexcept { return request_; }
  /// Releases what a coroutine was admitted to that does not go on.
  void withdraw() noexcept;
  /// Closes the watch if necessary and destroys it.
  static void destroy(StateWatch* watch) noexcept;

  bool notify(WaitNode&, Wake& wake) noexcept override { return decide(Outcome::notified, wake); }
  bool transfer(WaitNode&, Wake& wake) noexcept override { return decide(Outcome::transferred, wake); }
  bool can_transfer(const WaitNode&) const noexcept override { return true; }
  bool cancel(WaitNode&, Wake& wake) noexcept override { return decide(Outcome::cancelled, wake); }
  bool nudge(WaitNode&, Wake& wake) noexcept override { return decide(Outcome::nudged, wake); }

  /// Leaves the queue and releases what the coroutine was admitted to, because the owner ends.
  void abandon() noexcept override;

 private:
  StateWatch(Notifier& notifier, std::uint64_t key, Turnstile& object, const Request& request,
             const WaitCaller& caller) noexcept
      : LoopWaiter(notifier, key, object.call_name(), caller), object_(&object), request_(request) {}
  ~StateWatch() = default;

  bool decide(Outcome outcome, Wake& wake) noexcept;

  Turnstile* object_;  // retained; null once the owner has ended
  Request request_;
  WaitNode node_;
  Decision decision_;
  EndpointOwner* owner_ = nullptr;
  bool admitted_ = false;
  bool closed_ = false;
  std::int64_t waits_since_ = 0;  // while a trace records: when it began
};

}  // namespace xichan::internal
