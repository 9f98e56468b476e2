#include "functions.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "arena/arena.h"
#include "base/exit.h"
#include "base/handle.h"
#include "base/lending.h"
#include "base/plans.h"
#include "base/ref.h"
#include "directory/create_channel.h"
#include "directory/registry.h"
#include "directory/tickets.h"
#include "ends/names.h"
#include "ends/special.h"
#include "ends/stats.h"
#include "values/encode.h"

namespace xichan::python {
namespace {

// The flavors that callers choose by name: "'mpmc', 'spsc' or 'relaxed'".
constexpr auto flavor_choices = [] {
  constexpr auto is_choice = [](const FlavorInfo& info) { return !info.has_fixed_capacity(); };
  std::array<char, 128> text{};
  char* end = text.data();
  const auto append = [&](std::string_view part) { end = std::ranges::copy(part, end).out; };
  auto left = std::ranges::count_if(flavors, is_choice);
  for (const FlavorInfo& info : flavors) {
    if (!is_choice(info)) continue;
    append("'");
    append(info.name);
    append(--left == 0 ? "'" : left == 1 ? "' or " : "', ");
  }
  return text;
}();

// Parses capacity and flavor together, because a capacity of None or 0 turns mpmc into another flavor.
bool parse_flavor(PyObject* flavor, PyObject* capacity, ChannelOptions& options) noexcept {
  if (capacity == Py_None) options.capacity = unbounded;
  if (!parse_optional_int("capacity", capacity, 0, Channel::max_capacity, options.capacity)) return false;
  if (flavor != nullptr && !PyUnicode_Check(flavor)) {
    PyErr_Format(PyExc_TypeError, "flavor must be a str, got %T", flavor);
    return false;
  }
  const auto chosen = std::ranges::find_if(flavors, [&](const FlavorInfo& info) noexcept {
    if (flavor == nullptr) return info.flavor == Flavor::mpmc;
    return !info.has_fixed_capacity() && PyUnicode_EqualToUTF8(flavor, info.name);
  });
  if (chosen == flavors.end()) {
    PyErr_Format(PyExc_ValueError, "flavor must be %s, got %R", flavor_choices.data(), flavor);
    return false;
  }
  options.flavor = chosen->flavor;
  if (options.flavor == Flavor::mpmc) {
    if (options.capacity == unbounded) options.flavor = Flavor::unbounded;
    if (options.capacity == 0) options.flavor = Flavor::rendezvous;
    return true;
  }
  if (chosen->accepts(options.capacity)) return true;
  PyErr_Format(PyExc_ValueError, "flavor %R requires a capacity of at least 1%s, got %R", flavor,
               chosen->accepts(unbounded) ? " or None" : "", capacity);
  return false;
}

// Parses `overflow` after the flavor, which must be able to drop values.
bool parse_overflow(PyObject* overflow, ChannelOptions& options) noexcept {
  static constexpr const char* choices[] = {"block", "drop_oldest", "drop_newest"};  // in the order of Overflow
  if (overflow == nullptr) return true;
  if (!PyUnicode_Check(overflow)) {
    PyErr_Format(PyExc_TypeError, "overflow must be a str, got %T", overflow);
    return false;
  }
  const auto chosen = std::ranges::find_if(
      choices, [&](const char* choice) noexcept { return PyUnicode_EqualToUTF8(overflow, choice); });
  if (chosen == std::ranges::end(choices)) {
    PyErr_Format(PyExc_ValueError, "overflow must be 'block', 'drop_oldest' or 'drop_newest', got %R", overflow);
    return false;
  }
  options.overflow = static_cast<Overflow>(chosen - choices);
  if (options.flavor != Flavor::rendezvous || options.overflow != Overflow::drop_oldest) return true;
  PyErr_SetString(PyExc_ValueError, "overflow='drop_oldest' requires a capacity of at least 1 or None, got 0");
  return false;
}

// Converts the argument `type` to a tuple of weak references to classes, null if it restricts nothing.
bool parse_types(PyObject* value, Ref& types) noexcept {
  if (value == nullptr || value == Py_None) return true;
  const Ref find = import_attribute("xichan._typing", "classes_of");
  types = Ref(find ? PyObject_CallOneArg(find.get(), value) : nullptr);
  if (!types) return false;
  if (types.get() == Py_None) types = Ref();
  return true;
}

PyObject* raise_not_endpoint(PyObject* object) noexcept {
  return PyErr_Format(PyExc_TypeError, "expected a Sender or Receiver, got %T", object);
}

// Creates a channel and returns its endpoints. `named` is the argument `name`, for messages; `types` may be null.
PyObject* open_channel(ModuleState& state, const ChannelOptions& options, ChannelNote note, PyObject* named,
                       PyObject* types) noexcept {
  note.made = state.places.find();
  Channel* channel;
  const Status status = create_channel(options, channel, note);
  if (status != Status::ok) return raise_name(state, status, named);
  const Ref sender(new_handle(state, channel, Side::sender));
  if (!sender) {
    channel->drop_endpoint(Side::receiver);
    return nullptr;
  }
  if (types != nullptr) set_types(as_handle(sender.get()), types);
  const Ref receiver(new_handle(state, channel, Side::receiver));
  return receiver ? PyTuple_Pack(2, sender.get(), receiver.get()) : nullptr;
}

PyObject* make_channel(PyObject* module, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"capacity", "flavor", "max_bytes", "name", "overflow", "pickle", "type"};
  static constexpr Signature signature{"channel", names, 0, 1};
  PyObject* values[7];
  ChannelOptions options;
  Ref types;
  if (!parse_arguments(signature, args, count, keywords, values) || !parse_flavor(values[1], values[0], options) ||
      !parse_optional_int("max_bytes", values[2], 1, INT64_MAX, options.max_bytes) ||
      !parse_channel_name(values[3], options.name) || !parse_overflow(values[4], options) ||
      !parse_flag(values[5], options.pickles) || !parse_types(values[6], types)) {
    return nullptr;
  }
  return open_channel(*state_of(module), options, {}, values[3], types.get());
}

// _own_channel(label, capacity, part_of=None, name=None) -> (Sender, Receiver) of a channel that xichan itself uses:
// inspection shows it only on request, by its label. part_of: an endpoint of the channel for which it exists.
PyObject* make_own_channel(PyObject* module, PyObject* const* args, Py_ssize_t count) noexcept {
  if (count < 2 || count > 4) {
    return PyErr_Format(PyExc_TypeError, "_own_channel() takes 2 to 4 arguments, got %zd", count);
  }
  ModuleState& state = *state_of(module);
  ChannelOptions options;
  ChannelNote note{.is_internal = true};
  Py_ssize_t length;
  const char* const label = PyUnicode_AsUTF8AndSize(args[0], &length);
  PyObject* const name = count > 3 ? args[3] : nullptr;
  if (label == nullptr || !parse_flavor(nullptr, args[1], options) || !parse_channel_name(name, options.name)) {
    return nullptr;
  }
  note.label = {label, static_cast<std::size_t>(length)};
  if (count > 2 && args[2] != Py_None) {
    if (!is_handle(state, args[2])) return raise_not_endpoint(args[2]);
    if (!check_open(as_handle(args[2]))) return nullptr;
    note.part_of = as_handle(args[2])->endpoint->channel()->id();
  }
  return open_channel(state, options, note, name, nullptr);
}

// _queue_channel(capacity, pickle, type) -> (Sender, Receiver) of the channel that holds the items of a Queue.
PyObject* make_queue_channel(PyObject* module, PyObject* const* args, Py_ssize_t count) noexcept {
  if (count != 3) return PyErr_Format(PyExc_TypeError, "_queue_channel() takes 3 arguments, got %zd", count);
  ChannelOptions options;
  Ref types;
  if (!parse_flavor(nullptr, args[0], options) || !parse_flag(args[1], options.pickles) ||
      !parse_types(args[2], types)) {
    return nullptr;
  }
  return open_channel(*state_of(module), options, {.label = "Queue"}, nullptr, types.get());
}

PyObject* value_is_shareable(PyObject* module, PyObject* value) noexcept {
  const int shareable = is_shareable(*state_of(module), value);
  return shareable < 0 ? nullptr : PyBool_FromLong(shareable);
}

PyObject* set_limit(PyObject* module, PyObject* value) noexcept {
  std::uint64_t limit = UINT64_MAX;
  if (!parse_optional_int("nbytes", value, 0, UINT64_MAX, limit)) return nullptr;
  take_back_loans(state_of(module)->endpoints->owner);
  Arena::set_limit(limit);
  Py_RETURN_NONE;
}

PyObject* trim_memory(PyObject* module, PyObject*) noexcept {
  take_back_loans(state_of(module)->endpoints->owner);
  return PyLong_FromUnsignedLongLong(xichan::trim());
}

// For xichan._aio: the seconds after which a wait must end because the interpreter or the process is exiting, or None.
PyObject* exit_patience(PyObject* module, PyObject*) noexcept {
  if (!state_of(module)->endpoints->owner.is_exiting()) Py_RETURN_NONE;
  const std::int64_t left = ExitPatience::deadline().nanoseconds() - Deadline::now();
  return PyFloat_FromDouble(static_cast<double>(left) * 1e-9);
}

// For xichan._aio: a wait has succeeded.
PyObject* renew_exit_patience(PyObject*, PyObject*) noexcept {
  ExitPatience::renew();
  Py_RETURN_NONE;
}

// For xichan.pool: waits on this channel are not bounded while the interpreter or the process is exiting.
PyObject* outlast_exit(PyObject* module, PyObject* object) noexcept {
  if (!is_handle(*state_of(module), object)) return raise_not_endpoint(object);
  if (!check_open(as_handle(object))) return nullptr;
  as_handle(object)->endpoint->channel()->outlast_exit();
  Py_RETURN_NONE;
}

// For the tests: the number of live channels, tickets and state objects in the process.
PyObject* count_alive(PyObject*, PyObject*) noexcept {
  return Py_BuildValue("{sKsKsK}", "channels", static_cast<unsigned long long>(Registry::size()), "tickets",
                       static_cast<unsigned long long>(Tickets::unclaimed()), "objects",
                       static_cast<unsigned long long>(StateObjects::count()));
}

// Returns whether NumPy is being imported for a value that is decoded: an ArrayView is made if that fails.
PyObject* is_importing_numpy(PyObject* module, PyObject*) noexcept {
  return PyBool_FromLong(state_of(module)->importing_numpy);
}

// Returns whether this endpoint is closed or was inherited by a fork. Unlike `closed`, ignores the channel.
PyObject* endpoint_is_closed(PyObject* module, PyObject* object) noexcept {
  const ModuleState& state = *state_of(module);
  if (!is_handle(state, object)) return raise_not_endpoint(object);
  return PyBool_FromLong(as_handle(object)->endpoint->is_closed());
}

// Returns how many values were ever sent. Cheaper than stats().
PyObject* sent_count(PyObject* module, PyObject* object) noexcept {
  const ModuleState& state = *state_of(module);
  if (!is_handle(state, object)) return raise_not_endpoint(object);
  if (!check_open(as_handle(object))) return nullptr;
  return PyLong_FromUnsignedLongLong(as_handle(object)->endpoint->channel()->sent());
}

// For the tests: after `countdown` more arena allocations, all fail. A negative count ends the failures.
PyObject* fail_after(PyObject*, PyObject* value) noexcept {
  const long long countdown = PyLong_AsLongLong(value);
  if (countdown == -1 && PyErr_Occurred()) return nullptr;
  Arena::fail_after(countdown);
  Py_RETURN_NONE;
}

PyObject* forget_plan(PyObject* module, PyObject* cls) noexcept {
  if (PyType_Check(cls)) state_of(module)->plans->forget(reinterpret_cast<PyTypeObject*>(cls));
  Py_RETURN_NONE;
}

// Sets the message and the members of an exception group, which are read-only otherwise. A group that contains itself
// is made before its members are.
PyObject* fill_group(PyObject*, PyObject* args) noexcept {
  PyObject *object, *message, *members;
  if (PyArg_ParseTuple(args, "O!UO!:_fill_group", PyExc_BaseExceptionGroup, &object, &message, &PyTuple_Type,
                       &members) == 0) {
    return nullptr;
  }
  auto* wanted = reinterpret_cast<PyTypeObject*>(PyExc_Exception);
  if (PyObject_TypeCheck(object, wanted) == 0) wanted = reinterpret_cast<PyTypeObject*>(PyExc_BaseException);
  bool valid = PyTuple_GET_SIZE(members) != 0;
  for (Py_ssize_t i = 0; valid && i < PyTuple_GET_SIZE(members); ++i) {
    valid = PyObject_TypeCheck(PyTuple_GET_ITEM(members, i), wanted) != 0;
  }
  if (!valid) return PyErr_Format(PyExc_TypeError, "expected a tuple of one or more exceptions of type %N", wanted);
  auto* group = reinterpret_cast<PyBaseExceptionGroupObject*>(object);
  Py_XSETREF(group->msg, Py_NewRef(message));
  Py_XSETREF(group->excs, Py_NewRef(members));
  Py_RETURN_NONE;
}

PyDoc_STRVAR(channel_doc,
"channel($module, /, capacity=1024, *, flavor='mpmc', max_bytes=None, name=None,\n"
"        overflow='block', pickle=False, type=None)\n--\n\n"
"Create a channel and return its two endpoints, (Sender, Receiver).\n\n"
"capacity: the maximum number of values queued, an int from 1 to 2**24. A send to a full channel blocks. None:\n"
"no limit. 0: the channel holds no values, and a send completes when a receiver has received the value.\n"
"flavor: 'mpmc', for any number of senders and receivers, first in, first out; 'spsc', where each side belongs to\n"
"the first endpoint that uses it until that endpoint is closed; 'relaxed', for many senders, first in, first out\n"
"for each Sender only.\n"
"max_bytes: bound on the memory of the queued values, in bytes, or None. Small values do not count. Sending a value\n"
"that alone is larger raises ValueError, also if the capacity is 0.\n"
"name: str, under which lookup(), Sender.lookup() and Receiver.lookup() find the channel while it exists, or None.\n"
"overflow: what a send does while the channel is full, also by max_bytes: 'block'; 'drop_oldest', which drops the\n"
"oldest queued values; or 'drop_newest', which drops the value to send. A channel that drops values never blocks\n"
"its senders; stats().dropped is the number of dropped values.\n"
"pickle: bool; True pickles values that are not shareable instead of raising NotShareableError. stats().pickled is\n"
"their number. The receiving interpreter must be able to import their classes.\n"
"type: a class, a union or tuple of classes, or None. The Sender that this call returns, and its clones, then raise\n"
"TypeError for a value that is not an instance of it. To type checkers the result is\n"
"tuple[Sender[type], Receiver[type]].\n\n"
"Raises TypeError or ValueError for invalid arguments, Error if the name is in use, and MemoryError. Never blocks.\n"
"Thread-safe.");

PyDoc_STRVAR(is_shareable_doc,
"is_shareable($module, value, /)\n--\n\n"
"Return True if a channel accepts the value, including everything in it.\n\n"
"Walks over the value once, and calls the encode() of registered classes as a send does. Raises MemoryLimitExceeded,\n"
"MemoryError, and what encode() raises. Never blocks. Thread-safe.");

PyDoc_STRVAR(set_memory_limit_doc,
"set_memory_limit($module, nbytes, /)\n--\n\n"
"Bound the memory of all values in transit in the process, and of its channels.\n\n"
"nbytes: int, in bytes, or None for no limit.\n\n"
"An operation that would exceed the limit raises MemoryLimitExceeded immediately; it never blocks. Small values\n"
"travel inside their channel. The memory of all channels together counts from 4 MiB on. Freed memory that is cached\n"
"for reuse comes on top, at most 1/32 of the limit and 1/256 per thread; this call releases it as trim() does.\n\n"
"Without a limit, an operation that would exceed the memory of the machine or of the process's control group\n"
"(cgroup) raises MemoryError.\n\n"
"Raises TypeError or ValueError for an invalid limit. Never blocks. Thread-safe.");

PyDoc_STRVAR(trim_doc,
"trim($module, /)\n--\n\n"
"Return freed memory that is cached for reuse to the system, and return the number of bytes.\n\n"
"Call it when a program stops using xichan for a while. Otherwise cached memory is returned after it has been unused\n"
"for about a second. The cache of another thread, at most 1 MiB, is returned when that thread blocks or ends. Also\n"
"releases the objects of this interpreter that were lent to messages which have been received. Never blocks.\n"
"Thread-safe.");

}  // namespace

PyMethodDef module_functions[] = {
    {"channel", as_method(make_channel), METH_FASTCALL | METH_KEYWORDS, channel_doc},
    {"is_shareable", value_is_shareable, METH_O, is_shareable_doc},
    {"set_memory_limit", set_limit, METH_O, set_memory_limit_doc},
    {"trim", trim_memory, METH_NOARGS, trim_doc},
    {"_is_closed", endpoint_is_closed, METH_O, nullptr},
    {"_is_importing_numpy", is_importing_numpy, METH_NOARGS, nullptr},
    {"_exit_patience", exit_patience, METH_NOARGS, nullptr},
    {"_renew_exit_patience", renew_exit_patience, METH_NOARGS, nullptr},
    {"_outlast_exit", outlast_exit, METH_O, nullptr},
    {"_queue_channel", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(make_queue_channel)), METH_FASTCALL,
     nullptr},
    {"_own_channel", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(make_own_channel)), METH_FASTCALL,
     nullptr},
    {"_fill_group", fill_group, METH_VARARGS, nullptr},
    {"_forget_plan", forget_plan, METH_O, nullptr},
    {"_sent", sent_count, METH_O, nullptr},
    {"_count_alive", count_alive, METH_NOARGS, nullptr},
    {"_fail_after", fail_after, METH_O, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace xichan::python
