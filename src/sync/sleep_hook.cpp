#include "sync/sleep_hook.h"

namespace xichan::internal {

constinit SleepHook sleep_hook{INT64_MAX, nullptr};

}  // namespace xichan::internal
