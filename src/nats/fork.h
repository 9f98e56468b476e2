// Objects that the child of a fork inherits.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <new>
#include <utility>

namespace xichan::nats::internal {

/// Returns true in the child of a fork. The threads of its connections do not exist there, their locks may be held for
/// good, and their sockets belong to the parent: objects of the parent must be left alone.
inline bool is_forked(pid_t creator) noexcept { return getpid() != creator; }

template <class T>
void leak(std::shared_ptr<T>&& object) noexcept {
  ::new (std::malloc(sizeof object)) std::shared_ptr<T>(std::move(object));
}

}  // namespace xichan::nats::internal
