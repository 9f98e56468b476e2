// An owning reference to a Python object.
#pragma once

#include <Python.h>

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

/// Imports a module and returns one of its attributes. Null with an exception set.
inline Ref import_attribute(const char* module_name, const char* name) noexcept {
  const Ref module(PyImport_ImportModule(module_name));
  return Ref(module ? PyObject_GetAttrString(module.get(), name) : nullptr);
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
