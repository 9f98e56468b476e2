#include "values/array_object.h"

#include <cstdio>

namespace xichan::python {
namespace {

// Returns the character of the struct module for a number, or "" if NumPy has another.
const char* code_of(char kind, unsigned long size) noexcept {
  switch (kind) {
    case 'b': return size == 1 ? "?" : "";
    case 'i': return size == 1 ? "b" : size == 2 ? "h" : size == 4 ? "i" : size == 8 ? "l" : "";
    case 'u': return size == 1 ? "B" : size == 2 ? "H" : size == 4 ? "I" : size == 8 ? "L" : "";
    case 'f': return size == 2 ? "e" : size == 4 ? "f" : size == 8 ? "d" : size == 16 ? "g" : "";
    case 'c': return size == 8 ? "Zf" : size == 16 ? "Zd" : size == 32 ? "Zg" : "";
    case 'm':
    case 'M': return size == 8 ? "q" : "";  // buffers have no format for times
    default: return "";
  }
}

// Writes the format of a buffer for a dtype. A structure is raw memory there.
void write_dtype_format(std::string_view dtype, char (&to)[32], Py_ssize_t item_size) noexcept {
  const bool has_order = !dtype.empty() && std::string_view("<>|=").find(dtype[0]) != std::string_view::npos;
  const char* const order = has_order && dtype[0] == '>' ? ">" : "";
  if (has_order) dtype.remove_prefix(1);
  const char kind = dtype.empty() ? 'V' : dtype[0];
  const char* const code = code_of(kind, static_cast<unsigned long>(item_size));
  if (kind == 'U') {
    std::snprintf(to, sizeof to, "%s%zdw", order, item_size / 4);
  } else if (kind == 'S') {
    std::snprintf(to, sizeof to, "%zds", item_size);
  } else if (*code == 0) {
    std::snprintf(to, sizeof to, "%zdx", item_size);
  } else {
    // In standard sizes an int of 8 bytes is q.
    const char* const standard = *code == 'l' ? "q" : *code == 'L' ? "Q" : code;
    std::snprintf(to, sizeof to, "%s%s", order, *order == 0 ? code : standard);
  }
}

// Sets what depends on format and shape, which are valid. False without memory.
bool set_layout(ArrayView* array, const ArrayParts& parts) noexcept {
  const auto dimensions = static_cast<std::size_t>(parts.dimensions());
  array->shape = static_cast<Py_ssize_t*>(PyMem_Malloc((2 * dimensions + 1) * sizeof(Py_ssize_t)));
  if (array->shape == nullptr) return false;
  const std::uint64_t items = parts.items();
  const std::uint64_t size = !parts.is_structured() ? format_size(parts.kind, parts.format_text())
                             : items == 0           ? 1
                                                    : parts.length / items;
  array->item_size = static_cast<Py_ssize_t>(size);
  Py_ssize_t stride = array->item_size;
  for (std::size_t i = 0; i < dimensions; ++i) {
    array->shape[i] = static_cast<Py_ssize_t>(parts.dimension(i));
    const std::size_t next = parts.kind == ArrayKind::fortran ? i : dimensions - 1 - i;
    array->strides()[next] = stride;
    const auto length = static_cast<Py_ssize_t>(parts.dimension(next));
    if (length != 0) stride *= length;  // cannot overflow: verified
  }
  const std::string_view text = parts.is_structured() ? "V" : parts.format_text();
  if (parts.is_numpy()) {
    write_dtype_format(text, array->format, array->item_size);
  } else {
    const std::string_view format = text == "u" ? "w" : text;
    std::snprintf(array->format, sizeof array->format, "%.*s", static_cast<int>(format.size()), format.data());
  }
  return true;
}

}  // namespace

PyObject* new_array_view(ModuleState& state, const CellRef& place) noexcept {
  PyObject* view = new_view(state, ValueType::array, place.reader.block(), *place.cell);
  if (view == nullptr) return nullptr;
  const ArrayParts parts(place);
  ArrayView* array = as_array(view);
  array->content = parts.content;
  array->length = static_cast<Py_ssize_t>(parts.length);
  array->dimensions = static_cast<int>(parts.dimensions());
  array->kind = parts.kind;
  if (set_layout(array, parts)) return view;
  Py_DECREF(view);
  return PyErr_NoMemory();
}

PyObject* make_memoryview(ModuleState& state, const CellRef& place) noexcept {
  const Ref view(new_array_view(state, place));
  return view ? PyMemoryView_FromObject(view.get()) : nullptr;
}

}  // namespace xichan::python
