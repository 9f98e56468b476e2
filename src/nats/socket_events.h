// The events of a connection's socket, for a thread that waits for them: libnats runs no thread of its own for a
// connection whose socket it attaches to an event loop.
//
// libnats calls `attach`, `want_read`, `want_write` and `detach` with the lock of the connection held. They take no
// lock, so any lock may be held while libnats is called.
#pragma once

#include <nats/nats.h>

#include <atomic>
#include <cstdint>

namespace xichan::nats::internal {

class SocketEvents {
 public:
  SocketEvents() noexcept;
  ~SocketEvents();
  SocketEvents(const SocketEvents&) = delete;
  SocketEvents& operator=(const SocketEvents&) = delete;

  /// Returns false if descriptors are exhausted.
  bool is_usable() const noexcept { return poll_ >= 0 && wake_ >= 0; }
  natsStatus attach_to(natsOptions* options) noexcept;

  struct Ready {
    bool read = false;
    bool write = false;
  };
  /// Blocks until the socket is ready, `wake` is called, or the time has passed; -1: indefinitely. One thread.
  Ready wait(int timeout_ms) noexcept;
  /// Ends a wait, the current one or the next.
  void wake() noexcept;

  /// Whether messages may be published: the connection is up, and `set_up` was called since.
  bool is_up() const noexcept { return up_; }
  void set_up() noexcept;
  void set_down() noexcept { up_ = false; }

  /// Whether libnats has bytes to write.
  bool has_output() const noexcept { return output_; }
  /// Has `wait` report when the socket can be written.
  void watch_output() noexcept;

  /// While one exists in a thread, output of this thread does not wake the loop, because the thread writes it itself.
  class Writer {
   public:
    Writer() noexcept { ++depth_; }
    ~Writer() { --depth_; }
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;
    static bool exists() noexcept { return depth_ != 0; }

   private:
    static thread_local int depth_;
  };

 private:
  static natsStatus attach(void** data, void* loop, natsConnection* connection, natsSock socket) noexcept;
  static natsStatus want_read(void* data, bool wanted) noexcept;
  static natsStatus want_write(void* data, bool wanted) noexcept;
  static natsStatus detach(void* data) noexcept;
  bool control(int operation, std::uint32_t events) noexcept;

  int poll_;
  int wake_;
  // Sequentially consistent: they change a few times per reconnection, or with a system call.
  std::atomic<int> socket_{-1};
  std::atomic<bool> up_{false};
  std::atomic<bool> output_{false};
  std::atomic<bool> watching_{false};  // whether `wait` reports that the socket can be written
};

}  // namespace xichan::nats::internal
