// The module's slots: multi-phase, one state per interpreter, every interpreter with a GIL of its own.
#include <new>
#include <utility>

#include "base/errors.h"
#include "base/handle.h"
#include "directory/process.h"
#include "embed/c_api.h"
#include "embed/guard.h"
#include "ends/async.h"
#include "functions.h"
#include "values/view.h"
#include "xichan/version.h"

namespace xichan::python {
namespace {

// Runs when the interpreter ends, also when a thread of it is still inside a call.
void give_back_ends(void* data) noexcept {
  auto* ends = static_cast<InterpreterEnds*>(data);
  ends->owner.release_all();
  remove_gate(ends->interpreter);
  InterpreterEnds::drop(ends);
}

int own_ends(ModuleState& state) noexcept {
  state.ends = new (std::nothrow) InterpreterEnds;
  if (state.ends == nullptr) {
    PyErr_NoMemory();
    return -1;
  }
  state.ends->interpreter = PyInterpreterState_Get();
  if (PyUnstable_AtExit(PyInterpreterState_Get(), give_back_ends, state.ends) < 0) return -1;
  ++state.ends->users;
  return 0;
}

PyTypeObject* add_type(PyObject* module, PyType_Spec& spec, PyTypeObject* base) noexcept {
  PyObject* type = PyType_FromModuleAndSpec(module, &spec, reinterpret_cast<PyObject*>(base));
  if (type != nullptr && PyModule_AddType(module, reinterpret_cast<PyTypeObject*>(type)) < 0) Py_CLEAR(type);
  return reinterpret_cast<PyTypeObject*>(type);
}

PyObject* import_attribute(const char* module_name, const char* name) noexcept {
  PyObject* module = PyImport_ImportModule(module_name);
  PyObject* attribute = module == nullptr ? nullptr : PyObject_GetAttrString(module, name);
  Py_XDECREF(module);
  return attribute;
}

// Called by the threading module when its interpreter shuts down: what waits for nothing must not keep it from ending.
PyObject* begin_exit(PyObject* capsule, PyObject*) noexcept {
  auto* ends = static_cast<InterpreterEnds*>(PyCapsule_GetPointer(capsule, nullptr));
  if (ends == nullptr) return nullptr;
  ends->owner.begin_exit();
  if (PyInterpreterState_Get() == PyInterpreterState_Main()) Process::begin_exit();
  Py_RETURN_NONE;
}

PyMethodDef begin_exit_method = {"_begin_exit", begin_exit, METH_NOARGS, nullptr};

void drop_ends(PyObject* capsule) noexcept {
  InterpreterEnds::drop(static_cast<InterpreterEnds*>(PyCapsule_GetPointer(capsule, nullptr)));
}

// Has the threading module call `begin_exit` before it joins its threads: private, but the same from 3.9 to 3.15, and
// the only hook in time for threads that are not daemons. The hook holds the ends, not the module.
int watch_for_exit(ModuleState& state) noexcept {
  PyObject* capsule = PyCapsule_New(state.ends, nullptr, drop_ends);
  if (capsule == nullptr) return -1;
  ++state.ends->users;
  PyObject* hook = PyCFunction_New(&begin_exit_method, capsule);
  PyObject* threading = PyImport_ImportModule("threading");
  PyObject* result = nullptr;
  if (threading != nullptr && hook != nullptr) {
    result = PyObject_CallMethod(threading, "_register_atexit", "O", hook);
    // While nothing shuts down, C++ threads may come in.
    if (result != nullptr && open_gate() < 0) Py_CLEAR(result);
    // RuntimeError: the interpreter is shutting down already, and a module imported now has nobody waiting.
    if (result == nullptr && PyErr_ExceptionMatches(PyExc_RuntimeError)) {
      PyErr_Clear();
      result = Py_NewRef(Py_None);
    }
  }
  Py_DECREF(capsule);
  Py_XDECREF(threading);
  Py_XDECREF(hook);
  Py_XDECREF(result);
  return result == nullptr ? -1 : 0;
}

int execute(PyObject* module) noexcept {
  ModuleState& state = *state_of(module);
  if (own_ends(state) < 0 || load_errors(state) < 0) return -1;
  state.stats_type = import_attribute("xichan._stats", "Stats");
  state.parts_name = PyUnicode_InternFromString("_parts");
  if (state.stats_type == nullptr || state.parts_name == nullptr) return -1;
  PyTypeObject* base = add_type(module, end_spec, nullptr);
  if (base == nullptr) return -1;
  state.sender_type = add_type(module, sender_spec, base);
  state.receiver_type = add_type(module, receiver_spec, base);
  Py_DECREF(base);
  state.watch_type = add_type(module, watch_spec, nullptr);
  PyTypeObject* notifier = add_type(module, notifier_spec, nullptr);
  Py_XDECREF(notifier);
  if (state.sender_type == nullptr || state.receiver_type == nullptr || state.watch_type == nullptr ||
      notifier == nullptr) {
    return -1;
  }
  if (add_value_types(module, state) < 0) return -1;
  state.unpickle = PyObject_GetAttrString(module, "_unpickle_end");
  if (state.unpickle == nullptr) return -1;
  if (PyModule_AddStringConstant(module, "__version__", XICHAN_VERSION) < 0 || add_c_api(module) < 0) return -1;
  return register_with_interpreters(state) < 0 || watch_for_exit(state) < 0 ? -1 : 0;
}

int traverse(PyObject* module, visitproc visit, void* arg) noexcept {
  const ModuleState& state = *state_of(module);
  Py_VISIT(state.sender_type);
  Py_VISIT(state.receiver_type);
  Py_VISIT(state.watch_type);
  for (PyTypeObject* type : state.value_types) Py_VISIT(type);
  Py_VISIT(state.stats_type);
  Py_VISIT(state.queue_type);
  Py_VISIT(state.unpickle);
  Py_VISIT(state.share);
  for (PyObject* error : state.errors) Py_VISIT(error);
  return 0;
}

// Handles may outlive this, so only what needs the cycle collector goes; the types keep the state's memory.
int clear(PyObject* module) noexcept {
  ModuleState& state = *state_of(module);
  Py_CLEAR(state.unpickle);
  Py_CLEAR(state.share);
  return 0;
}

void free_state(void* module) noexcept {
  ModuleState& state = *state_of(static_cast<PyObject*>(module));
  clear(static_cast<PyObject*>(module));
  Py_CLEAR(state.sender_type);
  Py_CLEAR(state.receiver_type);
  Py_CLEAR(state.watch_type);
  for (PyTypeObject*& type : state.value_types) Py_CLEAR(type);
  Py_CLEAR(state.stats_type);
  Py_CLEAR(state.queue_type);
  Py_CLEAR(state.parts_name);
  for (PyObject*& error : state.errors) Py_CLEAR(error);
  InterpreterEnds::drop(std::exchange(state.ends, nullptr));
}

PyModuleDef_Slot slots[] = {
    {Py_mod_exec, reinterpret_cast<void*>(execute)},
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
    {Py_mod_gil, Py_MOD_GIL_USED},  // handles rely on the GIL to be used by one thread at a time
    {0, nullptr},
};

}  // namespace

PyModuleDef module_definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "xichan._core",
    .m_doc = "The compiled part of xichan; use it through the package.",
    .m_size = sizeof(ModuleState),
    .m_methods = module_methods(),
    .m_slots = slots,
    .m_traverse = traverse,
    .m_clear = clear,
    .m_free = free_state,
};

ModuleState* import_state() noexcept {
  PyObject* module = PyImport_ImportModule("xichan._core");
  if (module == nullptr) return nullptr;
  ModuleState* state = PyModule_GetDef(module) == &module_definition ? state_of(module) : nullptr;
  Py_DECREF(module);  // sys.modules holds it
  if (state == nullptr && !PyErr_Occurred()) PyErr_SetString(PyExc_ImportError, "xichan._core has been replaced");
  return state;
}

}  // namespace xichan::python

PyMODINIT_FUNC PyInit__core() { return PyModuleDef_Init(&xichan::python::module_definition); }
