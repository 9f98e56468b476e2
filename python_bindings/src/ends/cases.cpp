#include "ends/cases.h"

#include <new>

#include "ends/failure.h"
#include "ends/receive.h"
#include "ends/special.h"
#include "value/message.h"

namespace xichan::python {
namespace {

// Returns the items of an iterable, as a tuple. Not by PySequence_Tuple: the tuple that it fills is visible to Python
// code while it iterates.
Ref as_tuple(PyObject* iterable) noexcept {
  if (PyTuple_CheckExact(iterable)) return Ref(Py_NewRef(iterable));
  if (PyList_CheckExact(iterable)) return Ref(PyList_AsTuple(iterable));
  const Ref list(PySequence_List(iterable));
  return Ref(list ? PyList_AsTuple(list.get()) : nullptr);
}

// Returns (case, None). It is allocated first: a delivered value would be lost if the allocation failed.
Ref new_pair(PyObject* object) noexcept {
  Ref pair(PyTuple_New(2));
  if (!pair) return pair;
  PyTuple_SET_ITEM(pair.get(), 0, Py_NewRef(object));
  PyTuple_SET_ITEM(pair.get(), 1, Py_None);  // immortal
  return pair;
}

// Sets the attribute `case` of the exception that is set, if it is of this class. Returns null.
PyObject* name_case(const ModuleState& state, PyObject* object, ErrorClass cls) noexcept {
  if (!PyErr_ExceptionMatches(state.error(cls))) return nullptr;
  PyObject* error = PyErr_GetRaisedException();
  if (PyObject_SetAttrString(error, "case", object) < 0) PyErr_Clear();
  PyErr_SetRaisedException(error);
  return nullptr;
}

// Stores the value of a Receiver in its pair. The value is null if an exception is set.
PyObject* finish_pair(Ref pair, PyObject* value) noexcept {
  if (value == nullptr) {
    PyObject* receiver = PyTuple_GET_ITEM(pair.get(), 0);
    return name_case(*as_handle(receiver)->state, receiver, ErrorClass::decode);
  }
  PyTuple_SET_ITEM(pair.get(), 1, value);                                     // replaces None, which is immortal
  if (PyObject_GC_IsTracked(pair.get()) == 0) PyObject_GC_Track(pair.get());  // the collector may have run meanwhile
  return pair.release();
}

}  // namespace

PyObject* deliver_case(PyObject* receiver, const Cell& cell, bool copy) noexcept {
  Ref pair = new_pair(receiver);
  if (!pair) {
    keep_unread(as_handle(receiver), cell);
    return nullptr;
  }
  return finish_pair(std::move(pair), deliver(as_handle(receiver), cell, copy));
}

PyObject* raise_for_case(PyObject* object, const Handle* handle, Status status) noexcept {
  const Ref held(Py_NewRef(object));
  raise_outcome(handle, status);
  return name_case(*handle->state, object, ErrorClass::closed);
}

bool Cases::parse(const ModuleState& state, PyObject* iterable) noexcept {
  // Iterating over one of these would receive its values.
  if (Py_IS_TYPE(iterable, state.receiver_type) || Py_IS_TYPE(iterable, state.sender_type) ||
      Py_IS_TYPE(iterable, state.views_type)) {
    PyErr_Format(PyExc_TypeError, "select() expects an iterable of cases, got %T; pass a list of endpoints", iterable);
    return false;
  }
  objects_ = as_tuple(iterable);
  if (!objects_) return false;
  const Py_ssize_t count = PyTuple_GET_SIZE(objects_.get());
  if (count == 0) {
    PyErr_SetString(PyExc_ValueError, "select() requires at least one case");
    return false;
  }
  const auto room = static_cast<std::size_t>(count);
  handles_.reset(new (std::nothrow) Handle*[room]);
  endpoints_.reset(new (std::nothrow) Endpoint*[room]);
  cases_.reset(new (std::nothrow) Case[room]);
  if (handles_ == nullptr || endpoints_ == nullptr || cases_ == nullptr) {
    PyErr_NoMemory();
    return false;
  }
  for (Py_ssize_t i = 0; i < count; ++i) {
    if (!parse_case(state, PyTuple_GET_ITEM(objects_.get(), i))) return false;
  }
  // Encoding a later value may have run Python code, which may have closed an endpoint.
  for (std::size_t i = 0; i < size_; ++i) {
    if (!endpoints_[i]->is_closed()) continue;
    raise(i, Status::end_closed);
    return false;
  }
  return true;
}

bool split_case(const ModuleState& state, PyObject* object, CaseParts& parts) noexcept {
  PyObject* endpoint = object;
  if (PyTuple_CheckExact(object) && PyTuple_GET_SIZE(object) == 2) {
    endpoint = PyTuple_GET_ITEM(object, 0);
    parts.value = PyTuple_GET_ITEM(object, 1);
  }
  if (!Py_IS_TYPE(endpoint, state.type_of(parts.value == nullptr ? Side::receiver : Side::sender))) {
    PyErr_Format(PyExc_TypeError, "a case must be a Receiver or (Sender, value), got %T", object);
    return false;
  }
  parts.handle = as_handle(endpoint);
  return true;
}

bool Cases::parse_case(const ModuleState& state, PyObject* object) noexcept {
  CaseParts parts;
  if (!split_case(state, object, parts)) return false;
  const auto [handle, value] = parts;
  handles_[size_] = handle;
  endpoints_[size_] = handle->endpoint;
  if (handle->endpoint->is_closed()) {
    raise(size_, Status::end_closed);
    return false;
  }
  follow_trace(handle);
  Cell cell;
  if (value != nullptr && !encode_to_send(handle, value, cell) && !transfers_.take(state, cell)) return false;
  cases_[size_] = handle->endpoint->as_case(cell);
  if (value == nullptr) cases_[size_].line = &line_;  // at most one case receives
  ++size_;
  return true;
}

void Cases::release_values(std::size_t sent) noexcept {
  for (std::size_t i = 0; i < size_; ++i) {
    if (cases_[i].side != Side::sender) continue;
    if (i == sent) {
      transfers_.sent(cases_[i].cell);
    } else {
      transfers_.withdraw(cases_[i].cell);
      release(cases_[i].cell);
    }
    cases_[i].cell = {};
  }
}

PyObject* Cases::result(std::size_t chosen, bool copy) noexcept {
  const bool receiving = cases_[chosen].side == Side::receiver;
  release_values(chosen);
  transfers_.restore();
  return receiving ? deliver_case(object(chosen), cases_[chosen].cell, copy) : new_pair(object(chosen)).release();
}

bool Cases::keep_received(std::size_t chosen) noexcept {
  if (cases_[chosen].side == Side::sender) return false;
  release_values();
  transfers_.restore();
  keep_unread(handles_[chosen], cases_[chosen].cell);
  return true;
}

PyObject* Cases::deliver_unread(std::size_t chosen, bool copy) noexcept {
  release_values();
  transfers_.restore();
  Ref pair = new_pair(object(chosen));
  if (!pair) return nullptr;
  return finish_pair(std::move(pair), python::deliver_unread(handles_[chosen], copy));
}

std::size_t Cases::find_unread() const noexcept {
  std::size_t i = 0;
  while (i < size_ && !has_unread(handles_[i])) ++i;
  return i;
}

}  // namespace xichan::python
