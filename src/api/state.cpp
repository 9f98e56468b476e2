// What the public state objects have in common.
#include "api/state_access.h"

#include "base/immortal.h"
#include "directory/names.h"
#include "endpoint/endpoint.h"
#include "value/block_builder.h"
#include "xichan/state_object.h"

namespace xichan::internal {

Status StateAccess::introduce(StateObject* object, std::string_view name, StateBase& out) noexcept {
  if (object == nullptr) return Status::no_memory;
  Status status = Status::ok;
  if (name.empty()) {
    StateObjects::add(*object);
  } else {
    status = is_name(name) ? Names::add_state(name, *object) : Status::invalid;
  }
  if (status == Status::ok) {
    adopt(out, *object);
  } else {
    object->release();
  }
  return status;
}

// The flag of the stop is the owner of the wait. It is set before the object is nudged, and Turnstile::wait reads it
// after it has joined the queue: see (13).
Status wait_admitted(Turnstile& object, Request& request, Deadline deadline, const Stop* stop,
                     const char* call) noexcept {
  if (stop != nullptr) request.ended = &stop->flag();
  WaitReport report(call == nullptr ? object.call_name() : call, wait_flags(deadline));
  Status status;
  do {
    WaitLimits limits = limits_until(deadline, report);
    if (stop != nullptr) limits.owner_exiting = &stop->flag();
    status = object.wait(request, limits);
  } while (status == Status::interrupted);
  return status == Status::end_closed ? Status::cancelled : status;
}

Token thread_token() noexcept {
  thread_local const std::uint32_t unit = EndpointOwner::next_unit();
  return Token::of(immortal<EndpointOwner>().number, unit);
}

}  // namespace xichan::internal

namespace xichan {

using internal::StateAccess, internal::StateObject;

std::string_view StateBase::name() const noexcept { return object_ == nullptr ? std::string_view{} : object_->name(); }

std::uint32_t StateBase::waiting() const noexcept {
  const auto* object = StateAccess::usable<StateObject>(*this);
  return object == nullptr ? 0 : object->waiting();
}

void StateBase::close() noexcept {
  if (StateObject* const object = std::exchange(object_, nullptr)) object->release();
}

void StateBase::share(const StateBase& other) noexcept {
  auto* const object = StateAccess::usable<StateObject>(other);
  if (object == nullptr) return close();
  object->retain();
  StateAccess::adopt(*this, *object);
}

Status StateBase::as_value(Value& value) const noexcept {
  auto* const object = StateAccess::usable<StateObject>(*this);
  if (object == nullptr) return Status::end_closed;
  internal::BlockBuilder builder;
  builder.count_reference();
  const Status status = builder.allocate();
  if (status != Status::ok) return status;
  object->retain();
  builder.write_reference(builder.root(), {&internal::state_reference, object});
  internal::ValueAccess::adopt(value, builder.finish());
  return Status::ok;
}

namespace {

// Returns the object that a value refers to, or null.
StateObject* object_of(ValueView value) noexcept {
  const internal::Reference* reference = internal::ValueAccess::end(value);
  if (reference == nullptr || reference->type != &internal::state_reference) return nullptr;
  return static_cast<StateObject*>(reference->object);  // alive: the block holds a reference
}

Status find_object(StateKind kind, std::string_view name, StateBase& out) noexcept {
  const internal::Names::Found found = internal::Names::find(name);
  internal::release(found.value);
  if (found.object == nullptr) return Status::not_found;
  if (found.object->kind() == kind) {
    StateAccess::adopt(out, *found.object);
    return Status::ok;
  }
  found.object->release();
  return Status::not_found;
}

}  // namespace

std::optional<StateKind> StateBase::kind_of(ValueView value) noexcept {
  const StateObject* object = object_of(value);
  return object == nullptr ? std::nullopt : std::optional(object->kind());
}

Status StateBase::open(StateKind kind, ValueView value, StateBase& out) noexcept {
  StateObject* const object = object_of(value);
  if (object == nullptr || object->kind() != kind || object->is_inherited()) return Status::not_found;
  object->retain();
  StateAccess::adopt(out, *object);
  return Status::ok;
}

Status StateBase::find(StateKind kind, std::string_view name, StateBase& out, TimeLimit limit) noexcept {
  return internal::look_up(internal::deadline_of(limit), nullptr,
                           [&]() noexcept { return find_object(kind, name, out); });
}

Status StateBase::find(StateKind kind, std::string_view name, StateBase& out, StopRef stop, TimeLimit limit) noexcept {
  return internal::look_up(limit, stop, [&]() noexcept { return find_object(kind, name, out); });
}

}  // namespace xichan
