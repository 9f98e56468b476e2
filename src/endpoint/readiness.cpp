#include "endpoint/readiness.h"

#include <new>

namespace xichan::internal {

Readiness* Readiness::create(Channel& channel, Side side, const void* owner) noexcept {
  EventDescriptor* event = EventDescriptor::create();
  if (event == nullptr) return nullptr;
  auto* readiness = new (std::nothrow) Readiness(channel, side, owner, *event);
  if (readiness == nullptr) {
    event->release();
    return nullptr;
  }
  if (readiness->arm(0)) event->signal();
  return readiness;
}

void Readiness::destroy(Readiness* readiness) noexcept {
  if (readiness == nullptr) return;
  if (!readiness->channel_.is_inherited()) readiness->channel_.delist(readiness->side_, readiness->node_);
  readiness->event_.release();
  delete readiness;
}

bool Readiness::arm(std::uint64_t cost) noexcept {
  channel_.delist(side_, node_);
  event_.clear();
  node_ = {.waiter = this, .owner = owner_, .cost = cost, .kind = WaitKind::hint};
  return channel_.enlist(side_, node_);
}

bool Readiness::notify(WaitNode&, Wake& wake) noexcept {
  event_.retain();
  wake.event = &event_;
  return false;  // the token goes to the next waiter
}

}  // namespace xichan::internal
