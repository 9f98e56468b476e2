#include "sync/process_words.h"

namespace xichan::internal {

constinit ProcessWords process_words{};

}  // namespace xichan::internal
