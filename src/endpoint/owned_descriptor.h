// A file descriptor that belongs to one object at a time: a handle, a message, or a C++ program.
//
// While a handle of an interpreter has it, it is listed with the interpreter's EndpointOwner, which closes it when the
// interpreter ends, whatever happens to the handle. While a message has it, nothing lists it: the release of the
// message closes it, on any thread.
//
// Fork: the child has a copy of each descriptor, and closes only that.
#pragma once

#include "endpoint/endpoint.h"
#include "value/moved.h"

namespace xichan::internal {

/// Thread safety: one thread at a time. While it is listed, its owner's lock guards it.
class XICHAN_API OwnedDescriptor final : public OwnedWait, public InSlab {
 public:
  /// Of a socket that has no timeout; of a descriptor whose timeout is not known.
  static constexpr double blocking = -1, unknown = -2;

  /// Takes over an open descriptor. `timeout`: that of the socket object it belonged to, in seconds.
  explicit OwnedDescriptor(int number, double timeout = unknown) noexcept : timeout_(timeout), number_(number) {}
  OwnedDescriptor(const OwnedDescriptor&) = delete;
  OwnedDescriptor& operator=(const OwnedDescriptor&) = delete;
  /// Closes the descriptor. A system call: not under a lock of the core.
  ~OwnedDescriptor();

  /// Returns a duplicate, which programs that are executed do not inherit; -1 with errno set.
  static int duplicate(int number) noexcept;

  int number() const noexcept { return number_; }  // -1 once the owner has ended
  double timeout() const noexcept { return timeout_; }
  /// Returns the number, which the caller owns then.
  int release() noexcept { return std::exchange(number_, -1); }

  /// Lists the descriptor with an owner that has not ended.
  void join(EndpointOwner& owner) noexcept {
    owner_ = &owner;
    owner.add(*this);
  }
  void leave() noexcept {
    if (owner_ != nullptr) std::exchange(owner_, nullptr)->remove(*this);
  }
  void abandon() noexcept override;

 private:
  const double timeout_;
  int number_;
  EndpointOwner* owner_ = nullptr;
};

}  // namespace xichan::internal
