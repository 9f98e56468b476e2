#include "values/types.h"

#include "base/ref.h"
#include "values/buffer.h"
#include "values/bytes_view.h"
#include "values/shared.h"
#include "values/str_view.h"
#include "values/tuple_view.h"

namespace xichan::python {
namespace {

PyType_Spec* const specs[] = {&tuple_spec, &bytes_spec, &str_spec, &shared_spec, &buffer_spec};
static_assert(std::size(specs) == static_cast<std::size_t>(ValueType::count));

// For isinstance(). The `match` statement checks a type flag instead, which only TupleView has.
int register_as_sequence(const ModuleState& state) noexcept {
  const Ref sequence = import_attribute("collections.abc", "Sequence");
  if (!sequence) return -1;
  for (const ValueType type : {ValueType::tuple, ValueType::bytes}) {
    if (!Ref(PyObject_CallMethod(sequence.get(), "register", "O", state.type_of(type)))) return -1;
  }
  return 0;
}

}  // namespace

int add_value_types(PyObject* module, ModuleState& state) noexcept {
  for (std::size_t i = 0; i < std::size(specs); ++i) {
    PyObject* base = specs[i] == &str_spec ? reinterpret_cast<PyObject*>(&PyUnicode_Type) : nullptr;
    auto* type = reinterpret_cast<PyTypeObject*>(PyType_FromModuleAndSpec(module, specs[i], base));
    state.value_types[i] = type;
    if (type == nullptr || PyModule_AddType(module, type) < 0) return -1;
  }
  return register_as_sequence(state);
}

}  // namespace xichan::python
