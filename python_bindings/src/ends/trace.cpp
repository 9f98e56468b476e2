#include "ends/trace.h"

#include <cerrno>
#include <cstring>

#include "base/state.h"
#include "page/workers.h"
#include "trace/json.h"

namespace xichan::python {

using namespace internal;

namespace {

// The workers that exist already; others are named when they start.
void name_workers() noexcept {
  for (std::size_t i = 0; i < worker_slots; ++i) {
    WorkerView view;
    if (read_worker(i, view)) name_worker(view.row);
  }
}

// _trace_start(max_events) -> the number of the trace.
PyObject* trace_start(PyObject*, PyObject* value) noexcept {
  const unsigned long long max_events = PyLong_AsUnsignedLongLong(value);
  if (max_events == static_cast<unsigned long long>(-1) && PyErr_Occurred()) return nullptr;
  std::uint32_t number;
  const Status status = Trace::start(max_events, number);
  if (status == Status::ok) {
    name_workers();
    return PyLong_FromUnsignedLong(number);
  }
  if (status == Status::no_memory) return PyErr_NoMemory();
  PyErr_SetString(PyExc_RuntimeError, "a trace is being recorded already; call its stop() first");
  return nullptr;
}

// _trace_stop(number, fd) -> (recorded events, dropped events); None if the trace has ended. Writes the file, unless fd
// is negative. Raises OSError.
PyObject* trace_stop(PyObject*, PyObject* args) noexcept {
  unsigned int number;
  int descriptor;
  if (!PyArg_ParseTuple(args, "Ii:_trace_stop", &number, &descriptor)) return nullptr;
  int error = 0;
  unsigned long long events = 0;
  unsigned long long dropped = 0;
  bool has_ended;
  Py_BEGIN_ALLOW_THREADS;
  std::unique_ptr<TraceData> data = Trace::stop(number);
  has_ended = data == nullptr;
  if (!has_ended) {
    if (descriptor >= 0) error = write_trace(*data, descriptor);
    events = data->events();
    dropped = data->dropped.load(memory_order_relaxed);
  }
  Py_END_ALLOW_THREADS;
  if (has_ended) Py_RETURN_NONE;
  if (error == ENOMEM) return PyErr_NoMemory();
  if (error == 0) return Py_BuildValue("KK", events, dropped);
  errno = error;
  return PyErr_SetFromErrno(PyExc_OSError);
}

// _trace_count(number) -> (recorded events, dropped events); None if the trace has ended.
PyObject* trace_count(PyObject*, PyObject* value) noexcept {
  const unsigned long number = PyLong_AsUnsignedLong(value);
  if (number == static_cast<unsigned long>(-1) && PyErr_Occurred()) return nullptr;
  std::uint64_t events;
  std::uint64_t dropped;
  if (!Trace::count(static_cast<std::uint32_t>(number), events, dropped)) Py_RETURN_NONE;
  return Py_BuildValue("KK", static_cast<unsigned long long>(events), static_cast<unsigned long long>(dropped));
}

// _trace_clock() -> the time for _trace_call(); 0 while no trace records.
PyObject* trace_clock(PyObject*, PyObject*) noexcept { return PyLong_FromLongLong(is_traced() ? Deadline::now() : 0); }

// _trace_call(name, begin, coroutine): records a call, of a coroutine or of the calling thread. Does nothing if no
// trace records, or none did when it began.
PyObject* trace_call(PyObject* module, PyObject* args) noexcept {
  const char* name;
  Py_ssize_t length;
  long long begin;
  int is_coroutine;
  if (!PyArg_ParseTuple(args, "s#Lp:_trace_call", &name, &length, &begin, &is_coroutine)) return nullptr;
  if (begin == 0 || !is_traced()) Py_RETURN_NONE;
  set_traced_interpreter(*state_of(module));
  Trace::record({.begin = begin,
                 .end = Deadline::now(),
                 .subject = Trace::text({name, static_cast<std::size_t>(length)}),
                 .kind = is_coroutine ? TraceKind::coroutine_wait : TraceKind::call});
  Py_RETURN_NONE;
}

}  // namespace

void name_worker(const WorkerRow& row) noexcept {
  if (row.name[0] == 0) return;
  const std::string_view name(row.name, strnlen(row.name, sizeof row.name));
  const auto interpreter = static_cast<std::uint64_t>(row.interpreter);
  Trace::name({.kind = TraceSubject::Kind::interpreter, .words = {interpreter, 0}}, name);
  Trace::name({.kind = TraceSubject::Kind::thread, .words = {static_cast<std::uint64_t>(row.thread), 0}}, name);
}

PyMethodDef trace_functions[] = {
    {"_trace_start", trace_start, METH_O, nullptr},     {"_trace_stop", trace_stop, METH_VARARGS, nullptr},
    {"_trace_count", trace_count, METH_O, nullptr},     {"_trace_clock", trace_clock, METH_NOARGS, nullptr},
    {"_trace_call", trace_call, METH_VARARGS, nullptr}, {nullptr, nullptr, 0, nullptr},
};

}  // namespace xichan::python
