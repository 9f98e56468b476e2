#include "values/view.h"

#include "arena/arena.h"
#include "values/decode.h"

namespace xichan::python {
namespace {

PyType_Spec* const specs[] = {&tuple_spec, &bytes_spec, &str_spec, &shared_spec, &buffer_spec, &views_spec};
static_assert(std::size(specs) == static_cast<std::size_t>(ValueType::count));

// Type checks ask the abstract class; `match` asks the flag, which Tuple has by itself.
int register_as_sequence(const ModuleState& state) noexcept {
  PyObject* module = PyImport_ImportModule("collections.abc");
  PyObject* sequence = module == nullptr ? nullptr : PyObject_GetAttrString(module, "Sequence");
  Py_XDECREF(module);
  if (sequence == nullptr) return -1;
  int result = 0;
  for (const ValueType type : {ValueType::tuple, ValueType::bytes}) {
    PyObject* registered = PyObject_CallMethod(sequence, "register", "O", state.type_of(type));
    if (registered == nullptr) result = -1;
    Py_XDECREF(registered);
    if (result < 0) break;
  }
  Py_DECREF(sequence);
  return result;
}

}  // namespace

PyObject* new_view(ModuleState& state, ValueType type, const Block* block, const Cell& cell, Py_ssize_t step) noexcept {
  View* view = PyObject_New(View, state.type_of(type));
  if (view == nullptr) return nullptr;
  view->weak_references = nullptr;
  view->state = &state;
  view->sight = {const_cast<Block*>(block), cell};  // its body is never written to through this
  view->step = step;
  view->hash = -1;
  Arena::retain(view->sight.block);
  return reinterpret_cast<PyObject*>(view);
}

PyObject* new_view(ModuleState& state, const CellRef& place) noexcept {
  switch (place.cell->tag()) {
    case Tag::tuple: return new_view(state, ValueType::tuple, place.reader.block(), *place.cell);
    case Tag::bytes: return new_view(state, ValueType::bytes, place.reader.block(), *place.cell);
    default: return new_str(state, place);
  }
}

bool bytes_of(const View* view, std::span<const std::byte>& bytes) noexcept {
  CellRef place{view->sight.reader(), &view->sight.cell};
  // In a Shared a short bytes lies in the root cell itself, which is asked for in the block: it has to stay.
  if (is_a(*view->state, reinterpret_cast<PyObject*>(const_cast<View*>(view)), ValueType::shared)) {
    place = resolve(place.reader, place.reader.root());
  }
  if (place.cell->tag() == Tag::short_bytes) {
    bytes = {reinterpret_cast<const std::byte*>(place.cell->payload()), place.cell->short_length()};
    return true;
  }
  if (place.cell->tag() != Tag::bytes) return false;
  bytes = {static_cast<const std::byte*>(place.reader.payload(*place.cell)), place.cell->length()};
  return true;
}

void view_dealloc(PyObject* self) noexcept {
  PyTypeObject* type = Py_TYPE(self);
  if (as_view(self)->weak_references != nullptr) PyObject_ClearWeakRefs(self);
  Block* block = as_view(self)->sight.block;
  type->tp_free(self);
  Py_DECREF(type);
  Arena::release(block);  // without recursion, however much goes with it
}

PyObject* reduce_to(PyObject* callable, PyObject* argument) noexcept {
  return argument == nullptr ? nullptr : Py_BuildValue("O(N)", callable, argument);
}

PyMemberDef view_members[] = {
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(View, weak_references), Py_READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr},
};

int add_value_types(PyObject* module, ModuleState& state) noexcept {
  for (std::size_t i = 0; i < std::size(specs); ++i) {
    PyObject* base = specs[i] == &str_spec ? reinterpret_cast<PyObject*>(&PyUnicode_Type) : nullptr;
    auto* type = reinterpret_cast<PyTypeObject*>(PyType_FromModuleAndSpec(module, specs[i], base));
    state.value_types[i] = type;
    if (type == nullptr || PyModule_AddType(module, type) < 0) return -1;
  }
  state.share = PyObject_GetAttrString(module, "share");
  return state.share == nullptr ? -1 : register_as_sequence(state);
}

}  // namespace xichan::python
