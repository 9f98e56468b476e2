#include "values/record_types.h"

#include <algorithm>
#include <cstring>

#include "base/worklist.h"
#include "values/decode_leaf.h"

namespace xichan::python {
namespace {

/// The cells and text of a type, which are the same for equal types: each text has one representation.
using Key = Worklist<std::uint64_t, 64>;

bool add_text(const CellRef& place, Key& key) noexcept {
  const Cell& cell = *place.cell;
  if (cell.tag() >= Tag::short_ascii && cell.tag() <= Tag::short_ucs4)
    return key.push(cell.head) && key.push(cell.word);
  if (cell.tag() < Tag::ascii || cell.tag() > Tag::ucs4) return false;
  const unsigned width = text_width(text_kind(cell.tag()));
  const auto* data = static_cast<const char*>(place.reader.payload(cell));
  bool ok = key.push(cell.head & ~Cell::repeated_mark);
  for (std::uint64_t left = cell.length() * width; left != 0 && ok;) {
    const std::uint64_t size = std::min<std::uint64_t>(left, sizeof(std::uint64_t));
    std::uint64_t word = 0;
    std::memcpy(&word, data, size);
    ok = key.push(word);
    data += size;
    left -= size;
  }
  return ok;
}

CellRef part_of(const CellRef& tuple, std::size_t i) noexcept {
  return resolve(tuple.reader, tuple.reader.elements(*tuple.cell)[i]);
}

// Returns false if the type is not (str, str, str, tuple of str), or without memory.
bool make_key(const CellRef& type, Key& key) noexcept {
  if (type.cell->tag() != Tag::tuple || type.cell->length() != 4) return false;
  for (std::size_t i = 0; i < 3; ++i) {
    if (!add_text(part_of(type, i), key)) return false;
  }
  const CellRef names = part_of(type, 3);
  if (names.cell->tag() != Tag::tuple) return false;
  for (std::uint64_t i = 0; i < names.cell->length(); ++i) {
    if (!add_text(part_of(names, i), key)) return false;
  }
  return true;
}

Ref key_of(const CellRef& type) noexcept {
  Key key;
  if (make_key(type, key)) {
    return Ref(PyBytes_FromStringAndSize(reinterpret_cast<const char*>(key.begin()),
                                         static_cast<Py_ssize_t>(key.size() * sizeof(std::uint64_t))));
  }
  PyErr_SetString(PyExc_ValueError, "invalid type of a record");
  return Ref();
}

// Returns what an imported module has under a qualified name, which is a list of names; null, without an exception, if
// there is none.
Ref find_loaded(PyObject* module_name, PyObject* names) noexcept {
  const Ref module(PyImport_GetModule(module_name));
  PyObject* dict = module && PyModule_Check(module.get()) ? PyModule_GetDict(module.get()) : nullptr;
  PyObject* found = nullptr;
  if (dict != nullptr) PyDict_GetItemRef(dict, PyTuple_GET_ITEM(names, 0), &found);
  Ref last(found);
  for (Py_ssize_t i = 1; i < PyTuple_GET_SIZE(names) && last; ++i) {  // of a class in a class
    PyObject_GetOptionalAttr(last.get(), PyTuple_GET_ITEM(names, i), &found);
    last = Ref(found);
  }
  PyErr_Clear();
  return last;
}

// Returns true if the module still has what it had when the type was resolved: it may have been reloaded, and a class
// of __main__ may have been defined again.
bool is_current(const ResolvedType& type) noexcept {
  PyObject* found = type.part(ResolvedType::found_part);
  if (found == Py_None) return true;
  return find_loaded(type.part(ResolvedType::module_part), type.part(ResolvedType::path_part)).get() == found;
}

// Returns the parts of a ResolvedType from what xichan._records returned. Null with an exception set.
Ref assemble(PyObject* resolved, PyObject* reference) noexcept {
  int kind;
  PyObject *cls, *create, *fill;
  if (!PyTuple_Check(resolved) ||
      PyArg_ParseTuple(resolved, "iOOO;xichan: invalid record type", &kind, &cls, &create, &fill) == 0) {
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "xichan: invalid record type");
    return Ref();
  }
  if (kind < 0 || kind > static_cast<int>(RecordKind::make) ||
      (kind != static_cast<int>(RecordKind::make) && !PyType_Check(cls))) {
    PyErr_SetString(PyExc_TypeError, "xichan: invalid record type");
    return Ref();
  }
  Ref names(PyTuple_New(reference == nullptr ? 0 : PyTuple_GET_SIZE(PyTuple_GET_ITEM(reference, 3))));
  Ref found(Py_NewRef(Py_None)), module(Py_NewRef(Py_None)), path(Py_NewRef(Py_None));
  if (reference != nullptr && names) {
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names.get()); ++i) {
      PyObject* name = Py_NewRef(PyTuple_GET_ITEM(PyTuple_GET_ITEM(reference, 3), i));
      PyUnicode_InternInPlace(&name);
      PyTuple_SET_ITEM(names.get(), i, name);
    }
    module = Ref(Py_NewRef(PyTuple_GET_ITEM(reference, 0)));
    const Ref dot(PyUnicode_FromString("."));
    const Ref split(dot ? PyUnicode_Split(PyTuple_GET_ITEM(reference, 1), dot.get(), -1) : nullptr);
    path = Ref(split ? PyList_AsTuple(split.get()) : nullptr);
    if (!path) return Ref();
    if (Ref loaded = find_loaded(module.get(), path.get())) found = std::move(loaded);
  }
  if (!names) return Ref();
  return Ref(Py_BuildValue("iOOOOOOO", kind, cls, create, fill, names.get(), module.get(), path.get(), found.get()));
}

// Returns the cached parts under a key, or null, with or without an exception.
Ref cached(ModuleState& state, PyObject* key) noexcept {
  if (state.record_types == nullptr && (state.record_types = PyDict_New()) == nullptr) return Ref();
  PyObject* parts = nullptr;
  PyDict_GetItemRef(state.record_types, key, &parts);
  Ref found(parts);
  return found && is_current(ResolvedType(parts)) ? std::move(found) : Ref();
}

Ref keep(ModuleState& state, const Ref& key, Ref parts) noexcept {
  constexpr Py_ssize_t most_types = 10'000;  // objects may have attributes with ever new names
  if (PyDict_GET_SIZE(state.record_types) >= most_types) PyDict_Clear(state.record_types);
  if (!parts || PyDict_SetItem(state.record_types, key.get(), parts.get()) < 0) return Ref();
  return parts;
}

PyObject* text_of(const ModuleState& state, const CellRef& place) noexcept {
  const bool is_short = place.cell->tag() < Tag::ascii;
  return is_short ? make_short(state, *place.cell) : make_payload(place.reader.payload(*place.cell), *place.cell);
}

// Returns a tuple of the texts of a tuple, with `last` as its last element if that is not null.
Ref texts_of(const ModuleState& state, const CellRef& place, Ref last = Ref()) noexcept {
  const auto length = static_cast<Py_ssize_t>(place.cell->length());
  Ref tuple(PyTuple_New(length));
  for (Py_ssize_t i = 0; i < length && tuple; ++i) {
    const bool is_last = last && i == length - 1;
    PyObject* part = is_last ? last.release() : text_of(state, part_of(place, static_cast<std::size_t>(i)));
    if (part == nullptr) return Ref();
    PyTuple_SET_ITEM(tuple.get(), i, part);
  }
  return tuple;
}

// Returns the type that `make_key` accepted as a tuple of Python.
Ref type_tuple(const ModuleState& state, const CellRef& type) noexcept {
  Ref names = texts_of(state, part_of(type, 3));
  return names ? texts_of(state, type, std::move(names)) : Ref();
}

// Returns the class of the list with these names, borrowed; null if there is none.
PyObject* find_listed(PyObject* reference, ClassList classes) noexcept {
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(classes); ++i) {
    PyObject* listed = PyTuple_GET_ITEM(classes, i);
    const auto same = [&](Py_ssize_t part) noexcept {
      return PyUnicode_Compare(PyTuple_GET_ITEM(listed, part), PyTuple_GET_ITEM(reference, part)) == 0;
    };
    if (same(0) && same(1)) return PyTuple_GET_ITEM(listed, 2);
  }
  return nullptr;
}

// Returns the exception of the module builtins with this name, borrowed; null if there is none.
PyObject* find_builtin_exception(PyObject* reference) noexcept {
  if (PyUnicode_EqualToUTF8(PyTuple_GET_ITEM(reference, 0), "builtins") == 0 ||
      PyUnicode_EqualToUTF8(PyTuple_GET_ITEM(reference, 2), "exception") == 0) {
    return nullptr;
  }
  PyObject* found = PyDict_GetItemWithError(PyEval_GetBuiltins(), PyTuple_GET_ITEM(reference, 1));
  return found != nullptr && PyExceptionClass_Check(found) ? found : nullptr;
}

// Returns the parts of a ResolvedType, None for a record that is not made, or null with an exception set.
Ref resolve_listed(PyObject* reference, ClassList classes) noexcept {
  PyObject* cls = find_listed(reference, classes);
  if (cls == nullptr) cls = find_builtin_exception(reference);
  if (cls == nullptr) return PyErr_Occurred() != nullptr ? Ref() : Ref(Py_NewRef(Py_None));
  const Ref resolve = import_attribute("xichan._records", "resolve_untrusted");
  Ref resolved(resolve ? PyObject_CallFunctionObjArgs(resolve.get(), reference, cls, nullptr) : nullptr);
  return resolved && resolved.get() != Py_None ? assemble(resolved.get(), reference) : std::move(resolved);
}

}  // namespace

Ref resolve_type(ModuleState& state, const CellRef& type, ClassList classes) noexcept {
  const Ref key = key_of(type);
  if (!key) return Ref();
  if (classes == nullptr) {
    if (Ref found = cached(state, key.get())) return found;
    if (PyErr_Occurred()) return Ref();
  }
  const Ref reference = type_tuple(state, type);
  if (!reference) return Ref();
  if (classes != nullptr) return resolve_listed(reference.get(), classes);
  const Ref resolve = import_attribute("xichan._records", "resolve");
  const Ref resolved(resolve ? PyObject_CallOneArg(resolve.get(), reference.get()) : nullptr);
  return keep(state, key, resolved ? assemble(resolved.get(), reference.get()) : Ref());
}

Ref resolve_number(ModuleState& state, std::int64_t number) noexcept {
  const Ref key(PyLong_FromLongLong(number));
  if (!key) return Ref();
  if (Ref found = cached(state, key.get())) return found;
  if (PyErr_Occurred()) return Ref();
  const Ref resolve = import_attribute("xichan._records", "resolve_standard");
  const Ref resolved(resolve ? PyObject_CallOneArg(resolve.get(), key.get()) : nullptr);
  return keep(state, key, resolved ? assemble(resolved.get(), nullptr) : Ref());
}

}  // namespace xichan::python
