#include "values/dict_view.h"

#include "base/ref.h"
#include "values/compare.h"
#include "values/decode.h"
#include "values/element_iterator.h"
#include "values/hash.h"
#include "values/hashed_view.h"
#include "values/repr.h"

namespace xichan::python {
namespace {

PyObject* value_at(const View* view, std::uint64_t entry) noexcept {
  const BlockReader reader = view->slice.reader();
  return decode_at(*view->state, reader, reader.elements(view->slice.cell)[2 * entry + 1], false);
}

PyObject* dict_subscript(PyObject* self, PyObject* key) noexcept {
  std::uint64_t entry;
  const int found = find_key(self, key, entry);
  if (found > 0) return value_at(as_view(self), entry);
  if (found < 0) return nullptr;
  const Ref args(PyTuple_Pack(1, key));  // or a tuple would become the arguments of the exception
  if (args) PyErr_SetObject(PyExc_KeyError, args.get());
  return nullptr;
}

PyObject* dict_get(PyObject* self, PyObject* const* args, Py_ssize_t count) noexcept {
  if (count < 1 || count > 2) return PyErr_Format(PyExc_TypeError, "get() takes 1 or 2 arguments, got %zd", count);
  std::uint64_t entry;
  const int found = find_key(self, args[0], entry);
  if (found > 0) return value_at(as_view(self), entry);
  return found < 0 ? nullptr : Py_NewRef(count == 2 ? args[1] : Py_None);
}

// Returns keys(), values() or items(), whose classes are written in Python.
PyObject* dict_part(PyObject* self, DictPart part) noexcept {
  static constexpr const char* names[] = {"DictKeys", "DictValues", "DictItems"};
  const auto i = static_cast<int>(part);
  PyObject* type = import_once(as_view(self)->state->dict_parts[i], "xichan._dict_parts", names[i]);
  return type == nullptr ? nullptr : PyObject_CallOneArg(type, self);
}

PyObject* dict_keys(PyObject* self, PyObject*) noexcept { return dict_part(self, DictPart::keys); }
PyObject* dict_values(PyObject* self, PyObject*) noexcept { return dict_part(self, DictPart::values); }
PyObject* dict_items(PyObject* self, PyObject*) noexcept { return dict_part(self, DictPart::items); }

PyObject* dict_iterator(PyObject* self) noexcept { return new_element_iterator(self, DictPart::keys, false); }
PyObject* dict_reversed(PyObject* self, PyObject*) noexcept { return new_element_iterator(self, DictPart::keys, true); }

// For the classes of keys(), values() and items(): _iterate(part, reversed).
PyObject* dict_iterate(PyObject* self, PyObject* args) noexcept {
  int part, reversed;
  if (!PyArg_ParseTuple(args, "ip:_iterate", &part, &reversed)) return nullptr;
  if (part < 0 || part > 2) return PyErr_Format(PyExc_ValueError, "expected 0, 1 or 2, got %d", part);
  return new_element_iterator(self, static_cast<DictPart>(part), reversed != 0);
}

PyObject* dict_compare(PyObject* self, PyObject* other, int operation) noexcept {
  if (operation != Py_EQ && operation != Py_NE) Py_RETURN_NOTIMPLEMENTED;
  const BlockSlice& mine = as_view(self)->slice;
  Comparison comparison(*as_view(self)->state);
  int equal;
  if (Py_IS_TYPE(other, Py_TYPE(self))) {
    const BlockSlice& theirs = as_view(other)->slice;
    equal = comparison.equal(mine.reader(), mine.cell, theirs.reader(), theirs.cell);
  } else if (is_any_dict(other)) {
    equal = comparison.equal(mine.reader(), mine.cell, other);
  } else {
    Py_RETURN_NOTIMPLEMENTED;
  }
  return equal < 0 ? nullptr : PyBool_FromLong(equal == (operation == Py_EQ));
}

PyObject* dict_or(PyObject* left, PyObject* right) noexcept;

// Returns a DictView as a dict, a dict unchanged, and NotImplemented for any other object.
PyObject* operand(PyObject* object) noexcept {
  const PyNumberMethods* methods = Py_TYPE(object)->tp_as_number;
  if (methods != nullptr && methods->nb_or == dict_or) return view_value(object, nullptr);
  return Py_NewRef(is_any_dict(object) ? object : Py_NotImplemented);
}

PyObject* dict_or(PyObject* left, PyObject* right) noexcept {
  const Ref one(operand(left));
  if (!one || one.get() == Py_NotImplemented) return Py_XNewRef(one.get());
  const Ref two(operand(right));
  if (!two || two.get() == Py_NotImplemented) return Py_XNewRef(two.get());
  return PyNumber_Or(one.get(), two.get());
}

PyObject* dict_reduce(PyObject* self, PyObject*) noexcept { return reduce_to_value(view_value_to_pickle(self)); }

PyDoc_STRVAR(dict_doc,
"A dict that is read in place, in shared memory of the process. Received with copy=False.\n\n"
"A collections.abc.Mapping in the order of the dict, which it equals. A key is found by its hash, without reading\n"
"other entries. Keys and values are decoded when they are accessed: containers, and large str and bytes, are views\n"
"again. The view of a frozendict is hashable. It keeps the memory of the whole message that it was received in.\n"
"Immutable, so any thread of its interpreter may use it.");

PyDoc_STRVAR(value_doc,
"value($self, /)\n--\n\n"
"Return a copy as a dict or frozendict, as recv() returns it. Raises MemoryError or DecodeError.");
PyDoc_STRVAR(get_doc,
"get($self, key, default=None, /)\n--\n\n"
"Return the value of the key, or the default if the key is missing.");
PyDoc_STRVAR(keys_doc,
"keys($self, /)\n--\n\n"
"Return the keys, as a collections.abc.KeysView.");
PyDoc_STRVAR(values_doc,
"values($self, /)\n--\n\n"
"Return the values, as a collections.abc.ValuesView.");
PyDoc_STRVAR(items_doc,
"items($self, /)\n--\n\n"
"Return the pairs of key and value, as a collections.abc.ItemsView.");
PyDoc_STRVAR(reversed_doc,
"__reversed__($self, /)\n--\n\n"
"Return an iterator over the keys, last key first.");
PyDoc_STRVAR(reduce_doc,
"__reduce__($self, /)\n--\n\n"
"Support pickle and copy: the copy is a dict or frozendict.");

PyMethodDef methods[] = {
    {"value", view_value, METH_NOARGS, value_doc},
    {"get", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(dict_get)), METH_FASTCALL, get_doc},
    {"keys", dict_keys, METH_NOARGS, keys_doc},
    {"values", dict_values, METH_NOARGS, values_doc},
    {"items", dict_items, METH_NOARGS, items_doc},
    {"_iterate", dict_iterate, METH_VARARGS, nullptr},
    {"__reversed__", dict_reversed, METH_NOARGS, reversed_doc},
    {"__reduce__", dict_reduce, METH_NOARGS, reduce_doc},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(view_new)},
    {Py_tp_doc, const_cast<char*>(dict_doc)},
    {Py_tp_dealloc, reinterpret_cast<void*>(hashed_dealloc)},
    {Py_tp_traverse, reinterpret_cast<void*>(hashed_traverse)},
    {Py_tp_clear, reinterpret_cast<void*>(hashed_clear)},
    {Py_tp_richcompare, reinterpret_cast<void*>(dict_compare)},
    {Py_tp_hash, reinterpret_cast<void*>(view_hash)},
    {Py_tp_repr, reinterpret_cast<void*>(view_repr)},
    {Py_tp_iter, reinterpret_cast<void*>(dict_iterator)},
    {Py_tp_methods, methods},
    {Py_tp_members, view_members},
    {Py_sq_contains, reinterpret_cast<void*>(hashed_contains)},
    {Py_mp_length, reinterpret_cast<void*>(hashed_length)},
    {Py_mp_subscript, reinterpret_cast<void*>(dict_subscript)},
    {Py_nb_or, reinterpret_cast<void*>(dict_or)},
    {0, nullptr},
};

}  // namespace

PyType_Spec dict_spec = {"xichan.DictView", sizeof(HashedView), 0,
                         Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_MAPPING | Py_TPFLAGS_HAVE_GC,
                         slots};

}  // namespace xichan::python
