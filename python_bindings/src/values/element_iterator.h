// Iterators over the entries of a DictView or SetView.
#pragma once

#include "values/view.h"

namespace xichan::python {

/// What an iterator over a dict returns. A set has keys only.
enum class DictPart { keys, values, items };

/// Returns a new iterator. Null with MemoryError set.
PyObject* new_element_iterator(PyObject* hashed_view, DictPart part, bool reversed) noexcept;

extern PyType_Spec elements_spec;

}  // namespace xichan::python
