// Published values from C++, and waiting for names.
#include "directory/names.h"
#include "api/access.h"
#include "state/object.h"
#include "value/utf8.h"
#include "xichan/names.h"

namespace xichan::internal {

bool is_name(std::string_view name) noexcept {
  if (name.empty() || !scan_utf8(name).valid) return false;
  // scan_utf8 accepts surrogates, whose first byte is ed and whose second byte is a0 or more.
  for (std::size_t i = 0; i + 1 < name.size(); ++i) {
    if (static_cast<unsigned char>(name[i]) == 0xed && static_cast<unsigned char>(name[i + 1]) >= 0xa0) return false;
  }
  return true;
}

Status wait_for_names(std::uint32_t seen, Deadline deadline, const Stop* stop) noexcept {
  if (deadline.passed()) return Status::not_found;
  WaitReport report("lookup", wait_flags(deadline));
  Status status;
  do {
    if (stop != nullptr && stop->is_requested()) return Status::cancelled;
    WaitLimits limits = limits_until(deadline, report);
    // Names::wait reads this flag after it has enlisted, and the stop sets it before it wakes: see (13).
    if (stop != nullptr) limits.owner_exiting = &stop->flag();
    status = Names::wait(seen, limits);
  } while (status == Status::interrupted);
  return status == Status::timeout ? Status::not_found : status;
}

}  // namespace xichan::internal

namespace xichan {

using namespace internal;

Status publish(std::string_view name, Value&& value) noexcept {
  if (!is_name(name)) return Status::invalid;
  Cell previous;
  const Status status = Names::publish(name, ValueAccess::cell(value), false, previous);
  if (status == Status::ok) ValueAccess::cell(value) = Cell::none();
  return status;
}

Status unpublish(std::string_view name) noexcept {
  Cell cell;
  const Status status = Names::unpublish(name, cell);
  if (status == Status::ok) release(cell);
  return status;
}

namespace {

Status find_value(std::string_view name, Value& value) noexcept {
  const Names::Found found = Names::find(name);
  if (found.object != nullptr) found.object->release();
  if (found.kind != NameKind::value) return Status::not_found;
  ValueAccess::adopt(value, found.value);
  return Status::ok;
}

}  // namespace

Status lookup(std::string_view name, Value& value, TimeLimit limit) noexcept {
  return look_up(deadline_of(limit), nullptr, [&]() noexcept { return find_value(name, value); });
}

Status lookup(std::string_view name, Value& value, StopRef stop, TimeLimit limit) noexcept {
  return look_up(limit, stop, [&]() noexcept { return find_value(name, value); });
}

}  // namespace xichan
