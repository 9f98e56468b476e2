// Names: lookup, publish, unpublish and the lookup methods of Sender and Receiver.
#include "ends/names.h"

#include "base/state_handle.h"
#include "directory/registry.h"
#include "value/message.h"
#include "values/decode.h"
#include "values/pickling.h"

namespace xichan::python {
namespace {

bool parse_name(PyObject* object, std::string_view& name) noexcept {
  if (!PyUnicode_Check(object)) {
    PyErr_Format(PyExc_TypeError, "name must be a str, got %T", object);
    return false;
  }
  Py_ssize_t length;
  const char* text = PyUnicode_AsUTF8AndSize(object, &length);
  if (text == nullptr) return false;
  if (length == 0) {
    PyErr_SetString(PyExc_ValueError, "name must not be empty");
    return false;
  }
  name = {text, static_cast<std::size_t>(length)};
  return true;
}

PyObject* open_endpoint(ModuleState& state, const ChannelId& id, Side side) noexcept {
  Channel* channel = Registry::open(id, side);
  return channel == nullptr ? nullptr : new_handle(state, channel, side);
}

// Open what a registered name stands for. Null without an exception if the name does not stand for it now.
PyObject* open_sender(ModuleState& state, const Names::Found& found) noexcept {
  return found.kind == NameKind::channel ? open_endpoint(state, found.id, Side::sender) : nullptr;
}
PyObject* open_receiver(ModuleState& state, const Names::Found& found) noexcept {
  return found.kind == NameKind::channel ? open_endpoint(state, found.id, Side::receiver) : nullptr;
}
PyObject* open_any(ModuleState& state, const Names::Found& found) noexcept {
  if (found.kind == NameKind::value) return decode(state, found.value);
  if (found.kind == NameKind::state) {
    found.object->retain();
    return new_state_handle(state, found.object);
  }
  if (found.kind != NameKind::channel) return nullptr;
  PyObject* sender = open_endpoint(state, found.id, Side::sender);
  PyObject* receiver = sender == nullptr ? nullptr : open_endpoint(state, found.id, Side::receiver);
  PyObject* pair = receiver == nullptr ? nullptr : PyTuple_Pack(2, sender, receiver);
  Py_XDECREF(sender);
  Py_XDECREF(receiver);
  return pair;
}

// Blocks, detached from the interpreter, until the names change or the timeout expires. False with an exception set.
bool wait_for_change(ModuleState& state, std::uint32_t seen, const Timeout& timeout) noexcept {
  EndpointOwner& owner = state.endpoints->owner;
  WaitReport report = report_wait(owner, "lookup", timeout);
  WaitRounds rounds{.report = report};
  const bool sliced = runs_signal_handlers();
  for (;;) {
    if (owner.has_ended()) {
      raise(state, Status::exiting);
      return false;
    }
    const auto hold_nothing = [](Status) noexcept {};
    const Status status = sleep_detached(
        owner, timeout, sliced, false, rounds,
        [&](const WaitLimits& limits) noexcept { return Names::wait(seen, limits); }, hold_nothing, hold_nothing);
    if (status == Status::ok || status == Status::timeout) return true;
    if (status == Status::exiting) {
      raise(state, status);
      return false;
    }
    if (!check_interrupts()) return false;
  }
}

PyObject* look_up(ModuleState& state, const NameLookup& lookup, PyObject* const* args, Py_ssize_t count,
                  PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"name", "timeout"};
  static constexpr Signature signature{"lookup", names, 1, 2};
  PyObject* values[2];
  std::string_view name;
  Timeout timeout{.deadline = Deadline::at(0), .now = true};
  if (!parse_arguments(signature, args, count, keywords, values) || !parse_name(values[0], name)) return nullptr;
  if (values[1] != nullptr) {
    timeout = {};
    if (!parse_timeout(values[1], timeout)) return nullptr;
  }
  for (;;) {
    const std::uint32_t seen = Names::version();
    const Names::Found found = Names::find(name);
    PyObject* opened = lookup.open(state, found);
    release(found.value);
    if (found.object != nullptr) found.object->release();
    if (opened != nullptr || PyErr_Occurred()) return opened;
    if (timeout.now || timeout.deadline.passed()) {
      return PyErr_Format(state.error(ErrorClass::not_found), "no %s is registered under the name %R", lookup.wanted,
                          values[0]);
    }
    if (!wait_for_change(state, seen, timeout)) return nullptr;
  }
}

}  // namespace

// `type` is a type of the module itself: none can be subclassed.
PyObject* look_up_class(PyObject* type, const NameLookup& lookup, PyObject* const* args, Py_ssize_t count,
                        PyObject* keywords) noexcept {
  void* state = PyType_GetModuleState(reinterpret_cast<PyTypeObject*>(type));
  return state == nullptr ? nullptr : look_up(*static_cast<ModuleState*>(state), lookup, args, count, keywords);
}

PyObject* sender_lookup(PyObject* type, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  return look_up_class(type, {"Sender", open_sender}, args, count, keywords);
}

PyObject* receiver_lookup(PyObject* type, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  return look_up_class(type, {"Receiver", open_receiver}, args, count, keywords);
}

static PyObject* lookup(PyObject* module, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  return look_up(*state_of(module), {"channel, value or object", open_any}, args, count, keywords);
}

static PyObject* publish(PyObject* module, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"name", "value", "pickle", "replace"};
  static constexpr Signature signature{"publish", names, 2, 2};
  PyObject* values[4];
  bool pickle = false, replace = false;
  std::string_view name;
  Cell cell;
  ModuleState& state = *state_of(module);
  if (!parse_arguments(signature, args, count, keywords, values) || !parse_name(values[0], name) ||
      !parse_flag(values[2], pickle) || !parse_flag(values[3], replace) ||
      !encode_by_policy(state, values[1], pickle, cell)) {
    return nullptr;
  }
  Cell previous;
  const Status status = Names::publish(name, cell, replace, previous);
  release(previous);
  if (status == Status::ok) Py_RETURN_NONE;
  release(cell);
  return raise_name(state, status, values[0]);
}

static PyObject* unpublish(PyObject* module, PyObject* object) noexcept {
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

// clang-format off
PyDoc_STRVAR(lookup_doc,
"lookup($module, /, name, timeout=0)\n"
"--\n\n"
"Return the value published under a name, the object that interpreters share with this name, or a new (Sender,\n"
"Receiver) of the channel with this name.\n\n"
"timeout: seconds (int or float, not negative) to wait for the name; None blocks indefinitely, 0 does not block.\n\n"
"Raises NotFound if nothing has the name, or one side of the channel is closed.");

PyDoc_STRVAR(publish_doc,
"publish($module, /, name, value, *, pickle=False, replace=False)\n"
"--\n\n"
"Keep a value under a name until unpublish(name); lookup(name) returns it in every interpreter.\n\n"
"pickle: bool; True pickles a value that is not shareable.\n"
"replace: bool; True replaces a value that is published under the name, in one step: lookup() returns the one or the\n"
"other, and never fails.\n\n"
"Raises Error if the name is in use, and NotShareableError as send() does. Never blocks.");

PyDoc_STRVAR(unpublish_doc,
"unpublish($module, name, /)\n"
"--\n\n"
"Remove a published name and release its value.\n\n"
"Raises NotFound if no value is published under the name. Never blocks.");
// clang-format on

PyMethodDef name_functions[] = {
    {"lookup", as_method(lookup), METH_FASTCALL | METH_KEYWORDS, lookup_doc},
    {"publish", as_method(publish), METH_FASTCALL | METH_KEYWORDS, publish_doc},
    {"unpublish", unpublish, METH_O, unpublish_doc},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace xichan::python
