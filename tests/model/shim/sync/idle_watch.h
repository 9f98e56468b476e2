// Stands in for src/sync/idle_watch.h in the models of the channel, where no thread returns memory.
#pragma once

#ifdef XICHAN_MODEL_OF_IDLE_WATCH
#include_next "sync/idle_watch.h"
#else
#include "sync/waiter.h"

namespace xichan::internal {

class IdleWatch {
 public:
  bool is_held() const noexcept { return false; }
  bool begin_sleep(Waiter&) noexcept { return false; }
  void end_sleep(bool) noexcept {}
  void note_sweep() noexcept {}
};

}  // namespace xichan::internal
#endif
