// Elements are decoded when they are accessed, each in O(1). Comparison, hash and repr recurse over the value, as those
// of a tuple do, and raise RecursionError before the stack overflows; nothing else recurses.
#include "values/tuple_view.h"

#include <algorithm>

#include "base/ref.h"
#include "values/compare.h"
#include "values/decode.h"
#include "values/hash.h"
#include "values/view.h"

namespace xichan::python {
namespace {

Py_ssize_t tuple_length(PyObject* self) noexcept { return static_cast<Py_ssize_t>(as_view(self)->slice.cell.length()); }

// Not cached by callers: Python code that runs between two elements may send the view, which may move them (V2).
const Cell& element(const View* view, Py_ssize_t i) noexcept {
  return view->slice.reader().elements(view->slice.cell).data()[i * view->step];
}

PyObject* tuple_item(PyObject* self, Py_ssize_t i) noexcept {
  View* view = as_view(self);
  if (i < 0 || i >= tuple_length(self)) {
    PyErr_SetString(PyExc_IndexError, "xichan.TupleView index out of range");
    return nullptr;
  }
  return decode_at(*view->state, view->slice.reader(), element(view, i), false);
}

PyObject* tuple_slice(PyObject* self, PyObject* slice) noexcept {
  Py_ssize_t start, stop, step;
  if (PySlice_Unpack(slice, &start, &stop, &step) < 0) return nullptr;
  const View* view = as_view(self);
  const Py_ssize_t length = PySlice_AdjustIndices(tuple_length(self), &start, &stop, step);
  if (length == tuple_length(self) && step == 1) return Py_NewRef(self);
  if (length <= 1) step = 1;
  const std::uint64_t first =
      view->slice.cell.word + static_cast<std::uint64_t>(start * view->step) * sizeof(Cell);  // modulo 2**64
  const Cell cell = Cell::of(Tag::tuple, static_cast<std::uint64_t>(length), length == 0 ? 0 : first);
  return new_view(*view->state, ValueType::tuple, view->slice.block, cell, length <= 1 ? 1 : step * view->step);
}

PyObject* tuple_subscript(PyObject* self, PyObject* key) noexcept {
  if (PySlice_Check(key)) return tuple_slice(self, key);
  if (!PyIndex_Check(key)) {
    return PyErr_Format(PyExc_TypeError, "xichan.TupleView indices must be integers or slices, got %T", key);
  }
  Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
  if (i == -1 && PyErr_Occurred()) return nullptr;
  return tuple_item(self, i < 0 ? i + tuple_length(self) : i);
}

int tuple_contains(PyObject* self, PyObject* value) noexcept {
  const HeldElements mine(as_view(self));
  Search search(*as_view(self)->state, value);
  int found = 0;
  for (Py_ssize_t i = 0; i < mine.length() && found == 0; ++i) found = search.equals(mine.reader(), mine[i]);
  return found;
}

PyObject* tuple_count(PyObject* self, PyObject* value) noexcept {
  const HeldElements mine(as_view(self));
  Search search(*as_view(self)->state, value);
  Py_ssize_t count = 0;
  for (Py_ssize_t i = 0; i < mine.length(); ++i) {
    const int equal = search.equals(mine.reader(), mine[i]);
    if (equal < 0) return nullptr;
    count += equal;
  }
  return PyLong_FromSsize_t(count);
}

PyObject* tuple_index(PyObject* self, PyObject* const* args, Py_ssize_t count) noexcept {
  if (count < 1 || count > 3)
    return PyErr_Format(PyExc_TypeError, "index() takes from 1 to 3 arguments, got %zd", count);
  Py_ssize_t limits[] = {0, PY_SSIZE_T_MAX};
  for (Py_ssize_t i = 1; i < count; ++i) {
    if (!PyIndex_Check(args[i]))
      return PyErr_Format(PyExc_TypeError, "index() start and stop must be ints, got %T", args[i]);
    limits[i - 1] = PyNumber_AsSsize_t(args[i], nullptr);
    if (limits[i - 1] == -1 && PyErr_Occurred()) return nullptr;
  }
  PySlice_AdjustIndices(tuple_length(self), &limits[0], &limits[1], 1);
  const HeldElements mine(as_view(self));
  Search search(*as_view(self)->state, args[0]);
  for (Py_ssize_t i = limits[0]; i < limits[1]; ++i) {
    const int equal = search.equals(mine.reader(), mine[i]);
    if (equal != 0) return equal < 0 ? nullptr : PyLong_FromSsize_t(i);
  }
  return PyErr_Format(PyExc_ValueError, "xichan.TupleView.index(x): x not in TupleView");
}

bool is_same(const View* one, const View* other) noexcept {
  return one->slice.block == other->slice.block && one->slice.cell.head == other->slice.cell.head &&
         one->slice.cell.word == other->slice.cell.word && one->step == other->step;
}

// Returns the first index where the two differ, or the length of the shorter; -1 with an exception set.
Py_ssize_t first_difference(PyObject* self, PyObject* other, bool views) noexcept {
  const HeldElements mine(as_view(self));
  const HeldElements theirs(as_view(views ? other : self));
  Comparison comparison(*as_view(self)->state);
  const Py_ssize_t length = std::min(mine.length(), views ? theirs.length() : PyTuple_GET_SIZE(other));
  for (Py_ssize_t i = 0; i < length; ++i) {
    const int equal = views ? comparison.equal(mine.reader(), mine[i], theirs.reader(), theirs[i])
                            : comparison.equal(mine.reader(), mine[i], PyTuple_GET_ITEM(other, i));
    if (equal <= 0) return equal < 0 ? -1 : i;
  }
  return length;
}

PyObject* tuple_compare(PyObject* self, PyObject* other, int operation) noexcept {
  const bool views = Py_IS_TYPE(other, Py_TYPE(self));
  if (!views && !PyTuple_Check(other)) Py_RETURN_NOTIMPLEMENTED;
  const Py_ssize_t mine = tuple_length(self);
  const Py_ssize_t theirs = views ? tuple_length(other) : PyTuple_GET_SIZE(other);
  // Two views of one cell are equal, NaNs included: elements that are identical count as equal.
  const bool same = views && is_same(as_view(self), as_view(other));
  if (mine != theirs && (operation == Py_EQ || operation == Py_NE)) return PyBool_FromLong(operation == Py_NE);
  const Py_ssize_t at = same ? mine : first_difference(self, other, views);
  if (at < 0) return nullptr;
  if (at == mine || at == theirs) Py_RETURN_RICHCOMPARE(mine, theirs, operation);
  if (operation == Py_EQ || operation == Py_NE) return PyBool_FromLong(operation == Py_NE);
  const Ref one(tuple_item(self, at));
  if (!one) return nullptr;
  const Ref two(views ? tuple_item(other, at) : Py_NewRef(PyTuple_GET_ITEM(other, at)));
  return two ? PyObject_RichCompare(one.get(), two.get(), operation) : nullptr;
}

Py_hash_t tuple_hash(PyObject* self) noexcept { return hash_of(as_view(self)); }

// Returns a TupleView as a tuple, copied at any depth.
PyObject* tuple_value(const View* view) noexcept {
  const BlockReader reader = view->slice.reader();
  if (view->step == 1) return decode_at(*view->state, reader, view->slice.cell, true);
  const auto length = static_cast<Py_ssize_t>(view->slice.cell.length());
  Ref tuple(PyTuple_New(length));
  if (!tuple) return nullptr;
  for (Py_ssize_t i = 0; i < length; ++i) {
    PyObject* item = decode_at(*view->state, reader, element(view, i), true);
    if (item == nullptr) return nullptr;
    PyTuple_SET_ITEM(tuple.get(), i, item);
  }
  return tuple.release();
}

PyObject* tuple_repr(PyObject* self) noexcept {
  const Ref value(tuple_value(as_view(self)));
  return value ? PyUnicode_FromFormat("xichan.TupleView(%R)", value.get()) : nullptr;
}

PyObject* tuple_iterator(PyObject* self) noexcept { return PySeqIter_New(self); }

PyObject* get_value(PyObject* self, PyObject*) noexcept { return tuple_value(as_view(self)); }

PyObject* tuple_reduce(PyObject* self, PyObject*) noexcept {
  return reduce_to(reinterpret_cast<PyObject*>(&PyTuple_Type), tuple_value(as_view(self)));
}

PyObject* tuple_add(PyObject* left, PyObject* right) noexcept;

// Returns a TupleView or tuple as a tuple, and NotImplemented for any other object.
PyObject* addend(PyObject* object) noexcept {
  const PyNumberMethods* methods = Py_TYPE(object)->tp_as_number;
  if (methods != nullptr && methods->nb_add == tuple_add) return tuple_value(as_view(object));
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

// Serves both `view * n` and `n * view`.
PyObject* tuple_repeat(PyObject* self, Py_ssize_t count) noexcept {
  const Ref value(tuple_value(as_view(self)));
  return value ? PySequence_Repeat(value.get(), count) : nullptr;
}

PyDoc_STRVAR(tuple_doc,
"A tuple that is read in place, in shared memory of the process. Received with copy=False.\n\n"
"A collections.abc.Sequence that equals the tuple and has the same hash. Elements are decoded when they are\n"
"accessed: slices, nested tuples, and large str and bytes are views again. It keeps the memory of the whole\n"
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
    {"value", get_value, METH_NOARGS, value_doc},
    {"count", tuple_count, METH_O, count_doc},
    {"index", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(tuple_index)), METH_FASTCALL, index_doc},
    {"__reduce__", tuple_reduce, METH_NOARGS, reduce_doc},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(view_new)},
    {Py_tp_doc, const_cast<char*>(tuple_doc)},
    {Py_tp_dealloc, reinterpret_cast<void*>(view_dealloc)},
    {Py_tp_richcompare, reinterpret_cast<void*>(tuple_compare)},
    {Py_tp_hash, reinterpret_cast<void*>(tuple_hash)},
    {Py_tp_repr, reinterpret_cast<void*>(tuple_repr)},
    {Py_tp_iter, reinterpret_cast<void*>(tuple_iterator)},
    {Py_tp_methods, methods},
    {Py_tp_members, view_members},
    {Py_sq_length, reinterpret_cast<void*>(tuple_length)},
    {Py_sq_item, reinterpret_cast<void*>(tuple_item)},
    {Py_sq_repeat, reinterpret_cast<void*>(tuple_repeat)},
    {Py_sq_contains, reinterpret_cast<void*>(tuple_contains)},
    {Py_mp_length, reinterpret_cast<void*>(tuple_length)},
    {Py_mp_subscript, reinterpret_cast<void*>(tuple_subscript)},
    {Py_nb_add, reinterpret_cast<void*>(tuple_add)},
    {0, nullptr},
};

}  // namespace

PyType_Spec tuple_spec = {"xichan.TupleView", sizeof(View), 0,
                          Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_SEQUENCE, slots};

}  // namespace xichan::python
