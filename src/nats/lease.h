// A value that was received and is not acknowledged yet.
#pragma once

#include <memory>

#include "nats/receiver.h"

namespace xichan::nats::internal {

/// Thread safety: one thread at a time. Functions that return a Status describe a failure by `fail`.
class LeaseCore {
 public:
  LeaseCore(std::shared_ptr<ReceiverCore> receiver, ReceiverCore::Accepted&& delivery, Value&& value) noexcept
      : receiver_(std::move(receiver)), delivery_(std::move(delivery)), value_(std::move(value)) {}

  bool is_inherited() const noexcept { return receiver_->is_inherited(); }
  const Value& value() const noexcept { return value_; }
  std::uint64_t delivery() const noexcept { return delivery_.delivery.count; }
  bool done() const noexcept { return done_; }

  Status ack() {
    const Status status = check();
    if (status != Status::ok) return status;
    receiver_->acknowledge(delivery_);
    done_ = true;
    return status;
  }

  Status nak(const char* reason) {
    Status status = check();
    if (status != Status::ok) return status;
    done_ = true;
    if (receiver_->is_last_delivery(delivery_)) return receiver_->bury(delivery_, reason);
    receiver_->reply(delivery_, "-NAK");
    return status;
  }

  Status extend() {
    const Status status = check();
    if (status == Status::ok) receiver_->reply(delivery_, "+WPI");
    return status;
  }

 private:
  Status check() const {
    if (!done_) return receiver_->check_hub();
    return fail(Status::end_closed, "the value of this lease has been acknowledged or returned");
  }

  const std::shared_ptr<ReceiverCore> receiver_;
  const ReceiverCore::Accepted delivery_;
  const Value value_;
  bool done_ = false;
};

}  // namespace xichan::nats::internal
