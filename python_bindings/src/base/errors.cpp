#include "base/errors.h"

#include "base/ref.h"

namespace xichan::python {
namespace {

constexpr const char* error_names[] = {
    "Error",          "ChannelClosed",     "ChannelFull",         "ChannelEmpty",
    "ChannelTimeout", "NotShareableError", "MemoryLimitExceeded", "NotFound",
    "ChannelFailed",  "DecodeError",       "OwnerDied",           "Lagged",
    "Interrupted",
};
static_assert(std::size(error_names) == static_cast<int>(ErrorClass::count));

PyObject* class_for(const ModuleState& state, Status status) noexcept {
  switch (status) {
    case Status::closed:
    case Status::end_closed:
    case Status::exiting: return state.error(ErrorClass::closed);
    case Status::failed: return state.error(ErrorClass::failed);
    case Status::full: return state.error(ErrorClass::full);
    case Status::empty: return state.error(ErrorClass::empty);
    case Status::timeout: return state.error(ErrorClass::timeout);
    case Status::arena_full: return state.error(ErrorClass::arena_full);
    case Status::not_found: return state.error(ErrorClass::not_found);
    case Status::no_memory: return PyExc_MemoryError;
    case Status::too_large:
    case Status::invalid: return PyExc_ValueError;
    case Status::claimed:
    case Status::name_taken: return state.error(ErrorClass::error);
    case Status::ok:
    case Status::cancelled:  // these six only from calls of C++
    case Status::owner_died:
    case Status::broken:
    case Status::lagged:
    case Status::unavailable:
    case Status::unconfirmed:
    case Status::interrupted: break;
  }
  return PyExc_SystemError;
}

}  // namespace

int load_errors(ModuleState& state) noexcept {
  const Ref module(PyImport_ImportModule("xichan._errors"));
  if (!module) return -1;
  for (int i = 0; i < static_cast<int>(ErrorClass::count); ++i) {
    state.errors[i] = PyObject_GetAttrString(module.get(), error_names[i]);
    if (state.errors[i] == nullptr) return -1;
  }
  return 0;
}

PyObject* raise(const ModuleState& state, Status status, const char* message) noexcept {
  const std::string_view text = message != nullptr ? message : to_string(status);
  const Ref value(PyUnicode_FromStringAndSize(text.data(), static_cast<Py_ssize_t>(text.size())));
  if (value) PyErr_SetObject(class_for(state, status), value.get());
  return nullptr;
}

}  // namespace xichan::python
