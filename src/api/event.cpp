#include "xichan/event.h"

#include <new>

#include "api/state_access.h"
#include "state/event.h"

namespace xichan {

using internal::SharedEvent, internal::StateAccess;

namespace {

SharedEvent* event_of(const Event& handle) noexcept { return StateAccess::usable<SharedEvent>(handle); }

Status wait_by(SharedEvent& event, internal::Deadline deadline, const internal::Stop* stop) noexcept {
  internal::Request request = event.request();  // before the look: it may be set and cleared meanwhile
  return event.is_set() ? Status::ok : internal::wait_admitted(event, request, deadline, stop);
}

}  // namespace

Status Event::make(Event& out, std::string_view name) noexcept {
  return StateAccess::introduce(new (std::nothrow) SharedEvent, name, out);
}

bool Event::is_set() const noexcept {
  const SharedEvent* event = event_of(*this);
  return event != nullptr && event->is_set();
}

void Event::set() noexcept {
  if (SharedEvent* const event = event_of(*this)) event->set();
}

void Event::clear() noexcept {
  if (SharedEvent* const event = event_of(*this)) event->clear();
}

Status Event::wait(TimeLimit limit) const noexcept {
  SharedEvent* const event = event_of(*this);
  return event == nullptr ? Status::end_closed : wait_by(*event, internal::deadline_of(limit), nullptr);
}

Status Event::wait(StopRef stop, TimeLimit limit) const noexcept {
  SharedEvent* const event = event_of(*this);
  if (event == nullptr) return Status::end_closed;
  return internal::run_stoppable_at(
      *event, stop, limit,
      [=](internal::Deadline deadline, const internal::Stop* by) noexcept { return wait_by(*event, deadline, by); });
}

}  // namespace xichan
