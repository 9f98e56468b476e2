#include "endpoint/owned_descriptor.h"

#include <fcntl.h>
#include <unistd.h>

namespace xichan::internal {
namespace {

void release_descriptor(void* content) noexcept { delete static_cast<OwnedDescriptor*>(content); }

}  // namespace

constinit const MovedType moved_descriptor{
    {ReferenceKind::descriptor, release_moved}, "Descriptor", release_descriptor};

OwnedDescriptor::~OwnedDescriptor() {
  leave();
  if (number_ >= 0) close(number_);  // Linux closes it also if it reports an error
}

int OwnedDescriptor::duplicate(int number) noexcept { return fcntl(number, F_DUPFD_CLOEXEC, 0); }

void OwnedDescriptor::abandon() noexcept {
  leave();
  if (number_ >= 0) close(release());
}

}  // namespace xichan::internal
