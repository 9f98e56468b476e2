// The class Cell. Named VersionedCell in the core, where a Cell is a part of a value.
#include "xichan/cell.h"

#include <new>

#include "api/state_access.h"
#include "state/versioned_cell.h"

namespace xichan {

using internal::cell_of, internal::StateAccess, internal::ValueAccess, internal::VersionedCell;

namespace {

VersionedCell* object_of(const Cell& handle) noexcept { return StateAccess::usable<VersionedCell>(handle); }

Status wait_by(VersionedCell& object, std::uint64_t& version, internal::Deadline deadline,
               const internal::Stop* stop) noexcept {
  internal::Request request{.wanted = version};
  request.answer = object.version();
  Status status = Status::ok;
  if (request.answer == version) status = internal::wait_admitted(object, request, deadline, stop);
  if (status == Status::ok) version = request.answer;
  return status;
}

}  // namespace

Status Cell::make(Value&& value, Cell& out, std::string_view name) noexcept {
  internal::HeldValue* held;
  Status status = internal::HeldValue::make(cell_of(value), held);
  if (status != Status::ok) return status;
  auto* const object = new (std::nothrow) VersionedCell(held);
  if (object == nullptr) {
    internal::HeldValue::discard(held);
    return Status::no_memory;
  }
  internal::retain(cell_of(value));  // if it gets no name, the object is destroyed with its value
  status = StateAccess::introduce(object, name, out);
  if (status == Status::ok) value = Value();
  return status;
}

Value Cell::get(std::uint64_t& version) const noexcept {
  Value value;
  VersionedCell* const object = object_of(*this);
  version = object == nullptr ? 0 : object->get(cell_of(value));
  return value;
}

Value Cell::get() const noexcept {
  std::uint64_t version;
  return get(version);
}

std::uint64_t Cell::version() const noexcept {
  VersionedCell* const object = object_of(*this);
  return object == nullptr ? 0 : object->version();
}

Status Cell::set(Value&& value) noexcept {
  VersionedCell* const object = object_of(*this);
  if (object == nullptr) return Status::end_closed;
  const Status status = object->set(cell_of(value));
  if (status == Status::ok) cell_of(value) = internal::Cell::none();
  return status;
}

Status Cell::swap(Value&& value, Value& previous) noexcept {
  VersionedCell* const object = object_of(*this);
  if (object == nullptr) return Status::end_closed;
  internal::Cell replaced;
  const Status status = object->swap(cell_of(value), replaced);
  if (status != Status::ok) return status;
  cell_of(value) = internal::Cell::none();
  ValueAccess::adopt(previous, replaced);
  return status;
}

Status Cell::compare_and_set(std::uint64_t version, Value&& value, bool& done) noexcept {
  VersionedCell* const object = object_of(*this);
  if (object == nullptr) return Status::end_closed;
  const Status status = object->compare_and_set(version, cell_of(value), done);
  if (status == Status::ok && done) cell_of(value) = internal::Cell::none();
  return status;
}

Status Cell::wait(std::uint64_t& version, TimeLimit limit) const noexcept {
  VersionedCell* const object = object_of(*this);
  return object == nullptr ? Status::end_closed : wait_by(*object, version, internal::deadline_of(limit), nullptr);
}

Status Cell::wait(std::uint64_t& version, StopRef stop, TimeLimit limit) const noexcept {
  VersionedCell* const object = object_of(*this);
  if (object == nullptr) return Status::end_closed;
  return internal::run_stoppable_at(*object, stop, limit,
                                    [&](internal::Deadline deadline, const internal::Stop* by) noexcept {
                                      return wait_by(*object, version, deadline, by);
                                    });
}

}  // namespace xichan
