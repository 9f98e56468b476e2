// Lets threads that have waited return into their interpreter, until that interpreter ends.
//
// CPython frees an interpreter although a thread may be on its way back into it: between a check whether the
// interpreter has ended and the moment at which the thread is attached, its lock may be destroyed. So a thread counts
// itself at this gate before it attaches, and the thread that ends the interpreter closes the gate and waits for that
// count.
//
// Invariants
//   R1  the word never counts a thread that passes after `close`, except for the thread that closed the gate.
//   R2  once `close` has returned, and until `open`, no other thread is between `enter` and `leave`.
//
// Progress: one compare-and-swap and one subtraction for each wait that returns; no lock.
#pragma once

#include <cstdint>

#include "base/atomic.h"
#include "sync/futex.h"
#include "xichan/export.h"

namespace xichan::internal {

/// Thread safety: any thread; the thread that ends the interpreter calls `close`, `open` and `end`.
class XICHAN_API ReturnGate {
 public:
  /// Counts the calling thread as returning. Blocks while the gate is closed; returns false once it has ended, and then
  /// the thread must never attach. The thread must hold nothing that another thread waits for.
  bool enter() noexcept;
  void leave() noexcept;

  /// Blocks until no thread is returning, but no longer than until the deadline. Returning threads need the lock of the
  /// interpreter, so the caller must have detached. Later the gate lets only the calling thread pass.
  void close(Deadline deadline) noexcept;
  /// Lets all threads pass again. Returns false if the gate was open.
  bool open() noexcept;
  /// Ends the gate: threads that wait to return, or try to, are refused.
  void end() noexcept;

 private:
  static constexpr std::uint32_t closed = 1u << 31;
  static constexpr std::uint32_t ended = 1u << 30;
  static constexpr std::uint32_t count = ended - 1;

  atomic<std::uint32_t> word_{0};           // number of returning threads | flags
  atomic<const void*> closed_by_{nullptr};  // current_thread(); written before the flag `closed`
};

}  // namespace xichan::internal
