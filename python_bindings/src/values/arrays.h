// array.array, memoryview, and the arrays and scalars of NumPy, as the parts of a cell of tag `array`: kind, format,
// shape and content. NumPy is recognized by the names of its types, and read through its array interface.
#pragma once

#include "base/ref.h"
#include "base/state.h"
#include "values/reduction.h"

namespace xichan::python {

/// The content of an array that is being sent. Holds the memory: an array.array or memoryview cannot be resized or
/// released meanwhile.
struct ArrayContent {
  const void* data;
  std::uint64_t length;
  Py_buffer buffer;  // these two: what holds the memory, or null
  PyObject* owner;
};

/// Returns true for an array.array, memoryview, or array or scalar of NumPy, also for one that is refused, and for one
/// of a derived class.
bool is_array(PyObject* object) noexcept;
/// Returns the content that an object is, the last of the elements of an array; null for any other object.
const ArrayContent* array_content(PyObject* object) noexcept;
/// Returns true if the elements of a reduced value are those of an array.
bool are_array_elements(PyObject* elements) noexcept;

/// Sets `elements` to a tuple of kind, format, shape and content. Returns `unprepared` for an array of a structured
/// dtype, which `reduce_structured` reads, and `refused` for any other value, also for an array that cannot be sent:
/// one that is not contiguous, or has objects in it. Runs no Python code, and leaves no exception set.
Reduction reduce_array(PyObject* value, Ref& elements) noexcept;

/// Does the same for an array for which `reduce_array` returned `unprepared`. Runs Python code. If the array is
/// refused, returns true and sets `refusal` to an exception that says why. False with an exception set.
bool reduce_structured(PyObject* value, Ref& elements, Ref& refusal) noexcept;

}  // namespace xichan::python
