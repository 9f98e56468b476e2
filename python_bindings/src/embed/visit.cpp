// The list of the threads of an interpreter changes under its lock (the GIL), with one exception: a call of
// concurrent.interpreters removes its thread from the interpreter that it has called without that lock. So only the
// threads of the main interpreter, which is never called so, can be listed.
#include "embed/visit.h"

#include <new>
#include <string>

#include "base/ref.h"
#include "base/state.h"
#include "embed/guard.h"
#include "xichan/python.h"

namespace xichan::python {
namespace {

// Returns (native id, frame or None) of each thread of the main interpreter, which must be the calling one.
// `sys._current_frames` cannot be used: it also reads the frames of interpreters whose locks the caller does not hold.
PyObject* list_threads(PyObject*, PyObject*) noexcept {
  PyInterpreterState* const interpreter = PyInterpreterState_Get();
  if (interpreter != PyInterpreterState_Main()) {
    PyErr_SetString(PyExc_RuntimeError, "the threads of the main interpreter only can be listed");
    return nullptr;
  }
  Ref threads(PyList_New(0));
  if (!threads) return nullptr;
  // Nothing here runs Python code or releases the lock of the interpreter.
  for (PyThreadState* thread = PyInterpreterState_ThreadHead(interpreter); thread != nullptr;
       thread = PyThreadState_Next(thread)) {
    auto* frame = reinterpret_cast<PyObject*>(PyThreadState_GetFrame(thread));
    const Ref held(frame == nullptr ? Py_NewRef(Py_None) : frame);
    const Ref item(Py_BuildValue("kO", thread->native_thread_id, held.get()));
    if (!item || PyList_Append(threads.get(), item.get()) < 0) return nullptr;
  }
  return threads.release();
}

// The text of the current exception, which is cleared.
std::string take_error() {
  const Ref error(PyErr_GetRaisedException());
  const Ref text(error ? PyObject_Str(error.get()) : nullptr);
  const char* found = text ? PyUnicode_AsUTF8(text.get()) : nullptr;
  if (found == nullptr) PyErr_Clear();
  return found == nullptr ? "unknown error" : found;
}

// Calls `function` of `module`. Returns true with the content of the bytes it returned, or false with an error message.
bool call_for_bytes(const std::string& module, const std::string& function, std::string& result) {
  const Ref callable = import_attribute(module.c_str(), function.c_str());
  const Ref value(callable ? PyObject_CallNoArgs(callable.get()) : nullptr);
  char* data;
  Py_ssize_t size;
  if (!value || PyBytes_AsStringAndSize(value.get(), &data, &size) < 0) {
    result = take_error();
    return false;
  }
  result.assign(data, static_cast<std::size_t>(size));
  return true;
}

// _call_in(interpreter, module, function): calls the function in another interpreter, in this thread, and returns the
// bytes that it returns; None if the interpreter has ended or has not imported xichan. Waits for the lock of that
// interpreter.
PyObject* call_in(PyObject*, PyObject* args) noexcept try {
  long long id;
  const char* module_name;
  const char* function_name;
  if (PyArg_ParseTuple(args, "Lss:_call_in", &id, &module_name, &function_name) == 0) return nullptr;
  const std::string module(module_name), function(function_name);  // the arguments belong to the calling interpreter
  Gate* const gate = find_gate(id);
  if (gate == nullptr) Py_RETURN_NONE;
  Attachment attachment{};
  const Status status = enter_gate(gate, attachment);
  if (status != Status::ok) {
    release_gate(gate);
    if (status == Status::no_memory) return PyErr_NoMemory();
    Py_RETURN_NONE;
  }
  std::string result;
  bool returned = false;
  try {
    returned = call_for_bytes(module, function, result);
  } catch (const std::bad_alloc&) {
    result.clear();
  }
  leave_gate(attachment);
  release_gate(gate);
  if (returned) return PyBytes_FromStringAndSize(result.data(), static_cast<Py_ssize_t>(result.size()));
  return PyErr_Format(PyExc_RuntimeError, "%s.%s() failed in interpreter %lld: %s", module.c_str(), function.c_str(),
                      id, result.c_str());
} catch (const std::bad_alloc&) {
  return PyErr_NoMemory();
}

}  // namespace

PyMethodDef visit_functions[] = {
    {"_threads", list_threads, METH_NOARGS, nullptr},
    {"_call_in", call_in, METH_VARARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace xichan::python
