// Names: lookup_sender, lookup_receiver, lookup, publish, unpublish.
#include "directory/names.h"

#include "directory/registry.h"
#include "ends/names.h"
#include "value/message.h"
#include "values/decode.h"
#include "values/encode.h"

namespace xichan::python {
namespace {

bool parse_name(PyObject* object, std::string_view& name) noexcept {
  if (!PyUnicode_Check(object)) {
    PyErr_Format(PyExc_TypeError, "a name must be a str, not %T", object);
    return false;
  }
  Py_ssize_t length;
  const char* text = PyUnicode_AsUTF8AndSize(object, &length);
  if (text == nullptr) return false;
  if (length == 0) {
    PyErr_SetString(PyExc_ValueError, "a name must not be empty");
    return false;
  }
  name = {text, static_cast<std::size_t>(length)};
  return true;
}

PyObject* open_endpoint(ModuleState& state, const ChannelId& id, Side side) noexcept {
  Channel* channel = Registry::open(id, side);
  return channel == nullptr ? nullptr : new_handle(state, channel, side);
}

// What a name gives: null without an exception if it gives nothing now.
PyObject* open_sender(ModuleState& state, NameKind kind, const ChannelId& id, const Cell&) noexcept {
  return kind == NameKind::channel ? open_endpoint(state, id, Side::sender) : nullptr;
}
PyObject* open_receiver(ModuleState& state, NameKind kind, const ChannelId& id, const Cell&) noexcept {
  return kind == NameKind::channel ? open_endpoint(state, id, Side::receiver) : nullptr;
}
PyObject* open_either(ModuleState& state, NameKind kind, const ChannelId& id, const Cell& value) noexcept {
  if (kind == NameKind::value) return decode(state, value);
  if (kind != NameKind::channel) return nullptr;
  PyObject* sender = open_endpoint(state, id, Side::sender);
  PyObject* receiver = sender == nullptr ? nullptr : open_endpoint(state, id, Side::receiver);
  PyObject* pair = receiver == nullptr ? nullptr : PyTuple_Pack(2, sender, receiver);
  Py_XDECREF(sender);
  Py_XDECREF(receiver);
  return pair;
}

// Sleeps detached until the names change: false with an exception set.
bool wait_for_change(ModuleState& state, std::uint32_t seen, const Timeout& timeout) noexcept {
  EndpointOwner& owner = state.endpoints->owner;
  Deadline exit_deadline = Deadline::never();
  const bool sliced = runs_signal_handlers();
  for (;;) {
    if (owner.has_ended()) {
      raise(state, Status::exiting);
      return false;
    }
    const auto hold_nothing = [](Status) noexcept {};
    const Status status = sleep_detached(
        owner, timeout, sliced, exit_deadline,
        [&](const WaitLimits& limits) noexcept { return Names::wait(seen, limits); }, hold_nothing, hold_nothing);
    if (status == Status::ok || status == Status::timeout) return true;
    if (status == Status::exiting) {
      raise(state, status);
      return false;
    }
    if (PyErr_CheckSignals() < 0) return false;
  }
}

using Open = PyObject* (*)(ModuleState&, NameKind, const ChannelId&, const Cell&) noexcept;

PyObject* look_up(const char* function, Open open, PyObject* module, PyObject* const* args, Py_ssize_t count,
                  PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"name", "timeout"};
  const Signature signature{function, names, 1, 2};
  PyObject* values[2];
  std::string_view name;
  Timeout timeout{.deadline = Deadline::at(0), .now = true};
  if (!parse_arguments(signature, args, count, keywords, values) || !parse_name(values[0], name)) return nullptr;
  if (values[1] != nullptr) {
    timeout = {};
    if (!parse_timeout(values[1], timeout)) return nullptr;
  }
  ModuleState& state = *state_of(module);
  for (;;) {
    const std::uint32_t seen = Names::version();
    ChannelId id;
    Cell value;
    const NameKind kind = Names::find(name, id, value);
    PyObject* found = open(state, kind, id, value);
    release(value);
    if (found != nullptr || PyErr_Occurred()) return found;
    if (timeout.now || timeout.deadline.passed()) {
      return PyErr_Format(state.error(ErrorClass::not_found), "nothing of the kind is named %R", values[0]);
    }
    if (!wait_for_change(state, seen, timeout)) return nullptr;
  }
}

}  // namespace

PyObject* lookup_sender(PyObject* module, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  return look_up("lookup_sender", open_sender, module, args, count, keywords);
}
PyObject* lookup_receiver(PyObject* module, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  return look_up("lookup_receiver", open_receiver, module, args, count, keywords);
}
PyObject* lookup(PyObject* module, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  return look_up("lookup", open_either, module, args, count, keywords);
}

PyObject* publish(PyObject* module, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"name", "value"};
  static constexpr Signature signature{"publish", names, 2, 2};
  PyObject* values[2];
  std::string_view name;
  Cell cell;
  ModuleState& state = *state_of(module);
  if (!parse_arguments(signature, args, count, keywords, values) || !parse_name(values[0], name) ||
      !encode(state, values[1], cell)) {
    return nullptr;
  }
  const Status status = Names::publish(name, cell);
  if (status == Status::ok) Py_RETURN_NONE;
  release(cell);
  return raise_name(state, status, values[0]);
}

PyObject* unpublish(PyObject* module, PyObject* object) noexcept {
  std::string_view name;
  Cell cell;
  if (!parse_name(object, name)) return nullptr;
  if (Names::unpublish(name, cell) != Status::ok) {
    return PyErr_Format(state_of(module)->error(ErrorClass::not_found), "no value is published as %R", object);
  }
  release(cell);
  Py_RETURN_NONE;
}

PyObject* raise_name(const ModuleState& state, Status status, PyObject* name) noexcept {
  if (status != Status::name_taken) return raise(state, status);
  return PyErr_Format(state.error(ErrorClass::error), "the name %R is in use", name);
}

bool parse_channel_name(PyObject* object, std::string_view& name) noexcept {
  return object == nullptr || object == Py_None || parse_name(object, name);
}

const char lookup_sender_doc[] =
    "lookup_sender($module, /, name, timeout=0)\n--\n\n"
    "Open a Sender of the channel that was made with this name, in whatever interpreter.\n\n"
    "timeout: seconds to wait for such a channel; None waits for ever. NotFound if there is none by then.";
const char lookup_receiver_doc[] =
    "lookup_receiver($module, /, name, timeout=0)\n--\n\n"
    "Open a Receiver of the channel that was made with this name; else as lookup_sender().";
const char lookup_doc[] =
    "lookup($module, /, name, timeout=0)\n--\n\n"
    "What a name stands for: the value that was published, or (Sender, Receiver) of the channel.\n\n"
    "timeout: seconds to wait for the name; None waits for ever. NotFound if nothing has it by then.";
const char publish_doc[] =
    "publish($module, /, name, value)\n--\n\n"
    "Keep a value under a name for every interpreter's lookup(), until unpublish(name).\n\n"
    "Error if the name is in use, NotShareableError as send(). Never waits.";
const char unpublish_doc[] =
    "unpublish($module, name, /)\n--\n\n"
    "End a published name. NotFound if no value has it. Never waits.";

}  // namespace xichan::python
