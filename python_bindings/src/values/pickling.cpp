#include "values/pickling.h"

#include <utility>

#include "base/errors.h"
#include "base/ref.h"
#include "value/message.h"
#include "values/encode.h"
#include "values/pickle_sink.h"

namespace xichan::python {
namespace {

// A Pickler of a message of at most this many bytes is kept for the next one. Beyond it, clearing its table of objects
// would take longer than making a new one.
constexpr Py_ssize_t largest_kept = 1024;

// Takes the idle Pickler, or makes one: the tuple (dump, clear_memo, sink). While it is in use, Python code that runs
// in this call makes another.
Ref take_pickler(ModuleState& state) noexcept {
  if (state.idle_pickler != nullptr) return Ref(std::exchange(state.idle_pickler, nullptr));
  PyObject* make = import_once(state.make_pickler, "xichan._pickling", "make_pickler");
  return Ref(make == nullptr ? nullptr : PyObject_CallNoArgs(make));
}

// Pickles a value into a list of which the first item is the pickle. Null with an exception set. `prefix` is the number
// of None before it. `override`: a reducer_override, or null. `with_movable`: Buffers and Descriptors travel outside
// the pickle.
Ref pickle(ModuleState& state, PyObject* value, PyObject* override, bool with_movable) noexcept {
  Ref pickler = take_pickler(state);
  if (!pickler) return Ref();
  PickleSink* sink = as_sink(PyTuple_GET_ITEM(pickler.get(), 2));
  if (!sink->begin(override, with_movable)) return Ref();
  const Ref done(PyObject_CallOneArg(PyTuple_GET_ITEM(pickler.get(), 0), value));
  if (!done) return Ref();  // the Pickler and its memo are dropped
  Ref parts = sink->finish();
  if (!parts || PyBytes_GET_SIZE(PyList_GET_ITEM(parts.get(), 0)) > largest_kept) return parts;
  const Ref cleared(PyObject_CallNoArgs(PyTuple_GET_ITEM(pickler.get(), 1)));
  if (!cleared) return Ref();
  if (state.idle_pickler == nullptr) state.idle_pickler = pickler.release();
  return parts;
}

// Makes (None, pickle, ...) of the parts.
Ref as_record(PyObject* parts) noexcept {
  const Py_ssize_t count = PyList_GET_SIZE(parts);
  Ref record(PyTuple_New(count + 1));
  if (!record) return record;
  PyTuple_SET_ITEM(record.get(), 0, Py_NewRef(Py_None));
  for (Py_ssize_t i = 0; i < count; ++i) {
    PyTuple_SET_ITEM(record.get(), i + 1, Py_NewRef(PyList_GET_ITEM(parts, i)));
  }
  return record;
}

// Turns what pickling raised into a NotShareableError that names the part of the value that is not shareable. Errors of
// this package and of memory, and what is not an Exception, stay as they are.
void explain_failure(ModuleState& state, PyObject* value, Destination destination) noexcept {
  if (!PyErr_ExceptionMatches(PyExc_Exception) || PyErr_ExceptionMatches(PyExc_MemoryError) ||
      PyErr_ExceptionMatches(state.error(ErrorClass::error))) {
    return;
  }
  const Ref cause(PyErr_GetRaisedException());
  if (check_shareable(state, value, destination)) {  // pickling has changed the value
    PyErr_SetRaisedException(Py_NewRef(cause.get()));
    return;
  }
  if (!PyErr_ExceptionMatches(state.error(ErrorClass::not_shareable))) return;
  PyObject* error = PyErr_GetRaisedException();
  const Ref text(PyUnicode_FromFormat("%S; pickling it failed: %S", error, cause.get()));
  const Ref args(text ? PyTuple_Pack(1, text.get()) : nullptr);
  if (!args || PyObject_SetAttrString(error, "args", args.get()) < 0) PyErr_Clear();
  PyException_SetCause(error, Py_NewRef(cause.get()));
  PyErr_SetRaisedException(error);
}

// _pickle(value, override=None) -> (data, external)
PyObject* pickle_value(PyObject* module, PyObject* const* args, Py_ssize_t count) noexcept {
  if (count < 1 || count > 2) return PyErr_Format(PyExc_TypeError, "_pickle() takes 1 or 2 arguments, got %zd", count);
  const Ref parts = pickle(*state_of(module), args[0], count == 2 && args[1] != Py_None ? args[1] : nullptr, true);
  if (!parts) return nullptr;
  const Ref external(PyList_GetSlice(parts.get(), 1, PY_SSIZE_T_MAX));
  const Ref tuple(external ? PyList_AsTuple(external.get()) : nullptr);
  return tuple ? PyTuple_Pack(2, PyList_GET_ITEM(parts.get(), 0), tuple.get()) : nullptr;
}

// Pickles call this with what travels outside them.
PyObject* external(PyObject*, PyObject* value) noexcept { return Py_NewRef(value); }

// Pickles and encodes a value. After pickling, Python code has run.
Encoded encode_pickled(ModuleState& state, PyObject* value, Cell& cell, Destination destination) noexcept {
  const Ref parts = pickle(state, value, nullptr, moves(destination));
  if (!parts) {
    explain_failure(state, value, moves(destination) ? Destination::nowhere : destination);
    return Encoded::no;
  }
  const Ref record = as_record(parts.get());
  const Encoded encoded = record ? encode_block(state, record.get(), cell, destination) : Encoded::no;
  if (encoded == Encoded::no) return encoded;
  // The block belongs to this thread alone until the cell is sent.
  Cell& root = const_cast<Cell&>(BlockReader(cell.as_block()).root());
  root = Cell::of(Tag::record, root.length(), root.word);
  return encoded == Encoded::moving ? encoded : Encoded::after_python_code;
}

}  // namespace

Encoded encode_or_pickle(ModuleState& state, PyObject* value, Cell& cell, bool& pickled,
                         Destination destination) noexcept {
  pickled = false;
  if (encode_short(value, &cell)) return Encoded::yes;
  Encoded encoded =
      encode_block(state, value, cell, moves(destination) ? Destination::receiver_or_pickle : Destination::or_pickle);
  if (encoded != Encoded::no || PyErr_Occurred()) return encoded;
  encoded = encode_pickled(state, value, cell, destination);
  pickled = encoded != Encoded::no;
  return encoded;
}

PyMethodDef pickling_functions[] = {
    {"_pickle", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(pickle_value)), METH_FASTCALL, nullptr},
    {"_external", external, METH_O, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace xichan::python
