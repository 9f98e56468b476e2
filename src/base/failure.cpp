#include "base/failure.h"

namespace xichan::internal {

constinit atomic<std::int64_t> fail_countdown{-1};

}  // namespace xichan::internal
