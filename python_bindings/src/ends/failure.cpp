#include "ends/failure.h"

#include "base/ref.h"
#include "value/message.h"
#include "values/decode.h"
#include "values/encode.h"

namespace xichan::python {
namespace {

// Clears an exception that only means that something could not be described. Any other is set again by the caller.
Ref drop_error() noexcept {
  Ref error(PyErr_GetRaisedException());
  const bool interrupts = error && !PyErr_GivenExceptionMatches(error.get(), PyExc_Exception);
  return interrupts ? std::move(error) : Ref();
}

// Encodes a description. Returns false, without an exception set, if memory is exhausted.
bool encode_description(const ModuleState& state, PyObject* description, Cell& cell) noexcept {
  if (description != nullptr && encode(state, description, cell)) return true;
  PyErr_Clear();
  return false;
}

// Returns a description without traceback and pickle. `described` is the full one, which is too large, or null.
Ref short_description(PyObject* error, PyObject* described) noexcept {
  const Ref short_text(described != nullptr ? PyUnicode_Substring(PyTuple_GET_ITEM(described, 1), 0, 500) : nullptr);
  return Ref(described == nullptr ? Py_BuildValue("(sss())", Py_TYPE(error)->tp_name, "", "")
             : short_text         ? Py_BuildValue("(OOs())", PyTuple_GET_ITEM(described, 0), short_text.get(), "")
                                  : nullptr);
}

// Returns a new ChannelFailed for the value of an error. Null with an exception set.
Ref failure_of(ModuleState& state, const Cell& error) noexcept {
  const Ref value(decode(state, error, true));
  release(error);
  const Ref make = value ? import_attribute("xichan._failure", "channel_failed") : Ref();
  return Ref(make ? PyObject_CallOneArg(make.get(), value.get()) : nullptr);
}

PyObject* raise_failed(ModuleState& state, const Cell& error) noexcept {
  retain(error);  // the code that rebuilds the exception may close the endpoint, and with it the channel
  const Ref failure = failure_of(state, error);
  if (failure) {
    PyErr_SetObject(state.error(ErrorClass::failed), failure.get());
  } else if (PyErr_ExceptionMatches(PyExc_Exception)) {  // no memory to rebuild it, most likely
    PyObject* reason = PyErr_GetRaisedException();
    raise(state, Status::failed);
    PyObject* raised = PyErr_GetRaisedException();
    PyException_SetCause(raised, reason);
    PyErr_SetRaisedException(raised);
  }
  return nullptr;
}

}  // namespace

Cell describe_exception(const ModuleState& state, PyObject* error) noexcept {
  const Ref describe = import_attribute("xichan._failure", "describe");
  const Ref full(describe ? PyObject_CallOneArg(describe.get(), error) : nullptr);
  Ref interruption = full ? Ref() : drop_error();
  Cell cell;
  if (!encode_description(state, full.get(), cell)) {
    const Ref shortened = short_description(error, full.get());
    if (!encode_description(state, shortened.get(), cell)) cell = Cell::none();
  }
  if (interruption) PyErr_SetRaisedException(interruption.release());
  return cell;
}

bool has_failed(const Handle* handle) noexcept {
  Cell ignored;
  return !handle->endpoint->is_closed() && handle->endpoint->channel()->error(handle->endpoint->side(), ignored);
}

PyObject* raise_outcome(const Handle* handle, Status status) noexcept {
  Cell error;
  if (status == Status::closed && !handle->endpoint->is_closed() &&
      handle->endpoint->channel()->error(handle->endpoint->side(), error)) {
    return raise_failed(*handle->state, error);
  }
  return raise_for(handle, status);
}

}  // namespace xichan::python
