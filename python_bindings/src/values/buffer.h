// xichan.Buffer: writable memory of the arena, which freeze() turns into a Shared.
#pragma once

#include <Python.h>

namespace xichan::python {

extern PyType_Spec buffer_spec;

}  // namespace xichan::python
