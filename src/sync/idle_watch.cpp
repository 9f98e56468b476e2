#include "sync/idle_watch.h"

#include "arena/cache_quota.h"
#include "base/immortal.h"

namespace xichan::internal {
namespace {

[[gnu::constructor]] void watch_stores() {
  after_caching = []() noexcept { idle_watchers().note_cached(); };
}

}  // namespace

IdleWatchers& idle_watchers() noexcept { return immortal<IdleWatchers>(); }

}  // namespace xichan::internal
