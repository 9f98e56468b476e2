#include "values/set_view.h"

#include "base/ref.h"
#include "values/compare.h"
#include "values/decode.h"
#include "values/element_iterator.h"
#include "values/hash.h"
#include "values/hashed_view.h"
#include "values/repr.h"

namespace xichan::python {
namespace {

PyObject* set_iterator(PyObject* self) noexcept { return new_element_iterator(self, DictPart::keys, false); }

int set_contains(PyObject* self, PyObject* item) noexcept {
  if (!PySet_Check(item)) return hashed_contains(self, item);
  const Ref frozen(PyFrozenSet_New(item));  // as set does
  return frozen ? hashed_contains(self, frozen.get()) : -1;
}

// Returns 1 if a Python set of the same size has all items of the view.
int equals_set(PyObject* self, PyObject* set) noexcept {
  const Ref items(set_iterator(self));
  if (!items) return -1;
  int contained = 1;
  while (contained == 1) {
    const Ref item(PyIter_Next(items.get()));
    if (!item) return PyErr_Occurred() ? -1 : 1;
    contained = PySet_Contains(set, item.get());
  }
  return contained;
}

bool is_view(PyObject* object) noexcept { return Py_TYPE(object)->tp_iter == set_iterator; }

// Returns a SetView as a set or frozenset, and any other object unchanged.
PyObject* plain(PyObject* object) noexcept { return is_view(object) ? view_value(object, nullptr) : Py_NewRef(object); }

bool is_set(PyObject* object) noexcept {
  return PyAnySet_Check(object) || PyDictKeys_Check(object) || PyDictItems_Check(object) || is_view(object);
}

PyObject* set_compare(PyObject* self, PyObject* other, int operation) noexcept {
  if (!is_set(other)) Py_RETURN_NOTIMPLEMENTED;
  const bool by_value = operation != Py_EQ && operation != Py_NE;
  if (by_value || !(PyAnySet_Check(other) || is_view(other))) {
    const Ref one(plain(self)), two(one ? plain(other) : nullptr);
    return two ? PyObject_RichCompare(one.get(), two.get(), operation) : nullptr;
  }
  const BlockSlice& mine = as_view(self)->slice;
  int equal;
  if (is_view(other)) {
    const BlockSlice& theirs = as_view(other)->slice;
    equal = Comparison(*as_view(self)->state).equal(mine.reader(), mine.cell, theirs.reader(), theirs.cell);
  } else {
    equal = PySet_GET_SIZE(other) == hashed_length(self) ? equals_set(self, other) : 0;
  }
  return equal < 0 ? nullptr : PyBool_FromLong(equal == (operation == Py_EQ));
}

// Performs an operator on the plain sets.
template <PyObject* (*operate)(PyObject*, PyObject*)>
PyObject* set_operator(PyObject* left, PyObject* right) noexcept {
  if (!is_set(left) || !is_set(right)) Py_RETURN_NOTIMPLEMENTED;
  const Ref one(plain(left)), two(one ? plain(right) : nullptr);
  return two ? operate(one.get(), two.get()) : nullptr;
}

// Calls the method of the plain set with any number of iterables.
PyObject* call_on_copy(PyObject* self, const char* name, PyObject* args) noexcept {
  const Ref copy(view_value(self, nullptr));
  const Ref method(copy ? PyObject_GetAttrString(copy.get(), name) : nullptr);
  return method ? PyObject_CallObject(method.get(), args) : nullptr;
}

PyObject* isdisjoint(PyObject* self, PyObject* args) noexcept { return call_on_copy(self, "isdisjoint", args); }
PyObject* issubset(PyObject* self, PyObject* args) noexcept { return call_on_copy(self, "issubset", args); }
PyObject* issuperset(PyObject* self, PyObject* args) noexcept { return call_on_copy(self, "issuperset", args); }
PyObject* set_union(PyObject* self, PyObject* args) noexcept { return call_on_copy(self, "union", args); }
PyObject* intersection(PyObject* self, PyObject* args) noexcept { return call_on_copy(self, "intersection", args); }
PyObject* difference(PyObject* self, PyObject* args) noexcept { return call_on_copy(self, "difference", args); }
PyObject* symmetric_difference(PyObject* self, PyObject* args) noexcept {
  return call_on_copy(self, "symmetric_difference", args);
}

PyObject* set_reduce(PyObject* self, PyObject*) noexcept { return reduce_to_value(view_value_to_pickle(self)); }

PyDoc_STRVAR(set_doc,
"A set or frozenset that is read in place, in shared memory of the process. Received with copy=False.\n\n"
"A collections.abc.Set that equals the set; operators and methods that make a set return a plain one. An item is\n"
"found by its hash, without reading other items. Items are decoded when they are accessed: containers, and large\n"
"str and bytes, are views again. The view of a frozenset is hashable. It keeps the memory of the whole message\n"
"that it was received in. Immutable, so any thread of its interpreter may use it.");

PyDoc_STRVAR(value_doc,
"value($self, /)\n--\n\n"
"Return a copy as a set or frozenset, as recv() returns it. Raises MemoryError or DecodeError.");
PyDoc_STRVAR(isdisjoint_doc,
"isdisjoint($self, other, /)\n--\n\n"
"Return True if the two have no item in common.");
PyDoc_STRVAR(issubset_doc,
"issubset($self, other, /)\n--\n\n"
"Return True if the other contains every item of this one.");
PyDoc_STRVAR(issuperset_doc,
"issuperset($self, other, /)\n--\n\n"
"Return True if this one contains every item of the other.");
PyDoc_STRVAR(union_doc,
"union($self, /, *others)\n--\n\n"
"Return a plain set with the items of all.");
PyDoc_STRVAR(intersection_doc,
"intersection($self, /, *others)\n--\n\n"
"Return a plain set with the items that all have in common.");
PyDoc_STRVAR(difference_doc,
"difference($self, /, *others)\n--\n\n"
"Return a plain set with the items that are in none of the others.");
PyDoc_STRVAR(symmetric_difference_doc,
"symmetric_difference($self, other, /)\n--\n\n"
"Return a plain set with the items that are in exactly one of the two.");
PyDoc_STRVAR(reduce_doc,
"__reduce__($self, /)\n--\n\n"
"Support pickle and copy: the copy is a set or frozenset.");

PyMethodDef methods[] = {
    {"value", view_value, METH_NOARGS, value_doc},
    {"isdisjoint", isdisjoint, METH_VARARGS, isdisjoint_doc},
    {"issubset", issubset, METH_VARARGS, issubset_doc},
    {"issuperset", issuperset, METH_VARARGS, issuperset_doc},
    {"union", set_union, METH_VARARGS, union_doc},
    {"intersection", intersection, METH_VARARGS, intersection_doc},
    {"difference", difference, METH_VARARGS, difference_doc},
    {"symmetric_difference", symmetric_difference, METH_VARARGS, symmetric_difference_doc},
    {"__reduce__", set_reduce, METH_NOARGS, reduce_doc},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(view_new)},
    {Py_tp_doc, const_cast<char*>(set_doc)},
    {Py_tp_dealloc, reinterpret_cast<void*>(hashed_dealloc)},
    {Py_tp_traverse, reinterpret_cast<void*>(hashed_traverse)},
    {Py_tp_clear, reinterpret_cast<void*>(hashed_clear)},
    {Py_tp_richcompare, reinterpret_cast<void*>(set_compare)},
    {Py_tp_hash, reinterpret_cast<void*>(view_hash)},
    {Py_tp_repr, reinterpret_cast<void*>(view_repr)},
    {Py_tp_iter, reinterpret_cast<void*>(set_iterator)},
    {Py_tp_methods, methods},
    {Py_tp_members, view_members},
    {Py_sq_length, reinterpret_cast<void*>(hashed_length)},
    {Py_sq_contains, reinterpret_cast<void*>(set_contains)},
    {Py_nb_and, reinterpret_cast<void*>(set_operator<PyNumber_And>)},
    {Py_nb_or, reinterpret_cast<void*>(set_operator<PyNumber_Or>)},
    {Py_nb_xor, reinterpret_cast<void*>(set_operator<PyNumber_Xor>)},
    {Py_nb_subtract, reinterpret_cast<void*>(set_operator<PyNumber_Subtract>)},
    {0, nullptr},
};

}  // namespace

PyType_Spec set_spec = {"xichan.SetView", sizeof(HashedView), 0,
                        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_HAVE_GC, slots};

}  // namespace xichan::python
