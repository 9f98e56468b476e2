// The module xichan._nats: connections to NATS servers, for the package xichan.nats.
#include "nats/object.h"
#include "xichan/python.h"

namespace xichan::nats::internal {
namespace {

PyTypeObject* add_type(PyObject* module, PyType_Spec& spec) noexcept {
  PyObject* const type = PyType_FromModuleAndSpec(module, &spec, nullptr);
  if (type != nullptr && PyModule_AddType(module, reinterpret_cast<PyTypeObject*>(type)) < 0) {
    Py_DECREF(type);
    return nullptr;
  }
  return reinterpret_cast<PyTypeObject*>(type);
}

ModuleState& state_of(PyObject* module) noexcept { return *static_cast<ModuleState*>(PyModule_GetState(module)); }

int execute(PyObject* module) noexcept {
  ModuleState& state = state_of(module);
  if (python::load_api() == nullptr) return -1;
  if ((state.mailbox_type = add_type(module, mailbox_spec)) == nullptr) return -1;
  if ((state.connection_type = add_type(module, connection_spec)) == nullptr) return -1;
  if ((state.delivery_type = add_type(module, delivery_spec)) == nullptr) return -1;
  if ((state.consumer_type = add_type(module, consumer_spec)) == nullptr) return -1;
  if ((state.room_type = add_type(module, room_spec)) == nullptr) return -1;
  if ((state.heartbeat_type = add_type(module, heartbeat_spec)) == nullptr) return -1;
  return 0;
}

int traverse(PyObject* module, visitproc visit, void* arg) noexcept {
  const ModuleState& state = state_of(module);
  Py_VISIT(state.mailbox_type);
  Py_VISIT(state.connection_type);
  Py_VISIT(state.delivery_type);
  Py_VISIT(state.consumer_type);
  Py_VISIT(state.room_type);
  Py_VISIT(state.heartbeat_type);
  return 0;
}

int clear(PyObject* module) noexcept {
  ModuleState& state = state_of(module);
  Py_CLEAR(state.mailbox_type);
  Py_CLEAR(state.connection_type);
  Py_CLEAR(state.delivery_type);
  Py_CLEAR(state.consumer_type);
  Py_CLEAR(state.room_type);
  Py_CLEAR(state.heartbeat_type);
  return 0;
}

void free_state(void* module) noexcept { clear(static_cast<PyObject*>(module)); }

PyModuleDef_Slot slots[] = {
    {Py_mod_exec, reinterpret_cast<void*>(execute)},
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
    {Py_mod_gil, Py_MOD_GIL_USED},
    {0, nullptr},
};

}  // namespace

bool borrow(PyObject* object, std::string_view& bytes) noexcept {
  if (PyBytes_Check(object)) {
    bytes = {PyBytes_AS_STRING(object), static_cast<std::size_t>(PyBytes_GET_SIZE(object))};
    return true;
  }
  Py_ssize_t size;
  const char* const text = PyUnicode_AsUTF8AndSize(object, &size);
  if (text != nullptr) bytes = {text, static_cast<std::size_t>(size)};
  return text != nullptr;
}

PyModuleDef module_definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "xichan._nats",
    .m_doc = "The compiled part of xichan.nats. Import xichan.nats instead.",
    .m_size = sizeof(ModuleState),
    .m_slots = slots,
    .m_traverse = traverse,
    .m_clear = clear,
    .m_free = free_state,
};

}  // namespace xichan::nats::internal

PyMODINIT_FUNC PyInit__nats() { return PyModuleDef_Init(&xichan::nats::internal::module_definition); }
