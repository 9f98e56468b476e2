#include "state/barrier.h"

namespace xichan::internal {

// The caller must hold the lock, and call `changed` after it has released it.
void SharedBarrier::end_round(Outcome outcome) noexcept {
  while (WaitRecord* record = records_.first()) end(*record, outcome);
  arrived_ = 0;
}

SharedBarrier::Outcome SharedBarrier::enter(WaitRecord& record) noexcept {
  {
    std::lock_guard guard(lock());
    if (broken_) {
      record.set(Outcome::broken);
      return Outcome::broken;
    }
    record.index = arrived_++;
    if (arrived_ < parties_) {
      records_.push_back(record);
      return Outcome::waiting;
    }
    record.set(Outcome::passed);
    end_round(Outcome::passed);
  }
  changed();
  return Outcome::passed;
}

SharedBarrier::Outcome SharedBarrier::leave(WaitRecord& record, bool) noexcept {
  {
    std::lock_guard guard(lock());
    if (record.outcome() != Outcome::waiting) return record.outcome();
    broken_ = true;
    end_round(Outcome::broken);
  }
  changed();
  return Outcome::broken;
}

void SharedBarrier::reset() noexcept {
  {
    std::lock_guard guard(lock());
    broken_ = false;
    end_round(Outcome::broken);
  }
  changed();
}

void SharedBarrier::abort() noexcept {
  {
    std::lock_guard guard(lock());
    broken_ = true;
    end_round(Outcome::broken);
  }
  changed();
}

std::uint64_t SharedBarrier::arrived() noexcept {
  std::lock_guard guard(lock());
  return arrived_;
}

bool SharedBarrier::is_broken() noexcept {
  std::lock_guard guard(lock());
  return broken_;
}

}  // namespace xichan::internal
