// The tasks of workers in a trace.
#pragma once

#include <Python.h>

#include "trace/trace.h"

namespace xichan::python {

/// The event of a task in a trace, which lasts as long as this object. Attached.
class TracedTask {
 public:
  TracedTask() noexcept : span_(internal::TraceKind::task, {}) {}

  /// Names the event after the function that a worker runs, if a trace records. `function` and `args` are those of
  /// _TaskRunner.run(). Keeps the exception that is set.
  void finish(PyObject* function, PyObject* args) noexcept {
    if (internal::is_traced()) [[unlikely]]
      name_after(function, args);
  }

 private:
  void name_after(PyObject* function, PyObject* args) noexcept;

  internal::TraceSpan span_;
};

}  // namespace xichan::python
