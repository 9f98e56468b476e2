// What the types of xichan._nats have in common: each object owns one C++ object.
#pragma once

#include <Python.h>

#include <memory>
#include <new>
#include <string_view>
#include <utility>

#include "nats/fork.h"

namespace xichan::nats::internal {

struct ModuleState {
  PyTypeObject* connection_type;
  PyTypeObject* consumer_type;
  PyTypeObject* delivery_type;
  PyTypeObject* mailbox_type;
  PyTypeObject* room_type;
  PyTypeObject* heartbeat_type;
};

extern PyModuleDef module_definition;
extern PyType_Spec connection_spec, consumer_spec, delivery_spec, mailbox_spec, room_spec, heartbeat_spec;

inline ModuleState* state_of_type(PyTypeObject* type) noexcept {
  PyObject* const module = PyType_GetModuleByDef(type, &module_definition);
  return module == nullptr ? nullptr : static_cast<ModuleState*>(PyModule_GetState(module));
}

template <class T>
struct Object {
  PyObject_HEAD
  T held;
};

template <class T>
T& held(PyObject* object) noexcept {
  return reinterpret_cast<Object<T>*>(object)->held;
}

/// Allocates an object and moves `value` into it. Null with an exception set.
template <class T>
PyObject* make_object(PyTypeObject* type, T&& value) noexcept {
  PyObject* const object = type->tp_alloc(type, 0);
  if (object != nullptr) new (&held<T>(object)) T(std::move(value));
  return object;
}

template <class T>
void deallocate(PyObject* object) noexcept {
  PyTypeObject* const type = Py_TYPE(object);
  held<T>(object).~T();
  type->tp_free(object);
  Py_DECREF(type);
}

/// Calls a function that may throw std::bad_alloc; returns null with MemoryError set then.
template <class Function>
PyObject* guarded(Function function) noexcept {
  try {
    return function();
  } catch (const std::bad_alloc&) {
    return PyErr_NoMemory();
  }
}

/// Closes and releases the Receiver of a mailbox, or null. What it holds is not wanted any more, so that dropping it
/// is not worth the warning of Receivers that are dropped while open.
inline void drop_receiver(PyObject* receiver) noexcept {
  if (receiver == nullptr) return;
  PyObject* const error = PyErr_GetRaisedException();
  PyObject* const closed = PyObject_CallMethod(receiver, "close", nullptr);
  if (closed == nullptr) PyErr_WriteUnraisable(receiver);
  Py_XDECREF(closed);
  Py_DECREF(receiver);
  PyErr_SetRaisedException(error);
}

/// Borrows the bytes of a str or bytes object. False with an exception set.
bool borrow(PyObject* object, std::string_view& bytes) noexcept;

}  // namespace xichan::nats::internal
