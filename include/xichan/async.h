// co_await on channels, for the coroutines of any event loop or executor. Not part of xichan.h.
#pragma once

#include <coroutine>
#include <cstddef>
#include <utility>

#include "xichan/channel.h"

namespace xichan {

namespace internal {
class AsyncCall;
class AsyncLoop;
}  // namespace internal

/// Resumes coroutines that wait for channels.
///
///     Status status = co_await notifier.recv(receiver, value);
///
/// An event loop polls `descriptor` and calls `run` when it is readable. `run` completes the operations that have
/// become possible and resumes their coroutines, or passes them to an executor.
///
/// Thread safety: operations may begin on any thread; one thread at a time calls `run`. The notifier outlives the
/// coroutines that wait for it. A coroutine that waits may be destroyed while no thread is inside `run`: that ends its
/// operation, and no value is lost. Progress: nothing here blocks.
class XICHAN_API Notifier {
 public:
  class Operation;

  /// Makes an empty notifier, for `make`.
  Notifier() noexcept = default;
  Notifier(Notifier&& other) noexcept : loop_(std::exchange(other.loop_, nullptr)) {}
  Notifier& operator=(Notifier&& other) noexcept {
    std::swap(loop_, other.loop_);
    return *this;
  }
  ~Notifier();

  /// Makes a notifier. Returns `ok`, or `no_memory` if memory or descriptors are exhausted; leaves `out` unchanged
  /// unless `ok`.
  static Status make(Notifier& out) noexcept;

  /// Returns the descriptor, which is readable while `run` has something to do; -1 for an empty notifier.
  int descriptor() const noexcept;

  /// Returns an awaitable that receives the oldest value, suspending the coroutine while the channel is empty. Its
  /// result is what `Receiver::recv` returns. The endpoint and `value` must not be used, moved or closed until then.
  [[nodiscard]] Operation recv(Receiver& receiver, Value& value) noexcept;
  /// Returns an awaitable that sends a value, suspending the coroutine while the channel is full. Its result is
  /// what `Sender::send` returns. Takes over the value if that is `ok`, else leaves it unchanged. Likewise, nothing may
  /// be used, moved or closed until then.
  [[nodiscard]] Operation send(Sender& sender, Value&& value) noexcept;

  /// Completes the operations that are possible now and passes each coroutine to `resume(std::coroutine_handle<>)`,
  /// which resumes or schedules it. Returns the number of coroutines. Throws what `resume` throws.
  template <class Resume>
  std::size_t run(Resume&& resume) {
    const Run current{*this};
    std::size_t resumed = 0;
    for (std::size_t left = begin_run(); left > 0; --left) {
      void* const address = next();
      if (address == nullptr) continue;
      ++resumed;
      resume(std::coroutine_handle<>::from_address(address));
    }
    return resumed;
  }
  /// Resumes the coroutines on this thread.
  std::size_t run() {
    return run([](std::coroutine_handle<> coroutine) { coroutine.resume(); });
  }

 private:
  // Makes the descriptor readable again if operations are left, also because `resume` has thrown.
  struct Run {
    Notifier& notifier;
    ~Run() { notifier.end_run(); }
  };

  // Makes the descriptor unreadable and returns the number of decided operations.
  std::size_t begin_run() noexcept;
  void end_run() noexcept;
  // Removes one of them and tries it. Returns the address of its coroutine if it is complete, else null.
  void* next() noexcept;

  internal::AsyncLoop* loop_ = nullptr;
};

/// One send or receive of a coroutine. Await it immediately and only once.
class XICHAN_API Notifier::Operation {
 public:
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;
  ~Operation();

  bool await_ready() noexcept;
  bool await_suspend(std::coroutine_handle<> coroutine) noexcept { return suspend(coroutine.address()); }
  Status await_resume() noexcept;

 private:
  friend class Notifier;
  Operation(internal::AsyncLoop* loop, Receiver* receiver, Sender* sender, Value* value) noexcept
      : loop_(loop), receiver_(receiver), sender_(sender), value_(value) {}
  bool suspend(void* coroutine) noexcept;

  internal::AsyncLoop* const loop_;
  Receiver* const receiver_;  // one of these is null
  Sender* const sender_;
  Value* const value_;
  internal::AsyncCall* call_ = nullptr;  // while the coroutine is suspended
  Status status_ = Status::invalid;
};

inline Notifier::Operation Notifier::recv(Receiver& receiver, Value& value) noexcept {
  return {loop_, &receiver, nullptr, &value};
}
inline Notifier::Operation Notifier::send(Sender& sender, Value&& value) noexcept {
  return {loop_, nullptr, &sender, &value};
}

}  // namespace xichan
