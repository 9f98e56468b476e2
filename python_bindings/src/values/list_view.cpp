#include "values/list_view.h"

#include "base/ref.h"
#include "values/hash.h"
#include "values/repr.h"
#include "values/sequence_view.h"

namespace xichan::python {
namespace {

// Only `view + list` and `view + view`: list.__iadd__ must remain the one that handles `list += view`, in place.
PyObject* list_add(PyObject* left, PyObject* right) noexcept {
  const bool is_view = Py_IS_TYPE(right, Py_TYPE(left));
  if (!is_view && !PyList_Check(right)) {
    return PyErr_Format(PyExc_TypeError, "can only concatenate a list or xichan.ListView to a xichan.ListView, got %T",
                        right);
  }
  const Ref one(sequence_value(left, nullptr));
  const Ref two(!one ? nullptr : is_view ? sequence_value(right, nullptr) : Py_NewRef(right));
  return two ? PySequence_Concat(one.get(), two.get()) : nullptr;
}

PyObject* list_reduce(PyObject* self, PyObject*) noexcept { return reduce_to_value(sequence_value_to_pickle(self)); }

PyDoc_STRVAR(list_doc,
"A list that is read in place, in shared memory of the process. Received with copy=False.\n\n"
"A collections.abc.Sequence that equals the list. Elements are decoded when they are accessed: slices, nested\n"
"containers, and large str and bytes are views again. It keeps the memory of the whole message that it was received\n"
"in. Immutable, so any thread of its interpreter may use it. Not hashable.");

PyDoc_STRVAR(value_doc,
"value($self, /)\n--\n\n"
"Return a copy as a list, as recv() returns it. Raises MemoryError or DecodeError.");
PyDoc_STRVAR(count_doc,
"count($self, value, /)\n--\n\n"
"Return the number of elements equal to the value.");
PyDoc_STRVAR(index_doc,
"index($self, value, start=0, stop=sys.maxsize, /)\n--\n\n"
"Return the index of the first element equal to the value. Raises ValueError if there is none.");
PyDoc_STRVAR(reduce_doc,
"__reduce__($self, /)\n--\n\n"
"Support pickle and copy: the copy is a list.");

PyMethodDef methods[] = {
    {"value", sequence_value, METH_NOARGS, value_doc},
    {"count", sequence_count, METH_O, count_doc},
    {"index", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(sequence_index)), METH_FASTCALL, index_doc},
    {"__reduce__", list_reduce, METH_NOARGS, reduce_doc},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(view_new)},
    {Py_tp_doc, const_cast<char*>(list_doc)},
    {Py_tp_dealloc, reinterpret_cast<void*>(view_dealloc)},
    {Py_tp_richcompare, reinterpret_cast<void*>(sequence_compare)},
    {Py_tp_hash, reinterpret_cast<void*>(PyObject_HashNotImplemented)},
    {Py_tp_repr, reinterpret_cast<void*>(view_repr)},
    {Py_tp_iter, reinterpret_cast<void*>(sequence_iterator)},
    {Py_tp_methods, methods},
    {Py_tp_members, view_members},
    {Py_sq_length, reinterpret_cast<void*>(sequence_length)},
    {Py_sq_item, reinterpret_cast<void*>(sequence_item)},
    {Py_sq_concat, reinterpret_cast<void*>(list_add)},
    {Py_sq_repeat, reinterpret_cast<void*>(sequence_repeat)},
    {Py_sq_contains, reinterpret_cast<void*>(sequence_contains)},
    {Py_mp_length, reinterpret_cast<void*>(sequence_length)},
    {Py_mp_subscript, reinterpret_cast<void*>(sequence_subscript)},
    {0, nullptr},
};

}  // namespace

PyType_Spec list_spec = {"xichan.ListView", sizeof(View), 0,
                         Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_SEQUENCE, slots};

}  // namespace xichan::python
