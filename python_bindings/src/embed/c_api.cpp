#include "embed/c_api.h"

#include "embed/guard.h"
#include "value/value_access.h"
#include "values/decode.h"
#include "values/encode.h"
#include "values/transfer.h"

namespace xichan::python {
namespace {

PyObject* value_to_python(const Value& value) noexcept {
  ModuleState* state = import_state();
  return state == nullptr ? nullptr : decode(*state, ValueAccess::cell(value));
}

PyObject* view_to_python(ValueView view) noexcept {
  ModuleState* state = import_state();
  return state == nullptr ? nullptr : decode_at(*state, ValueAccess::reader(view), ValueAccess::cell(view), true);
}

bool value_from_python(PyObject* object, Value& value) noexcept {
  const ModuleState* state = import_state();
  Cell cell;
  if (state == nullptr || !encode(*state, object, cell, Destination::receiver)) return false;
  Transfers transfers;
  if (transfers.take(*state, cell)) transfers.sent(cell);
  ValueAccess::adopt(value, cell);
  return true;
}

constexpr Api api = {
    .version = Api::current_version,
    .to_python = value_to_python,
    .view_to_python = view_to_python,
    .from_python = value_from_python,
    .current_gate = current_gate,
    .find_gate = find_gate,
    .retain_gate = retain_gate,
    .release_gate = release_gate,
    .gate_id = gate_id,
    .enter = enter_gate,
    .leave = leave_gate,
};

}  // namespace

int add_c_api(PyObject* module) noexcept {
  return PyModule_Add(module, "_C_API", PyCapsule_New(const_cast<Api*>(&api), Api::name, nullptr));
}

}  // namespace xichan::python
