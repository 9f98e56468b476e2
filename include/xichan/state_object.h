// What the classes of shared state have in common: handles of objects that all interpreters and threads of the process
// use together.
//
// A thread that is attached to an interpreter must not block here, because it would stop that interpreter's other
// threads. Detach first (Py_BEGIN_ALLOW_THREADS), or use the calls that never block.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "xichan/export.h"
#include "xichan/state_kind.h"
#include "xichan/status.h"
#include "xichan/stop.h"
#include "xichan/time_limit.h"
#include "xichan/value.h"

namespace xichan {

namespace internal {
class StateObject;
struct StateAccess;
}  // namespace internal

/// Owns one reference to a shared object; the part of a handle that does not depend on the class of the object. The
/// object exists as long as a handle, in C++ or Python, a message or a call refers to it.
///
/// A call on a handle that is empty, or that the parent of a fork made, returns `end_closed`; if it does not return a
/// Status it returns zero, false or None, and changes nothing.
///
/// Thread safety: any number of threads may call functions of one handle at the same time, except those that replace or
/// empty it (moves, `close`, the destructor, and functions that store a handle in it) and unless its class states
/// otherwise. Only the calls that are documented as blocking block.
class XICHAN_API StateBase {
 public:
  /// Returns true if this handle refers to an object.
  explicit operator bool() const noexcept { return object_ != nullptr; }
  /// Returns the name that the object was created with, or an empty one. Valid while this handle refers to it.
  std::string_view name() const noexcept;
  /// Returns the number of calls of the whole process that are blocked at the object. Other threads may change it at
  /// any moment.
  std::uint32_t waiting() const noexcept;
  /// Releases the reference and empties the handle. Idempotent; never blocks.
  void close() noexcept;
  /// Makes a value that refers to the object. The value can be sent, alone or inside a container; its receiver opens a
  /// handle, and Python receives the same object. `ok | end_closed | no_memory | arena_full`; `value` is unchanged
  /// unless `ok`.
  Status as_value(Value& value) const noexcept;
  /// Returns the class of the object that a value refers to; std::nullopt for any other value.
  static std::optional<StateKind> kind_of(ValueView value) noexcept;

  /// Returns true if both handles refer to the same object, or both are empty.
  friend bool operator==(const StateBase& one, const StateBase& other) noexcept { return one.object_ == other.object_; }

 protected:
  friend struct internal::StateAccess;

  StateBase() noexcept = default;
  StateBase(StateBase&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  StateBase& operator=(StateBase&& other) noexcept {
    if (this == &other) return *this;
    close();
    object_ = std::exchange(other.object_, nullptr);
    return *this;
  }
  ~StateBase() { close(); }

  void share(const StateBase& other) noexcept;
  static Status find(StateKind kind, std::string_view name, StateBase& out, TimeLimit limit) noexcept;
  static Status find(StateKind kind, std::string_view name, StateBase& out, StopRef stop, TimeLimit limit) noexcept;
  static Status open(StateKind kind, ValueView value, StateBase& out) noexcept;

 private:
  internal::StateObject* object_ = nullptr;
};

/// The operations that all classes of handles share. `Object` is one of them.
template <class Object, StateKind kind, class Base = StateBase>
class StateOf : public Base {
 public:
  /// Returns another handle of the object; an empty one if this is empty.
  Object clone() const noexcept {
    Object other;
    other.share(*this);
    return other;
  }

  /// Opens a handle of the object of this class with this name; blocks until one exists. `ok | not_found`; `object` is
  /// unchanged unless `ok`.
  static Status lookup(std::string_view name, Object& object, TimeLimit limit = Timeout::zero()) noexcept {
    return StateBase::find(kind, name, object, limit);
  }
  /// Likewise; returns `cancelled` once a stop is requested.
  static Status lookup(std::string_view name, Object& object, StopRef stop, TimeLimit limit = forever) noexcept {
    return StateBase::find(kind, name, object, stop, limit);
  }

  /// Opens a handle of the object that a value refers to. `ok | not_found`. Anything other than such a value is
  /// `not_found`, and so are objects of other classes and of before a fork. `object` is unchanged unless `ok`.
  static Status open(ValueView value, Object& object) noexcept { return StateBase::open(kind, value, object); }
};

}  // namespace xichan
