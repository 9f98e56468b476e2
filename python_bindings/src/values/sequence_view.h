// What TupleView and ListView have in common: a sequence whose elements are decoded when they are accessed, each in
// O(1).
#pragma once

#include "values/view.h"

namespace xichan::python {

Py_ssize_t sequence_length(PyObject* self) noexcept;
PyObject* sequence_item(PyObject* self, Py_ssize_t i) noexcept;
PyObject* sequence_subscript(PyObject* self, PyObject* key) noexcept;
int sequence_contains(PyObject* self, PyObject* value) noexcept;
PyObject* sequence_count(PyObject* self, PyObject* value) noexcept;
PyObject* sequence_index(PyObject* self, PyObject* const* args, Py_ssize_t count) noexcept;
PyObject* sequence_compare(PyObject* self, PyObject* other, int operation) noexcept;
PyObject* sequence_iterator(PyObject* self) noexcept;
PyObject* sequence_repeat(PyObject* self, Py_ssize_t count) noexcept;
/// Returns a copy as a tuple or list, copied at any depth.
PyObject* sequence_value(PyObject* self, PyObject*) noexcept;
PyObject* sequence_value_to_pickle(PyObject* self) noexcept;

}  // namespace xichan::python
