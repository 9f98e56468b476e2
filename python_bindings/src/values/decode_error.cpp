#include "values/decode_error.h"

#include "base/ref.h"
#include "values/record_cells.h"
#include "values/standard_types.h"
#include "values/view.h"

namespace xichan::python {
namespace {

bool is_any(const Ref& error, std::initializer_list<PyObject*> classes) noexcept {
  for (PyObject* cls : classes) {
    if (PyErr_GivenExceptionMatches(error.get(), cls) != 0) return true;
  }
  return false;
}

// Raises DecodeError with a cause. Consumes the references.
PyObject* raise_from(const ModuleState& state, Ref message, Ref record, Ref cause) noexcept {
  PyObject* cls = state.error(ErrorClass::decode);
  const Ref error(message ? PyObject_CallOneArg(cls, message.get()) : nullptr);
  if (!error || PyObject_SetAttrString(error.get(), "record", record ? record.get() : Py_None) < 0) return nullptr;
  PyException_SetCause(error.get(), cause.release());
  PyErr_SetObject(cls, error.get());
  return nullptr;
}

// Returns true if the type of a record is a module, a name, a form and names.
bool is_named(const CellRef& record) noexcept {
  return has_type_name(record) && record_type(record).cell->length() == 4;
}

Ref name_of(ModuleState& state, const CellRef& record) noexcept {
  if (is_named(record)) return Ref(record_type_name(state, record));
  const Cell& type = *record_type(record).cell;
  return Ref(PyUnicode_FromString(type.tag() == Tag::integer ? standard_name(type.as_integer()) : "record"));
}

// Returns a view of a record that is named; of a standard type, a view of its fields.
Ref view_of(ModuleState& state, const CellRef& record) noexcept {
  const bool named = is_named(record);
  return Ref(new_view(state, named ? ValueType::record : ValueType::tuple, record.reader.block(),
                      named ? *record.cell : fields_as_tuple(*record.cell)));
}

// Returns "Type: text" of an exception.
Ref describe(const Ref& error) noexcept {
  const Ref text(PyObject_Str(error.get()));
  const Ref name(text ? PyType_GetName(Py_TYPE(error.get())) : nullptr);
  return Ref(name ? PyUnicode_FromFormat("%U: %U", name.get(), text.get()) : nullptr);
}

// Adds a view of the whole value to the exception that is set. Returns null.
PyObject* add_message(ModuleState& state, const CellRef& value) noexcept {
  if (value.cell->tag() != Tag::tuple) return nullptr;
  Ref error(PyErr_GetRaisedException());
  const Ref view(new_view(state, ValueType::tuple, value.reader.block(), *value.cell));
  if (view && PyObject_SetAttrString(error.get(), "_message", view.get()) == 0) {
    PyErr_SetRaisedException(error.release());
  }
  return nullptr;
}

}  // namespace

PyObject* raise_for_record(ModuleState& state, const CellRef& record) noexcept {
  Ref error(PyErr_GetRaisedException());
  // Without memory now, the next call may succeed.
  if (is_any(error, {PyExc_MemoryError}) || !is_any(error, {PyExc_Exception})) {
    PyErr_SetRaisedException(error.release());
    return nullptr;
  }
  const Ref what = describe(error);
  const Ref name = what ? name_of(state, record) : Ref();
  Ref view = name ? view_of(state, record) : Ref();
  if (!view) return nullptr;
  return raise_from(state, Ref(PyUnicode_FromFormat("cannot make a %U: %U", name.get(), what.get())), std::move(view),
                    std::move(error));
}

PyObject* raise_decode_error(ModuleState& state, const CellRef& value) noexcept {
  Ref error(PyErr_GetRaisedException());
  if (is_any(error, {state.error(ErrorClass::decode)})) {
    PyErr_SetRaisedException(error.release());
  } else if (!is_any(error, {PyExc_Exception}) ||
             is_any(error, {PyExc_MemoryError, PyExc_SystemError, state.error(ErrorClass::closed)})) {
    PyErr_SetRaisedException(error.release());
    return nullptr;
  } else if (const Ref what = describe(error)) {
    raise_from(state, Ref(PyUnicode_FromFormat("cannot make the value: %U", what.get())), Ref(), std::move(error));
  }
  return PyErr_ExceptionMatches(state.error(ErrorClass::decode)) ? add_message(state, value) : nullptr;
}

}  // namespace xichan::python
