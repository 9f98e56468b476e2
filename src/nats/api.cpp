// The public classes: each call passes to the object behind it.
#include "nats/lease.h"
#include "nats/open.h"

namespace xichan::nats {

using namespace internal;
namespace {

Status empty() noexcept {
  return guarded_status([] { return fail(Status::end_closed, "this endpoint or hub is empty or closed"); });
}

// Calls a function of the object behind a handle.
template <class Core, class Function>
Status call(Core* core, Function&& function) noexcept {
  if (core == nullptr) return empty();
  kept_error() = Error();
  return guarded_status([&] { return function(*core); });
}

// Keeps last_error() as it is: destructors run between a call that fails and the caller that looks at it.
class KeepError {
 public:
  KeepError() noexcept : error_(std::move(kept_error())) {}
  KeepError(const KeepError&) = delete;
  KeepError& operator=(const KeepError&) = delete;
  ~KeepError() { kept_error() = std::move(error_); }

 private:
  Error error_;
};

// Ends an endpoint or hub. What belongs to the parent of a fork must be left alone.
template <class Core, class Function>
void end(std::shared_ptr<Core>& core, Function&& function) noexcept {
  if (core == nullptr) return;
  if (core->is_inherited()) return leak(std::move(core));
  const KeepError keep;
  function();
}

}  // namespace

const Error& last_error() noexcept { return kept_error(); }

// Endpoint

std::string_view Endpoint::name() const noexcept {
  return core_ == nullptr ? std::string_view() : std::string_view(core_->names().channel);
}

std::uint64_t Endpoint::capacity() const noexcept { return core_ == nullptr ? 0 : core_->settings().options.capacity; }

bool Endpoint::closed() const noexcept {
  bool closed = core_ == nullptr;
  if (!closed) (void)call(core_.get(), [&](EndpointCore& core) { return core.look_closed(closed); });
  return closed;
}

Status Endpoint::stats(Stats& out) const noexcept {
  return call(core_.get(), [&](EndpointCore& core) { return core.stats(out); });
}

Status Endpoint::shutdown(bool immediate) noexcept {
  return call(core_.get(), [&](EndpointCore& core) { return core.shutdown(immediate, nullptr); });
}

Status Endpoint::shutdown(bool immediate, const Value& error) noexcept {
  return call(core_.get(), [&](EndpointCore& core) { return core.shutdown(immediate, &error); });
}

Status Endpoint::wait_closed(TimeLimit limit) const noexcept {
  return call(core_.get(), [&](EndpointCore& core) { return core.wait_closed(deadline_of(limit)); });
}

Value Endpoint::error() const noexcept { return core_ == nullptr || core_->is_inherited() ? Value() : core_->error(); }

// Sender

Sender::Sender(std::shared_ptr<SenderCore> core) noexcept : Endpoint(std::move(core)) {}

Sender& Sender::operator=(Sender&& other) noexcept {
  std::swap(core_, other.core_);
  return *this;
}

SenderCore* Sender::core() const noexcept { return static_cast<SenderCore*>(core_.get()); }

Status Sender::send(Value&& value, TimeLimit limit) noexcept {
  if (limit.timeout() == Timeout::zero()) {
    const Status status = send_nowait(std::move(value));
    return status == Status::full ? Status::timeout : status;
  }
  return call(core(), [&](SenderCore& core) { return core.send(std::move(value), deadline_of(limit), true); });
}

Status Sender::send_nowait(Value&& value) noexcept {
  return call(core(), [&](SenderCore& core) {
    return core.send(std::move(value), after(now(), core.request_timeout()), false);
  });
}

Status Sender::send_many(std::span<Value> values, std::size_t& sent, TimeLimit limit) noexcept {
  sent = 0;
  return call(core(), [&](SenderCore& core) { return core.send_many(values, sent, deadline_of(limit)); });
}

void Sender::close() noexcept {
  end(core_, [&] { core()->close_quietly(); });
}

Status Sender::close(const Value& error) noexcept {
  if (core_ != nullptr && core_->is_inherited()) {
    close();
    return empty();
  }
  return call(core(), [&](SenderCore& core) { return core.close(&error); });
}

// Receiver

Receiver::Receiver(std::shared_ptr<ReceiverCore> core) noexcept : Endpoint(std::move(core)) {}

Receiver& Receiver::operator=(Receiver&& other) noexcept {
  std::swap(core_, other.core_);
  return *this;
}

ReceiverCore* Receiver::core() const noexcept { return static_cast<ReceiverCore*>(core_.get()); }

Status Receiver::recv(Value& value, TimeLimit limit) noexcept {
  if (limit.timeout() == Timeout::zero()) {
    const Status status = recv_nowait(value);
    return status == Status::empty ? Status::timeout : status;
  }
  return call(core(), [&](ReceiverCore& core) { return core.recv(value, deadline_of(limit)); });
}

Status Receiver::recv_nowait(Value& value) noexcept {
  return call(core(), [&](ReceiverCore& core) { return core.recv_nowait(value); });
}

Status Receiver::recv_many(std::span<Value> values, std::size_t& received, TimeLimit limit) noexcept {
  received = 0;
  return call(core(), [&](ReceiverCore& core) { return core.recv_many(values, received, deadline_of(limit)); });
}

Status Receiver::lease(Lease& lease, TimeLimit limit) noexcept {
  return call(core(), [&](ReceiverCore& core) {
    ReceiverCore::Accepted delivery;
    Value value;
    const Status status = core.take(delivery, value, deadline_of(limit));
    if (status != Status::ok) return status;
    Lease taken;
    auto receiver = std::static_pointer_cast<ReceiverCore>(core_);
    taken.core_ = {new LeaseCore(std::move(receiver), std::move(delivery), std::move(value)),
                   [](LeaseCore* each) { delete each; }};
    lease = std::move(taken);
    return status;
  });
}

void Receiver::close() noexcept {
  end(core_, [&] { core()->close_quietly(); });
}

// Lease

Lease& Lease::operator=(Lease&& other) noexcept {
  Lease moved(std::move(other));
  std::swap(core_, moved.core_);
  return *this;
}

Lease::~Lease() {
  if (core_ == nullptr) return;
  if (core_->is_inherited()) {
    (void)core_.release();
  } else if (!core_->done()) {
    const KeepError keep;
    (void)guarded_status([&] { return core_->nak("dropped by its receiver"); });
  }
}

ValueView Lease::value() const noexcept { return core_ == nullptr ? ValueView() : core_->value().view(); }

std::uint64_t Lease::delivery() const noexcept { return core_ == nullptr ? 0 : core_->delivery(); }

bool Lease::done() const noexcept { return core_ == nullptr || core_->done(); }

Status Lease::ack() noexcept {
  return call(core_.get(), [](LeaseCore& core) { return core.ack(); });
}

Status Lease::nak() noexcept {
  return call(core_.get(), [](LeaseCore& core) { return core.nak("returned by its receiver"); });
}

Status Lease::extend() noexcept {
  return call(core_.get(), [](LeaseCore& core) { return core.extend(); });
}

// Hub

Hub& Hub::operator=(Hub&& other) noexcept {
  std::swap(core_, other.core_);
  return *this;
}

bool Hub::connected() const noexcept {
  return core_ != nullptr && !core_->is_inherited() && core_->calls.connection->is_connected();
}

bool Hub::closed() const noexcept {
  return core_ == nullptr || core_->is_inherited() || core_->is_closed() || core_->has_ended();
}

Status Hub::channel(std::string_view name, const ChannelOptions& options, Sender& sender, Receiver& receiver) noexcept {
  return call(core_.get(), [&](HubCore& core) {
    std::shared_ptr<SenderCore> sends;
    std::shared_ptr<ReceiverCore> receives;
    const Status status = open_channel(core, name, options, sends, receives);
    if (status != Status::ok) return status;
    sender = Sender(std::move(sends));
    receiver = Receiver(std::move(receives));
    return status;
  });
}

Status Hub::sender(std::string_view name, Sender& sender) noexcept {
  return call(core_.get(), [&](HubCore& core) {
    std::shared_ptr<SenderCore> made;
    const Status status = open_sender(core, name, made);
    if (status == Status::ok) sender = Sender(std::move(made));
    return status;
  });
}

Status Hub::receiver(std::string_view name, Receiver& receiver) noexcept {
  return call(core_.get(), [&](HubCore& core) {
    std::shared_ptr<ReceiverCore> made;
    const Status status = open_receiver(core, name, false, made);
    if (status == Status::ok) receiver = Receiver(std::move(made));
    return status;
  });
}

Status Hub::dead_letters(std::string_view name, Receiver& receiver) noexcept {
  return call(core_.get(), [&](HubCore& core) {
    std::shared_ptr<ReceiverCore> made;
    const Status status = open_receiver(core, name, true, made);
    if (status == Status::ok) receiver = Receiver(std::move(made));
    return status;
  });
}

Status Hub::remove(std::string_view name) noexcept {
  return call(core_.get(), [&](HubCore& core) { return remove_channel(core, name); });
}

Status Hub::stats(HubStats& out) const noexcept {
  return call(core_.get(), [&](HubCore& core) { return core.stats(out); });
}

void Hub::close() noexcept {
  end(core_, [&] {
    (void)guarded_status([&] {
      core_->close();
      return Status::ok;
    });
  });
}

Status connect(std::string_view servers, const nats::ConnectOptions& options, Hub& hub) noexcept {
  return guarded_status([&] {
    std::shared_ptr<HubCore> core;
    const Status status = HubCore::connect(servers, options, core);
    if (status != Status::ok) return status;
    Hub made;
    made.core_ = std::move(core);
    hub = std::move(made);
    return status;
  });
}

}  // namespace xichan::nats
