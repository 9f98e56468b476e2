// Error messages that name the path to a part that cannot be shared. Runs only after an encode has failed.
#pragma once

#include "base/state.h"
#include "base/worklist.h"

namespace xichan::python {

/// The indices that lead to a part of a value, the innermost first; empty for the value itself.
using Steps = Worklist<std::uint64_t>;

/// Raises NotShareableError for `item`, which is element `index` of the `tuple`-th tuple of `root` in breadth-first
/// order, or `root` itself. Example: "value[3][1]: numpy.bool is not shareable".
void raise_not_shareable(const ModuleState& state, PyObject* root, PyObject* item, std::size_t tuple, Py_ssize_t index,
                         const char* why = "is not shareable") noexcept;

/// Does the same for a known path; `what` is the fully qualified name of a type.
void raise_not_shareable(const ModuleState& state, const Steps& steps, const char* what, const char* why) noexcept;

}  // namespace xichan::python
