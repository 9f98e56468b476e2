// xichan.TupleView: reads a tuple where it lies, decoding what is touched. Each access is O(1), and none needs
// recursion over the value but ==, order, hash and repr, which recurse as the tuple's do and raise RecursionError in
// good time.
#include "base/handle.h"
#include "values/decode.h"
#include "values/view.h"

namespace xichan::python {
namespace {

Py_ssize_t tuple_length(PyObject* self) noexcept { return static_cast<Py_ssize_t>(as_view(self)->sight.cell.length()); }

// Looked up afresh for each element: Python code in between may send the view, which may move it.
const Cell& element(const View* view, Py_ssize_t i) noexcept {
  return view->sight.reader().elements(view->sight.cell).data()[i * view->step];
}

PyObject* tuple_item(PyObject* self, Py_ssize_t i) noexcept {
  View* view = as_view(self);
  if (i < 0 || i >= tuple_length(self)) {
    PyErr_SetString(PyExc_IndexError, "xichan.TupleView index out of range");
    return nullptr;
  }
  return decode_at(*view->state, view->sight.reader(), element(view, i), false);
}

PyObject* tuple_slice(PyObject* self, PyObject* slice) noexcept {
  Py_ssize_t start, stop, step;
  if (PySlice_Unpack(slice, &start, &stop, &step) < 0) return nullptr;
  const View* view = as_view(self);
  const Py_ssize_t length = PySlice_AdjustIndices(tuple_length(self), &start, &stop, step);
  if (length == tuple_length(self) && step == 1) return Py_NewRef(self);
  if (length <= 1) step = 1;
  const std::uint64_t first =
      view->sight.cell.word + static_cast<std::uint64_t>(start * view->step) * sizeof(Cell);  // modulo 2**64
  const Cell cell = Cell::of(Tag::tuple, static_cast<std::uint64_t>(length), length == 0 ? 0 : first);
  return new_view(*view->state, ValueType::tuple, view->sight.block, cell, length <= 1 ? 1 : step * view->step);
}

PyObject* tuple_subscript(PyObject* self, PyObject* key) noexcept {
  if (PySlice_Check(key)) return tuple_slice(self, key);
  if (!PyIndex_Check(key)) {
    return PyErr_Format(PyExc_TypeError, "xichan.TupleView indices must be integers or slices, not %T", key);
  }
  Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
  if (i == -1 && PyErr_Occurred()) return nullptr;
  return tuple_item(self, i < 0 ? i + tuple_length(self) : i);
}

// Whether the elements at `index` and of `value` are the same or equal: 1 or 0, or -1 with an exception set.
int equals_item(PyObject* self, Py_ssize_t index, PyObject* value) noexcept {
  PyObject* item = tuple_item(self, index);
  if (item == nullptr) return -1;
  const int equal = PyObject_RichCompareBool(item, value, Py_EQ);
  Py_DECREF(item);
  return equal;
}

int tuple_contains(PyObject* self, PyObject* value) noexcept {
  int found = 0;
  for (Py_ssize_t i = 0; i < tuple_length(self) && found == 0; ++i) found = equals_item(self, i, value);
  return found;
}

PyObject* tuple_count(PyObject* self, PyObject* value) noexcept {
  Py_ssize_t count = 0;
  for (Py_ssize_t i = 0; i < tuple_length(self); ++i) {
    const int equal = equals_item(self, i, value);
    if (equal < 0) return nullptr;
    count += equal;
  }
  return PyLong_FromSsize_t(count);
}

PyObject* tuple_index(PyObject* self, PyObject* const* args, Py_ssize_t count) noexcept {
  if (count < 1 || count > 3) return PyErr_Format(PyExc_TypeError, "index() takes from 1 to 3 arguments");
  Py_ssize_t limits[] = {0, PY_SSIZE_T_MAX};
  for (Py_ssize_t i = 1; i < count; ++i) {
    if (!PyIndex_Check(args[i])) return PyErr_Format(PyExc_TypeError, "index() takes ints as limits, not %T", args[i]);
    limits[i - 1] = PyNumber_AsSsize_t(args[i], nullptr);
    if (limits[i - 1] == -1 && PyErr_Occurred()) return nullptr;
  }
  PySlice_AdjustIndices(tuple_length(self), &limits[0], &limits[1], 1);
  for (Py_ssize_t i = limits[0]; i < limits[1]; ++i) {
    const int equal = equals_item(self, i, args[0]);
    if (equal != 0) return equal < 0 ? nullptr : PyLong_FromSsize_t(i);
  }
  return PyErr_Format(PyExc_ValueError, "xichan.TupleView.index(x): x not in TupleView");
}

bool is_same(const View* one, const View* other) noexcept {
  return one->sight.block == other->sight.block && one->sight.cell.head == other->sight.cell.head &&
         one->sight.cell.word == other->sight.cell.word && one->step == other->step;
}

// The first place where the two differ, or the length of the shorter; -1 with an exception set.
Py_ssize_t first_difference(PyObject* self, PyObject* other, bool views) noexcept {
  const Py_ssize_t length = std::min(tuple_length(self), views ? tuple_length(other) : PyTuple_GET_SIZE(other));
  for (Py_ssize_t i = 0; i < length; ++i) {
    PyObject* item = views ? tuple_item(other, i) : Py_NewRef(PyTuple_GET_ITEM(other, i));
    if (item == nullptr) return -1;
    const int equal = equals_item(self, i, item);
    Py_DECREF(item);
    if (equal <= 0) return equal < 0 ? -1 : i;
  }
  return length;
}

PyObject* tuple_compare(PyObject* self, PyObject* other, int operation) noexcept {
  const bool views = Py_IS_TYPE(other, Py_TYPE(self));
  if (!views && !PyTuple_Check(other)) Py_RETURN_NOTIMPLEMENTED;
  const Py_ssize_t mine = tuple_length(self);
  const Py_ssize_t theirs = views ? tuple_length(other) : PyTuple_GET_SIZE(other);
  // The same place: what is in it is the same too, NaNs included.
  const bool same = views && is_same(as_view(self), as_view(other));
  if (mine != theirs && (operation == Py_EQ || operation == Py_NE)) return PyBool_FromLong(operation == Py_NE);
  const Py_ssize_t at = same ? mine : first_difference(self, other, views);
  if (at < 0) return nullptr;
  if (at == mine || at == theirs) Py_RETURN_RICHCOMPARE(mine, theirs, operation);
  if (operation == Py_EQ || operation == Py_NE) return PyBool_FromLong(operation == Py_NE);
  PyObject* one = tuple_item(self, at);
  PyObject* two = views ? tuple_item(other, at) : Py_NewRef(PyTuple_GET_ITEM(other, at));
  PyObject* result = one == nullptr || two == nullptr ? nullptr : PyObject_RichCompare(one, two, operation);
  Py_XDECREF(one);
  Py_XDECREF(two);
  return result;
}

// Equal ends are one object, and each look at one makes another: nothing to make a hash of.
bool holds_end(const View* view, Py_ssize_t i) noexcept {
  return resolve(view->sight.reader(), element(view, i)).cell->tag() == Tag::reference;
}

// That of the tuple whose elements are views where they would be tuples, so equal to that of the tuple.
Py_hash_t hash_elements(PyObject* self) noexcept {
  const Py_ssize_t length = tuple_length(self);
  PyObject* items = PyTuple_New(length);
  for (Py_ssize_t i = 0; i < length && items != nullptr; ++i) {
    PyObject* item = nullptr;
    if (holds_end(as_view(self), i)) {
      PyErr_SetString(PyExc_TypeError, "unhashable: a view of a tuple with a Sender or Receiver in it");
    } else {
      item = tuple_item(self, i);
    }
    if (item == nullptr) {
      Py_CLEAR(items);
    } else {
      PyTuple_SET_ITEM(items, i, item);
    }
  }
  if (items == nullptr) return -1;
  const Py_hash_t hash = PyObject_Hash(items);
  Py_DECREF(items);
  return hash;
}

Py_hash_t tuple_hash(PyObject* self) noexcept {
  View* view = as_view(self);
  if (view->hash != -1) return view->hash;
  if (Py_EnterRecursiveCall(" while hashing a xichan.TupleView") != 0) return -1;
  view->hash = hash_elements(self);
  Py_LeaveRecursiveCall();
  return view->hash;
}

PyObject* tuple_repr(PyObject* self) noexcept {
  PyObject* value = tuple_value(as_view(self));
  PyObject* repr = value == nullptr ? nullptr : PyUnicode_FromFormat("xichan.TupleView(%R)", value);
  Py_XDECREF(value);
  return repr;
}

PyObject* tuple_iterator(PyObject* self) noexcept { return PySeqIter_New(self); }

PyObject* get_value(PyObject* self, PyObject*) noexcept { return tuple_value(as_view(self)); }

PyObject* tuple_reduce(PyObject* self, PyObject*) noexcept {
  return reduce_to(reinterpret_cast<PyObject*>(&PyTuple_Type), tuple_value(as_view(self)));
}

PyObject* tuple_add(PyObject* left, PyObject* right) noexcept;

// A Tuple or tuple as a real tuple; NotImplemented for anything else.
PyObject* addend(PyObject* object) noexcept {
  const PyNumberMethods* methods = Py_TYPE(object)->tp_as_number;
  if (methods != nullptr && methods->nb_add == tuple_add) return tuple_value(as_view(object));
  return Py_NewRef(PyTuple_Check(object) ? object : Py_NotImplemented);
}

// With a Tuple on either side. Here and not in sq_concat, which only the left operand is asked for.
PyObject* tuple_add(PyObject* left, PyObject* right) noexcept {
  PyObject* one = addend(left);
  PyObject* two = one == nullptr ? nullptr : addend(right);
  PyObject* sum = nullptr;
  if (two != nullptr) {
    const bool both = one != Py_NotImplemented && two != Py_NotImplemented;
    sum = both ? PySequence_Concat(one, two) : Py_NewRef(Py_NotImplemented);
  }
  Py_XDECREF(one);
  Py_XDECREF(two);
  return sum;
}

PyDoc_STRVAR(tuple_doc,
"A tuple that is read where it lies in the memory of the process; got by receiving with copy=False.\n\n"
"A collections.abc.Sequence, equal to and hashing like the tuple. Elements are decoded when they are touched: nested\n"
"tuples and large str and bytes are views again, as slices are. It keeps the memory of the whole message it came in.");

PyDoc_STRVAR(value_doc, "value($self, /)\n--\n\nThe tuple itself, as recv() would have given it.");
PyDoc_STRVAR(count_doc, "count($self, value, /)\n--\n\nHow many elements are equal to the value.");
PyDoc_STRVAR(index_doc,
"index($self, value, start=0, stop=sys.maxsize, /)\n--\n\n"
"The index of the first element equal to the value; ValueError if there is none.");
PyDoc_STRVAR(reduce_doc, "__reduce__($self, /)\n--\n\nPickled and copied as the tuple itself.");

PyMethodDef methods[] = {
    {"value", get_value, METH_NOARGS, value_doc},
    {"count", tuple_count, METH_O, count_doc},
    {"index", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(tuple_index)), METH_FASTCALL, index_doc},
    {"__reduce__", tuple_reduce, METH_NOARGS, reduce_doc},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot slots[] = {
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
    {Py_sq_contains, reinterpret_cast<void*>(tuple_contains)},
    {Py_mp_length, reinterpret_cast<void*>(tuple_length)},
    {Py_mp_subscript, reinterpret_cast<void*>(tuple_subscript)},
    {Py_nb_add, reinterpret_cast<void*>(tuple_add)},
    {0, nullptr},
};

}  // namespace

PyObject* tuple_value(const View* view) noexcept {
  const BlockReader reader = view->sight.reader();
  if (view->step == 1) return decode_at(*view->state, reader, view->sight.cell, true);
  const auto length = static_cast<Py_ssize_t>(view->sight.cell.length());
  PyObject* tuple = PyTuple_New(length);
  for (Py_ssize_t i = 0; i < length && tuple != nullptr; ++i) {
    PyObject* item = decode_at(*view->state, reader, element(view, i), true);
    if (item == nullptr) {
      Py_CLEAR(tuple);
    } else {
      PyTuple_SET_ITEM(tuple, i, item);
    }
  }
  return tuple;
}

PyType_Spec tuple_spec = {
    "xichan.TupleView", sizeof(View), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_SEQUENCE, slots};

}  // namespace xichan::python
