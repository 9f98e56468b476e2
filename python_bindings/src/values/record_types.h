// How objects of the types of records are made: the cache of what xichan._records decides, once per type and
// interpreter.
#pragma once

#include "base/ref.h"
#include "base/state.h"
#include "value/block_reader.h"

namespace xichan::python {

/// The numbers are those of xichan/_records/__init__.py.
enum class RecordKind : std::uint8_t {
  attributes,  // made as object.__new__() does, then the fields are set as attributes
  items,       // a tuple of its fields
  fill,        // create(cls) comes first, then fill(object, *fields)
  make,        // create(*fields)
};

/// How records of a type are made: a tuple (kind, class, create, fill, names, module name, parts of the qualified name,
/// what that names). Borrowed.
class ResolvedType {
 public:
  enum Part : std::uint8_t {
    kind_part,
    cls_part,
    create_part,
    fill_part,
    names_part,
    module_part,
    path_part,
    found_part,
    part_count
  };

  explicit ResolvedType(PyObject* parts) noexcept : parts_(parts) {}

  RecordKind kind() const noexcept {
    return static_cast<RecordKind>(
        PyUnstable_Long_CompactValue(reinterpret_cast<PyLongObject*>(PyTuple_GET_ITEM(parts_, kind_part))));
  }
  PyTypeObject* cls() const noexcept { return reinterpret_cast<PyTypeObject*>(part(cls_part)); }
  PyObject* create() const noexcept { return part(create_part); }
  PyObject* fill() const noexcept { return part(fill_part); }
  /// The names of the fields: interned. Empty for a standard type.
  PyObject* names() const noexcept { return part(names_part); }
  PyObject* part(Part which) const noexcept { return PyTuple_GET_ITEM(parts_, which); }

 private:
  PyObject* parts_;
};

/// Returns a new object without attributes, made as object.__new__() does. Null with an exception set.
inline PyObject* new_object(const ResolvedType& type) noexcept {
  const Ref none(PyTuple_New(0));
  return none ? PyBaseObject_Type.tp_new(type.cls(), none.get(), nullptr) : nullptr;
}
/// Returns a new tuple of the class, with `count` items to be filled in. Null with an exception set.
inline PyObject* new_items(const ResolvedType& type, Py_ssize_t count) noexcept {
  PyObject* tuple = type.cls()->tp_alloc(type.cls(), count);
#if PY_VERSION_HEX >= 0x030E0000
  if (tuple != nullptr) reinterpret_cast<PyTupleObject*>(tuple)->ob_hash = -1;
#endif
  return tuple;
}

/// The classes that loads() was called with: tuples (module, qualified name, class).
using ClassList = PyObject*;

/// Returns the parts of a ResolvedType for the type at a cell. Runs Python code if it is met for the first time:
/// imports the module. Null with an exception set. With `classes`, imports nothing: the class is one of these, or an
/// exception that is a builtin; None for any other type, and for one that sending an object of the class does not
/// produce.
Ref resolve_type(ModuleState& state, const CellRef& type, ClassList classes) noexcept;
Ref resolve_number(ModuleState& state, std::int64_t number) noexcept;

}  // namespace xichan::python
