#include "values/arrays.h"

#include <cstring>

#include "values/array_cells.h"

namespace xichan::python {
namespace {

constexpr const char* content_name = "xichan.ArrayContent";  // known by its address

// Numbers of dtypes. Those outside the range are not NumPy's own, or not described by their `str`.
constexpr long numpy_object = 17, numpy_void = 20, numpy_types = 24;

enum class Source : std::uint8_t { none, array, memoryview, ndarray, scalar };

// The types in C are static or immutable, so that no class of a program can have their names.
Source source_of(PyTypeObject* type) noexcept {
  if (type == &PyMemoryView_Type) return Source::memoryview;
  if (PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE) && !PyType_HasFeature(type, Py_TPFLAGS_IMMUTABLETYPE)) {
    return Source::none;
  }
  if (std::strcmp(type->tp_name, "array.array") == 0) return Source::array;
  if (std::strncmp(type->tp_name, "numpy.", 6) != 0) return Source::none;
  return std::strcmp(type->tp_name, "numpy.ndarray") == 0 ? Source::ndarray : Source::scalar;
}

void free_content(PyObject* capsule) noexcept {
  auto* content = static_cast<ArrayContent*>(PyCapsule_GetPointer(capsule, content_name));
  PyBuffer_Release(&content->buffer);  // does nothing if it was not filled
  Py_XDECREF(content->owner);
  PyMem_Free(content);
}

// Returns a content without memory.
Ref new_content() noexcept {
  void* content = PyMem_Calloc(1, sizeof(ArrayContent));
  if (content == nullptr) return Ref(PyErr_NoMemory());
  PyObject* capsule = PyCapsule_New(content, content_name, free_content);
  if (capsule == nullptr) PyMem_Free(content);
  return Ref(capsule);
}

ArrayContent& content_in(const Ref& capsule) noexcept {
  return *static_cast<ArrayContent*>(PyCapsule_GetPointer(capsule.get(), content_name));
}

Ref shape_tuple(const Py_ssize_t* shape, int dimensions) noexcept {
  Ref tuple(PyTuple_New(dimensions));
  for (int i = 0; i < dimensions && tuple; ++i) {
    PyObject* length = PyLong_FromSsize_t(shape[i]);
    if (length == nullptr) return Ref();
    PyTuple_SET_ITEM(tuple.get(), i, length);
  }
  return tuple;
}

Ref array_elements(ArrayKind kind, const Ref& format, const Ref& shape, const Ref& content) noexcept {
  const Ref number(format && shape && content ? PyLong_FromLong(static_cast<long>(kind)) : nullptr);
  return Ref(number ? PyTuple_Pack(4, number.get(), format.get(), shape.get(), content.get()) : nullptr);
}

std::uint64_t size_of(ArrayKind kind, PyObject* format) noexcept {
  if (!PyUnicode_Check(format) || !PyUnicode_IS_COMPACT_ASCII(format)) return 0;
  return format_size(
      kind, {static_cast<const char*>(PyUnicode_DATA(format)), static_cast<std::size_t>(PyUnicode_GET_LENGTH(format))});
}

// These two return null, without an exception, for an array that is refused.
Ref read_buffer(PyObject* value, ArrayKind kind) noexcept {
  const Ref capsule = new_content();
  if (!capsule) return Ref();
  ArrayContent& content = content_in(capsule);
  Py_buffer& buffer = content.buffer;
  if (PyObject_GetBuffer(value, &buffer, PyBUF_FULL_RO) < 0) {  // released, or without memory
    if (!PyErr_ExceptionMatches(PyExc_MemoryError)) PyErr_Clear();
    return Ref();
  }
  content.data = buffer.buf;
  content.length = static_cast<std::uint64_t>(buffer.len);
  const Ref format = kind == ArrayKind::array ? attribute(value, "typecode") : Ref(PyUnicode_FromString(buffer.format));
  if (!format || PyBuffer_IsContiguous(&buffer, 'C') == 0) return Ref();
  if (size_of(kind, format.get()) != static_cast<std::uint64_t>(buffer.itemsize)) return Ref();
  return array_elements(kind, format, shape_tuple(buffer.shape, buffer.ndim), capsule);
}

// Reads an array whose dtype has the `str` that `format` is.
Ref read_numpy(PyObject* value, bool is_scalar, const Ref& format) noexcept {
  Ref interface = attribute(value, "__array_struct__");
  if (!interface || !PyCapsule_IsValid(interface.get(), nullptr)) return Ref();
  const auto& array = *static_cast<NumpyArray*>(PyCapsule_GetPointer(interface.get(), nullptr));
  if (array.two != 2 || array.dimensions > static_cast<int>(largest_dimensions)) return Ref();
  const ArrayKind kind = is_scalar                                       ? ArrayKind::scalar
                         : (array.flags & NumpyArray::c_contiguous) != 0 ? ArrayKind::ndarray
                                                                         : ArrayKind::fortran;
  if ((array.flags & (NumpyArray::c_contiguous | NumpyArray::f_contiguous)) == 0) return Ref();
  const Ref capsule = new_content();
  if (!capsule) return Ref();
  ArrayContent& content = content_in(capsule);
  const std::uint64_t item_size = size_of(kind, format.get());
  if (is_scalar && item_size == 0 && (array.kind == 'U' || array.kind == 'S')) {
    // An empty text: NumPy reads a NUL as one.
    static constexpr char nul[4] = {};
    content.data = nul;
    content.length = array.kind == 'U' ? 4 : 1;
    return array_elements(kind, Ref(PyUnicode_FromString(array.kind == 'U' ? "<U1" : "|S1")), Ref(PyTuple_New(0)),
                          capsule);
  }
  if (item_size == 0 || array.item_size < 0 || item_size != static_cast<std::uint64_t>(array.item_size)) return Ref();
  content.data = array.data;
  content.length = static_cast<std::uint64_t>(array.item_size);
  for (int i = 0; i < array.dimensions; ++i) content.length *= static_cast<std::uint64_t>(array.shape[i]);
  content.owner = interface.release();
  return array_elements(kind, format, shape_tuple(array.shape, array.dimensions), capsule);
}

bool is_true(PyObject* object, const char* name) noexcept {
  const Ref flag = attribute(object, name);
  return flag && flag.get() == Py_True;
}

bool is_contiguous(PyObject* value) noexcept {
  const Ref flags = attribute(value, "flags");
  return flags && (is_true(flags.get(), "c_contiguous") || is_true(flags.get(), "f_contiguous"));
}

// Sets `is_structured` if reading the dtype takes Python code.
Ref reduce_numpy(PyObject* value, bool is_scalar, bool& is_structured) noexcept {
  const Ref dtype = attribute(value, "dtype");
  const Ref number = dtype ? attribute(dtype.get(), "num") : Ref();
  const long type = number && PyLong_CheckExact(number.get()) ? PyLong_AsLong(number.get()) : -1;
  if (type < 0 || type >= numpy_types || type == numpy_object) return Ref();
  if (type == numpy_void) {
    const Ref names = attribute(dtype.get(), "names");
    if (!names) return Ref();
    if (names.get() != Py_None) {
      is_structured = !is_true(dtype.get(), "hasobject") && is_contiguous(value) && !PyErr_Occurred();
      return Ref();
    }
  }
  const Ref format = attribute(dtype.get(), "str");
  return format ? read_numpy(value, is_scalar, format) : Ref();
}

// Returns the description of a structured dtype with its lists as tuples. Null without an exception if a type in it is
// not described by its `str`.
Ref freeze(PyObject* description) noexcept {
  if (PyUnicode_CheckExact(description)) {
    // A type from outside NumPy own is described as raw memory with a byte order.
    const bool is_own = size_of(ArrayKind::ndarray, description) != 0 &&
                        (PyUnicode_READ_CHAR(description, 1) != 'V' || PyUnicode_READ_CHAR(description, 0) == '|');
    return Ref(is_own ? Py_NewRef(description) : nullptr);
  }
  if (!PyList_CheckExact(description) || Py_EnterRecursiveCall(" in the description of a dtype") != 0) return Ref();
  Ref frozen(PyTuple_New(PyList_GET_SIZE(description)));
  for (Py_ssize_t i = 0; frozen && i < PyTuple_GET_SIZE(frozen.get()); ++i) {
    PyObject* const field = PyList_GET_ITEM(description, i);  // (name or (title, name), type) or (..., shape)
    const bool is_field = PyTuple_CheckExact(field) && PyTuple_GET_SIZE(field) >= 2;
    const Ref type = is_field ? freeze(PyTuple_GET_ITEM(field, 1)) : Ref();
    PyObject* const copy = type ? PyTuple_New(PyTuple_GET_SIZE(field)) : nullptr;
    if (copy == nullptr) {
      frozen = Ref();
      break;
    }
    for (Py_ssize_t j = 0; j < PyTuple_GET_SIZE(field); ++j) {
      PyTuple_SET_ITEM(copy, j, Py_NewRef(j == 1 ? type.get() : PyTuple_GET_ITEM(field, j)));
    }
    PyTuple_SET_ITEM(frozen.get(), i, copy);
  }
  Py_LeaveRecursiveCall();
  return frozen;
}

bool lacks_memory() noexcept { return PyErr_Occurred() != nullptr && PyErr_ExceptionMatches(PyExc_MemoryError) != 0; }

}  // namespace

bool is_array(PyObject* object) noexcept {
  PyTypeObject* type = Py_TYPE(object);
  while (type != nullptr && source_of(type) == Source::none) type = type->tp_base;
  return type != nullptr;
}

const ArrayContent* array_content(PyObject* object) noexcept {
  if (!PyCapsule_CheckExact(object) || PyCapsule_GetName(object) != content_name) return nullptr;
  return static_cast<const ArrayContent*>(PyCapsule_GetPointer(object, content_name));
}

bool are_array_elements(PyObject* elements) noexcept {
  return PyTuple_GET_SIZE(elements) == 4 && array_content(PyTuple_GET_ITEM(elements, 3)) != nullptr;
}

Reduction reduce_array(PyObject* value, Ref& elements) noexcept {
  bool is_structured = false;
  switch (const Source source = source_of(Py_TYPE(value))) {
    case Source::none: return Reduction::refused;
    case Source::array: elements = read_buffer(value, ArrayKind::array); break;
    case Source::memoryview: elements = read_buffer(value, ArrayKind::memoryview); break;
    default: elements = reduce_numpy(value, source == Source::scalar, is_structured);
  }
  if (elements) return Reduction::done;
  const bool no_memory = lacks_memory();
  PyErr_Clear();
  if (no_memory) return Reduction::no_memory;
  return is_structured ? Reduction::unprepared : Reduction::refused;
}

bool reduce_structured(PyObject* value, Ref& elements, Ref& refusal) noexcept {
  const bool is_scalar = source_of(Py_TYPE(value)) == Source::scalar;
  const Ref dtype = attribute(value, "dtype");
  const Ref size = dtype ? attribute(dtype.get(), "itemsize") : Ref();
  if (!size) return false;
  const Ref raw_type(PyUnicode_FromFormat("|V%S", size.get()));
  // Memory of the same array, without the fields.
  const Ref raw = raw_type ? call_method(value, "view", raw_type.get()) : Ref();
  if (!raw) return false;
  const Ref description = attribute(dtype.get(), "descr");
  Ref format = description ? freeze(description.get()) : Ref();
  if (format) elements = read_numpy(raw.get(), is_scalar, raw_type);
  if (elements) {
    PyObject* const before = PyTuple_GET_ITEM(elements.get(), 1);
    PyTuple_SET_ITEM(elements.get(), 1, format.release());
    Py_DECREF(before);
    return true;
  }
  if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_ValueError)) return false;
  PyErr_Clear();
  refusal = Ref(PyObject_CallFunction(PyExc_ValueError, "s",
                                      "an array of this dtype is not shareable; send numpy.ascontiguousarray() of each "
                                      "field: fields overlap, are not in "
                                      "the order of memory, or have a type from outside NumPy"));
  return static_cast<bool>(refusal);
}

}  // namespace xichan::python
