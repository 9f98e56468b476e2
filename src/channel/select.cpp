// try_any returns "none is ready" only if at one moment no case was ready, although it attempts the cases one after the
// other and messages move between their channels meanwhile. It reads all versions (V), attempts every case twice (T1,
// T2), and reads all versions again (W). If no attempt was final and no version has changed, no case was ready at the
// moment M between T1 and T2:
//   * Receiving from a ring: only a pop ends the readiness of a head whose item is published, and a pop changes the
//     version. A case that was ready at M would have been ready at its attempt in T2, which failed. That includes a
//     slot that was claimed at T1 and published before M, and `closed`, which is permanent.
//   * Sending to a ring: likewise with pushes. Under a byte bound the version also counts the bytes ever reserved,
//     because a reservation without a push ends the readiness, too.
//   * A rendezvous: only a peer that enlists makes the case ready, and it changes the version. The attempt in T1
//     failed, and no peer has enlisted since V. Closing is permanent, so T2 would have returned it.
//   * An endpoint that was closed stays closed.
// Versions only count up, so one that is the same in V and in W was the same throughout. A failed attempt changes none,
// so several cases of one channel do not disturb each other. A version that has changed means that another thread has
// sent, received, reserved or enlisted since V, and try_any starts over: a thread that is stopped does not hold it up.
// Source: the double collect of Afek, Attiya, Dolev, Gafni, Merritt and Shavit, "Atomic Snapshots of Shared Memory",
// Journal of the ACM 40, 1993.
#include "channel/select.h"

#include <algorithm>
#include <utility>

#include "base/random.h"
#include "base/worklist.h"
#include "sync/idle_watch.h"
#include "sync/spin.h"
#include "sync/thread_waiter.h"
#include "trace/trace.h"

namespace xichan::internal {
namespace {

constexpr bool is_pending(Status status) noexcept { return status == Status::full || status == Status::empty; }

Status attempt(Case& c) noexcept {
  if (c.side == Side::receiver) return c.channel->try_recv(c.cell, *c.lane, c.line);
  return c.line == nullptr ? c.channel->try_send_again(c.cell, *c.lane, c.node)
                           : c.channel->try_send_line(c.cell, *c.line, *c.lane);
}

constexpr std::size_t most_spun = 128;  // cases

bool is_end_closed(const Case& c) noexcept { return c.end_closed->load(memory_order_seq_cst); }

std::uint64_t version_of(const Case& c) noexcept { return c.channel->version(c.side); }

Status try_one(std::span<Case> cases, std::size_t chosen) noexcept {
  return is_end_closed(cases[chosen]) ? Status::end_closed : attempt(cases[chosen]);
}

// Returns a number below `bound`, for fairness only. xorshift64 (Marsaglia 2003), seeded per thread.
std::uint64_t random_below(std::uint64_t bound) noexcept {
  thread_local std::uint64_t state = 0;
  if (state == 0) state = random_bits() | 1;
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (state >> 32) * bound >> 32;
}

// A random order of some cases, shuffled only as far as needed (Fisher and Yates), so that all ready cases are equally
// likely. It is shuffled again for each round of attempts.
class RandomOrder {
 public:
  // Returns false without memory.
  bool prepare(std::size_t count) noexcept {
    if (!order_.reserve(count)) return false;
    for (std::size_t i = 0; i < count; ++i) (void)order_.push(static_cast<std::uint32_t>(i));
    return true;
  }
  // Returns the case to attempt after `i` others.
  std::size_t draw(std::size_t i) noexcept {
    std::swap(order_.begin()[i], order_.begin()[i + random_below(order_.size() - i)]);
    return order_[i];
  }

 private:
  Worklist<std::uint32_t, 32> order_;
};

class Wait {
 public:
  explicit Wait(std::span<Case> cases) noexcept : cases_(cases) {}

  // Sorts cases at rendezvous by channel address: of two selects that meet at several rendezvous channels, the same one
  // then enlists second in all of them, and the second one acts.
  bool prepare() noexcept {
    if (!order_.reserve(cases_.size())) return false;
    bool meets = false;
    for (Case& c : cases_) {
      meets |= c.channel->flavor() == Flavor::rendezvous;
      (void)order_.push(&c);
    }
    if (!meets) return true;
    std::sort(order_.begin(), order_.end(), [](const Case* a, const Case* b) { return a->channel < b->channel; });
    return true;
  }

  // Enlists the cases until one may be ready; returns true if none is.
  bool enlist(Waiter& waiter) noexcept {
    for (enlisted_ = 0; enlisted_ < order_.size();) {
      Case& c = *order_[enlisted_++];
      c.node = {.waiter = &waiter,
                .owner = c.owner,
                .index = static_cast<std::uint32_t>(&c - cases_.data()),
                .ticket = c.node.ticket};
      if (c.side == Side::sender) {
        c.node.packet = to_packet(c.cell);
        c.node.cost = cost_of(c.cell);
      }
      // (8) sequentially consistent, with the store in Endpoint::close before it cancels: either we see the flag here,
      // or the closer finds our node.
      if (c.channel->enlist(c.side, c.node) || is_end_closed(c)) return false;
    }
    return true;
  }

  void delist() noexcept {
    for (std::size_t i = 0; i < enlisted_; ++i) order_[i]->channel->delist(order_[i]->side, order_[i]->node);
  }

 private:
  std::span<Case> cases_;
  Worklist<Case*, 8> order_;
  std::size_t enlisted_ = 0;
};

// Attempts each case once.
Status attempt_any(std::span<Case> cases, RandomOrder& order, std::size_t& chosen) noexcept {
  if (cases.size() == 1) return try_one(cases, chosen = 0);
  Status status = Status::empty;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    chosen = order.draw(i);
    status = try_one(cases, chosen);
    if (!is_pending(status)) return status;
  }
  return status;
}

}  // namespace

Status try_any(std::span<Case> cases, std::size_t& chosen) noexcept {
  RandomOrder order;
  if (!order.prepare(cases.size())) return Status::no_memory;
  Status status = attempt_any(cases, order, chosen);
  if (!is_pending(status) || cases.size() == 1) return status;
  Worklist<std::uint64_t, 16> versions;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    if (!versions.push(0)) return Status::no_memory;
  }
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t i = 0; i < cases.size(); ++i) versions.begin()[i] = version_of(cases[i]);
    for (int pass = 0; pass < 2; ++pass) {
      status = attempt_any(cases, order, chosen);
      if (!is_pending(status)) return status;
    }
    for (std::size_t i = 0; i < cases.size(); ++i) changed |= versions[i] != version_of(cases[i]);
  }
  return status;
}

namespace {

// Attempts the cases for a short time. Returns true if the wait is decided. At a rendezvous two threads that only poll
// would never meet. One round of attempts of many cases takes as long as a sleep.
bool spin_any(std::span<Case> cases, std::size_t& chosen, Status& status) noexcept {
  RandomOrder order;
  if (cases[0].channel->flavor() == Flavor::rendezvous || cases.size() > most_spun || !order.prepare(cases.size())) {
    return false;
  }
  return spin(detached_spin_ns, reply_pauses,
              [&]() noexcept { return !is_pending(status = attempt_any(cases, order, chosen)); });
}

// Makes the calls that follow record their messages, if a trace has begun meanwhile.
void follow_trace(std::span<Case> cases) noexcept {
  if (!is_traced()) [[likely]]
    return;
  for (const Case& c : cases) c.lane->follow_trace();
}

// Records a message that a peer has transferred to or from a call that was enlisted at `since`.
void trace_transfer(const Case& c, std::int64_t since) noexcept {
  c.channel->trace(c.side == Side::sender ? TraceKind::send : TraceKind::receive, since == 0 ? Deadline::now() : since,
                   c.node.met);
}

TraceCall traced_call(std::span<const Case> cases) noexcept {
  if (cases.size() != 1) return TraceCall::select;
  return cases[0].side == Side::sender ? TraceCall::send : TraceCall::recv;
}

// Shows the wait to readers of the page, before the thread sleeps for the first time.
void show(WaitReport& report, std::span<const Case> cases) noexcept {
  if (report.is_shown()) return;
  WaitTarget targets[most_wait_cases];
  const std::size_t listed = std::min(cases.size(), most_wait_cases);
  for (std::size_t i = 0; i < listed; ++i) targets[i] = wait_target(*cases[i].channel, cases[i].side);
  report.show({targets, listed}, cases.size());
}

Status wait_once(std::span<Case> cases, const WaitLimits& limits, std::size_t& chosen) noexcept {
  Status status = Status::empty;
  if (spin_any(cases, chosen, status)) return status;

  Wait wait(cases);
  if (!wait.prepare()) return Status::no_memory;
  const Deadline until = earlier(limits.deadline, limits.slice);
  // At a rendezvous the other side must find this thread, which would leave for a moment to take the watch.
  const bool may_leave =
      std::ranges::none_of(cases, [](const Case& c) noexcept { return c.channel->flavor() == Flavor::rendezvous; });
  for (IdleWatch watch;;) {
    ThreadWaiter waiter;
    WaitResult woken_by = WaitResult::woken;
    // Before a peer can find the node: so a trace shows no message that is received before it is sent.
    std::int64_t since = is_traced() ? Deadline::now() : 0;
    if (wait.enlist(waiter) && !exit_began(limits)) {
      cases[0].channel->count_park();
      if (limits.report != nullptr) show(*limits.report, cases);
      TraceSpan span(TraceKind::wait, cases[0].channel->trace_subject(), traced_call(cases),
                     static_cast<std::uint32_t>(cases.size()), since);
      since = span.since();
      woken_by = waiter.park(until, may_leave ? &watch : nullptr);
      if ((woken_by != WaitResult::woken || waiter.was_nudged()) && !limits.deadline.passed()) span.cut();
    }
    wait.delist();  // from here on no peer can decide for us (W2, W4), and we may act
    follow_trace(cases);

    if (waiter.was_transferred()) {
      chosen = waiter.index();
      cases[chosen].cell = to_cell(cases[chosen].node.packet);
      if (is_traced()) [[unlikely]]
        trace_transfer(cases[chosen], since);
      return Status::ok;
    }
    if (waiter.is_decided()) cases[waiter.index()].channel->count_wakeup();
    const bool token = waiter.was_notified();
    if (token || woken_by == WaitResult::woken || limits.deadline.passed()) {
      chosen = token ? waiter.index() : 0;
      status = token ? try_one(cases, chosen) : Status::empty;
      // Wake-token rule (d).
      const Case& tried = cases[chosen];
      if (token && is_pending(status) && tried.channel->has_uneven_waiters(tried.side)) {
        tried.channel->pass_token(tried.side);
      }
      if (is_pending(status)) status = try_any(cases, chosen);
      // Wake-token rule (b): another waiter may succeed where this one's endpoint is closed or memory is exhausted. For
      // `closed` also without a token: the next waiter may have gone to sleep when the ring was closed but its last
      // item not yet published, and would now get `closed`. A success has obeyed rule (a). A token whose own case is
      // not ready is spent, because the thread that makes the case ready brings a new one.
      const bool failed = status != Status::ok && !is_pending(status);
      if (status == Status::closed || (failed && token && chosen == waiter.index())) {
        cases[chosen].channel->pass_token(cases[chosen].side);
      }
      if (!is_pending(status)) return status;
    }
    if (limits.deadline.passed()) return Status::timeout;
    if (woken_by == WaitResult::interrupted || limits.slice.passed() || exit_began(limits)) return Status::interrupted;
  }
}

}  // namespace

Status wait_any(std::span<Case> cases, const WaitLimits& limits, std::size_t& chosen) noexcept {
  const Status status = wait_once(cases, limits, chosen);
  for (const Case& c : cases) {
    if (c.node.ticket == 0) continue;
    if (status == Status::interrupted) {
      c.channel->suspend(c.node.ticket);
    } else {
      c.channel->withdraw(c.node.ticket);
    }
  }
  return status;
}

void give_up(const Case& c) noexcept { c.channel->withdraw(c.node.ticket); }

}  // namespace xichan::internal
