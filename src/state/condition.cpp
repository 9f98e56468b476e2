#include "state/condition.h"

namespace xichan::internal {

void SharedCondition::enter(WaitRecord& record) noexcept {
  std::lock_guard held(lock());
  records_.push_back(record);
}

SharedCondition::Outcome SharedCondition::leave(WaitRecord& record, bool returns) noexcept {
  {
    std::lock_guard held(lock());
    if (record.outcome() == Outcome::waiting) end(record, Outcome::broken);
    if (record.outcome() == Outcome::broken || returns) return record.outcome();
    record.set(Outcome::broken);  // passed on once
  }
  notify(1);
  return Outcome::broken;
}

void SharedCondition::notify(std::uint64_t count) noexcept {
  {
    std::lock_guard held(lock());
    for (; count != 0 && records_.first() != nullptr; --count) end(*records_.first(), Outcome::passed);
  }
  changed();
}

}  // namespace xichan::internal
