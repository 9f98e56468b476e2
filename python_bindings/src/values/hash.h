// Hashes of values in blocks, equal to those of the Python objects that show them.
#pragma once

#include "values/view.h"

namespace xichan::python {

/// Returns the hash of the value that a view or Shared shows, in time proportional to its size in memory, and stores it
/// in the view. Returns -1 with an exception set: TypeError if the value is not hashable or contains an endpoint,
/// RecursionError, MemoryError, or what Python code raised.
Py_hash_t view_hash(PyObject* view) noexcept;

}  // namespace xichan::python
