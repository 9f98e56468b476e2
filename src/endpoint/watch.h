// Waiting without a thread: an event loop is told that a channel may be ready, and its coroutine then tries.
//
// One notifier per event loop: an eventfd that the loop polls, and a list of the watches that were decided since it
// last looked. A watch is one coroutine's wait for one end. It is told "ready" and takes nothing itself, so a cancelled
// receive has taken nothing; only a rendezvous send is completed by the receiver while it waits, because what it offers
// stands in its node.
//
// Thread safety: `Watch` and `Notifier::collect` are used by one thread at a time (in Python under the GIL); peers
// decide a watch from any thread.
#pragma once

#include <cstdint>

#include "endpoint/endpoint.h"
#include "sync/decision.h"

namespace xichan::internal {

class Notifier;

/// One case of a watch.
struct WatchCase {
  Endpoint* end;
  Cell offer;          // what a rendezvous sender offers while it waits, owned by the watch; else empty
  std::uint64_t cost;  // bytes that what a sender has to send is charged
  // Private to the watch.
  std::size_t number;  // place in the caller's order
  Channel* channel;
  Side side;
  WaitNode node;
};

class XICHAN_API Watch final : public Waiter, public OwnedWait {
 public:
  /// Enlists a wait for the first of `count` cases (`end` and `offer` filled in; the array is taken over), listed with
  /// their common owner. Null, with everything given back, if there is no memory. `ready` says that the coroutine
  /// should close the watch and try at once.
  static Watch* open(Notifier& notifier, EndpointOwner& owner, std::uint64_t key, WatchCase* cases, std::size_t count,
                     bool& ready) noexcept;

  /// Delists all cases; from here on the coroutine may act. Returns what was decided, and for which case, by its place
  /// in the array that `open` was given. Idempotent.
  Outcome close(std::size_t& number) noexcept;
  /// Passes on the token of a closed watch, if it holds one still: the coroutine leaves without having used it.
  void pass_token() noexcept;
  /// Closes it if need be, passes its token on unless `used`, and frees it.
  static void destroy(Watch* watch, bool used) noexcept;

  bool notify(WaitNode& node, Wake&) noexcept override { return decide(Outcome::notified, node); }
  bool transfer(WaitNode& node, Wake&) noexcept override { return decide(Outcome::transferred, node); }
  bool can_transfer(const WaitNode& node) const noexcept override { return to_cell(node.packet).tag() != Tag::empty; }
  bool cancel(WaitNode& node, Wake&) noexcept override { return decide(Outcome::cancelled, node); }
  bool nudge(WaitNode& node, Wake&) noexcept override { return decide(Outcome::nudged, node); }

  /// Closes the watch, passes its token on and releases its endpoints: the owner ends.
  void abandon() noexcept override;

 private:
  friend class Notifier;

  Watch(Notifier& notifier, std::uint64_t key, WatchCase* cases, std::size_t count) noexcept
      : notifier_(notifier), key_(key), cases_(cases), count_(count) {}
  ~Watch() = default;

  bool decide(Outcome outcome, const WaitNode& node) noexcept;
  const WatchCase& decided_case() const noexcept { return cases_[decision_.index()]; }
  void leave_ends() noexcept;

  Notifier& notifier_;
  const std::uint64_t key_;
  const std::unique_ptr<WatchCase[]> cases_;
  const std::size_t count_;
  std::size_t enlisted_ = 0;
  Decision decision_;
  bool closed_ = false;
  bool has_token_ = false;
  bool listed_ = false;  // with the notifier, under its lock
  ListHook<Watch> decided_hook_;
  EndpointOwner* owner_ = nullptr;
};

/// Shared by its loop and its watches: the descriptor is closed when the last of them has gone, so that nobody writes
/// into a number that was used again.
class XICHAN_API Notifier {
 public:
  /// With one reference; null if there is no memory or no descriptor.
  static Notifier* create() noexcept;
  void retain() noexcept { references_.fetch_add(1, memory_order_relaxed); }
  void release() noexcept;

  /// Readable while watches are decided and not collected.
  int descriptor() const noexcept { return descriptor_; }

  /// Hands the keys of all decided watches to `take(key)`, in the order of the decisions, and makes the descriptor
  /// unreadable. False if `take` answered so: that watch and those after it stay decided, the descriptor readable.
  /// `take` may open, close and destroy watches.
  template <class Take>
  bool collect(Take take) noexcept;

 private:
  friend class Watch;

  explicit Notifier(int descriptor) noexcept : descriptor_(descriptor) {}
  ~Notifier();

  void add(Watch& watch) noexcept;
  void remove(Watch& watch) noexcept;
  void unlink(Watch& watch) noexcept;
  bool first_key(std::uint64_t& key) noexcept;
  void remove_first(std::uint64_t key) noexcept;
  void signal() noexcept;
  void clear() noexcept;

  // The lock may have been held at a fork: the child leaves what it inherited alone.
  bool is_inherited() const noexcept { return generation_ != process_generation(); }

  const int descriptor_;
  const std::uint32_t generation_ = process_generation();
  atomic<std::uint32_t> references_{1};
  Mutex lock_;
  IntrusiveList<Watch, &Watch::decided_hook_> decided_;
};

template <class Take>
bool Notifier::collect(Take take) noexcept {
  clear();  // before the list is read: who is decided later makes it readable again
  // A watch leaves the list when its key has been taken, not before: there may be no memory for the key.
  for (std::uint64_t key; first_key(key); remove_first(key)) {
    if (take(key)) continue;
    signal();
    return false;
  }
  return true;
}

}  // namespace xichan::internal
