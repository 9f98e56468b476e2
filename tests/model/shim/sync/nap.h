// Stands in for src/sync/nap.h in the models, where a thread sleeps until it is woken.
#pragma once

#include "base/deadline.h"

namespace xichan::internal {

class Naps {
 public:
  bool any_taken() const noexcept { return false; }
  bool any_left() const noexcept { return false; }
  Deadline until(Deadline deadline) const noexcept { return deadline; }
  bool go_on(Deadline) const noexcept { return false; }
};

}  // namespace xichan::internal
