// Helpers of the public state objects: their handles, and waiting without an interpreter.
#pragma once

#include "api/access.h"
#include "state/lock.h"
#include "state/map_entry.h"
#include "state/turnstile.h"
#include "xichan/map.h"

namespace xichan::internal {

struct StateAccess {
  /// Returns the object of a handle, which is a T; null if the handle is empty or inherited through a fork.
  template <class T>
  static T* usable(const StateBase& handle) noexcept {
    StateObject* const object = handle.object_;
    return object != nullptr && !object->is_inherited() ? static_cast<T*>(object) : nullptr;
  }
  /// Makes the handle refer to an object, of which it takes over one reference.
  static void adopt(StateBase& handle, StateObject& object) noexcept {
    handle.close();
    handle.object_ = &object;
  }
  /// Lists a new object, or null if there was no memory for it, under a name that may be empty, and adopts it. `ok |
  /// no_memory | name_taken`; `invalid` if the name cannot be one. Releases it unless `ok`.
  static Status introduce(StateObject* object, std::string_view name, StateBase& out) noexcept;

  /// Returns the key for the core; its status is `ok`.
  static MapKey key(const xichan::MapKey& key) noexcept { return MapKey::of(ValueAccess::cell(key.value_), key.hash_); }
  static const Cell& cell(const xichan::MapKey& key) noexcept { return ValueAccess::cell(key.value_); }
};

inline Cell& cell_of(Value& value) noexcept { return ValueAccess::cell(value); }

/// Stores a cell that is not owned in a value, which shares its content.
inline void share_cell(const Cell& cell, Value& out) noexcept {
  retain(cell);
  ValueAccess::adopt(out, cell);
}

/// Blocks until the object admits the request: `ok | timeout`, or `cancelled` by `stop`, which may be null. A signal
/// does not end the wait. The request belongs to this call.
Status wait_admitted(Turnstile& object, Request& request, Deadline deadline, const Stop* stop,
                     const char* call = nullptr) noexcept;

/// Returns `call(deadline, stop)`, a call that waits at an object, or `cancelled` once a stop is requested.
template <class Call>
Status run_stoppable_at(Turnstile& object, StopRef ref, TimeLimit limit, Call call) noexcept {
  const Deadline deadline = deadline_of(limit);
  return run_stoppable(
      ref, [&](const Stop& stop) noexcept { return call(deadline, &stop); },
      [&](const Stop& stop) noexcept { object.nudge(&stop.flag()); });
}

/// Returns the token by which the calling thread owns locks in C++. Its owner is the process, which does not end.
Token thread_token() noexcept;

}  // namespace xichan::internal
