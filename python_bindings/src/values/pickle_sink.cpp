#include "values/pickle_sink.h"

#include <utility>

#include "base/handle.h"
#include "base/state_handle.h"
#include "values/movable.h"
#include "values/shared.h"
#include "values/view.h"

namespace xichan::python {
namespace {

// Buffers of more bytes than this travel outside the pickle, without a copy into it.
constexpr Py_ssize_t largest_inside = 4096;

bool append(PyObject* list, PyObject* item) noexcept { return item != nullptr && PyList_Append(list, item) == 0; }

// write(data): appends a piece of the pickle. Most have one.
PyObject* sink_write(PyObject* self, PyObject* data) noexcept {
  PyObject* parts = as_sink(self)->parts;
  // Python code may have found the list with gc.get_objects().
  if (parts == nullptr || PyList_GET_SIZE(parts) == 0) {
    return PyErr_Format(PyExc_ValueError, "write() outside of a pickle");
  }
  PyObject* first = PyList_GET_ITEM(parts, 0);
  if (first == Py_None) {
    if (PyList_SetItem(parts, 0, Py_NewRef(data)) < 0) return nullptr;
  } else if (PyList_CheckExact(first)) {
    if (!append(first, data)) return nullptr;
  } else {
    PyObject* pieces = Py_BuildValue("[OO]", first, data);
    if (pieces == nullptr || PyList_SetItem(parts, 0, pieces) < 0) return nullptr;
  }
  Py_RETURN_NONE;
}

// Returns 1 if the reducer of the pool decides about the object: a class, a function or cache, or an object whose class
// has a __reduce__ of its own. -1 with an exception set.
int is_for_override(const PickleSink* sink, PyObject* object) noexcept {
  if (PyType_Check(object) || PyFunction_Check(object)) return 1;
  auto* type = reinterpret_cast<PyObject*>(Py_TYPE(object));
  const Ref reduce(PyObject_GetAttr(type, sink->reduce_name));
  if (!reduce) return -1;
  if (reduce.get() == sink->object_reduce) return 0;
  const Ref reduce_ex(PyObject_GetAttr(type, sink->reduce_ex_name));
  return !reduce_ex ? -1 : reduce_ex.get() == sink->object_reduce_ex;
}

// reduce(object): the reducer_override.
PyObject* sink_reduce(PyObject* self, PyObject* object) noexcept {
  PickleSink* sink = as_sink(self);
  const ModuleState& state = *sink->state;
  if (is_handle(state, object) || is_state_handle(object) ||
      (sink->takes_movable && is_of_movable_type(state, object)) ||
      (state.queue_type != nullptr && Py_IS_TYPE(object, state.queue_type))) {
    if (sink->parts == nullptr) return PyErr_Format(PyExc_ValueError, "reduce() outside of a pickle");
    // A new tuple of arguments each time: the Pickler would write the same one only once.
    return append(sink->parts, object) ? Py_BuildValue("O(O)", sink->external, sink->marker) : nullptr;
  }
  if (sink->override == nullptr) return Py_NewRef(Py_NotImplemented);
  const int decides = is_for_override(sink, object);
  if (decides < 0) return nullptr;
  return decides == 0 ? Py_NewRef(Py_NotImplemented) : PyObject_CallOneArg(sink->override, object);
}

// buffer(pickle_buffer): the buffer_callback. Returns true to keep a small buffer inside the pickle.
PyObject* sink_buffer(PyObject* self, PyObject* buffer) noexcept {
  PickleSink* sink = as_sink(self);
  if (buffer == sink->marker) Py_RETURN_FALSE;
  if (sink->parts == nullptr) return PyErr_Format(PyExc_ValueError, "buffer() outside of a pickle");
  const Ref raw = call_method(buffer, "raw");
  if (!raw) return nullptr;
  if (PyMemoryView_Check(raw.get()) && PyMemoryView_GET_BUFFER(raw.get())->len <= largest_inside) Py_RETURN_TRUE;
  const Ref shared(share_bytes(*sink->state, raw.get()));
  if (!append(sink->parts, shared.get())) return nullptr;
  Py_RETURN_FALSE;
}

PyObject* sink_new(PyTypeObject* type, PyObject*, PyObject*) noexcept {
  PyObject* self = type->tp_alloc(type, 0);
  if (self == nullptr) return nullptr;
  PickleSink* sink = as_sink(self);
  sink->state = static_cast<ModuleState*>(PyType_GetModuleState(type));
  const Ref holder(PyByteArray_FromStringAndSize("", 1));  // writable: pickle marks a read-only buffer
  sink->external = import_attribute("xichan._core", "_external").release();
  sink->marker = holder ? PyPickleBuffer_FromObject(holder.get()) : nullptr;
  auto* object_type = reinterpret_cast<PyObject*>(&PyBaseObject_Type);
  sink->reduce_name = PyUnicode_InternFromString("__reduce__");
  sink->reduce_ex_name = PyUnicode_InternFromString("__reduce_ex__");
  const bool named = sink->reduce_name != nullptr && sink->reduce_ex_name != nullptr;
  sink->object_reduce = named ? PyObject_GetAttr(object_type, sink->reduce_name) : nullptr;
  sink->object_reduce_ex = named ? PyObject_GetAttr(object_type, sink->reduce_ex_name) : nullptr;
  const bool complete = sink->marker != nullptr && sink->external != nullptr && sink->object_reduce != nullptr &&
                        sink->object_reduce_ex != nullptr;
  if (!complete) Py_CLEAR(self);
  return self;
}

int sink_traverse(PyObject* self, visitproc visit, void* arg) noexcept {
  const PickleSink* sink = as_sink(self);
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(sink->parts);
  Py_VISIT(sink->override);
  Py_VISIT(sink->external);
  return 0;
}

int sink_clear(PyObject* self) noexcept {
  PickleSink* sink = as_sink(self);
  Py_CLEAR(sink->parts);
  Py_CLEAR(sink->override);
  Py_CLEAR(sink->external);
  return 0;
}

void sink_dealloc(PyObject* self) noexcept {
  PyTypeObject* type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  sink_clear(self);
  for (PyObject* object : {as_sink(self)->marker, as_sink(self)->reduce_name, as_sink(self)->reduce_ex_name,
                           as_sink(self)->object_reduce, as_sink(self)->object_reduce_ex}) {
    Py_XDECREF(object);
  }
  type->tp_free(self);
  Py_DECREF(type);
}

PyMethodDef methods[] = {
    {"write", sink_write, METH_O, nullptr},
    {"reduce", sink_reduce, METH_O, nullptr},
    {"buffer", sink_buffer, METH_O, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(sink_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(sink_dealloc)},
    {Py_tp_traverse, reinterpret_cast<void*>(sink_traverse)},
    {Py_tp_clear, reinterpret_cast<void*>(sink_clear)},
    {Py_tp_methods, methods},
    {0, nullptr},
};

}  // namespace

bool PickleSink::begin(PyObject* reducer, bool with_movable) noexcept {
  PyObject* fresh = PyList_New(1);
  if (fresh == nullptr) return false;
  PyList_SET_ITEM(fresh, 0, Py_NewRef(Py_None));
  Py_XSETREF(parts, fresh);
  Py_XSETREF(override, Py_XNewRef(reducer));
  takes_movable = with_movable;
  return true;
}

Ref PickleSink::finish() noexcept {
  Py_CLEAR(override);
  Ref list(std::exchange(parts, nullptr));
  PyObject* first = list && PyList_GET_SIZE(list.get()) != 0 ? PyList_GET_ITEM(list.get(), 0) : nullptr;
  if (first != nullptr && PyList_CheckExact(first)) {
    const Ref empty(PyBytes_FromStringAndSize(nullptr, 0));
    PyObject* joined = empty ? call_method(empty.get(), "join", first).release() : nullptr;
    if (joined == nullptr || PyList_SetItem(list.get(), 0, joined) < 0) return Ref();
    first = joined;
  }
  if (first != nullptr && PyBytes_CheckExact(first)) return list;
  if (!PyErr_Occurred()) PyErr_SetString(PyExc_SystemError, "xichan: the Pickler has written no bytes");
  return Ref();
}

PyType_Spec pickle_sink_spec = {"xichan._core._PickleSink", sizeof(PickleSink), 0,
                                Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE, slots};

}  // namespace xichan::python
