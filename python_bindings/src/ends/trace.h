// The functions behind xichan.trace(), for xichan._trace.
#pragma once

#include <Python.h>

#include "page/rows.h"

namespace xichan::python {

extern PyMethodDef trace_functions[];

/// Gives the interpreter and the thread of a worker its name in the trace that records, if any.
void name_worker(const internal::WorkerRow& row) noexcept;

}  // namespace xichan::python
