// Comparison, hash and repr recurse over the value, as those of a tuple do, and raise RecursionError before the stack
// overflows; nothing else recurses.
#include "values/tuple_view.h"

#include "base/ref.h"
#include "values/hash.h"
#include "values/repr.h"
#include "values/sequence_view.h"

namespace xichan::python {
namespace {

PyObject* tuple_reduce(PyObject* self, PyObject*) noexcept {
  return reduce_to(reinterpret_cast<PyObject*>(&PyTuple_Type), sequence_value_to_pickle(self));
}

PyObject* tuple_add(PyObject* left, PyObject* right) noexcept;

// Returns a TupleView or tuple as a tuple, and NotImplemented for any other object.
PyObject* addend(PyObject* object) noexcept {
  const PyNumberMethods* methods = Py_TYPE(object)->tp_as_number;
  if (methods != nullptr && methods->nb_add == tuple_add) return sequence_value(object, nullptr);
  return Py_NewRef(PyTuple_Check(object) ? object : Py_NotImplemented);
}

// A number slot, because sq_concat is only looked up on the left operand.
PyObject* tuple_add(PyObject* left, PyObject* right) noexcept {
  const Ref one(addend(left));
  if (!one) return nullptr;
  const Ref two(addend(right));
  if (!two) return nullptr;
  if (one.get() == Py_NotImplemented || two.get() == Py_NotImplemented) Py_RETURN_NOTIMPLEMENTED;
  return PySequence_Concat(one.get(), two.get());
}

PyDoc_STRVAR(tuple_doc,
"A tuple that is read in place, in shared memory of the process. Received with copy=False.\n\n"
"A collections.abc.Sequence that equals the tuple and has the same hash. Elements are decoded when they are\n"
"accessed: slices, nested containers, and large str and bytes are views again. It keeps the memory of the whole\n"
"message that it was received in. Immutable, so any thread of its interpreter may use it.");

PyDoc_STRVAR(value_doc,
"value($self, /)\n--\n\n"
"Return a copy as a tuple, as recv() returns it. Raises MemoryError.");
PyDoc_STRVAR(count_doc,
"count($self, value, /)\n--\n\n"
"Return the number of elements equal to the value.");
PyDoc_STRVAR(index_doc,
"index($self, value, start=0, stop=sys.maxsize, /)\n--\n\n"
"Return the index of the first element equal to the value. Raises ValueError if there is none.");
PyDoc_STRVAR(reduce_doc,
"__reduce__($self, /)\n--\n\n"
"Support pickle and copy: the copy is a tuple.");

PyMethodDef methods[] = {
    {"value", sequence_value, METH_NOARGS, value_doc},
    {"count", sequence_count, METH_O, count_doc},
    {"index", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(sequence_index)), METH_FASTCALL, index_doc},
    {"__reduce__", tuple_reduce, METH_NOARGS, reduce_doc},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(view_new)},
    {Py_tp_doc, const_cast<char*>(tuple_doc)},
    {Py_tp_dealloc, reinterpret_cast<void*>(view_dealloc)},
    {Py_tp_richcompare, reinterpret_cast<void*>(sequence_compare)},
    {Py_tp_hash, reinterpret_cast<void*>(view_hash)},
    {Py_tp_repr, reinterpret_cast<void*>(view_repr)},
    {Py_tp_iter, reinterpret_cast<void*>(sequence_iterator)},
    {Py_tp_methods, methods},
    {Py_tp_members, view_members},
    {Py_sq_length, reinterpret_cast<void*>(sequence_length)},
    {Py_sq_item, reinterpret_cast<void*>(sequence_item)},
    {Py_sq_repeat, reinterpret_cast<void*>(sequence_repeat)},
    {Py_sq_contains, reinterpret_cast<void*>(sequence_contains)},
    {Py_mp_length, reinterpret_cast<void*>(sequence_length)},
    {Py_mp_subscript, reinterpret_cast<void*>(sequence_subscript)},
    {Py_nb_add, reinterpret_cast<void*>(tuple_add)},
    {0, nullptr},
};

}  // namespace

PyType_Spec tuple_spec = {"xichan.TupleView", sizeof(View), 0,
                          Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_SEQUENCE, slots};

}  // namespace xichan::python
