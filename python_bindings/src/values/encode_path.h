// Names the place of what cannot be shared. Only runs once an encode has failed.
#pragma once

#include "base/state.h"
#include "base/worklist.h"

namespace xichan::python {

/// The indices that lead to a part of a value, the innermost first; none for the value itself.
using Steps = Worklist<std::uint64_t>;

/// Raises NotShareableError for `item`, element `index` of the `tuple`-th tuple of `root` in breadth-first order, as in
/// "value[3][1]: list is not shareable"; with item == root for the value itself.
void raise_not_shareable(const ModuleState& state, PyObject* root, PyObject* item, std::size_t tuple, Py_ssize_t index,
                         const char* why = "is not shareable") noexcept;

/// The same where the place is known; `what` is the name of a type.
void raise_not_shareable(const ModuleState& state, const Steps& steps, const char* what, const char* why) noexcept;

}  // namespace xichan::python
