#include "base/state_handle.h"

#include <new>
#include <utility>

namespace xichan::python {

void StateReference::abandon() noexcept {
  if (owner_ == nullptr) return;
  ended_.store(true, memory_order_seq_cst);
  std::exchange(owner_, nullptr)->remove(*this);
  std::exchange(object_, nullptr)->release();
}

void state_handle_dealloc(PyObject* self) noexcept {
  StateHandle* handle = as_state_handle(self);
  PyTypeObject* type = Py_TYPE(self);
  if (handle->weak_references != nullptr) PyObject_ClearWeakRefs(self);
  Py_XDECREF(handle->extra);
  if (handle->reference != nullptr) {
    handle->reference->abandon();
    delete handle->reference;
  }
  type->tp_free(self);
  Py_DECREF(type);
}

PyObject* new_state_handle(ModuleState& state, StateObject* object) noexcept {
  EndpointOwner& owner = state.endpoints->owner;
  StateHandle* handle = PyObject_New(StateHandle, state.type_of(object->kind()));
  if (handle == nullptr) {
    object->release();
    return nullptr;
  }
  handle->weak_references = nullptr;
  handle->state = &state;
  handle->extra = nullptr;
  handle->reference = owner.has_ended() ? nullptr : new (std::nothrow) StateReference(*object, owner);
  if (handle->reference != nullptr) return reinterpret_cast<PyObject*>(handle);
  object->release();
  Py_DECREF(handle);
  return owner.has_ended() ? raise(state, Status::closed, "the interpreter is shutting down") : PyErr_NoMemory();
}

StateObject* raise_unusable(PyObject* self) noexcept {
  const StateHandle* handle = as_state_handle(self);
  if (handle->reference->object() != nullptr) {
    raise_inherited(*handle->state);
  } else {
    PyErr_SetString(handle->state->error(ErrorClass::error), "the interpreter is shutting down");
  }
  return nullptr;
}

void raise_inherited(const ModuleState& state) noexcept {
  PyErr_SetString(state.error(ErrorClass::error),
                  "the object belongs to the parent process: objects that interpreters share do not survive a fork");
}

}  // namespace xichan::python
