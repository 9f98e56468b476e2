#include "values/types.h"

#include "base/ref.h"
#include "values/array_view.h"
#include "values/buffer.h"
#include "values/bytes_view.h"
#include "values/descriptor.h"
#include "values/dict_view.h"
#include "values/element_iterator.h"
#include "values/list_view.h"
#include "values/record_view.h"
#include "values/set_view.h"
#include "values/shared.h"
#include "values/str_view.h"
#include "values/tuple_view.h"

namespace xichan::python {
namespace {

PyType_Spec* const specs[] = {&tuple_spec, &list_spec, &dict_spec,   &set_spec,    &record_spec,     &array_spec,
                              &bytes_spec, &str_spec,  &shared_spec, &buffer_spec, &descriptor_spec, &elements_spec};
static_assert(std::size(specs) == static_cast<std::size_t>(ValueType::count));

struct Registration {
  const char* abstract_class;
  ValueType type;
};

// For isinstance(). The classes are those of collections.abc, without the import of collections, which takes a
// millisecond. The `match` statement checks a type flag instead.
int register_abstract(const ModuleState& state) noexcept {
  constexpr Registration registrations[] = {{"Sequence", ValueType::tuple},
                                            {"Sequence", ValueType::list},
                                            {"Sequence", ValueType::bytes},
                                            {"Mapping", ValueType::dict},
                                            {"Set", ValueType::set}};
  for (const Registration& each : registrations) {
    const Ref abstract = import_attribute("_collections_abc", each.abstract_class);
    if (!abstract) return -1;
    if (!Ref(PyObject_CallMethod(abstract.get(), "register", "O", state.type_of(each.type)))) return -1;
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
  return register_abstract(state);
}

}  // namespace xichan::python
