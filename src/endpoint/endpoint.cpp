#include "endpoint/endpoint.h"

#include <new>
#include <utility>

#include "directory/names.h"
#include "directory/tickets.h"
#include "endpoint/readiness.h"
#include "state/object.h"

namespace xichan::internal {

Endpoint* Endpoint::open(Channel* channel, Side side, EndpointOwner& owner, EndpointOrigin origin) noexcept {
  Endpoint* endpoint = owner.has_ended() ? nullptr : new (std::nothrow) Endpoint(channel, side);
  if (endpoint == nullptr) {
    channel->drop_endpoint(side);
    return nullptr;
  }
  endpoint->owner_ = &owner;
  owner.endpoints_.push_front(*endpoint);
  endpoint->listed_ = owner.table_.add({.id = endpoint->id_, .side = side, .origin = origin});
  return endpoint;
}

void Endpoint::destroy(Endpoint* endpoint) noexcept {
  endpoint->close();
  if (endpoint->owner_ != nullptr) endpoint->owner_->endpoints_.remove(*endpoint);
  // A call that outlived its owner and never returns may still read `closed_`, so its Endpoint is leaked (about 100
  // bytes).
  if (endpoint->calls_ == 0) delete endpoint;
}

void Endpoint::release_count() noexcept {
  if (!owns_count_) return;
  owns_count_ = false;
  Readiness::destroy(std::exchange(readiness_, nullptr));
  channel_->unclaim(side_, lane_);
  channel_->drop_endpoint(side_);
}

void Endpoint::close() noexcept {
  // (8) sequentially consistent, before looking at the wait list: see Wait::enlist.
  if (closed_.exchange(true, memory_order_seq_cst)) return;
  open_generation_ = plain_generation_ = ~generation_;
  if (owner_ != nullptr) owner_->table_.remove(std::exchange(listed_, nullptr));
  if (generation_ != process_generation()) return;  // the child of a fork releases nothing
  if (side_ == Side::sender) channel_->withdraw_owner(this);
  if (calls_ == 0) {
    release_count();
  } else {
    channel_->cancel_calls(side_, this);
  }
}

void Endpoint::close(const Cell& error) noexcept {
  if (is_closed()) return release(error);
  channel_->fail(other(side_), error);  // before the count is dropped: F1
  close();
}

void Endpoint::leave() noexcept {
  if (--calls_ == 0 && is_closed()) release_count();
}

std::uint32_t EndpointOwner::next_number() noexcept {
  static constinit atomic<std::uint32_t> last{0};
  return last.fetch_add(1, memory_order_relaxed) + 1;
}

void EndpointOwner::begin_exit() noexcept {
  exiting_.store(true, memory_order_seq_cst);  // (13), as Process::begin_exit
  nudge_waits();
}

void EndpointOwner::interrupt_waits() noexcept {
  interrupts_.fetch_add(1, memory_order_seq_cst);  // (13)
  nudge_waits();
}

void EndpointOwner::nudge_waits() noexcept {
  for (Endpoint* e = endpoints_.first(); e != nullptr; e = endpoints_.next(*e)) {
    // A closed endpoint's calls have been cancelled, and its channel may be gone.
    if (e->has_waiters() && !e->is_closed()) e->channel_->nudge_calls(e->side_, e);
  }
  Names::nudge_owner(&exiting_);
  StateObjects::nudge_owner(&exiting_);
}

int Endpoint::descriptor() noexcept {
  if (readiness_ == nullptr) readiness_ = Readiness::create(*channel_, side_, this);
  return readiness_ == nullptr ? -1 : readiness_->descriptor();
}

bool Endpoint::arm(std::uint64_t cost) noexcept { return readiness_ != nullptr && readiness_->arm(cost); }

void EndpointOwner::release_all() noexcept {
  ended_.store(true, memory_order_seq_cst);    // before waking the calls inside
  exiting_.store(true, memory_order_seq_cst);  // (13): a call that waits for an object returns, and a later one sees it
  returns.end();
  while (OwnedWait* wait = waits_.first()) wait->abandon();
  while (Endpoint* endpoint = endpoints_.first()) {
    endpoints_.remove(*endpoint);
    table_.remove(std::exchange(endpoint->listed_, nullptr));
    endpoint->owner_ = nullptr;
    endpoint->close();
    endpoint->release_count();
  }
  Tickets::cancel_owner(this);
  StateObjects::owner_ended(number);
  StateObjects::nudge_owner(&exiting_);  // the threads that wait never return
}

}  // namespace xichan::internal
