#include "nats/failure.h"

namespace xichan::nats::internal {

namespace {

thread_local bool is_gone = false;

struct Kept {
  Error error;
  ~Kept() { is_gone = true; }
};

}  // namespace

// A thread destroys its objects before those with static lifetime are, whose destructors may come here.
Error& kept_error() noexcept {
  thread_local Kept kept;
  if (!is_gone) return kept.error;
  thread_local Error* const late = new Error();
  return *late;
}

Status fail(Status status, std::string message, int code) {
  kept_error() = {std::move(message), code};
  return status;
}

}  // namespace xichan::nats::internal
