// xichan.Descriptor: owns a file descriptor, which sending moves to the receiver.
//
// The content of a usable Descriptor is an OwnedDescriptor.
#pragma once

#include "endpoint/owned_descriptor.h"
#include "values/movable.h"

namespace xichan::python {

/// Returns what a Descriptor owns. Null with ValueError set if it owns nothing or another call is using it.
OwnedDescriptor* usable_descriptor(PyObject* self) noexcept;

/// Returns a Descriptor without content; null with an exception set.
MovableObject* new_descriptor(ModuleState& state) noexcept;

// In descriptor_open.cpp.
PyObject* descriptor_socket(PyObject* self, PyObject*) noexcept;
PyObject* descriptor_open(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept;

extern PyMethodDef descriptor_functions[];
extern PyType_Spec descriptor_spec;

}  // namespace xichan::python
