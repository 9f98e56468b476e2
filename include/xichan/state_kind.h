// The classes of objects that interpreters share.
#pragma once

#include <cstdint>

namespace xichan {

/// The class of an object that interpreters share. Thread safety: a plain value.
enum class StateKind : std::uint8_t {
  atomic_int,
  cell,
  map,
  lock,
  rlock,
  semaphore,
  event,
  barrier,
  condition,
  broadcast,
  broadcast_sender,
  broadcast_receiver,
};

}  // namespace xichan
