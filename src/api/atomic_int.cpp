#include "xichan/atomic_int.h"

#include <new>

#include "api/state_access.h"
#include "state/atomic_int.h"

namespace xichan {

using internal::AtomicInteger, internal::StateAccess;

namespace {

AtomicInteger* integer_of(const AtomicInt& handle) noexcept { return StateAccess::usable<AtomicInteger>(handle); }

}  // namespace

Status AtomicInt::make(std::int64_t value, AtomicInt& out, std::string_view name) noexcept {
  return StateAccess::introduce(new (std::nothrow) AtomicInteger(value), name, out);
}

std::int64_t AtomicInt::value() const noexcept {
  const AtomicInteger* object = integer_of(*this);
  return object == nullptr ? 0 : object->load();
}

void AtomicInt::set(std::int64_t value) noexcept {
  if (AtomicInteger* const object = integer_of(*this)) object->store(value);
}

Status AtomicInt::add(std::int64_t n, std::int64_t& sum) noexcept {
  AtomicInteger* const object = integer_of(*this);
  if (object == nullptr) return Status::end_closed;
  std::int64_t result;
  if (!object->add(n, result)) return Status::too_large;
  sum = result;
  return Status::ok;
}

Status AtomicInt::add(std::int64_t n) noexcept {
  std::int64_t sum;
  return add(n, sum);
}

std::int64_t AtomicInt::exchange(std::int64_t value) noexcept {
  AtomicInteger* const object = integer_of(*this);
  return object == nullptr ? 0 : object->exchange(value);
}

bool AtomicInt::compare_exchange(std::int64_t expected, std::int64_t value) noexcept {
  AtomicInteger* const object = integer_of(*this);
  return object != nullptr && object->compare_exchange(expected, value);
}

}  // namespace xichan
