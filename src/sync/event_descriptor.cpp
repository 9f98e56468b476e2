#include "sync/event_descriptor.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <new>

namespace xichan::internal {

EventDescriptor* EventDescriptor::create() noexcept {
  const int number = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (number < 0) return nullptr;
  auto* event = new (std::nothrow) EventDescriptor(number);
  if (event == nullptr) close(number);
  return event;
}

void EventDescriptor::destroy() noexcept {
  close(number_);
  delete this;
}

void EventDescriptor::signal() noexcept { (void)eventfd_write(number_, 1); }

void EventDescriptor::clear() noexcept {
  eventfd_t ignored;
  (void)eventfd_read(number_, &ignored);
}

}  // namespace xichan::internal
