#include "endpoint/readiness.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <new>

namespace xichan::internal {

Readiness* Readiness::create(Channel& channel, Side side) noexcept {
  const int descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (descriptor < 0) return nullptr;
  auto* readiness = new (std::nothrow) Readiness(channel, side, descriptor);
  if (readiness == nullptr) {
    close(descriptor);
    return nullptr;
  }
  if (readiness->arm()) (void)eventfd_write(descriptor, 1);
  return readiness;
}

void Readiness::destroy(Readiness* readiness) noexcept {
  if (readiness == nullptr) return;
  if (!readiness->channel_.is_inherited()) readiness->channel_.delist(readiness->side_, readiness->node_);
  close(readiness->descriptor_);
  delete readiness;
}

bool Readiness::arm() noexcept {
  channel_.delist(side_, node_);
  eventfd_t ignored;
  (void)eventfd_read(descriptor_, &ignored);
  node_ = {.waiter = this, .owner = this};
  return channel_.enlist(side_, node_);
}

bool Readiness::notify(WaitNode&, Wake&) noexcept {
  (void)eventfd_write(descriptor_, 1);
  return false;  // the token goes to the next waiter
}

}  // namespace xichan::internal
