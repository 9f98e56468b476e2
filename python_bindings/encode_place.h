// Names the place of what cannot be shared. Only runs once an encode has failed.
#pragma once

#include "state.h"

namespace xichan::python {

/// Raises NotShareableError for `item`, element `index` of the `tuple`-th tuple of `root` in breadth-first order, as in
/// "value[3][1]: list is not shareable"; with item == root for the value itself.
void raise_not_shareable(const ModuleState& state, PyObject* root, PyObject* item, std::size_t tuple,
                         Py_ssize_t index) noexcept;

}  // namespace xichan::python
