// Decoding of pickled values (pickling.h).
#include "base/ref.h"
#include "value/pickled.h"
#include "values/decode.h"
#include "values/decoder.h"
#include "values/movable.h"
#include "values/view.h"

namespace xichan::python {
namespace {

// Calls pickle.loads(data, buffers=buffers), without the second argument if it is null.
PyObject* call_loads(ModuleState& state, PyObject* data, PyObject* buffers) noexcept {
  PyObject* loads = import_once(state.pickle_loads, "xichan._pickling", "pickle_loads");
  if (loads == nullptr) return nullptr;
  if (buffers == nullptr) return PyObject_CallOneArg(loads, data);
  const Ref names(Py_BuildValue("(s)", "buffers"));
  PyObject* const args[] = {data, buffers};
  return names ? PyObject_Vectorcall(loads, args, 1, names.get()) : nullptr;
}

// Returns what pickle.loads() takes for an item outside the pickle: a buffer in place of a Shared.
Ref as_item(const ModuleState& state, PyObject* item, bool copy) noexcept {
  if (!is_a(state, item, ValueType::shared)) return Ref(Py_NewRef(item));
  return Ref(copy ? PyByteArray_FromObject(item) : PyMemoryView_FromObject(item));
}

// _unpickle(data, external) -> the value
PyObject* unpickle_value(PyObject* module, PyObject* const* args, Py_ssize_t count) noexcept {
  if (count != 2 || !PyTuple_Check(args[1])) {
    PyErr_SetString(PyExc_TypeError, "_unpickle() takes 2 arguments, data and a tuple");
    return nullptr;
  }
  ModuleState& state = *state_of(module);
  const Py_ssize_t length = PyTuple_GET_SIZE(args[1]);
  if (length == 0) return call_loads(state, args[0], nullptr);
  const Ref buffers(PyList_New(0));
  for (Py_ssize_t i = 0; buffers && i < length; ++i) {
    const Ref buffer = as_item(state, PyTuple_GET_ITEM(args[1], i), true);
    if (!buffer || PyList_Append(buffers.get(), buffer.get()) < 0) return nullptr;
  }
  return buffers ? call_loads(state, args[0], buffers.get()) : nullptr;
}

// Returns the Buffers and Descriptors that were taken out of a message to it.
void return_movables(const ModuleState& state, PyObject* items) noexcept {
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(items); ++i) {
    PyObject* const item = PyList_GET_ITEM(items, i);
    if (is_of_movable_type(state, item)) return_moved(as_movable(item));
  }
}

// Loads the pickle of a record.
PyObject* load(ModuleState& state, BlockReader reader, const Cell& cell, bool copy) noexcept {
  const std::span<const Cell> cells = reader.elements(cell);
  const Ref data(decode_at(state, reader, cells[1], false));  // a view if it is large
  if (!data) return nullptr;
  if (cells.size() == 2) return call_loads(state, data.get(), nullptr);
  const Ref buffers(PyList_New(0));
  for (std::size_t i = 2; buffers && i < cells.size(); ++i) {
    const Ref item(decode_at(state, reader, cells[i], true));
    const Ref buffer(item ? as_item(state, item.get(), copy) : Ref());
    if (!buffer || PyList_Append(buffers.get(), buffer.get()) < 0) return nullptr;
  }
  PyObject* value = buffers ? call_loads(state, data.get(), buffers.get()) : nullptr;
  if (value == nullptr && buffers) return_movables(state, buffers.get());
  return value;
}

// Replaces an Exception by a DecodeError with that cause. Other exceptions, and MemoryError, stay.
void wrap_failure() noexcept {
  if (!PyErr_ExceptionMatches(PyExc_Exception) || PyErr_ExceptionMatches(PyExc_MemoryError)) return;
  const Ref cause(PyErr_GetRaisedException());
  const Ref make = import_attribute("xichan._pickling", "decode_error");
  PyObject* error = make ? PyObject_CallOneArg(make.get(), cause.get()) : nullptr;
  if (error != nullptr) PyErr_SetRaisedException(error);
}

}  // namespace

PyObject* unpickle(ModuleState& state, BlockReader reader, const Cell& cell, bool copy) noexcept {
  PyObject* value = load(state, reader, cell, copy);
  if (value == nullptr) wrap_failure();
  return value;
}

PyMethodDef unpickling_functions[] = {
    {"_unpickle", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(unpickle_value)), METH_FASTCALL, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace xichan::python
