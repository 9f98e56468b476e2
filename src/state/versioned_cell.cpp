#include "state/versioned_cell.h"

namespace xichan::internal {

VersionedCell::~VersionedCell() {
  bool is_last;
  HeldValue* const held = current_.exchange(nullptr, 0, is_last);
  if (is_last) HeldValue::free(held);
}

std::uint64_t VersionedCell::get(Cell& out) noexcept {
  HeldValue* const held = current_.enter();
  const std::uint64_t version = held->version;
  out = held->cell;
  internal::retain(out);
  HeldValue::leave(held, current_);
  return version;
}

std::uint64_t VersionedCell::version() noexcept {
  HeldValue* const held = current_.enter();
  const std::uint64_t version = held->version;
  HeldValue::leave(held, current_);
  return version;
}

Status VersionedCell::set(const Cell& value) noexcept {
  Cell previous;
  Status status;
  if ((status = swap(value, previous)) == Status::ok) internal::release(previous);
  return status;
}

Status VersionedCell::swap(const Cell& value, Cell& previous) noexcept {
  HeldValue* fresh;
  const Status status = HeldValue::make(value, fresh);
  if (status != Status::ok) return status;
  for (;;) {
    HeldValue* const seen = current_.enter();
    fresh->version = seen->version + 1;
    const bool replaced = current_.replace(seen, fresh);
    if (replaced) {
      previous = seen->cell;
      internal::retain(previous);
    }
    const std::uint64_t version = seen->version + 1;
    HeldValue::leave(seen);
    if (!replaced) continue;
    announce(version);
    return Status::ok;
  }
}

Status VersionedCell::compare_and_set(std::uint64_t version, const Cell& value, bool& done) noexcept {
  done = false;
  HeldValue* const seen = current_.enter();
  Status status = Status::ok;
  if (seen->version == version) {
    HeldValue* fresh;
    status = HeldValue::make(value, fresh);
    if (status == Status::ok) {
      fresh->version = version + 1;
      done = current_.replace(seen, fresh);
      if (!done) HeldValue::discard(fresh);
    }
  }
  HeldValue::leave(seen);
  if (done) announce(version + 1);
  return status;
}

// A writer that finds a higher version announced leaves the waiters to the writer of that one.
void VersionedCell::announce(std::uint64_t version) noexcept {
  std::uint64_t known = announced_.load(memory_order_relaxed);
  while (known < version) {
    // Sequentially consistent, with `admit`; see Turnstile.
    if (!announced_.compare_exchange_weak(known, version, memory_order_seq_cst, memory_order_relaxed)) continue;
    changed();
    return;
  }
}

bool VersionedCell::admit(Request& request) noexcept {
  const std::uint64_t now = announced_.load(memory_order_seq_cst);
  if (now <= request.wanted) return false;
  request.answer = now;
  return true;
}

}  // namespace xichan::internal
