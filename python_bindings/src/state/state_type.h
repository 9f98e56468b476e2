// What the classes of state objects have in common: the base class, names, how they travel, and creating them.
#pragma once

#include "base/state_handle.h"
#include "ends/names.h"

namespace xichan::python {

/// The base class `_State`. Add it before the others.
extern PyType_Spec state_spec;
/// Makes it immutable: only the module's own types derive from it. -1 with an exception set.
int finish_state_type(PyTypeObject* type) noexcept;

/// Adds all classes to the module, and registers them with concurrent.interpreters. -1 with an exception set.
int add_state_types(PyObject* module, ModuleState& state) noexcept;

/// The module functions objects() and _unpickle_state().
extern PyMethodDef state_functions[];

/// Lists a new object, which may be null for want of memory, under `name` if that is not empty, and returns its handle.
/// `named` is the argument, for the message. Null with an exception set.
PyObject* new_object(ModuleState& state, StateObject* object, std::string_view name, PyObject* named) noexcept;

inline ModuleState& state_of_type(PyTypeObject* type) noexcept {
  return *static_cast<ModuleState*>(PyType_GetModuleState(type));
}

/// Closes a handle: releases its reference, and wakes the calls of this interpreter that wait on behalf of it at
/// `waits_at`. Idempotent.
void close_state_handle(PyObject* self, StateObject& waits_at) noexcept;
/// Returns the object of a handle that can be closed; null with ChannelClosed set.
StateObject* open_object(PyObject* self, const char* closed) noexcept;

/// Returns the repr of a handle with details about its kind; `format` as for PyUnicode_FromFormat.
PyObject* repr_of(PyObject* self, const char* format, ...) noexcept;

/// The module function broadcast(), and its documentation.
PyObject* broadcast(PyObject* module, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept;
extern const char broadcast_doc[];

// The types, each defined with its file.
extern PyType_Spec broadcast_spec, broadcast_receiver_spec, broadcast_sender_spec;
extern PyType_Spec atomic_int_spec, barrier_spec, cell_spec, condition_spec, event_spec, lock_spec, map_spec,
    rlock_spec, semaphore_spec;

}  // namespace xichan::python
