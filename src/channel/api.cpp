// The public ends: a counted end each, and the blocking calls without any interpreter around them.
#include <algorithm>
#include <new>
#include <utility>

#include "channel/registry.h"
#include "channel/select.h"
#include "xichan/channel.h"

namespace xichan {
namespace {

Deadline deadline_of(Timeout timeout) noexcept {
  return timeout == forever ? Deadline::never() : Deadline::after(std::max<std::int64_t>(timeout.count(), 0));
}

// A public end is used by one thread at a time, so nobody closes it during a call; and it belongs to no interpreter.
constinit const atomic<bool> never{false};

Status wait(Channel& channel, Side side, Lane& lane, Cell& cell, Timeout timeout) noexcept {
  const Deadline deadline = deadline_of(timeout);
  Case only{.channel = &channel, .side = side, .lane = &lane, .end_closed = &never, .owner = nullptr, .cell = cell};
  Status status;
  std::size_t chosen;
  do {  // a signal handler may have run; the wait goes on
    status = wait_any({&only, 1}, {deadline, Deadline::never(), &never, process_is_exiting()}, chosen);
  } while (status == Status::interrupted);
  if (status == Status::ok) cell = only.cell;
  return status;
}

ChannelId to_channel_id(Id id) noexcept { return {id.low, id.high}; }

// The channel with one more end, or null.
Channel* one_more(Channel* channel, Side side) noexcept {
  if (channel != nullptr) channel->add_end(side);
  return channel;
}

bool is_finished(const Channel* channel, Side side) noexcept {
  return channel == nullptr || channel->finished_for(side);
}

void close_end(Channel*& channel, Lane*& lane, Side side) noexcept {
  Channel* closing = std::exchange(channel, nullptr);
  if (closing == nullptr) return;
  closing->unclaim(side, *lane);
  closing->forget(*lane);
  delete std::exchange(lane, nullptr);
  closing->drop_end(side);
}

// Without memory for its lane an end stays empty, and the count that it was to have goes back.
void check_lane(Channel*& channel, const Lane* lane, Side side) noexcept {
  if (channel != nullptr && lane == nullptr) std::exchange(channel, nullptr)->drop_end(side);
}

Cell& cell_of(std::uint64_t* words) noexcept { return *reinterpret_cast<Cell*>(words); }

}  // namespace

EndBase::EndBase(Channel* channel) noexcept
    : channel_(channel), lane_(channel == nullptr ? nullptr : new(std::nothrow) Lane) {}
EndBase::EndBase(EndBase&& other) noexcept { swap(other); }
void EndBase::swap(EndBase& other) noexcept {
  std::swap(channel_, other.channel_);
  std::swap(lane_, other.lane_);
}
Id EndBase::id() const noexcept { return channel_ == nullptr ? Id{} : Id{channel_->id().place, channel_->id().secret}; }
std::uint64_t EndBase::capacity() const noexcept { return channel_ == nullptr ? 0 : channel_->capacity(); }
std::uint64_t EndBase::size() const noexcept { return channel_ == nullptr ? 0 : channel_->size(); }
void EndBase::shutdown(bool immediate) noexcept {
  if (channel_ != nullptr) channel_->shutdown(immediate);
}

Status channel(std::uint64_t capacity, Sender& sender, Receiver& receiver) noexcept {
  Channel* made;
  const Status status = Channel::create({.capacity = capacity}, made);
  if (status != Status::ok) return status;
  sender = Sender(made);
  receiver = Receiver(made);
  return sender && receiver ? Status::ok : Status::no_memory;
}

Sender::Sender(Channel* channel) noexcept : EndBase(channel) { check_lane(channel_, lane_, Side::sender); }
Sender& Sender::operator=(Sender&& other) noexcept {
  Sender moved(std::move(other));  // what this end was goes with it
  swap(moved);
  return *this;
}
bool Sender::closed() const noexcept { return is_finished(channel_, Side::sender); }
void Sender::close() noexcept { close_end(channel_, lane_, Side::sender); }
Sender Sender::clone() const noexcept { return Sender(one_more(channel_, Side::sender)); }
Sender Sender::from_id(Id id) noexcept { return Sender(Registry::open(to_channel_id(id), Side::sender)); }

Status Sender::send_nowait(Value&& value) noexcept {
  if (channel_ == nullptr) return Status::end_closed;
  const Status status = channel_->try_send(cell_of(value.cell_), *lane_);
  if (status == Status::ok) cell_of(value.cell_) = Cell::none();
  return status;
}

Status Sender::send(Value&& value, Timeout timeout) noexcept {
  const Status now = send_nowait(std::move(value));
  if (now != Status::full) return now;
  const Status status = wait(*channel_, Side::sender, *lane_, cell_of(value.cell_), timeout);
  if (status == Status::ok) cell_of(value.cell_) = Cell::none();
  return status;
}

Receiver::Receiver(Channel* channel) noexcept : EndBase(channel) { check_lane(channel_, lane_, Side::receiver); }
Receiver& Receiver::operator=(Receiver&& other) noexcept {
  Receiver moved(std::move(other));  // what this end was goes with it
  swap(moved);
  return *this;
}
bool Receiver::closed() const noexcept { return is_finished(channel_, Side::receiver); }
void Receiver::close() noexcept { close_end(channel_, lane_, Side::receiver); }
Receiver Receiver::clone() const noexcept { return Receiver(one_more(channel_, Side::receiver)); }
Receiver Receiver::from_id(Id id) noexcept { return Receiver(Registry::open(to_channel_id(id), Side::receiver)); }

Status Receiver::recv_nowait(Value& value) noexcept {
  if (channel_ == nullptr) return Status::end_closed;
  Value taken;
  const Status status = channel_->try_recv(cell_of(taken.cell_), *lane_);
  if (status == Status::ok) value = std::move(taken);
  return status;
}

Status Receiver::recv(Value& value, Timeout timeout) noexcept {
  const Status now = recv_nowait(value);
  if (now != Status::empty) return now;
  Value taken;
  const Status status = wait(*channel_, Side::receiver, *lane_, cell_of(taken.cell_), timeout);
  if (status == Status::ok) value = std::move(taken);
  return status;
}

}  // namespace xichan
