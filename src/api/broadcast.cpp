#include "xichan/broadcast.h"

#include <algorithm>
#include <new>

#include "api/state_access.h"
#include "state/broadcast.h"

namespace xichan {

using internal::BroadcastChannel, internal::BroadcastMessage, internal::Subscription;
using internal::cell_of, internal::StateAccess, internal::StateObject;

namespace {

constexpr std::uint64_t most_messages = std::uint64_t{1} << 32;

// Returns the channel of a Broadcast or BroadcastSender.
BroadcastChannel* channel_of(const BroadcastBase& handle) noexcept {
  auto* const object = StateAccess::usable<StateObject>(handle);
  if (object == nullptr || object->kind() == StateKind::broadcast) return static_cast<BroadcastChannel*>(object);
  return &static_cast<internal::BroadcastSender*>(object)->channel();
}

Subscription* subscription_of(const BroadcastReceiver& handle) noexcept {
  return StateAccess::usable<Subscription>(handle);
}

}  // namespace

std::uint64_t BroadcastBase::capacity() const noexcept {
  const BroadcastChannel* channel = channel_of(*this);
  return channel == nullptr ? 0 : channel->capacity();
}

Overflow BroadcastBase::overflow() const noexcept {
  const BroadcastChannel* channel = channel_of(*this);
  return channel != nullptr && channel->drops_oldest() ? Overflow::drop_oldest : Overflow::block;
}

std::uint64_t BroadcastBase::subscribers() const noexcept {
  BroadcastChannel* const channel = channel_of(*this);
  return channel == nullptr ? 0 : channel->subscribers();
}

// Without a deadline it does not block.
Status BroadcastSender::send_by(Value& value, const internal::Deadline* deadline, const internal::Stop* stop) noexcept {
  BroadcastChannel* const channel = channel_of(*this);
  if (channel == nullptr) return Status::end_closed;
  BroadcastMessage* message;
  Status status = BroadcastMessage::make(cell_of(value), message);
  if (status != Status::ok) return status;
  status = channel->try_send(message);
  if (status == Status::full && deadline != nullptr) {
    internal::Request request = BroadcastChannel::send_request(message);
    status = internal::wait_admitted(*channel, request, *deadline, stop);
    if (status == Status::ok) status = static_cast<Status>(request.answer);
    // Not sent, without subscribers, or one that was replaced.
    if (status == Status::ok && request.subject != nullptr) {
      BroadcastMessage::free(static_cast<BroadcastMessage*>(request.subject));
    }
  }
  if (status == Status::ok) {
    cell_of(value) = internal::Cell::none();
  } else {
    internal::retain(cell_of(value));  // the value stays the caller's
    BroadcastMessage::free(message);
  }
  return status;
}

Status BroadcastSender::send(Value&& value, TimeLimit limit) noexcept {
  const internal::Deadline deadline = internal::deadline_of(limit);
  return send_by(value, &deadline, nullptr);
}

Status BroadcastSender::send(Value&& value, StopRef stop, TimeLimit limit) noexcept {
  BroadcastChannel* const channel = channel_of(*this);
  if (channel == nullptr) return Status::end_closed;
  return internal::run_stoppable_at(
      *channel, stop, limit,
      [&](internal::Deadline deadline, const internal::Stop* by) noexcept { return send_by(value, &deadline, by); });
}

Status BroadcastSender::send_nowait(Value&& value) noexcept { return send_by(value, nullptr, nullptr); }

// Without a deadline it does not block.
Status BroadcastReceiver::recv_by(Value& value, const internal::Deadline* deadline,
                                  const internal::Stop* stop) noexcept {
  Subscription* const subscription = subscription_of(*this);
  if (subscription == nullptr) return Status::end_closed;
  for (std::uint64_t ticket = 0;;) {
    BroadcastMessage* message;
    std::uint64_t number;
    const std::uint64_t next = subscription->next();
    switch (subscription->look(message, number)) {
      case Subscription::Received::message: {
        const internal::Cell cell = message->cell;
        const bool taken = subscription->take(message);
        if (taken) internal::share_cell(cell, value);
        BroadcastMessage::leave(message);
        if (taken) return Status::ok;
        break;
      }
      case Subscription::Received::lagged:
        if (!subscription->skip(next, number)) break;
        missed_ = number - next;
        return Status::lagged;
      case Subscription::Received::closed: return Status::closed;
      case Subscription::Received::empty: {
        if (deadline == nullptr) return Status::empty;
        internal::Request request = Subscription::request_of(number);
        request.ticket = ticket;
        const Status status =
            internal::wait_admitted(subscription->channel(), request, *deadline, stop, "BroadcastReceiver.recv");
        if (status != Status::ok) return status;
        ticket = request.ticket;
      }
    }
  }
}

Status BroadcastReceiver::recv(Value& value, TimeLimit limit) noexcept {
  const internal::Deadline deadline = internal::deadline_of(limit);
  return recv_by(value, &deadline, nullptr);
}

Status BroadcastReceiver::recv(Value& value, StopRef stop, TimeLimit limit) noexcept {
  Subscription* const subscription = subscription_of(*this);
  if (subscription == nullptr) return Status::end_closed;
  return internal::run_stoppable_at(
      subscription->channel(), stop, limit,
      [&](internal::Deadline deadline, const internal::Stop* by) noexcept { return recv_by(value, &deadline, by); });
}

Status BroadcastReceiver::recv_nowait(Value& value) noexcept { return recv_by(value, nullptr, nullptr); }

std::uint64_t BroadcastReceiver::size() const noexcept {
  const Subscription* subscription = subscription_of(*this);
  return subscription == nullptr ? 0 : std::min(subscription->pending(), subscription->channel().capacity());
}

Status Broadcast::subscribe(BroadcastReceiver& receiver) noexcept {
  BroadcastChannel* const channel = channel_of(*this);
  if (channel == nullptr) return Status::end_closed;
  return StateAccess::introduce(new (std::nothrow) Subscription(*channel), {}, receiver);
}

Status Broadcast::sender(BroadcastSender& sender) const noexcept {
  BroadcastChannel* const channel = channel_of(*this);
  if (channel == nullptr) return Status::end_closed;
  internal::BroadcastSender* const object = channel->sender();
  if (object == nullptr) return Status::closed;
  StateAccess::adopt(sender, *object);
  return Status::ok;
}

Status broadcast(const BroadcastOptions& options, BroadcastSender& sender, Broadcast& subscribe) noexcept {
  if (options.capacity > most_messages) return Status::too_large;
  if (options.capacity == 0 || options.overflow == Overflow::drop_newest) return Status::invalid;
  BroadcastChannel* channel;
  Status status = BroadcastChannel::create(options.capacity, options.overflow == Overflow::drop_oldest, channel);
  if (status != Status::ok) return status;
  // The sender first: once the channel has its name, other threads may ask for it.
  BroadcastSender tx;
  status = StateAccess::introduce(new (std::nothrow) internal::BroadcastSender(*channel), {}, tx);
  if (status != Status::ok) {
    channel->release();
    return status;
  }
  Broadcast named;
  status = StateAccess::introduce(channel, options.name, named);
  if (status != Status::ok) return status;
  sender = std::move(tx);
  subscribe = std::move(named);
  return Status::ok;
}

}  // namespace xichan
