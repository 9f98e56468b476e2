// An owning reference to a Python object.
#pragma once

#include <Python.h>

#include <cstddef>
#include <utility>

namespace xichan::python {

/// Owns one reference, or nothing. Null stands for "failed, with an exception set", as in the C API.
class Ref {
 public:
  /// Takes over the caller's reference.
  explicit Ref(PyObject* object = nullptr) noexcept : object_(object) {}
  Ref(Ref&& other) noexcept : object_(other.release()) {}
  Ref& operator=(Ref other) noexcept { return std::swap(object_, other.object_), *this; }
  ~Ref() { Py_XDECREF(object_); }

  explicit operator bool() const noexcept { return object_ != nullptr; }
  PyObject* get() const noexcept { return object_; }
  /// Hands the reference to the caller.
  PyObject* release() noexcept { return std::exchange(object_, nullptr); }

 private:
  PyObject* object_;
};

/// Returns an attribute, as PyObject_GetAttrString does, but by an interned name: a new string for each call would take
/// a place in the interpreter's cache of the attributes of types, and never be found there. Null with an exception set.
inline Ref attribute(PyObject* object, const char* name) noexcept {
  const Ref interned(PyUnicode_InternFromString(name));
  return Ref(interned ? PyObject_GetAttr(object, interned.get()) : nullptr);
}

/// Calls a method by an interned name, with one argument or none. Null with an exception set.
inline Ref call_method(PyObject* object, const char* name, PyObject* argument = nullptr) noexcept {
  const Ref interned(PyUnicode_InternFromString(name));
  PyObject* const arguments[] = {object, argument};
  const std::size_t count = argument == nullptr ? 1 : 2;
  return Ref(interned ? PyObject_VectorcallMethod(interned.get(), arguments, count, nullptr) : nullptr);
}

/// Imports a module and returns one of its attributes. Null with an exception set.
inline Ref import_attribute(const char* module_name, const char* name) noexcept {
  const Ref module(PyImport_ImportModule(module_name));
  return module ? attribute(module.get(), name) : Ref();
}

/// Does the same at the first call, and returns what `slot` then holds (borrowed). Null with an exception set.
inline PyObject* import_once(PyObject*& slot, const char* module_name, const char* name) noexcept {
  if (slot == nullptr) {
    Ref found = import_attribute(module_name, name);
    if (slot == nullptr) slot = found.release();  // else another thread stored it during the import
  }
  return slot;
}

}  // namespace xichan::python
