#pragma once

#include <Python.h>

namespace xichan::python {

/// _request_snapshot() of the module: what a reader of the page of a process does, see src/page/rows.h.
extern PyMethodDef page_request_functions[];

}  // namespace xichan::python
