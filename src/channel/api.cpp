// The public ends: a counted end each, and the blocking calls without any interpreter around them.
#include <algorithm>
#include <utility>

#include "channel/channel.h"
#include "channel/registry.h"
#include "xichan/channel.h"

namespace xichan {
namespace {

Deadline deadline_of(Timeout timeout) noexcept {
  return timeout == forever ? Deadline::never() : Deadline::after(std::max<std::int64_t>(timeout.count(), 0));
}

// A public end is used by one thread at a time, so nobody closes it during a call.
constinit const atomic<bool> never_closed{false};

template <class Round>
Status wait(Channel& channel, Timeout timeout, Round call) noexcept {
  const Deadline deadline = deadline_of(timeout);
  Status status;
  do {  // a signal handler may have run; the wait goes on
    status = call(channel, WaitRound{deadline, Deadline::never(), never_closed, nullptr});
  } while (status == Status::interrupted);
  return status;
}

ChannelId to_channel_id(Id id) noexcept { return {id.low, id.high}; }

Channel* clone_end(Channel* channel, Side side) noexcept {
  if (channel != nullptr) channel->add_end(side);
  return channel;
}

bool is_finished(const Channel* channel, Side side) noexcept {
  return channel == nullptr || channel->finished_for(side);
}

void close_end(Channel*& channel, Side side) noexcept {
  if (Channel* closing = std::exchange(channel, nullptr)) closing->drop_end(side);
}

Cell& cell_of(std::uint64_t* words) noexcept { return *reinterpret_cast<Cell*>(words); }

}  // namespace

Id EndBase::id() const noexcept {
  return channel_ == nullptr ? Id{} : Id{channel_->id().place, channel_->id().secret};
}
std::uint64_t EndBase::capacity() const noexcept { return channel_ == nullptr ? 0 : channel_->capacity(); }
std::uint64_t EndBase::size() const noexcept { return channel_ == nullptr ? 0 : channel_->size(); }
void EndBase::shutdown(bool immediate) noexcept {
  if (channel_ != nullptr) channel_->shutdown(immediate);
}

Status channel(std::uint64_t capacity, Sender& sender, Receiver& receiver) noexcept {
  Channel* made;
  const Status status = Channel::create(capacity, made);
  if (status != Status::ok) return status;
  sender = Sender(made);
  receiver = Receiver(made);
  return Status::ok;
}

Sender::Sender(Sender&& other) noexcept : EndBase(std::exchange(other.channel_, nullptr)) {}
Sender& Sender::operator=(Sender&& other) noexcept {
  Sender moved(std::move(other));  // what this end was goes with it
  std::swap(channel_, moved.channel_);
  return *this;
}
bool Sender::closed() const noexcept { return is_finished(channel_, Side::sender); }
void Sender::close() noexcept { close_end(channel_, Side::sender); }
Sender Sender::clone() const noexcept { return Sender(clone_end(channel_, Side::sender)); }
Sender Sender::from_id(Id id) noexcept { return Sender(Registry::open(to_channel_id(id), Side::sender)); }

Status Sender::send_nowait(Value&& value) noexcept {
  if (channel_ == nullptr) return Status::end_closed;
  const Status status = channel_->try_send(cell_of(value.cell_));
  if (status == Status::ok) cell_of(value.cell_) = Cell::none();
  return status;
}

Status Sender::send(Value&& value, Timeout timeout) noexcept {
  const Status now = send_nowait(std::move(value));
  if (now != Status::full) return now;
  const Status status = wait(*channel_, timeout, [&](Channel& to, const WaitRound& round) noexcept {
    return to.send(cell_of(value.cell_), round);
  });
  if (status == Status::ok) cell_of(value.cell_) = Cell::none();
  return status;
}

Receiver::Receiver(Receiver&& other) noexcept : EndBase(std::exchange(other.channel_, nullptr)) {}
Receiver& Receiver::operator=(Receiver&& other) noexcept {
  Receiver moved(std::move(other));  // what this end was goes with it
  std::swap(channel_, moved.channel_);
  return *this;
}
bool Receiver::closed() const noexcept { return is_finished(channel_, Side::receiver); }
void Receiver::close() noexcept { close_end(channel_, Side::receiver); }
Receiver Receiver::clone() const noexcept { return Receiver(clone_end(channel_, Side::receiver)); }
Receiver Receiver::from_id(Id id) noexcept { return Receiver(Registry::open(to_channel_id(id), Side::receiver)); }

Status Receiver::recv_nowait(Value& value) noexcept {
  if (channel_ == nullptr) return Status::end_closed;
  Value taken;
  const Status status = channel_->try_recv(cell_of(taken.cell_));
  if (status == Status::ok) value = std::move(taken);
  return status;
}

Status Receiver::recv(Value& value, Timeout timeout) noexcept {
  const Status now = recv_nowait(value);
  if (now != Status::empty) return now;
  Value taken;
  const Status status = wait(*channel_, timeout, [&](Channel& from, const WaitRound& round) noexcept {
    return from.recv(cell_of(taken.cell_), round);
  });
  if (status == Status::ok) value = std::move(taken);
  return status;
}

}  // namespace xichan
