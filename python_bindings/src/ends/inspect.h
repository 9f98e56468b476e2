// What xichan.inspect() is made of: the waits, endpoints, channels and interpreters of the process.
#pragma once

#include <Python.h>

namespace xichan::python {

/// Makes the page of the process, if there is none: readers in other processes find it also while nothing waits.
/// Private if os.environ says so. -1 with an exception set.
int open_page() noexcept;

/// Functions that return tuples for xichan._inspecting, which makes the records.
extern PyMethodDef inspect_functions[];

}  // namespace xichan::python
