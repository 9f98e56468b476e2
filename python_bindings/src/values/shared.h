// xichan.Shared, and share(): a value encoded once, which any number of messages refer to.
#pragma once

#include "base/state.h"

namespace xichan::python {

/// Returns a Shared of the bytes of an object with a C-contiguous buffer. Null with an exception set.
PyObject* share_bytes(ModuleState& state, PyObject* buffer) noexcept;

/// The module function share().
extern PyMethodDef share_functions[];

extern PyType_Spec shared_spec;

}  // namespace xichan::python
