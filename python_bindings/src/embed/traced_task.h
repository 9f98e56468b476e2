// The tasks of workers in a trace.
#pragma once

#include <Python.h>

#include "page/rows.h"
#include "trace/trace.h"

namespace xichan::python {

/// The event of a task in a trace, which lasts as long as this object. Attached.
class TracedTask {
 public:
  TracedTask() noexcept : span_(internal::TraceKind::task, {}) {}

  /// Names the event after the function that a worker runs, and the error that is set, if a trace records. `function`
  /// and `args` are those of _TaskRunner.run(); `row` is what the page shows of the worker. Keeps the exception.
  void finish(PyObject* function, PyObject* args, const internal::WorkerRow& row) noexcept {
    if (internal::is_traced()) [[unlikely]]
      describe(function, args, row);
  }

 private:
  void describe(PyObject* function, PyObject* args, const internal::WorkerRow& row) noexcept;

  internal::TraceSpan span_;
};

}  // namespace xichan::python
