// xichan.StrView: a str whose characters stay in their block.
#pragma once

#include "values/view.h"

namespace xichan::python {

struct StrView {
  PyUnicodeObject text;
  PyObject* weak_references;
  BlockSlice slice;
};

/// Returns a new StrView of the text at a resolved place. Null with MemoryError set.
PyObject* new_str_view(ModuleState& state, const CellRef& place) noexcept;

extern PyType_Spec str_spec;

}  // namespace xichan::python
