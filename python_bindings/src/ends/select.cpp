#include "ends/select.h"

#include "base/blocking_call.h"
#include "base/ref.h"
#include "ends/cases.h"
#include "ends/receive.h"
#include "ends/select_receivers.h"

namespace xichan::python {
namespace {

bool is_pending(Status status) noexcept { return status == Status::full || status == Status::empty; }

// Returns the result of a case, or raises for it. The next select over the same Receivers begins after it.
PyObject* finish(ModuleState& state, Cases& cases, std::size_t chosen, Status status, bool copy,
                 std::uint64_t receivers) noexcept {
  if (receivers != 0) state.select_turns.set(receivers, chosen + 1);
  return status == Status::ok ? cases.result(chosen, copy) : cases.raise(chosen, status);
}

// Returns false, with TypeError set, if the timeout is a case: select(a, b) instead of select([a, b]).
bool check_no_case(const ModuleState& state, PyObject* timeout) noexcept {
  if (timeout == nullptr || (!is_handle(state, timeout) && !PyTuple_Check(timeout))) return true;
  PyErr_Format(PyExc_TypeError,
               "select() expects an iterable of cases and a timeout, got %T as the timeout; pass a list "
               "of the cases",
               timeout);
  return false;
}

// Called when the cases could not be parsed. If futures of a pool are among them, selects in Python, which replaces
// them by Receivers. Otherwise returns null with the exception that is set.
PyObject* select_futures(PyObject* objects, PyObject* timeout, bool copy) noexcept {
  if (objects == nullptr || !PyErr_ExceptionMatches(PyExc_TypeError)) return nullptr;
  PyObject* const error = PyErr_GetRaisedException();
  bool found = false;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(objects) && !found; ++i) {
    found = PyObject_HasAttrString(reinterpret_cast<PyObject*>(Py_TYPE(PyTuple_GET_ITEM(objects, i))), "completion");
  }
  if (!found) {
    PyErr_SetRaisedException(error);
    return nullptr;
  }
  Py_DECREF(error);
  const Ref select = import_attribute("xichan.pool.select_futures", "select");
  if (!select) return nullptr;
  return PyObject_CallFunctionObjArgs(select.get(), objects, timeout == nullptr ? Py_None : timeout,
                                      copy ? Py_True : Py_False, nullptr);
}

PyObject* select_cases(PyObject* module, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"cases", "timeout", "copy"};
  static constexpr Signature signature{"select", names, 1, 2};
  PyObject* values[3] = {count > 0 ? args[0] : nullptr, nullptr, nullptr};
  bool copy = true;
  Timeout timeout;
  ModuleState& state = *state_of(module);
  if (!is_plain_call(count, keywords, 1) &&
      (!parse_arguments(signature, args, count, keywords, values) || !check_no_case(state, values[1]) ||
       !parse_timeout(values[1], timeout) || !parse_flag(values[2], copy))) {
    return nullptr;
  }
  PyObject* result;
  std::uint64_t receivers;
  const Received received = receive_from_ready(state, values[0], copy, result, receivers);
  if (received == Received::decided) return result;
  Cases cases;
  if (!cases.parse(state, values[0])) return select_futures(cases.objects(), values[1], copy);
  // A value that an earlier call could not decode makes its case ready before all others.
  if (const std::size_t unread = cases.find_unread(); unread != cases.size()) return cases.deliver_unread(unread, copy);
  std::size_t chosen;
  // Only a call that does not wait must know that none was ready at one moment.
  const bool waits = received == Received::none_ready && !timeout.now;
  Status status = waits ? Status::empty : try_any(cases.cases(), chosen);
  if (is_pending(status) && !timeout.now &&
      !wait_detached(
          state.endpoints->owner, cases.endpoints(), cases.cases(), timeout, status, chosen,
          [&]() noexcept { cases.release_values(); }, [&](Status) noexcept { cases.discard_moved(); })) {
    return nullptr;
  }
  if (is_pending(status)) status = Status::timeout;
  if (status == Status::ok && is_interrupted() && cases.keep_received(chosen)) {  // see call_again
    (void)check_interrupts();
    return nullptr;
  }
  if (status == Status::timeout || status == Status::exiting || status == Status::no_memory)
    return raise(state, status);
  return finish(state, cases, chosen, status, copy, receivers);
}

PyDoc_STRVAR(select_doc,
"select($module, /, cases, timeout=None, *, copy=True)\n--\n\n"
"Block until one of several operations can proceed, and perform exactly that one.\n\n"
"cases: an iterable of Receivers, (Sender, value) tuples and futures of a pool. If several are ready, the choice is\n"
"fair.\n"
"timeout: seconds (int or float, not negative) after which ChannelTimeout is raised. None blocks indefinitely, 0\n"
"does not block.\n"
"copy: bool; False receives views, as recv(copy=False) does.\n\n"
"Returns (case, value): the case that was passed, and the received value, the result of the future, or None for a\n"
"case that sent. A future whose task failed raises its exception. A case\n"
"whose endpoint or channel is closed (and drained) is ready: it raises ChannelClosed with the case as its\n"
"attribute `case`. Otherwise raises as send() and recv() do, and TypeError or ValueError for invalid cases. After\n"
"an exception nothing has been sent or received, except after DecodeError, which consumes the value and has the\n"
"attribute `case` too. Other threads run while this one blocks. Thread-safe.");

PyObject* try_select(PyObject* module, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"cases", "copy"};
  static constexpr Signature signature{"_try_select", names, 1, 1};
  PyObject* values[2];
  bool copy = true;
  ModuleState& state = *state_of(module);
  if (!parse_arguments(signature, args, count, keywords, values) || !parse_flag(values[1], copy)) return nullptr;
  PyObject* result;
  std::uint64_t receivers;
  if (receive_from_ready(state, values[0], copy, result, receivers) == Received::decided) return result;
  Cases cases;
  if (!cases.parse(state, values[0])) return nullptr;
  // A value that an earlier call could not decode makes its case ready before all others.
  if (const std::size_t unread = cases.find_unread(); unread != cases.size()) return cases.deliver_unread(unread, copy);
  std::size_t chosen;
  const Status status = try_any(cases.cases(), chosen);
  if (is_pending(status)) Py_RETURN_NONE;
  return finish(state, cases, chosen, status, copy, receivers);
}

}  // namespace

PyMethodDef select_functions[] = {
    {"select", as_method(select_cases), METH_FASTCALL | METH_KEYWORDS, select_doc},
    {"_try_select", as_method(try_select), METH_FASTCALL | METH_KEYWORDS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace xichan::python
