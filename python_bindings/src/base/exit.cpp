#include "base/exit.h"

#include <algorithm>

#include "base/ref.h"
#include "directory/process.h"

namespace xichan::python {
namespace {

constexpr std::int64_t exit_grace_ns = 50'000'000;

thread_local constinit Deadline patience_end = Deadline::never();

// The endpoints of the attached interpreter, one for each time that the module was imported: a list whose head is in
// the dict that CPython keeps for extension modules. They exist until the interpreter is freed.
constexpr const char* dict_key = "xichan._core endpoints";

InterpreterEndpoints* all_endpoints() noexcept {
  PyObject* dict = PyInterpreterState_GetDict(PyInterpreterState_Get());
  PyObject* capsule = dict == nullptr ? nullptr : PyDict_GetItemString(dict, dict_key);
  return capsule == nullptr ? nullptr : static_cast<InterpreterEndpoints*>(PyCapsule_GetPointer(capsule, dict_key));
}

int add_endpoints(InterpreterEndpoints* endpoints) noexcept {
  PyObject* dict = PyInterpreterState_GetDict(PyInterpreterState_Get());
  if (dict == nullptr) {
    PyErr_NoMemory();
    return -1;
  }
  endpoints->next = all_endpoints();
  const Ref capsule(PyCapsule_New(endpoints, dict_key, nullptr));
  return capsule ? PyDict_SetItemString(dict, dict_key, capsule.get()) : -1;
}

// Bounds the waits of the attached interpreter, and in the main one those of the process. Idempotent.
void begin_exit() noexcept {
  if (patience_end.is_never()) patience_end = Deadline::after(exit_patience_ns);
  for (InterpreterEndpoints* e = all_endpoints(); e != nullptr; e = e->next) {
    if (!std::exchange(e->exit_begun, true)) e->owner.begin_exit();
  }
  if (PyInterpreterState_Get() == PyInterpreterState_Main() && !process_is_exiting()) Process::begin_exit();
}

// Returns once no thread is on its way back into the attached interpreter; from then on only the caller gets there.
void close_returns() noexcept {
  InterpreterEndpoints* const first = all_endpoints();
  Py_BEGIN_ALLOW_THREADS;
  const Deadline deadline = Deadline::after(exit_patience_ns);
  for (InterpreterEndpoints* e = first; e != nullptr; e = e->next) e->owner.returns.close(deadline);
  Py_END_ALLOW_THREADS;
}

bool open_returns() noexcept {
  bool was_closed = false;
  for (InterpreterEndpoints* e = all_endpoints(); e != nullptr; e = e->next) was_closed |= e->owner.returns.open();
  return was_closed;
}

PyObject* call_begin_exit(PyObject*, PyObject*) noexcept {
  begin_exit();
  Py_RETURN_NONE;
}

// Replaces threading._shutdown, which is `original`. CPython 3.15 calls it again if `atexit` functions have started
// threads, which then have to return.
PyObject* shut_down_threads(PyObject* original, PyObject*) noexcept {
  begin_exit();
  const bool was_closed = open_returns();
  PyObject* result = PyObject_CallNoArgs(original);
  PyObject* error = PyErr_GetRaisedException();
  if (was_closed) close_returns();
  PyErr_SetRaisedException(error);
  return result;
}

// Called by `atexit`, when the interpreter's own threads have ended. Those that are left are daemons, or threads of
// other interpreters that call into this one. CPython lets the latter crash, unless they wait here.
PyObject* call_close_returns(PyObject*, PyObject*) noexcept {
  close_returns();
  Py_RETURN_NONE;
}

PyMethodDef begin_exit_method = {"_begin_exit", call_begin_exit, METH_NOARGS, nullptr};
PyMethodDef shut_down_method = {"_shutdown", shut_down_threads, METH_NOARGS, nullptr};
PyMethodDef close_returns_method = {"_close_returns", call_close_returns, METH_NOARGS, nullptr};

// Replaces threading._shutdown, which CPython calls at the end of an interpreter. A hook in `threading` itself would be
// too late: such hooks run in reverse order, and that of concurrent.futures joins threads that may wait in a channel.
int replace_shutdown(PyObject* threading) noexcept {
  const Ref original(PyObject_GetAttrString(threading, "_shutdown"));
  if (!original) return -1;
  if (PyCFunction_Check(original.get()) && PyCFunction_GetFunction(original.get()) == shut_down_threads) return 0;
  const Ref replacement(PyCFunction_New(&shut_down_method, original.get()));
  if (!replacement || PyObject_SetAttrString(threading, "_shutdown", replacement.get()) < 0) return -1;
  if (PyInterpreterState_Get() == PyInterpreterState_Main()) return 0;  // CPython never frees its lock
  const Ref atexit(PyImport_ImportModule("atexit"));
  const Ref close(PyCFunction_New(&close_returns_method, nullptr));
  if (!atexit || !close) return -1;
  return Ref(PyObject_CallMethod(atexit.get(), "register", "O", close.get())) ? 0 : -1;
}

}  // namespace

void interrupt_waits() noexcept {
  for (InterpreterEndpoints* e = all_endpoints(); e != nullptr; e = e->next) e->owner.interrupt_waits();
}

Deadline ExitPatience::deadline() noexcept {
  if (patience_end.is_never()) patience_end = Deadline::after(exit_patience_ns);
  return later(patience_end, Deadline::after(exit_grace_ns));
}

void ExitPatience::renew() noexcept { patience_end = Deadline::never(); }

int watch_for_exit(ModuleState& state, bool& begun) noexcept {
  const Ref threading(PyImport_ImportModule("threading"));
  if (!threading || add_endpoints(state.endpoints) < 0 || replace_shutdown(threading.get()) < 0) return -1;
  // Serves if other code replaces threading._shutdown, and fails if the interpreter is shutting down.
  const Ref hook(PyCFunction_New(&begin_exit_method, nullptr));
  if (!hook) return -1;
  begun = !Ref(PyObject_CallMethod(threading.get(), "_register_atexit", "O", hook.get()));
  if (!begun) return 0;
  // RuntimeError: a module imported now has no waiting threads.
  if (!PyErr_ExceptionMatches(PyExc_RuntimeError)) return -1;
  PyErr_Clear();
  return 0;
}

void end_exit(PyInterpreterState* interpreter) noexcept {
  if (interpreter == PyInterpreterState_Main()) Process::end_exit();
  if (!process_is_exiting()) ExitPatience::renew();
}

}  // namespace xichan::python
