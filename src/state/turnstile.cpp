#include "state/turnstile.h"

#include <utility>

namespace xichan::internal {
namespace {

Request& request_of(WaitNode& node) noexcept { return *reinterpret_cast<Request*>(node.packet.words[0]); }

}  // namespace

void Turnstile::withdraw(Request&) noexcept {}

void Turnstile::give_up(Request&) noexcept {}

bool Turnstile::has_ended(const Request& request) noexcept {
  return request.ended != nullptr && request.ended->load(memory_order_seq_cst);
}

bool Turnstile::join(WaitNode& node, Request& request) noexcept {
  node.packet.words[0] = reinterpret_cast<std::uintptr_t>(&request);
  {
    std::lock_guard guard(lock_);
    if (request.ticket == 0) request.ticket = ++last_ticket_;
    node.ticket = request.ticket;
    queue_.link_in_order(node);
    if ((order_ != Order::each && queue_.first() != &node) || !admit(request)) return false;
    queue_.unlink(node);
    if (!std::exchange(admit_more_, false)) return true;
  }
  admit_waiting();
  return true;
}

// In several rounds if the wakes do not fit into a batch.
void Turnstile::admit_waiting() noexcept {
  WakeBatch wakes;
  for (bool again = true; again;) {
    again = false;
    {
      std::lock_guard guard(lock_);
      for (WaitNode* next = queue_.first(); next != nullptr && !again;) {
        WaitNode& node = *next;
        next = WaitList::next(node);
        Request& request = request_of(node);
        if (!admit(request)) {
          if (order_ == Order::each) continue;
          break;
        }
        queue_.unlink(node);
        // Only the queue decides a node that is in it, so this one accepts.
        node.waiter->transfer(node, wakes.add());
        again = wakes.is_full();
      }
      again = std::exchange(admit_more_, false) || again;
    }
    wakes.perform();
  }
}

const char* Turnstile::call_name() const noexcept {
  switch (kind()) {
    case StateKind::cell: return "Cell.wait";
    case StateKind::map: return "Map.wait";
    case StateKind::lock: return "Lock.acquire";
    case StateKind::rlock: return "RLock.acquire";
    case StateKind::semaphore: return "Semaphore.acquire";
    case StateKind::event: return "Event.wait";
    case StateKind::barrier: return "Barrier.wait";
    case StateKind::condition: return "Condition.wait";
    case StateKind::broadcast: return "BroadcastSender.send";
    case StateKind::broadcast_receiver: return "BroadcastReceiver.recv";
    default: return "wait";
  }
}

void Turnstile::show(WaitReport& report) const noexcept {
  const WaitTarget target{.what = WaitTarget::What::object, .kind = static_cast<std::uint8_t>(kind()), .low = number()};
  report.show({&target, 1}, 1);
}

Status Turnstile::wait(Request& request, const WaitLimits& limits) noexcept {
  ThreadWaiter waiter;
  WaitNode node{.waiter = &waiter, .owner = limits.owner_exiting};
  if (join(node, request)) return Status::ok;
  // (13): a call that joins after an exit has begun, or its handle was closed, sees it here.
  if (!has_ended(request) && !waiter.is_decided() && !exit_began(limits)) {
    if (limits.report != nullptr) show(*limits.report);
    waiter.park(earlier(limits.deadline, limits.slice));
  }
  queue_.remove(node);
  if (waiter.was_transferred()) return Status::ok;
  if (has_ended(request)) return Status::end_closed;
  return limits.deadline.passed() ? Status::timeout : Status::interrupted;
}

}  // namespace xichan::internal
