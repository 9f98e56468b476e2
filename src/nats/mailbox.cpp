#include "nats/mailbox.h"

#include <new>

namespace xichan::nats::internal {

Status Mailbox::create(std::uint64_t capacity, std::shared_ptr<Mailbox>& mailbox, Value& receiver) noexcept {
  try {
    const auto made = std::make_shared<Mailbox>();
    xichan::Receiver opened;
    const xichan::ChannelOptions options{.capacity = capacity,
                                         .overflow = capacity == unbounded ? Overflow::block : Overflow::drop_oldest};
    Status status = xichan::channel(options, made->sender_, opened);
    if (status == Status::ok) status = opened.as_value(receiver);
    if (status == Status::ok) mailbox = made;
    return status;
  } catch (const std::bad_alloc&) {
    return Status::no_memory;
  }
}

void Mailbox::post(Value&& value) noexcept {
  const std::lock_guard lock(mutex_);
  (void)sender_.send_nowait(std::move(value));  // fails only if no thread will ever receive
}

void Mailbox::close() noexcept {
  const std::lock_guard lock(mutex_);
  sender_.close();
}

std::size_t Mailbox::size() const noexcept {
  const std::lock_guard lock(mutex_);
  return sender_.size();
}

bool Mailbox::is_abandoned() const noexcept {
  const std::lock_guard lock(mutex_);
  return sender_.closed();
}

}  // namespace xichan::nats::internal
