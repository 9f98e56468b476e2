#include "values/sequence_view.h"

#include <algorithm>

#include "base/ref.h"
#include "values/compare.h"
#include "values/decode.h"

namespace xichan::python {
namespace {

// Not cached by callers: Python code that runs between two elements may send the view, which may move them (V2).
const Cell& element(const View* view, Py_ssize_t i) noexcept {
  return view->slice.reader().elements(view->slice.cell).data()[i * view->step];
}

bool is_list(PyObject* self) noexcept { return as_view(self)->slice.cell.tag() == Tag::list; }

ValueType view_type(PyObject* self) noexcept { return is_list(self) ? ValueType::list : ValueType::tuple; }

PyObject* sequence_slice(PyObject* self, PyObject* slice) noexcept {
  Py_ssize_t start, stop, step;
  if (PySlice_Unpack(slice, &start, &stop, &step) < 0) return nullptr;
  const View* view = as_view(self);
  const Py_ssize_t length = PySlice_AdjustIndices(sequence_length(self), &start, &stop, step);
  if (length == sequence_length(self) && step == 1) return Py_NewRef(self);
  if (length <= 1) step = 1;
  const std::uint64_t first =
      view->slice.cell.word + static_cast<std::uint64_t>(start * view->step) * sizeof(Cell);  // modulo 2**64
  const Cell cell = Cell::of(view->slice.cell.tag(), static_cast<std::uint64_t>(length), length == 0 ? 0 : first);
  return new_view(*view->state, view_type(self), view->slice.block, cell, length <= 1 ? 1 : step * view->step);
}

bool is_same(const View* one, const View* other) noexcept {
  return one->slice.block == other->slice.block && one->slice.cell.head == other->slice.cell.head &&
         one->slice.cell.word == other->slice.cell.word && one->step == other->step;
}

// Returns a copy of the value; `decode(reader, cell)` makes it, or its elements.
template <class Decode>
PyObject* make_sequence(PyObject* self, Decode decode) noexcept {
  const View* view = as_view(self);
  if (view->step == 1) return decode(view->slice.reader(), view->slice.cell);
  // Building an element may run Python code, which must not see an unfilled tuple or list, and may send the view (V2).
  const HeldElements mine(view);
  Ref list(PyList_New(0));
  for (Py_ssize_t i = 0; list && i < mine.length(); ++i) {
    const Ref item(decode(mine.reader(), mine[i]));
    if (!item || PyList_Append(list.get(), item.get()) < 0) return nullptr;
  }
  return !list || is_list(self) ? list.release() : PyList_AsTuple(list.get());
}

// Another view of the same type, or a tuple or list, which Python code may change meanwhile.
class Other {
 public:
  Other(PyObject* object, bool is_view) noexcept : object_(object), is_view_(is_view) {}

  bool is_view() const noexcept { return is_view_; }
  Py_ssize_t length() const noexcept { return is_view_ ? sequence_length(object_) : PySequence_Fast_GET_SIZE(object_); }
  PyObject* item(Py_ssize_t i) const noexcept {
    return is_view_ ? sequence_item(object_, i) : Py_NewRef(PySequence_Fast_GET_ITEM(object_, i));
  }

 private:
  PyObject* const object_;
  const bool is_view_;
};

// Returns the first index where the two differ, or the length of the shorter; -1 with an exception set.
Py_ssize_t first_difference(PyObject* self, PyObject* object, const Other& other) noexcept {
  const HeldElements mine(as_view(self));
  const HeldElements theirs(as_view(other.is_view() ? object : self));
  Comparison comparison(*as_view(self)->state);
  Py_ssize_t i = 0;
  for (; i < std::min(mine.length(), other.length()); ++i) {
    int equal;
    if (other.is_view()) {
      equal = comparison.equal(mine.reader(), mine[i], theirs.reader(), theirs[i]);
    } else {
      const Ref item(other.item(i));
      equal = comparison.equal(mine.reader(), mine[i], item.get());
    }
    if (equal <= 0) return equal < 0 ? -1 : i;
  }
  return i;
}

}  // namespace

Py_ssize_t sequence_length(PyObject* self) noexcept {
  return static_cast<Py_ssize_t>(as_view(self)->slice.cell.length());
}

PyObject* sequence_item(PyObject* self, Py_ssize_t i) noexcept {
  View* view = as_view(self);
  if (i < 0 || i >= sequence_length(self)) {
    return PyErr_Format(PyExc_IndexError, "%s index out of range", Py_TYPE(self)->tp_name);
  }
  return decode_at(*view->state, view->slice.reader(), element(view, i), false);
}

PyObject* sequence_subscript(PyObject* self, PyObject* key) noexcept {
  if (PySlice_Check(key)) return sequence_slice(self, key);
  if (!PyIndex_Check(key)) {
    return PyErr_Format(PyExc_TypeError, "%s indices must be integers or slices, got %T", Py_TYPE(self)->tp_name, key);
  }
  Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
  if (i == -1 && PyErr_Occurred()) return nullptr;
  return sequence_item(self, i < 0 ? i + sequence_length(self) : i);
}

int sequence_contains(PyObject* self, PyObject* value) noexcept {
  const HeldElements mine(as_view(self));
  Search search(*as_view(self)->state, value);
  int found = 0;
  for (Py_ssize_t i = 0; i < mine.length() && found == 0; ++i) found = search.equals(mine.reader(), mine[i]);
  return found;
}

PyObject* sequence_count(PyObject* self, PyObject* value) noexcept {
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

PyObject* sequence_index(PyObject* self, PyObject* const* args, Py_ssize_t count) noexcept {
  if (count < 1 || count > 3)
    return PyErr_Format(PyExc_TypeError, "index() takes from 1 to 3 arguments, got %zd", count);
  Py_ssize_t limits[] = {0, PY_SSIZE_T_MAX};
  for (Py_ssize_t i = 1; i < count; ++i) {
    if (!PyIndex_Check(args[i]))
      return PyErr_Format(PyExc_TypeError, "index() start and stop must be ints, got %T", args[i]);
    limits[i - 1] = PyNumber_AsSsize_t(args[i], nullptr);
    if (limits[i - 1] == -1 && PyErr_Occurred()) return nullptr;
  }
  PySlice_AdjustIndices(sequence_length(self), &limits[0], &limits[1], 1);
  const HeldElements mine(as_view(self));
  Search search(*as_view(self)->state, args[0]);
  for (Py_ssize_t i = limits[0]; i < limits[1]; ++i) {
    const int equal = search.equals(mine.reader(), mine[i]);
    if (equal != 0) return equal < 0 ? nullptr : PyLong_FromSsize_t(i);
  }
  const char* const name = Py_TYPE(self)->tp_name;
  return PyErr_Format(PyExc_ValueError, "%s.index(x): x not in %s", name, name);
}

PyObject* sequence_compare(PyObject* self, PyObject* object, int operation) noexcept {
  const Other other(object, Py_IS_TYPE(object, Py_TYPE(self)));
  if (!other.is_view() && !(is_list(self) ? PyList_Check(object) : PyTuple_Check(object))) Py_RETURN_NOTIMPLEMENTED;
  const Py_ssize_t mine = sequence_length(self);
  // Two views of one cell are equal, NaNs included: elements that are identical count as equal.
  const bool same = other.is_view() && is_same(as_view(self), as_view(object));
  if (mine != other.length() && (operation == Py_EQ || operation == Py_NE)) return PyBool_FromLong(operation == Py_NE);
  const Py_ssize_t at = same ? mine : first_difference(self, object, other);
  if (at < 0) return nullptr;
  const Py_ssize_t theirs = other.length();
  if (at >= mine || at >= theirs) Py_RETURN_RICHCOMPARE(mine, theirs, operation);
  if (operation == Py_EQ || operation == Py_NE) return PyBool_FromLong(operation == Py_NE);
  const Ref one(sequence_item(self, at));
  if (!one || at >= other.length()) return one ? PyBool_FromLong(operation == Py_GT || operation == Py_GE) : nullptr;
  const Ref two(other.item(at));
  return two ? PyObject_RichCompare(one.get(), two.get(), operation) : nullptr;
}

PyObject* sequence_iterator(PyObject* self) noexcept { return PySeqIter_New(self); }

// Serves both `view * n` and `n * view`.
PyObject* sequence_repeat(PyObject* self, Py_ssize_t count) noexcept {
  const Ref value(sequence_value(self, nullptr));
  return value ? PySequence_Repeat(value.get(), count) : nullptr;
}

PyObject* sequence_value(PyObject* self, PyObject*) noexcept {
  ModuleState& state = *as_view(self)->state;
  return make_sequence(
      self, [&](BlockReader reader, const Cell& cell) noexcept { return decode_at(state, reader, cell, true); });
}

PyObject* sequence_value_to_pickle(PyObject* self) noexcept {
  ModuleState& state = *as_view(self)->state;
  return make_sequence(
      self, [&](BlockReader reader, const Cell& cell) noexcept { return decode_to_pickle(state, reader, cell); });
}

}  // namespace xichan::python
