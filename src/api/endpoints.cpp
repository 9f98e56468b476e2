// The public ends: a counted end each, and the blocking calls without any interpreter around them.
#include "api/access.h"

#include <algorithm>
#include <new>
#include <utility>

#include "directory/create_channel.h"
#include "directory/names.h"
#include "directory/registry.h"
#include "value/block_builder.h"
#include "xichan/version.h"

namespace xichan {

using namespace internal;
namespace {

ChannelId to_channel_id(Id id) noexcept { return {id.low, id.high}; }

// The channel with one more end, or null where a side has one end alone.
Channel* one_more(Channel* channel, Side side) noexcept {
  if (channel->flavor() == Flavor::spsc) return nullptr;
  channel->add_endpoint(side);
  return channel;
}

bool is_finished(const Channel* channel, Side side) noexcept {
  return channel == nullptr || channel->is_inherited() || channel->finished_for(side);
}

void close_end(Channel*& channel, Lane*& lane, Side side) noexcept {
  Channel* closing = std::exchange(channel, nullptr);
  if (closing == nullptr) return;
  closing->unclaim(side, *lane);
  closing->forget(*lane);
  delete std::exchange(lane, nullptr);
  closing->drop_endpoint(side);
}

// Without memory for its lane an end stays empty, and the count that it was to have goes back.
void check_lane(Channel*& channel, const Lane* lane, Side side) noexcept {
  if (channel != nullptr && lane == nullptr) std::exchange(channel, nullptr)->drop_endpoint(side);
}

// One more end of the channel that an entry of a block's table holds.
Channel* open_reference(ValueView value, Side side) noexcept {
  const Reference* end = ValueAccess::end(value);
  if (end == nullptr || end->type != &endpoint_reference(side)) return nullptr;
  auto* channel = static_cast<Channel*>(end->object);  // alive: the block holds a count of this side
  if (channel->is_inherited()) return nullptr;         // H5
  channel->add_endpoint(side);
  return channel;
}

Status make_end_value(Channel* channel, Side side, Value& value) noexcept {
  BlockBuilder builder;
  builder.count_reference();
  const Status status = builder.allocate();
  if (status != Status::ok) return status;
  channel->add_endpoint(side);
  builder.write_reference(builder.root(), {&endpoint_reference(side), channel});
  ValueAccess::adopt(value, builder.finish());
  return Status::ok;
}

// Looks for a channel of that name until there is one that the side can be opened of. Null only if not `ok`.
Status open_named(std::string_view name, Side side, Timeout timeout, Channel*& channel) noexcept {
  const Deadline deadline = deadline_of(timeout);
  for (;;) {
    const std::uint32_t seen = Names::version();
    ChannelId id;
    Cell value;
    const NameKind kind = Names::find(name, id, value);
    release(value);
    channel = kind == NameKind::channel ? Registry::open(id, side) : nullptr;
    if (channel != nullptr) return Status::ok;
    const Status status = wait_for_names(seen, deadline);
    if (status != Status::ok) return status;
  }
}

// As `channel(capacity=, flavor=)` in Python.
Status normalize(ChannelOptions& options) noexcept {
  const bool endless = options.capacity == unbounded;
  if (options.flavor == Flavor::mpmc && endless) options.flavor = Flavor::unbounded;
  if (options.flavor == Flavor::mpmc && options.capacity == 0) options.flavor = Flavor::rendezvous;
  const bool needs_capacity = options.flavor == Flavor::spsc || options.flavor == Flavor::relaxed;
  if (needs_capacity && (options.capacity == 0 || (endless && options.flavor == Flavor::spsc))) return Status::invalid;
  return options.name.empty() || is_name(options.name) ? Status::ok : Status::invalid;
}

Cell& cell_of(Value& value) noexcept { return ValueAccess::cell(value); }

// Puts an end just opened into the caller's, unless there was no memory for it.
template <class SenderOrReceiver>
Status hand_over(SenderOrReceiver opened, SenderOrReceiver& out) noexcept {
  if (!opened) return Status::no_memory;
  out = std::move(opened);
  return Status::ok;
}

Status send_by(Channel& channel, Lane& lane, Value& value, Deadline deadline) noexcept {
  Status status = channel.try_send(cell_of(value), lane);
  if (status == Status::full) {
    Case only = case_of(channel, Side::sender, lane, cell_of(value));
    std::size_t chosen;
    status = wait_until(deadline, {&only, 1}, chosen);
  }
  if (status == Status::ok) cell_of(value) = Cell::none();
  return status;
}

}  // namespace

const char* version() noexcept { return XICHAN_VERSION; }

EndpointBase::EndpointBase(Channel* channel) noexcept
    : channel_(channel), lane_(channel == nullptr ? nullptr : new(std::nothrow) Lane) {}
EndpointBase::EndpointBase(EndpointBase&& other) noexcept { swap(other); }
void EndpointBase::swap(EndpointBase& other) noexcept {
  std::swap(channel_, other.channel_);
  std::swap(lane_, other.lane_);
}
bool EndpointBase::usable() const noexcept { return channel_ != nullptr && !channel_->is_inherited(); }
Id EndpointBase::id() const noexcept {
  return channel_ == nullptr ? Id{} : Id{channel_->id().place, channel_->id().secret};
}
std::uint64_t EndpointBase::capacity() const noexcept { return channel_ == nullptr ? 0 : channel_->capacity(); }
std::uint64_t EndpointBase::max_bytes() const noexcept { return channel_ == nullptr ? 0 : channel_->max_bytes(); }
Flavor EndpointBase::flavor() const noexcept { return channel_ == nullptr ? Flavor::mpmc : channel_->flavor(); }
std::string_view EndpointBase::name() const noexcept {
  return channel_ == nullptr ? std::string_view{} : channel_->name();
}
std::uint64_t EndpointBase::size() const noexcept { return usable() ? channel_->size() : 0; }
ChannelStats EndpointBase::stats() const noexcept { return usable() ? channel_->stats() : ChannelStats{}; }
void EndpointBase::shutdown(bool immediate) noexcept {
  if (usable()) channel_->shutdown(immediate);
}

Status channel(const ChannelOptions& options, Sender& sender, Receiver& receiver) noexcept {
  ChannelOptions normal = options;
  Channel* made;
  Status status = normalize(normal);
  if (status == Status::ok) status = create_channel(normal, made);
  if (status != Status::ok) return status;
  Sender tx(made);
  Receiver rx(made);
  if (!tx || !rx) return Status::no_memory;
  sender = std::move(tx);
  receiver = std::move(rx);
  return Status::ok;
}

Sender::Sender(Channel* channel) noexcept : EndpointBase(channel) { check_lane(channel_, lane_, Side::sender); }
Sender& Sender::operator=(Sender&& other) noexcept {
  Sender moved(std::move(other));  // what this end was goes with it
  swap(moved);
  return *this;
}
bool Sender::closed() const noexcept { return is_finished(channel_, Side::sender); }
void Sender::close() noexcept { close_end(channel_, lane_, Side::sender); }
Sender Sender::clone() const noexcept { return Sender(usable() ? one_more(channel_, Side::sender) : nullptr); }
Sender Sender::from_id(Id id) noexcept { return Sender(Registry::open(to_channel_id(id), Side::sender)); }

Status Sender::lookup(std::string_view name, Sender& sender, Timeout timeout) noexcept {
  Channel* channel;
  const Status status = open_named(name, Side::sender, timeout, channel);
  return status == Status::ok ? hand_over(Sender(channel), sender) : status;
}

Status Sender::as_value(Value& value) const noexcept {
  return usable() ? make_end_value(channel_, Side::sender, value) : Status::end_closed;
}

Status Sender::open(ValueView value, Sender& sender) noexcept {
  Channel* channel = open_reference(value, Side::sender);
  return channel == nullptr ? Status::not_found : hand_over(Sender(channel), sender);
}

Status Sender::send_nowait(Value&& value) noexcept {
  if (!usable()) return Status::end_closed;
  const Status status = channel_->try_send(cell_of(value), *lane_);
  if (status == Status::ok) cell_of(value) = Cell::none();
  return status;
}

Status Sender::send(Value&& value, Timeout timeout) noexcept {
  const Status now = send_nowait(std::move(value));
  return now == Status::full ? send_by(*channel_, *lane_, value, deadline_of(timeout)) : now;
}

Status Sender::send_many(std::span<Value> values, std::size_t& sent, Timeout timeout) noexcept {
  sent = 0;
  if (!usable()) return Status::end_closed;
  const Deadline deadline = deadline_of(timeout);
  while (sent < values.size()) {
    const auto part = values.subspan(sent, std::min(values.size() - sent, batch_size));
    Cell cells[batch_size];
    std::ranges::transform(part, cells, [](Value& value) { return cell_of(value); });
    std::uint64_t done;
    if (channel_->try_send_many(cells, part.size(), done, *lane_) != Status::ok) {
      const Status status = send_by(*channel_, *lane_, part[0], deadline);
      if (status != Status::ok) return status;
      done = 1;
    }
    for (Value& value : part.first(done)) cell_of(value) = Cell::none();
    sent += done;
  }
  return Status::ok;
}

Receiver::Receiver(Channel* channel) noexcept : EndpointBase(channel) { check_lane(channel_, lane_, Side::receiver); }
Receiver& Receiver::operator=(Receiver&& other) noexcept {
  Receiver moved(std::move(other));  // what this end was goes with it
  swap(moved);
  return *this;
}
bool Receiver::closed() const noexcept { return is_finished(channel_, Side::receiver); }
void Receiver::close() noexcept { close_end(channel_, lane_, Side::receiver); }
Receiver Receiver::clone() const noexcept { return Receiver(usable() ? one_more(channel_, Side::receiver) : nullptr); }
Receiver Receiver::from_id(Id id) noexcept { return Receiver(Registry::open(to_channel_id(id), Side::receiver)); }

Status Receiver::lookup(std::string_view name, Receiver& receiver, Timeout timeout) noexcept {
  Channel* channel;
  const Status status = open_named(name, Side::receiver, timeout, channel);
  return status == Status::ok ? hand_over(Receiver(channel), receiver) : status;
}

Status Receiver::as_value(Value& value) const noexcept {
  return usable() ? make_end_value(channel_, Side::receiver, value) : Status::end_closed;
}

Status Receiver::open(ValueView value, Receiver& receiver) noexcept {
  Channel* channel = open_reference(value, Side::receiver);
  return channel == nullptr ? Status::not_found : hand_over(Receiver(channel), receiver);
}

Status Receiver::recv_nowait(Value& value) noexcept {
  if (!usable()) return Status::end_closed;
  Cell cell;
  const Status status = channel_->try_recv(cell, *lane_);
  if (status == Status::ok) ValueAccess::adopt(value, cell);
  return status;
}

Status Receiver::recv(Value& value, Timeout timeout) noexcept {
  const Status now = recv_nowait(value);
  if (now != Status::empty) return now;
  Case only = case_of(*channel_, Side::receiver, *lane_, {});
  std::size_t chosen;
  const Status status = wait_until(deadline_of(timeout), {&only, 1}, chosen);
  if (status == Status::ok) ValueAccess::adopt(value, only.cell);
  return status;
}

Status Receiver::recv_many(std::span<Value> values, std::size_t& received, Timeout timeout) noexcept {
  received = 0;
  if (values.empty()) return usable() ? Status::ok : Status::end_closed;
  const Status status = recv(values[0], timeout);
  if (status != Status::ok) return status;
  for (std::uint64_t done = 1;;) {
    received += done;
    const auto rest = values.subspan(received, std::min(values.size() - received, batch_size));
    Cell cells[batch_size];
    if (rest.empty() || channel_->try_recv_many(cells, rest.size(), done, *lane_) != Status::ok) break;
    for (std::uint64_t i = 0; i < done; ++i) ValueAccess::adopt(rest[i], cells[i]);
  }
  return Status::ok;
}

std::uint64_t Receiver::pending() const noexcept {
  return usable() ? channel_->size() + channel_->waiting(Side::sender) : 0;
}

}  // namespace xichan
