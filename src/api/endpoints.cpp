// The public endpoints: each owns one count; their blocking calls work without an interpreter.
#include "api/access.h"

#include <algorithm>
#include <new>
#include <type_traits>
#include <utility>

#include "channel/wait_closed.h"
#include "directory/create_channel.h"
#include "directory/names.h"
#include "directory/registry.h"
#include "endpoint/readiness.h"
#include "state/object.h"
#include "trace/trace.h"
#include "value/block_builder.h"
#include "xichan/version.h"

namespace xichan {

using namespace internal;
namespace {

template <class Endpoint>
constexpr Side side_of = std::is_same_v<Endpoint, Sender> ? Side::sender : Side::receiver;

// Moves an endpoint that was just opened to the caller, unless there was no memory for it.
template <class Endpoint>
Status store(Endpoint opened, Endpoint& endpoint) noexcept {
  if (!opened) return Status::no_memory;
  endpoint = std::move(opened);
  return Status::ok;
}

// Turns mpmc into another flavor if the capacity asks for it, as `channel()` in Python does.
Status normalize(ChannelOptions& options) noexcept {
  const bool endless = options.capacity == unbounded;
  if (options.flavor == Flavor::mpmc && endless) options.flavor = Flavor::unbounded;
  if (options.flavor == Flavor::mpmc && options.capacity == 0) options.flavor = Flavor::rendezvous;
  if (!flavor_info(options.flavor).accepts(options.capacity)) return Status::invalid;
  return options.name.empty() || is_name(options.name) ? Status::ok : Status::invalid;
}

// Returns true if the endpoint is usable although its channel is not of the plain generation: a trace records.
bool follows_trace(const Channel& channel, Lane& lane) noexcept {
  if (channel.is_inherited()) return false;
  if (is_traced()) {
    Trace::set_interpreter(-1);
    lane.follow_trace();
  }
  return true;
}

Cell& cell_of(Value& value) noexcept { return ValueAccess::cell(value); }

// Moves the content out of a value.
Cell take(Value& value) noexcept { return std::exchange(cell_of(value), Cell::none()); }

Status send_by(Channel& channel, Lane& lane, Value& value, Deadline deadline, const Stop* stop) noexcept {
  Status status = channel.try_send(cell_of(value), lane);
  if (status == Status::full) {
    Case only = case_of(channel, Side::sender, lane, cell_of(value), stop);
    std::size_t chosen;
    status = wait_until(deadline, {&only, 1}, chosen);
  }
  if (status == Status::ok) cell_of(value) = Cell::none();
  return channel.outcome(Side::sender, status);
}

}  // namespace

const char* version() noexcept { return XICHAN_VERSION; }

EndpointBase::EndpointBase(Channel* channel) noexcept
    : channel_(channel), lane_(channel == nullptr ? nullptr : new(std::nothrow) Lane(*channel)) {}
EndpointBase::EndpointBase(EndpointBase&& other) noexcept { swap(other); }
void EndpointBase::swap(EndpointBase& other) noexcept {
  std::swap(channel_, other.channel_);
  std::swap(lane_, other.lane_);
  std::swap(readiness_, other.readiness_);
}
bool EndpointBase::usable() const noexcept {
  return channel_ != nullptr && (channel_->generation() == plain_generation() || follows_trace(*channel_, *lane_));
}
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
void EndpointBase::shutdown(bool immediate, Value&& error) noexcept {
  if (usable()) channel_->shutdown(immediate, take(error));
}
Status EndpointBase::wait_closed(TimeLimit limit) const noexcept {
  if (!usable()) return Status::end_closed;
  const Deadline deadline = deadline_of(limit);
  WaitReport report("wait_closed", wait_flags(deadline));
  Status status;
  do {
    status = internal::wait_closed(*channel_, Side::sender, never, nullptr, limits_until(deadline, report));
  } while (status == Status::interrupted);
  return status;
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

template <class Endpoint>
EndpointOf<Endpoint>::EndpointOf(Channel* channel) noexcept : EndpointBase(channel) {
  // Without memory for its lane the endpoint stays empty, and the count that it was to own is dropped.
  if (channel_ != nullptr && lane_ == nullptr) std::exchange(channel_, nullptr)->drop_endpoint(side_of<Endpoint>);
  if (channel_ != nullptr) channel_->count_native(side_of<Endpoint>, 1);
}

template <class Endpoint>
EndpointOf<Endpoint>& EndpointOf<Endpoint>::operator=(EndpointOf&& other) noexcept {
  EndpointOf moved(std::move(other));  // its destructor closes the previous endpoint
  swap(moved);
  return *this;
}

template <class Endpoint>
bool EndpointOf<Endpoint>::closed() const noexcept {
  return channel_ == nullptr || channel_->is_inherited() || channel_->finished_for(side_of<Endpoint>);
}

template <class Endpoint>
void EndpointOf<Endpoint>::close() noexcept {
  Channel* closing = std::exchange(channel_, nullptr);
  if (closing == nullptr) return;
  Readiness::destroy(std::exchange(readiness_, nullptr));
  closing->unclaim(side_of<Endpoint>, *lane_);
  delete std::exchange(lane_, nullptr);
  if (!closing->is_inherited()) closing->count_native(side_of<Endpoint>, std::uint64_t{0} - 1);
  closing->drop_endpoint(side_of<Endpoint>);
}

template <class Endpoint>
void EndpointOf<Endpoint>::close(Value&& error) noexcept {
  if (usable()) channel_->fail(other(side_of<Endpoint>), take(error));
  close();
}

template <class Endpoint>
Value EndpointOf<Endpoint>::error() const noexcept {
  Value result;
  Cell kept;
  if (!usable() || !channel_->error(side_of<Endpoint>, kept)) return result;
  retain(kept);
  ValueAccess::adopt(result, kept);
  return result;
}

template <class Endpoint>
int EndpointOf<Endpoint>::descriptor() noexcept {
  if (!usable()) return -1;
  if (readiness_ == nullptr) readiness_ = Readiness::create(*channel_, side_of<Endpoint>, lane_);
  return readiness_ == nullptr ? -1 : readiness_->descriptor();
}

template <class Endpoint>
Status EndpointOf<Endpoint>::clone(Endpoint& endpoint) const noexcept {
  if (!usable()) return Status::end_closed;
  if (channel_->flavor() == Flavor::spsc) return Status::invalid;
  channel_->add_endpoint(side_of<Endpoint>);
  return store(Endpoint(channel_), endpoint);
}

template <class Endpoint>
Endpoint EndpointOf<Endpoint>::clone() const noexcept {
  Endpoint endpoint;
  (void)clone(endpoint);
  return endpoint;
}

template <class Endpoint>
Status EndpointOf<Endpoint>::from_id(Id id, Endpoint& endpoint) noexcept {
  Channel* channel = Registry::open({id.low, id.high}, side_of<Endpoint>);
  return channel == nullptr ? Status::not_found : store(Endpoint(channel), endpoint);
}

template <class Endpoint>
Endpoint EndpointOf<Endpoint>::from_id(Id id) noexcept {
  Endpoint endpoint;
  (void)from_id(id, endpoint);
  return endpoint;
}

template <class Endpoint>
Status EndpointOf<Endpoint>::find(std::string_view name, Endpoint& endpoint) noexcept {
  const Names::Found found = Names::find(name);
  release(found.value);
  if (found.object != nullptr) found.object->release();
  return found.kind == NameKind::channel ? from_id({found.id.place, found.id.secret}, endpoint) : Status::not_found;
}

template <class Endpoint>
Status EndpointOf<Endpoint>::lookup(std::string_view name, Endpoint& endpoint, TimeLimit limit) noexcept {
  return look_up(deadline_of(limit), nullptr, [&]() noexcept { return find(name, endpoint); });
}

template <class Endpoint>
Status EndpointOf<Endpoint>::lookup(std::string_view name, Endpoint& endpoint, StopRef stop, TimeLimit limit) noexcept {
  return look_up(limit, stop, [&]() noexcept { return find(name, endpoint); });
}

template <class Endpoint>
Status EndpointOf<Endpoint>::as_value(Value& value) const noexcept {
  if (!usable()) return Status::end_closed;
  BlockBuilder builder;
  builder.count_reference();
  const Status status = builder.allocate();
  if (status != Status::ok) return status;
  channel_->add_endpoint(side_of<Endpoint>);
  builder.write_reference(builder.root(), {&endpoint_reference(side_of<Endpoint>), channel_});
  ValueAccess::adopt(value, builder.finish());
  return Status::ok;
}

template <class Endpoint>
Status EndpointOf<Endpoint>::open(ValueView value, Endpoint& endpoint) noexcept {
  const Reference* reference = ValueAccess::end(value);
  if (reference == nullptr || reference->type != &endpoint_reference(side_of<Endpoint>)) return Status::not_found;
  auto* channel = static_cast<Channel*>(reference->object);  // alive: the block holds a count of this side
  if (channel->is_inherited()) return Status::not_found;     // H5
  channel->add_endpoint(side_of<Endpoint>);
  return store(Endpoint(channel), endpoint);
}

template class EndpointOf<Sender>;
template class EndpointOf<Receiver>;

bool EndpointBase::arm(std::uint64_t cost) noexcept { return readiness_->arm(cost); }

Status Sender::send_nowait(Value&& value) noexcept {
  if (!usable()) return Status::end_closed;
  Status status = channel_->try_send(cell_of(value), *lane_);
  if (status == Status::full && readiness_ != nullptr && arm(cost_of(cell_of(value)))) {
    status = channel_->try_send(cell_of(value), *lane_);
  }
  if (status == Status::ok) cell_of(value) = Cell::none();
  return channel_->outcome(Side::sender, status);
}

Status Sender::send(Value&& value, TimeLimit limit) noexcept {
  const Status now = send_nowait(std::move(value));
  return now == Status::full ? send_by(*channel_, *lane_, value, deadline_of(limit), nullptr) : now;
}

Status Sender::send(Value&& value, StopRef ref, TimeLimit limit) noexcept {
  return run_stoppable(
      ref,
      [&](const Stop& stop) noexcept {
        const Status now = send_nowait(std::move(value));
        return now == Status::full ? send_by(*channel_, *lane_, value, deadline_of(limit), &stop) : now;
      },
      [this](const Stop& stop) noexcept { EndpointAccess::cancel(*this, Side::sender, stop); });
}

Status Sender::send_all(std::span<Value> values, std::size_t& sent, Deadline deadline, const Stop* stop) noexcept {
  sent = 0;
  if (!usable()) return Status::end_closed;
  while (sent < values.size()) {
    if (stop != nullptr && stop->is_requested()) return Status::cancelled;
    const auto part = values.subspan(sent, std::min(values.size() - sent, batch_size));
    Cell cells[batch_size];
    std::ranges::transform(part, cells, [](Value& value) { return cell_of(value); });
    std::uint64_t done;
    if (channel_->try_send_many(cells, part.size(), done, *lane_) != Status::ok) {
      Status status = send_nowait(std::move(part[0]));
      if (status == Status::full) status = send_by(*channel_, *lane_, part[0], deadline, stop);
      if (status != Status::ok) return status;
      done = 1;
    }
    for (Value& value : part.first(done)) cell_of(value) = Cell::none();
    sent += done;
  }
  return Status::ok;
}

Status Sender::send_many(std::span<Value> values, std::size_t& sent, TimeLimit limit) noexcept {
  return send_all(values, sent, deadline_of(limit), nullptr);
}

Status Sender::send_many(std::span<Value> values, std::size_t& sent, StopRef ref, TimeLimit limit) noexcept {
  sent = 0;
  return run_stoppable(
      ref, [&](const Stop& stop) noexcept { return send_all(values, sent, deadline_of(limit), &stop); },
      [this](const Stop& stop) noexcept { EndpointAccess::cancel(*this, Side::sender, stop); });
}

Status Receiver::recv_nowait(Value& value) noexcept {
  if (!usable()) return Status::end_closed;
  Cell cell;
  Status status = channel_->try_recv(cell, *lane_);
  if (status == Status::empty && readiness_ != nullptr && arm(0)) status = channel_->try_recv(cell, *lane_);
  if (status == Status::ok) ValueAccess::adopt(value, cell);
  return channel_->outcome(Side::receiver, status);
}

Status Receiver::wait(Value& value, Deadline deadline, const Stop* stop) noexcept {
  Case only = case_of(*channel_, Side::receiver, *lane_, {}, stop);
  std::size_t chosen;
  const Status status = wait_until(deadline, {&only, 1}, chosen);
  if (status == Status::ok) ValueAccess::adopt(value, only.cell);
  return channel_->outcome(Side::receiver, status);
}

Status Receiver::recv(Value& value, TimeLimit limit) noexcept {
  const Status now = recv_nowait(value);
  return now == Status::empty ? wait(value, deadline_of(limit), nullptr) : now;
}

Status Receiver::recv(Value& value, StopRef ref, TimeLimit limit) noexcept {
  return run_stoppable(
      ref,
      [&](const Stop& stop) noexcept {
        const Status now = recv_nowait(value);
        return now == Status::empty ? wait(value, deadline_of(limit), &stop) : now;
      },
      [this](const Stop& stop) noexcept { EndpointAccess::cancel(*this, Side::receiver, stop); });
}

// Receives what is queued into all but the first of `values`, which is filled already.
void Receiver::recv_rest(std::span<Value> values, std::size_t& received) noexcept {
  for (std::uint64_t done = 1;;) {
    received += done;
    const auto rest = values.subspan(received, std::min(values.size() - received, batch_size));
    Cell cells[batch_size];
    if (rest.empty() || channel_->try_recv_many(cells, rest.size(), done, *lane_) != Status::ok) break;
    for (std::uint64_t i = 0; i < done; ++i) ValueAccess::adopt(rest[i], cells[i]);
  }
}

Status Receiver::recv_many(std::span<Value> values, std::size_t& received, TimeLimit limit) noexcept {
  received = 0;
  if (values.empty()) return usable() ? Status::ok : Status::end_closed;
  const Status status = recv(values[0], limit);
  if (status == Status::ok) recv_rest(values, received);
  return status;
}

Status Receiver::recv_many(std::span<Value> values, std::size_t& received, StopRef stop, TimeLimit limit) noexcept {
  received = 0;
  if (values.empty()) return usable() ? Status::ok : Status::end_closed;
  const Status status = recv(values[0], stop, limit);
  if (status == Status::ok) recv_rest(values, received);
  return status;
}

std::uint64_t Receiver::pending() const noexcept {
  return usable() ? channel_->size() + channel_->waiting(Side::sender) : 0;
}

}  // namespace xichan
