// The module definition: multi-phase initialization, one state per interpreter, each interpreter with its own GIL.
#include <new>

#include "base/call_site.h"
#include "base/errors.h"
#include "base/exit.h"
#include "base/lending.h"
#include "base/plans.h"
#include "base/ref.h"
#include "directory/page_publisher.h"
#include "embed/c_api.h"
#include "embed/guard.h"
#include "embed/task_types.h"
#include "embed/visit.h"
#include "ends/async.h"
#include "ends/endpoint_type.h"
#include "ends/hints.h"
#include "ends/inspect.h"
#include "ends/names.h"
#include "ends/page_request.h"
#include "ends/receiver.h"
#include "ends/receiver_views.h"
#include "ends/remote_end.h"
#include "ends/select.h"
#include "ends/sender.h"
#include "ends/stats.h"
#include "ends/tasks.h"
#include "ends/trace.h"
#include "ends/transport.h"
#include "ends/watch.h"
#include "functions.h"
#include "page/page.h"
#include "page/workers.h"
#include "state/record.h"
#include "state/state_type.h"
#include "state/waiting.h"
#include "values/decoder.h"
#include "values/descriptor.h"
#include "values/dumps.h"
#include "values/duplicate.h"
#include "values/pickle_sink.h"
#include "values/pickling.h"
#include "values/shared.h"
#include "values/types.h"
#include "xichan/version.h"

namespace xichan::python {
namespace {

// Returns true in the child of a fork, for an interpreter other than the one that forked. Its list of loans may have
// been changing.
bool is_left_by_fork(const InterpreterEndpoints& endpoints) noexcept {
  return endpoints.generation != process_generation() && endpoints.interpreter != PyInterpreterState_Main();
}

// Called when the interpreter is finalized, even if one of its threads is still inside a call.
void release_endpoints(void* data) noexcept {
  auto* endpoints = static_cast<InterpreterEndpoints*>(data);
  endpoints->owner.release_all();
  if (!is_left_by_fork(*endpoints)) end_lending(endpoints->owner);
  release_workers(PyInterpreterState_GetID(endpoints->interpreter));
  remove_gate(endpoints->interpreter);
  end_exit(endpoints->interpreter);
  InterpreterEndpoints::drop(endpoints);
}

int own_plans(ModuleState& state) noexcept {
  state.plans = new (std::nothrow) Plans;
  if (state.plans != nullptr) return 0;
  PyErr_NoMemory();
  return -1;
}

int own_endpoints(ModuleState& state) noexcept {
  state.endpoints = new (std::nothrow) InterpreterEndpoints;
  if (state.endpoints == nullptr) {
    PyErr_NoMemory();
    return -1;
  }
  state.endpoints->interpreter = PyInterpreterState_Get();
  state.endpoints->owner.interpreter.store(PyInterpreterState_GetID(state.endpoints->interpreter),
                                           memory_order_relaxed);
  if (state.endpoints->interpreter == PyInterpreterState_Main()) state.endpoints->owner.set_name("main");
  if (PyUnstable_AtExit(PyInterpreterState_Get(), release_endpoints, state.endpoints) < 0) return -1;
  ++state.endpoints->users;
  begin_lending(state.endpoints->owner);
  return 0;
}

// Creates a type and adds it to the module. Null with an exception set.
PyTypeObject* add_type(PyObject* module, PyType_Spec& spec, PyTypeObject* base = nullptr) noexcept {
  PyObject* type = PyType_FromModuleAndSpec(module, &spec, reinterpret_cast<PyObject*>(base));
  if (type != nullptr && PyModule_AddType(module, reinterpret_cast<PyTypeObject*>(type)) < 0) Py_CLEAR(type);
  return reinterpret_cast<PyTypeObject*>(type);
}

int add_types(PyObject* module, ModuleState& state) noexcept {
  const Ref base(reinterpret_cast<PyObject*>(add_type(module, endpoint_spec)));
  auto* base_type = reinterpret_cast<PyTypeObject*>(base.get());
  if (!base || finish_endpoint_type(base_type) < 0) return -1;
  if ((state.sender_type = add_type(module, sender_spec, base_type)) == nullptr) return -1;
  if ((state.receiver_type = add_type(module, receiver_spec, base_type)) == nullptr) return -1;
  if ((state.views_type = add_type(module, views_spec)) == nullptr) return -1;
  if ((state.watch_type = add_type(module, watch_spec)) == nullptr) return -1;
  if ((state.ticket_type = add_type(module, ticket_spec)) == nullptr) return -1;
  if ((state.state_watch_type = add_type(module, state_watch_spec)) == nullptr) return -1;
  if ((state.state_record_type = add_type(module, state_record_spec)) == nullptr) return -1;
  const Ref notifier(reinterpret_cast<PyObject*>(add_type(module, notifier_spec)));
  const Ref sink(reinterpret_cast<PyObject*>(add_type(module, pickle_sink_spec)));
  const Ref board(reinterpret_cast<PyObject*>(add_type(module, task_board_spec)));
  const Ref runner(reinterpret_cast<PyObject*>(add_type(module, task_runner_spec)));
  const Ref remote(reinterpret_cast<PyObject*>(add_type(module, remote_end_spec)));
  if (!notifier || !sink || !board || !runner || !remote) return -1;
  return add_value_types(module, state);
}

int add_functions(PyObject* module, ModuleState& state) noexcept {
  for (PyMethodDef* functions :
       {module_functions, name_functions, stats_functions, select_functions, aselect_functions, dumps_functions,
        share_functions, inspect_functions, descriptor_functions, duplicate_functions, transport_functions,
        task_functions, trace_functions, state_functions, pickling_functions, unpickling_functions, visit_functions,
        page_request_functions}) {
    if (PyModule_AddFunctions(module, functions) < 0) return -1;
  }
  state.unpickle = PyObject_GetAttrString(module, "_unpickle_end");
  state.unpickle_state = PyObject_GetAttrString(module, "_unpickle_state");
  state.share = PyObject_GetAttrString(module, "share");
  return state.unpickle == nullptr || state.unpickle_state == nullptr || state.share == nullptr ? -1 : 0;
}

int execute(PyObject* module) noexcept {
  ModuleState& state = *state_of(module);
  if (open_page() < 0) return -1;
  if (find_package_folder() < 0 || own_plans(state) < 0 || own_endpoints(state) < 0 || load_errors(state) < 0)
    return -1;
  if (add_types(module, state) < 0 || add_functions(module, state) < 0) return -1;
  if (PyModule_AddStringConstant(module, "__version__", XICHAN_VERSION) < 0 || add_c_api(module) < 0) return -1;
  bool exiting = false;
  if (add_state_types(module, state) < 0) return -1;
  if (register_with_interpreters(state) < 0 || watch_for_exit(state, exiting) < 0) return -1;
  if (PyInterpreterState_Get() != PyInterpreterState_Main()) PagePublisher::start();
  return exiting ? 0 : open_gate();
}

int traverse(PyObject* module, visitproc visit, void* arg) noexcept { return state_of(module)->traverse(visit, arg); }

int clear(PyObject* module) noexcept {
  state_of(module)->clear();
  return 0;
}

void free_state(void* module) noexcept { state_of(static_cast<PyObject*>(module))->free(); }

PyModuleDef_Slot slots[] = {
    {Py_mod_exec, reinterpret_cast<void*>(execute)},
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
    {Py_mod_gil, Py_MOD_GIL_USED},  // the GIL lets one thread at a time use a handle
    {0, nullptr},
};

}  // namespace

PyModuleDef module_definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "xichan._core",
    .m_doc = "The compiled part of xichan. Import xichan instead.",
    .m_size = sizeof(ModuleState),
    .m_slots = slots,
    .m_traverse = traverse,
    .m_clear = clear,
    .m_free = free_state,
};

}  // namespace xichan::python

PyMODINIT_FUNC PyInit__core() { return PyModuleDef_Init(&xichan::python::module_definition); }
