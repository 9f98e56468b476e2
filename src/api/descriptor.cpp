#include "xichan/descriptor.h"

#include <unistd.h>

#include <cerrno>
#include <memory>
#include <new>
#include <utility>

#include "endpoint/owned_descriptor.h"
#include "value/block_builder.h"
#include "value/value_access.h"

namespace xichan {

using namespace internal;

static_assert(OwnedDescriptor::unknown == -2);  // in descriptor.h

Descriptor::Descriptor(Descriptor&& other) noexcept : number_(other.release()), timeout_(other.timeout_) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  Descriptor moved(std::move(other));  // closes the previous descriptor
  std::swap(number_, moved.number_);
  std::swap(timeout_, moved.timeout_);
  return *this;
}

Descriptor::~Descriptor() { close(); }

Status Descriptor::dup(int descriptor, Descriptor& out) noexcept {
  const int number = OwnedDescriptor::duplicate(descriptor);
  if (number < 0) return errno == EBADF ? Status::invalid : Status::no_memory;
  out = Descriptor(number);
  return Status::ok;
}

Status Descriptor::take(ValueView view, Descriptor& out) noexcept {
  void* const content = take_moved({ValueAccess::reader(view), &ValueAccess::cell(view)}, moved_descriptor);
  if (content == nullptr) return Status::not_found;
  const std::unique_ptr<OwnedDescriptor> owned(static_cast<OwnedDescriptor*>(content));
  Descriptor taken;
  taken.timeout_ = owned->timeout();
  taken.number_ = owned->release();
  out = std::move(taken);
  return Status::ok;
}

Status Descriptor::move_to(Value& out) noexcept {
  if (number_ < 0) return Status::invalid;
  BlockBuilder builder;
  builder.count_reference();
  const Status status = builder.allocate();
  if (status != Status::ok) return status;
  auto* const owned = new (std::nothrow) OwnedDescriptor(number_, timeout_);
  auto* const moved = owned == nullptr ? nullptr : new (std::nothrow) Moved(moved_descriptor, owned);
  if (moved == nullptr) {
    if (owned != nullptr) (void)owned->release();
    delete owned;
    return Status::no_memory;
  }
  number_ = -1;
  builder.write_reference(builder.root(), moved->as_reference());
  ValueAccess::adopt(out, builder.finish());
  return Status::ok;
}

void Descriptor::close() noexcept {
  if (number_ >= 0) ::close(release());
}

}  // namespace xichan
