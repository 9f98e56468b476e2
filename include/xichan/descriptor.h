// File descriptors (of sockets, pipes and files) that move to a receiver.
#pragma once

#include "xichan/value.h"

namespace xichan {

/// Owns a file descriptor, and closes it. Thread safety: one thread at a time. Progress: no function waits for another
/// thread; closing is a system call.
class XICHAN_API Descriptor {
 public:
  /// Owns nothing.
  Descriptor() noexcept = default;
  /// Takes over an open descriptor.
  explicit Descriptor(int descriptor) noexcept : number_(descriptor) {}
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();

  /// Makes a duplicate of an open descriptor, which programs that are executed do not inherit. Returns `invalid` if
  /// there is no such descriptor, and `no_memory` if the process cannot have another one; errno has the cause. Leaves
  /// `out` unchanged unless `ok`.
  static Status dup(int descriptor, Descriptor& out) noexcept;

  /// Takes the descriptor out of a value of kind `descriptor`, which another thread or interpreter sent. Returns
  /// `not_found` if it was taken before or the value has another kind, and leaves `out` unchanged then. Any number of
  /// threads may read the value; one of them gets the descriptor.
  static Status take(ValueView view, Descriptor& out) noexcept;
  /// Makes a value of kind `descriptor` that owns the descriptor, and empties this object. Python receives it as a
  /// `xichan.Descriptor`. The descriptor is closed with the value, unless a receiver takes it. Returns `invalid` for an
  /// empty object, `no_memory` or `arena_full`; then nothing changes.
  Status move_to(Value& out) noexcept;

  /// Returns the number of the descriptor, or -1.
  int get() const noexcept { return number_; }
  explicit operator bool() const noexcept { return number_ >= 0; }
  /// Returns the number, which the caller owns then; or -1.
  int release() noexcept { return std::exchange(number_, -1); }
  void close() noexcept;

 private:
  int number_ = -1;
  double timeout_ = -2;  // see OwnedDescriptor, in src/endpoint/owned_descriptor.h
};

}  // namespace xichan
