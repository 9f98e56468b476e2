// Waiting without a thread: an event loop is told that a channel may be ready, and its coroutine then tries.
//
// One notifier per event loop: an eventfd that the loop polls, and a list of the watches that were decided since it last
// looked. A watch is one coroutine's wait for one end. It is told "ready" and takes nothing itself, so a cancelled
// receive has taken nothing; only a rendezvous send is completed by the receiver while it waits, because what it offers
// stands in its node.
//
// Thread safety: `Watch` and `Notifier::collect` are used by one thread at a time (in Python under the GIL); peers decide
// a watch from any thread.
#pragma once

#include <cstdint>

#include "channel/end.h"

namespace xichan {

class Watch;

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

  /// Hands the keys of all decided watches to `take(key)` and makes the descriptor unreadable.
  template <class Take>
  void collect(Take take) noexcept;

 private:
  friend class Watch;

  explicit Notifier(int descriptor) noexcept : descriptor_(descriptor) {}
  ~Notifier();

  void add(Watch& watch) noexcept;
  void remove(Watch& watch) noexcept;
  Watch* take_first() noexcept;
  void clear() noexcept;

  const int descriptor_;
  atomic<std::uint32_t> references_{1};
  Mutex lock_;
  Watch* first_ = nullptr;
};

class XICHAN_API Watch final : public Waiter {
 public:
  enum State : std::uint32_t { waiting, notified, transferred, cancelled, nudged };

  /// Enlists a wait of `end`, listed with its owner. `offer` is what a rendezvous sender offers, else an empty cell; the
  /// watch owns it. Null, with what the cell owns given back, if there is no memory. `ready` says that the coroutine
  /// should try again at once (and close the watch).
  static Watch* open(Notifier& notifier, End& end, std::uint64_t key, const Cell& offer, bool& ready) noexcept;

  /// Delists it and forgets it. With `used`, the coroutine has tried since it was told; else a token that it holds is
  /// passed on. Returns the final state.
  static State close(Watch* watch, bool used) noexcept;

  bool notify(WaitNode&, Wake&) noexcept override { return decide(notified); }
  bool transfer(WaitNode&, Wake&) noexcept override { return decide(transferred); }
  bool can_transfer(const WaitNode& node) const noexcept override { return node.cell.tag() != Tag::empty; }
  bool cancel(WaitNode&, Wake&) noexcept override { return decide(cancelled); }
  bool nudge(WaitNode&, Wake&) noexcept override { return decide(nudged); }

 private:
  friend class Notifier;
  friend class EndOwner;

  Watch(Notifier& notifier, End& end, std::uint64_t key) noexcept
      : notifier_(notifier), end_(end), channel_(*end.channel()), side_(end.side()), key_(key) {}
  ~Watch() = default;

  bool decide(State to) noexcept;
  State finish(bool used) noexcept;

  Notifier& notifier_;
  End& end_;
  Channel& channel_;
  const Side side_;
  const std::uint64_t key_;
  atomic<std::uint32_t> state_{waiting};
  WaitNode node_;
  bool finished_ = false;
  bool listed_ = false;  // with the notifier, under its lock
  Watch* next_decided_ = nullptr;
  Watch* previous_decided_ = nullptr;
  EndOwner* owner_ = nullptr;
  Watch* previous_of_owner_ = nullptr;
  Watch* next_of_owner_ = nullptr;
};

template <class Take>
void Notifier::collect(Take take) noexcept {
  clear();  // before the list is read: who is decided later makes it readable again
  while (Watch* watch = take_first()) take(watch->key_);
}

}  // namespace xichan
