#include "values/array_make.h"

#include <utility>

#include "base/large_copy.h"
#include "values/array_object.h"
#include "values/decode.h"

namespace xichan::python {
namespace {

// Returns the numpy module; null with an exception set, or without one if it cannot be imported. A failed import is not
// tried again: it is slow.
Ref find_numpy(ModuleState& state, bool may_import) noexcept {
  const Ref name(PyUnicode_FromString("numpy"));
  if (!name) return Ref();
  const Ref imported(PyImport_GetModule(name.get()));
  if (!imported && (PyErr_Occurred() || !may_import || state.numpy_missing)) return Ref();
  const bool outer = std::exchange(state.importing_numpy, true);
  Ref numpy(PyImport_Import(name.get()));  // waits for an import in progress
  state.importing_numpy = outer;
  if (!numpy && PyErr_ExceptionMatches(PyExc_Exception) && !PyErr_ExceptionMatches(PyExc_MemoryError)) {
    PyErr_Clear();
    state.numpy_missing = true;
  }
  return numpy;
}

Ref text_of(const ArrayParts& parts) noexcept {
  const std::string_view text = parts.format_text();
  return Ref(PyUnicode_FromStringAndSize(text.data(), static_cast<Py_ssize_t>(text.size())));
}

PyObject* make_standard(const ArrayParts& parts) noexcept {
  const Ref type = import_attribute("array", "array");
  const Ref code(type ? text_of(parts) : Ref());
  Ref array(code ? PyObject_CallOneArg(type.get(), code.get()) : nullptr);
  if (!array || parts.length == 0) return array.release();
  auto* data = const_cast<char*>(static_cast<const char*>(parts.content));
  const Ref view(PyMemoryView_FromMemory(data, static_cast<Py_ssize_t>(parts.length), PyBUF_READ));
  const Ref done = view ? call_method(array.get(), "frombytes", view.get()) : Ref();
  return done ? array.release() : nullptr;
}

PyObject* raise_invalid() noexcept {
  PyErr_SetString(PyExc_ValueError, "expected the description of a structured dtype");
  return nullptr;
}

Ref make_dtype(ModuleState& state, const Ref& numpy, const ArrayParts& parts) noexcept {
  if (!parts.is_structured()) {
    const Ref text = text_of(parts);
    return text ? call_method(numpy.get(), "dtype", text.get()) : Ref();
  }
  const Ref description = describe_structure(state, parts.format);
  const Ref convert(description ? import_attribute("numpy.lib.format", "descr_to_dtype") : Ref());
  return Ref(convert ? PyObject_CallOneArg(convert.get(), description.get()) : nullptr);
}

// Returns true if the content is items of the dtype. False with an exception set.
bool check_dtype(const ArrayParts& parts, const Ref& dtype) noexcept {
  const Ref has_object = attribute(dtype.get(), "hasobject");
  const Ref size = has_object ? attribute(dtype.get(), "itemsize") : Ref();
  if (!size) return false;
  const std::uint64_t item_size = PyLong_AsUnsignedLongLong(size.get());
  std::uint64_t total;
  const bool fits = !__builtin_mul_overflow(item_size, parts.items(), &total) && total == parts.length;
  // Objects in the content would be addresses.
  if (!PyErr_Occurred() && fits && has_object.get() == Py_False) return true;
  if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "the content of an array does not match its dtype");
  return false;
}

bool copy_content(const ArrayParts& parts, const Ref& array) noexcept {
  const Ref interface = attribute(array.get(), "__array_struct__");
  if (!interface) return false;
  const auto* head = static_cast<const NumpyArray*>(PyCapsule_GetPointer(interface.get(), nullptr));
  if (head == nullptr) return false;
  copy_payload(head->data, parts.content, parts.length);
  return true;
}

PyObject* make_numpy(ModuleState& state, const Ref& numpy, const ArrayParts& parts) noexcept {
  const Ref dtype = make_dtype(state, numpy, parts);
  if (!dtype || !check_dtype(parts, dtype)) return nullptr;
  const Ref shape(decode_at(state, parts.shape.reader, *parts.shape.cell, true));
  const Ref empty = shape ? attribute(numpy.get(), "empty") : Ref();
  const char* order = parts.kind == ArrayKind::fortran ? "F" : "C";
  Ref array(empty ? PyObject_CallFunction(empty.get(), "OOs", shape.get(), dtype.get(), order) : nullptr);
  if (!array || !copy_content(parts, array)) return nullptr;
  if (parts.kind != ArrayKind::scalar) return array.release();
  const Ref everything(PyTuple_New(0));
  return everything ? PyObject_GetItem(array.get(), everything.get()) : nullptr;
}

bool is_dtype(PyObject* text) noexcept {
  return PyUnicode_IS_COMPACT_ASCII(text) && dtype_size({static_cast<const char*>(PyUnicode_DATA(text)),
                                                         static_cast<std::size_t>(PyUnicode_GET_LENGTH(text))}) != 0;
}

// The inverse of freeze() in arrays.cpp. Verification leaves open which tuples, str and ints a structure consists of.
Ref thaw(PyObject* frozen) noexcept {
  if (PyUnicode_CheckExact(frozen)) return Ref(is_dtype(frozen) ? Py_NewRef(frozen) : raise_invalid());
  if (!PyTuple_CheckExact(frozen)) return Ref(raise_invalid());
  if (Py_EnterRecursiveCall(" in the description of a dtype") != 0) return Ref();
  Ref description(PyList_New(PyTuple_GET_SIZE(frozen)));
  for (Py_ssize_t i = 0; description && i < PyTuple_GET_SIZE(frozen); ++i) {
    PyObject* const field = PyTuple_GET_ITEM(frozen, i);
    const Py_ssize_t length = PyTuple_CheckExact(field) ? PyTuple_GET_SIZE(field) : 0;
    const Ref type = length == 2 || length == 3 ? thaw(PyTuple_GET_ITEM(field, 1)) : Ref(raise_invalid());
    PyObject* copy = nullptr;
    if (type) {
      copy = length == 2 ? PyTuple_Pack(2, PyTuple_GET_ITEM(field, 0), type.get())
                         : PyTuple_Pack(3, PyTuple_GET_ITEM(field, 0), type.get(), PyTuple_GET_ITEM(field, 2));
    }
    if (copy == nullptr) {
      description = Ref();
    } else {
      PyList_SET_ITEM(description.get(), i, copy);
    }
  }
  Py_LeaveRecursiveCall();
  return description;
}

}  // namespace

Ref describe_structure(ModuleState& state, const CellRef& format) noexcept {
  const Ref frozen(decode_at(state, format.reader, *format.cell, true));
  return frozen ? thaw(frozen.get()) : Ref();
}

PyObject* make_array(ModuleState& state, const CellRef& place, bool may_import) noexcept {
  const ArrayParts parts(place);
  if (!parts.is_numpy()) return make_standard(parts);
  const Ref numpy = find_numpy(state, may_import);
  if (numpy) return make_numpy(state, numpy, parts);
  return PyErr_Occurred() ? nullptr : new_array_view(state, place);
}

}  // namespace xichan::python
