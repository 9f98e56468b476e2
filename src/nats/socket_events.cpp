#include "nats/socket_events.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>

namespace xichan::nats::internal {

thread_local int SocketEvents::Writer::depth_ = 0;

SocketEvents::SocketEvents() noexcept
    : poll_(epoll_create1(EPOLL_CLOEXEC)), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!is_usable()) return;
  epoll_event event{.events = EPOLLIN, .data = {.fd = wake_}};
  epoll_ctl(poll_, EPOLL_CTL_ADD, wake_, &event);
}

SocketEvents::~SocketEvents() {
  if (poll_ >= 0) close(poll_);
  if (wake_ >= 0) close(wake_);
}

natsStatus SocketEvents::attach_to(natsOptions* options) noexcept {
  return natsOptions_SetEventLoop(options, this, attach, want_read, want_write, detach);
}

SocketEvents::Ready SocketEvents::wait(int timeout_ms) noexcept {
  std::array<epoll_event, 2> events;
  const int count = epoll_wait(poll_, events.data(), static_cast<int>(events.size()), timeout_ms);
  Ready ready;
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    if (event.data.fd == wake_) {
      std::uint64_t wakes;
      [[maybe_unused]] const auto size = read(wake_, &wakes, sizeof wakes);
    } else {
      ready.read = ready.read || (event.events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0;
      ready.write = ready.write || (event.events & EPOLLOUT) != 0;
    }
  }
  return ready;
}

void SocketEvents::wake() noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto size = write(wake_, &one, sizeof one);  // fails only if the counter is not zero anyway
}

void SocketEvents::set_up() noexcept {
  up_ = true;
  if (socket_ < 0) up_ = false;  // the connection was lost meanwhile
}

void SocketEvents::watch_output() noexcept {
  if (!watching_.exchange(true)) control(EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
}

bool SocketEvents::control(int operation, std::uint32_t events) noexcept {
  const int socket = socket_;
  if (socket < 0) return false;
  epoll_event event{.events = events, .data = {.fd = socket}};
  return epoll_ctl(poll_, operation, socket, &event) == 0;
}

natsStatus SocketEvents::attach(void** data, void* loop, natsConnection*, natsSock socket) noexcept {
  auto& self = *static_cast<SocketEvents*>(loop);
  *data = loop;
  (void)fcntl(socket, F_SETFD, FD_CLOEXEC);  // else programs that this one starts keep the connection open
  self.socket_ = socket;
  self.output_ = false;
  self.watching_ = false;
  return self.control(EPOLL_CTL_ADD, EPOLLIN) ? NATS_OK : NATS_ERR;
}

natsStatus SocketEvents::want_read(void* data, bool wanted) noexcept {
  auto& self = *static_cast<SocketEvents*>(data);
  if (!wanted) {
    self.control(EPOLL_CTL_DEL, 0);  // libnats closes the socket next
    self.socket_ = -1;
    self.up_ = false;
  }
  return NATS_OK;
}

natsStatus SocketEvents::want_write(void* data, bool wanted) noexcept {
  auto& self = *static_cast<SocketEvents*>(data);
  self.output_ = wanted;
  if (!wanted) {
    if (self.watching_.exchange(false)) self.control(EPOLL_CTL_MOD, EPOLLIN);
  } else if (!Writer::exists()) {
    self.wake();
  }
  return NATS_OK;
}

natsStatus SocketEvents::detach(void*) noexcept { return NATS_OK; }

}  // namespace xichan::nats::internal
