#include "nats/failure.h"

namespace xichan::nats::internal {

Error& kept_error() noexcept {
  thread_local Error error;
  return error;
}

Status fail(Status status, std::string message, int code) {
  kept_error() = {std::move(message), code};
  return status;
}

}  // namespace xichan::nats::internal
