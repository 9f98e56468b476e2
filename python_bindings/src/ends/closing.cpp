#include "ends/closing.h"

#include "base/blocking_call.h"
#include "base/handle.h"
#include "base/lending.h"
#include "channel/wait_closed.h"
#include "ends/failure.h"

namespace xichan::python {
namespace {

// Parses an exception. Null for an absent argument or None. False with TypeError set.
bool parse_error(PyObject* value, PyObject*& error) noexcept {
  error = value == Py_None ? nullptr : value;
  if (error == nullptr || PyExceptionInstance_Check(error)) return true;
  PyErr_Format(PyExc_TypeError, "error must be an exception or None, got %T", error);
  return false;
}

// Closes the endpoint, with an exception unless `error` is null. An exception that interrupts the description is raised
// once the endpoint is closed.
PyObject* close(Handle* handle, PyObject* error) noexcept {
  Endpoint& endpoint = *handle->endpoint;
  // A channel that has ended keeps its outcome.
  if (error == nullptr || endpoint.is_closed() || endpoint.channel()->is_closed()) {
    endpoint.close();
  } else {
    endpoint.close(describe_exception(*handle->state, error));
  }
  drop_unread(handle);
  take_back_loans(owner_of(handle));
  return PyErr_Occurred() ? nullptr : Py_NewRef(Py_None);
}

constexpr const char* still_open = "timed out: the other side of the channel is still open";

}  // namespace

PyObject* endpoint_close(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"error"};
  static constexpr Signature signature{"close", names, 0, 0};
  if (is_plain_call(count, keywords, 0)) return close(as_handle(self), nullptr);
  PyObject* values[1];
  PyObject* error;
  if (!parse_arguments(signature, args, count, keywords, values) || !parse_error(values[0], error)) return nullptr;
  return close(as_handle(self), error);
}

// Called with the type, the exception and its traceback.
PyObject* endpoint_exit(PyObject* self, PyObject* args) noexcept {
  PyObject* error = PyTuple_GET_SIZE(args) < 2 ? nullptr : PyTuple_GET_ITEM(args, 1);
  return close(as_handle(self), error != nullptr && PyExceptionInstance_Check(error) ? error : nullptr);
}

PyObject* endpoint_shutdown(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"immediate", "error"};
  static constexpr Signature signature{"shutdown", names, 0, 1};
  PyObject* values[2];
  PyObject* error;
  bool immediate = false;
  Handle* handle = as_handle(self);
  if (!parse_arguments(signature, args, count, keywords, values) || !parse_flag(values[0], immediate) ||
      !parse_error(values[1], error) || !check_open(handle)) {
    return nullptr;
  }
  if (error == nullptr) {
    handle->endpoint->channel()->shutdown(immediate);
  } else {
    const Cell described = describe_exception(*handle->state, error);
    if (handle->endpoint->is_closed()) {  // by code that ran meanwhile
      release(described);
      return PyErr_Occurred() ? nullptr : raise_for(handle, Status::end_closed);
    }
    handle->endpoint->channel()->shutdown(immediate, described);
  }
  if (immediate) drop_unread(handle);
  take_back_loans(owner_of(handle));
  return PyErr_Occurred() ? nullptr : Py_NewRef(Py_None);
}

PyObject* endpoint_wait_closed(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"timeout"};
  static constexpr Signature signature{"wait_closed", names, 0, 1};
  PyObject* values[1];
  Timeout timeout;
  Handle* handle = as_handle(self);
  if (!parse_arguments(signature, args, count, keywords, values) || !parse_timeout(values[0], timeout) ||
      !check_open(handle)) {
    return nullptr;
  }
  Endpoint& endpoint = *handle->endpoint;
  Channel& channel = *endpoint.channel();
  if (channel.is_closed()) Py_RETURN_NONE;
  if (timeout.now) return raise(*handle->state, Status::timeout, still_open);
  EndpointOwner& owner = owner_of(handle);
  const Case waited = endpoint.as_case();
  const Side side = endpoint.side();
  const bool sliced = runs_signal_handlers();
  WaitReport report = report_wait(owner, side == Side::sender ? "Sender.wait_closed" : "Receiver.wait_closed", timeout,
                                  channel.outlasts_exit());
  WaitRounds rounds{.report = report};
  Status status = Status::exiting;  // for a finalizer of an interpreter that has released its endpoints
  while (!owner.has_ended()) {
    endpoint.enter();
    status = sleep_detached(
        owner, timeout, sliced, channel.outlasts_exit(), rounds,
        [&](const WaitLimits& limits) noexcept {
          return wait_closed(channel, side, *waited.end_closed, waited.owner, limits);
        },
        [&](Status) noexcept { channel.unpin(); }, [](Status) noexcept {});
    endpoint.leave();
    if (status != Status::interrupted) break;
    if (!check_interrupts()) return nullptr;
    if (endpoint.is_closed()) {  // by a signal handler
      status = Status::end_closed;
      break;
    }
  }
  if (status == Status::timeout) return raise(*handle->state, status, still_open);
  return status == Status::ok ? Py_NewRef(Py_None) : raise_for(handle, status);
}

// clang-format off
const char close_doc[] =
"close($self, /, *, error=None)\n--\n\n"
"Close this endpoint. Closing the last Sender or Receiver ends the channel for the other side.\n\n"
"error: an exception that makes the other side fail. Once all endpoints of this side are closed, and receivers have\n"
"drained the queue, calls there raise ChannelFailed with this exception as the cause. The first error is kept. An\n"
"exception that leaves a `with` block of the endpoint has the same effect.\n\n"
"A call that blocks on this endpoint in another thread raises ChannelClosed. Other endpoints are not affected.\n"
"Calling it again has no effect. Raises TypeError for anything other than an exception. Never blocks. Thread-safe.";

const char shutdown_doc[] =
"shutdown($self, /, immediate=False, *, error=None)\n--\n\n"
"Close the channel for every endpoint in every interpreter and wake all blocked calls.\n\n"
"immediate: bool; False lets receivers drain the queued values, True discards them.\n"
"error: an exception; all calls then raise ChannelFailed with this exception as the cause.\n\n"
"Afterwards sending raises ChannelClosed, and so does receiving once the channel is drained. Raises ChannelClosed\n"
"if this endpoint is closed, and TypeError for an invalid error. Never blocks. Thread-safe.";

const char wait_closed_doc[] =
"wait_closed($self, /, timeout=None)\n--\n\n"
"Block until the channel is closed: it is shut down, or all endpoints of the other side are closed.\n\n"
"timeout: seconds (int or float, not negative) after which ChannelTimeout is raised. None blocks indefinitely, 0\n"
"does not block.\n\n"
"Afterwards no value can be sent; a Receiver may still have values to receive. Raises ChannelClosed if this\n"
"endpoint is closed. Other threads run while this one blocks. Thread-safe.";

const char await_closed_doc[] =
"await_closed($self, /)\n--\n\n"
"Coroutine: wait in the running asyncio event loop until the channel is closed, as wait_closed() does.";
// clang-format on

}  // namespace xichan::python
