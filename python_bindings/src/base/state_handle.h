// The Python object that refers to one object of state (src/state): what AtomicInt, Map, Lock, ... have in common.
#pragma once

#include "base/errors.h"
#include "base/state.h"

namespace xichan::python {

/// One handle's reference to an object, which the end of its interpreter releases, whatever happens to the handle.
class StateReference final : public OwnedWait, public InSlab {
 public:
  StateReference(StateObject& object, EndpointOwner& owner) noexcept
      : number_(object.number()), object_(&object), owner_(&owner) {
    owner.add(*this);
  }
  /// Returns the number of the object, also once it was released.
  std::uint64_t number() const noexcept { return number_; }
  /// Null once the interpreter has ended.
  StateObject* object() const noexcept { return object_; }
  /// Set before the object is released. Calls that wait read it, see Turnstile::wait.
  const atomic<bool>& ended() const noexcept { return ended_; }
  void abandon() noexcept override;

 private:
  const std::uint64_t number_;
  StateObject* object_;
  EndpointOwner* owner_;
  atomic<bool> ended_{false};
};

struct StateHandle {
  PyObject_HEAD
  PyObject* weak_references;
  ModuleState* state;         // of the module that holds the type, which this object keeps alive
  StateReference* reference;  // never null
  PyObject* extra;            // what a kind keeps beside it, or null
};

inline StateHandle* as_state_handle(PyObject* object) noexcept { return reinterpret_cast<StateHandle*>(object); }

/// The tp_dealloc of these types, by which they are recognized.
void state_handle_dealloc(PyObject* self) noexcept;
inline bool is_state_handle(PyObject* object) noexcept { return Py_TYPE(object)->tp_dealloc == state_handle_dealloc; }

/// Returns a new handle that takes over one reference to the object, also on failure. Null with an exception set.
PyObject* new_state_handle(ModuleState& state, StateObject* object) noexcept;

/// Raises Error for an object that was inherited through a fork.
void raise_inherited(const ModuleState& state) noexcept;

/// Raises Error for a handle whose object was inherited through a fork, or whose interpreter has ended. Returns null.
StateObject* raise_unusable(PyObject* self) noexcept;

/// Returns the object of a handle; null with an exception set if it was inherited through a fork, or its interpreter
/// has ended.
inline StateObject* usable_object(PyObject* self) noexcept {
  StateObject* const object = as_state_handle(self)->reference->object();
  return object != nullptr && !object->is_inherited() ? object : raise_unusable(self);
}

/// Does the same for a handle whose object is a T.
template <class T>
T* usable(PyObject* self) noexcept {
  return static_cast<T*>(usable_object(self));
}

}  // namespace xichan::python
