// Waiting without a thread: an event loop is notified that a channel may be ready, and its coroutine then tries.
//
// There is one notifier per event loop: an eventfd that the loop polls, and a list of the watches decided since the
// last `collect`. A watch is one coroutine's wait. It is only notified and receives nothing itself, so a cancelled
// receive loses no message. Only a rendezvous send is completed by the receiver while it waits, because its node holds
// the message.
//
// Thread safety: one thread at a time uses `Watch` and `Notifier::collect` (in Python under the GIL); peers decide a
// watch from any thread.
#pragma once

#include <cstdint>

#include "endpoint/endpoint.h"
#include "page/wait_report.h"
#include "sync/decision.h"

namespace xichan::internal {

class Notifier;

/// One case of a watch.
struct WatchCase {
  Endpoint* endpoint;
  Cell offer;                 // the message of a waiting rendezvous sender, owned by the watch; else empty
  std::uint64_t cost;         // bytes that the sender's message is charged
  bool until_closed = false;  // waits until the channel is closed, not for a message
  // Private to the watch.
  std::size_t number;  // index in the caller's order
  Channel* channel;
  Side side;
  WaitNode node;
};

/// A coroutine that waits, as its notifier sees it.
class LoopWaiter : public Waiter {
 protected:
  friend class Notifier;

  LoopWaiter(Notifier& notifier, std::uint64_t key, const char* call, const WaitCaller& caller) noexcept
      : notifier_(notifier), key_(key), report_(call, WaitReport::is_coroutine, caller) {}
  ~LoopWaiter() = default;

  Notifier& notifier_;
  const std::uint64_t key_;
  WaitReport report_;  // shown until the wait is decided, or closed

 private:
  bool listed_ = false;  // in the notifier's list; guarded by its lock
  ListHook<LoopWaiter> decided_hook_;
};

class XICHAN_API Watch final : public LoopWaiter, public OwnedWait {
 public:
  /// Enlists a wait for one of `count` cases, listed with their common owner. Takes over the array, whose `endpoint`,
  /// `offer` and `cost` are set. Returns null, with all of it released, if memory is exhausted. Sets `ready` if the
  /// coroutine should close the watch and try at once. `caller` is
  /// what readers of the page see.
  static Watch* open(Notifier& notifier, EndpointOwner& owner, std::uint64_t key, WatchCase* cases, std::size_t count,
                     bool& ready, const WaitCaller& caller = {}) noexcept;

  /// Delists all cases; afterwards the coroutine may act. Returns the outcome, and stores the index of the decided case
  /// in the array that was passed to `open`. Idempotent.
  Outcome close(std::size_t& number) noexcept;
  /// Returns true once the endpoints and offers are released, because the owner has ended.
  bool is_released() const noexcept { return owner_ == nullptr; }
  /// Returns the offer that was transferred, according to `close`.
  const Cell& transferred_offer() const noexcept { return decided_case().offer; }
  /// Passes on the token of a closed watch, if it still holds one that the coroutine has not used.
  void pass_token() noexcept;
  /// Closes the watch if necessary, passes its token on unless `used`, and destroys it.
  static void destroy(Watch* watch, bool used) noexcept;

  bool notify(WaitNode& node, Wake& wake) noexcept override { return decide(Outcome::notified, node, wake); }
  bool transfer(WaitNode& node, Wake& wake) noexcept override { return decide(Outcome::transferred, node, wake); }
  bool can_transfer(const WaitNode& node) const noexcept override { return to_cell(node.packet).tag() != Tag::empty; }
  bool cancel(WaitNode& node, Wake& wake) noexcept override { return decide(Outcome::cancelled, node, wake); }
  bool nudge(WaitNode& node, Wake& wake) noexcept override { return decide(Outcome::nudged, node, wake); }

  /// Closes the watch, passes its token on and releases its endpoints, because the owner ends.
  void abandon() noexcept override;

 private:
  Watch(Notifier& notifier, std::uint64_t key, WatchCase* cases, std::size_t count, const WaitCaller& caller) noexcept
      : LoopWaiter(notifier, key, call_name(cases, count), caller), cases_(cases), count_(count) {}
  ~Watch() = default;

  static const char* call_name(const WatchCase* cases, std::size_t count) noexcept;
  void show() noexcept;
  bool decide(Outcome outcome, const WaitNode& node, Wake& wake) noexcept;
  const WatchCase& decided_case() const noexcept { return cases_[decision_.index()]; }
  bool has_token_for_uneven_waiters() const noexcept;
  void end_claim(WatchCase& c) noexcept;
  void trace() const noexcept;
  void release_endpoints() noexcept;

  const std::unique_ptr<WatchCase[]> cases_;
  const std::size_t count_;
  std::size_t enlisted_ = 0;
  Decision decision_;
  bool closed_ = false;
  bool has_token_ = false;
  bool has_waited_ = false;
  std::int64_t since_ = 0;  // while a trace records: when it was enlisted
  EndpointOwner* owner_ = nullptr;
};

/// Shared by its loop and its watches.
class XICHAN_API Notifier {
 public:
  /// Returns a notifier with one reference, or null if memory or descriptors are exhausted.
  static Notifier* create() noexcept;
  void retain() noexcept { references_.fetch_add(1, memory_order_relaxed); }
  void release() noexcept;

  /// Returns the descriptor, which is readable while decided watches have not been collected.
  int descriptor() const noexcept { return event_.number(); }

  /// Lists a watch that was just decided, and stores what wakes its loop. Called under the lock of a wait list.
  void add(LoopWaiter& watch, Wake& wake) noexcept;
  /// Removes a watch that is about to be closed.
  void remove(LoopWaiter& watch) noexcept;

  /// Passes the keys of all decided watches to `take(key)`, in the order of the decisions, and makes the descriptor
  /// unreadable. Stops and returns false if `take` returns false: that watch and the later ones stay decided, and the
  /// descriptor stays readable. `take` may open, close and destroy watches.
  template <class Take>
  bool collect(Take take) noexcept;

 private:
  explicit Notifier(EventDescriptor& event) noexcept : event_(event) {}
  ~Notifier() { event_.release(); }

  void unlink(LoopWaiter& watch) noexcept;
  bool first_key(std::uint64_t& key) noexcept;
  void remove_first(std::uint64_t key) noexcept;

  // The lock may have been held during a fork, so the child does not touch an inherited notifier.
  bool is_inherited() const noexcept { return generation_ != process_generation(); }

  EventDescriptor& event_;  // owns a reference
  const std::uint32_t generation_ = process_generation();
  atomic<std::uint64_t> references_{1};
  Mutex lock_;
  IntrusiveList<LoopWaiter, &LoopWaiter::decided_hook_> decided_;
};

template <class Take>
bool Notifier::collect(Take take) noexcept {
  event_.clear();  // before reading the list: a later decision makes the descriptor readable again
  // A watch leaves the list only after `take` accepted its key, for which memory may be exhausted.
  for (std::uint64_t key; first_key(key); remove_first(key)) {
    if (take(key)) continue;
    event_.signal();
    return false;
  }
  return true;
}

}  // namespace xichan::internal
