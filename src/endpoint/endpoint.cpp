#include "endpoint/endpoint.h"

#include <new>
#include <utility>

#include "directory/names.h"
#include "directory/registry.h"
#include "directory/tickets.h"
#include "endpoint/readiness.h"

namespace xichan::internal {

Endpoint* Endpoint::open(Channel* channel, Side side, EndpointOwner& owner) noexcept {
  Endpoint* end = owner.has_ended() ? nullptr : new (std::nothrow) Endpoint(channel, side);
  if (end == nullptr) {
    channel->drop_endpoint(side);
    return nullptr;
  }
  end->owner_ = &owner;
  owner.endpoints_.push_back(*end);
  return end;
}

void Endpoint::destroy(Endpoint* end) noexcept {
  end->close();
  if (end->owner_ != nullptr) end->owner_->endpoints_.remove(*end);
  // A call that never came back from its owner's end may still look at `closed_`: its End stays (some 100 bytes).
  if (end->calls_ == 0) delete end;
}

void Endpoint::give_back() noexcept {
  if (!owns_count_) return;
  owns_count_ = false;
  Readiness::destroy(std::exchange(readiness_, nullptr));
  channel_->unclaim(side_, lane_);
  if (calls_ == 0) channel_->forget(lane_);  // else a call that never comes back may still use it
  channel_->drop_endpoint(side_);
}

void Endpoint::close() noexcept {
  // (8) sequentially consistent, before the look at the wait list: see Wait::enlist.
  if (closed_.exchange(true, memory_order_seq_cst)) return;
  if (generation_ != process_generation()) return;  // a fork's child lets go of nothing
  if (calls_ == 0) {
    give_back();
  } else {
    channel_->cancel_calls(side_, this);
  }
}

void Endpoint::leave() noexcept {
  if (--calls_ == 0 && is_closed()) give_back();
}

void EndpointOwner::begin_exit() noexcept {
  exiting_.store(true, memory_order_seq_cst);  // (13), as Process::begin_exit
  Registry::nudge_all();
  Names::nudge_all();
}

int Endpoint::descriptor() noexcept {
  if (readiness_ == nullptr) readiness_ = Readiness::create(*channel_, side_);
  return readiness_ == nullptr ? -1 : readiness_->descriptor();
}

bool Endpoint::arm() noexcept { return readiness_ != nullptr && readiness_->arm(); }

void EndpointOwner::give_back_all() noexcept {
  ended_.store(true, memory_order_seq_cst);  // before the calls inside are woken
  while (OwnedWait* wait = waits_.first()) wait->abandon();
  while (Endpoint* end = endpoints_.first()) {
    endpoints_.remove(*end);
    end->owner_ = nullptr;
    end->close();
    end->give_back();
  }
  Tickets::cancel_owner(this);
}

}  // namespace xichan::internal
