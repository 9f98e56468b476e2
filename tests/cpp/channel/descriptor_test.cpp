// OwnedDescriptor: closed by its owner's end, unless it has left before.
#include <fcntl.h>
#include <unistd.h>

#include "endpoint/owned_descriptor.h"
#include "support/support.h"

namespace xichan::internal {
namespace {

bool is_open(int number) { return fcntl(number, F_GETFD) != -1; }

int open_null() { return open("/dev/null", O_RDONLY | O_CLOEXEC); }

TEST(OwnedDescriptor, IsClosedWhenItsOwnerEnds) {
  EndpointOwner owner;
  OwnedDescriptor descriptor(open_null(), 1.5);
  const int number = descriptor.number();
  descriptor.join(owner);
  owner.release_all();
  EXPECT_FALSE(is_open(number));
  EXPECT_EQ(descriptor.number(), -1);
  EXPECT_EQ(descriptor.timeout(), 1.5);
}

TEST(OwnedDescriptor, OutlivesAnOwnerThatItLeft) {
  EndpointOwner owner;
  int number;
  {
    OwnedDescriptor descriptor(open_null());
    number = descriptor.number();
    descriptor.join(owner);
    descriptor.leave();
    owner.release_all();
    EXPECT_TRUE(is_open(number));
    EXPECT_EQ(descriptor.timeout(), OwnedDescriptor::unknown);
  }
  EXPECT_FALSE(is_open(number));
}

TEST(OwnedDescriptor, LeavesItsOwnerWhenItIsDestroyed) {
  EndpointOwner owner;
  int number;
  {
    OwnedDescriptor descriptor(open_null());
    number = descriptor.number();
    descriptor.join(owner);
  }
  EXPECT_FALSE(is_open(number));
  owner.release_all();  // does not visit it
}

TEST(OwnedDescriptor, ReleasedNumberStaysOpen) {
  int number;
  {
    OwnedDescriptor descriptor(open_null());
    number = descriptor.release();
    EXPECT_EQ(descriptor.number(), -1);
  }
  ASSERT_TRUE(is_open(number));
  const int duplicate = OwnedDescriptor::duplicate(number);
  EXPECT_TRUE(fcntl(duplicate, F_GETFD) & FD_CLOEXEC);
  close(duplicate);
  close(number);
}

}  // namespace
}  // namespace xichan::internal
