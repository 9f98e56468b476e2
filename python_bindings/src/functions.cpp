// The functions of the module.
#include "functions.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "arena/arena.h"
#include "base/handle.h"
#include "directory/create_channel.h"
#include "directory/registry.h"
#include "directory/tickets.h"
#include "ends/async.h"
#include "ends/cases.h"
#include "ends/names.h"
#include "values/dumps.h"
#include "values/encode.h"
#include "values/view.h"

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
    PyErr_Format(PyExc_TypeError, "flavor must be a str, not %T", flavor);
    return false;
  }
  const auto chosen = std::ranges::find_if(flavors, [&](const FlavorInfo& info) noexcept {
    if (flavor == nullptr) return info.flavor == Flavor::mpmc;
    return !info.has_fixed_capacity() && PyUnicode_EqualToUTF8(flavor, info.name);
  });
  if (chosen == flavors.end()) {
    PyErr_Format(PyExc_ValueError, "flavor must be %s, not %R", flavor_choices.data(), flavor);
    return false;
  }
  options.flavor = chosen->flavor;
  if (options.flavor == Flavor::mpmc) {
    if (options.capacity == unbounded) options.flavor = Flavor::unbounded;
    if (options.capacity == 0) options.flavor = Flavor::rendezvous;
    return true;
  }
  if (chosen->accepts(options.capacity)) return true;
  PyErr_Format(PyExc_ValueError, "a channel of flavor %R needs a capacity of at least 1%s", flavor,
               chosen->accepts(unbounded) ? ", or None" : "");
  return false;
}

PyObject* make_channel(PyObject* module, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"capacity", "flavor", "max_bytes", "name"};
  static constexpr Signature signature{"channel", names, 0, 1};
  PyObject* values[4];
  ChannelOptions options;
  if (!parse_arguments(signature, args, count, keywords, values) || !parse_flavor(values[1], values[0], options) ||
      !parse_optional_int("max_bytes", values[2], 1, INT64_MAX, options.max_bytes) ||
      !parse_channel_name(values[3], options.name)) {
    return nullptr;
  }
  ModuleState& state = *state_of(module);
  Channel* channel;
  const Status status = create_channel(options, channel);
  if (status != Status::ok) return raise_name(state, status, values[3]);
  PyObject* sender = new_handle(state, channel, Side::sender);
  if (sender == nullptr) {
    channel->drop_endpoint(Side::receiver);
    return nullptr;
  }
  PyObject* receiver = new_handle(state, channel, Side::receiver);
  PyObject* pair = receiver == nullptr ? nullptr : PyTuple_Pack(2, sender, receiver);
  Py_DECREF(sender);
  Py_XDECREF(receiver);
  return pair;
}

PyObject* value_is_shareable(PyObject* module, PyObject* value) noexcept {
  const int shareable = is_shareable(*state_of(module), value);
  return shareable < 0 ? nullptr : PyBool_FromLong(shareable);
}

PyObject* set_limit(PyObject*, PyObject* value) noexcept {
  std::uint64_t limit = UINT64_MAX;
  if (!parse_optional_int("the limit", value, 0, UINT64_MAX, limit)) return nullptr;
  Arena::set_limit(limit);
  Py_RETURN_NONE;
}

// Whether a wait without progress has to end, because this interpreter or the process is about to: for xichan._aio.
PyObject* is_exiting(PyObject* module, PyObject*) noexcept {
  return PyBool_FromLong(state_of(module)->ends->owner.is_exiting());
}

// For the tests: what is alive in the whole process.
PyObject* count_alive(PyObject*, PyObject*) noexcept {
  return Py_BuildValue("{sKsK}", "channels", static_cast<unsigned long long>(Registry::size()), "tickets",
                       static_cast<unsigned long long>(Tickets::unclaimed()));
}

// Whether this very end is closed, or inherited by a fork; `closed` also tells of the channel.
PyObject* end_is_closed(PyObject* module, PyObject* object) noexcept {
  const ModuleState& state = *state_of(module);
  if (!Py_IS_TYPE(object, state.sender_type) && !Py_IS_TYPE(object, state.receiver_type)) {
    return PyErr_Format(PyExc_TypeError, "a Sender or Receiver, not %T", object);
  }
  return PyBool_FromLong(as_handle(object)->end->is_closed());
}

// Values ever sent; cheaper than stats().
PyObject* sent_count(PyObject* module, PyObject* object) noexcept {
  const ModuleState& state = *state_of(module);
  if (!Py_IS_TYPE(object, state.sender_type) && !Py_IS_TYPE(object, state.receiver_type)) {
    return PyErr_Format(PyExc_TypeError, "a Sender or Receiver, not %T", object);
  }
  if (!check_open(as_handle(object))) return nullptr;
  return PyLong_FromUnsignedLongLong(as_handle(object)->end->channel()->sent());
}

// For the tests: the arena allocation after `countdown` more fails, and all after it; a negative one ends that.
PyObject* fail_after(PyObject*, PyObject* value) noexcept {
  const long long countdown = PyLong_AsLongLong(value);
  if (countdown == -1 && PyErr_Occurred()) return nullptr;
  Arena::fail_after(countdown);
  Py_RETURN_NONE;
}

PyDoc_STRVAR(channel_doc,
"channel($module, /, capacity=1024, *, flavor='mpmc', max_bytes=None, name=None)\n--\n\n"
"Make a channel and return its two ends, (Sender, Receiver).\n\n"
"capacity: how many values it holds at the most, exactly, from 1 to 2**24; a send to a full channel waits. None: any\n"
"number. 0: none, a send completes when a receiver has the value.\n"
"flavor: 'mpmc', for any number of senders and receivers, first in, first out; 'spsc', where each side belongs to the\n"
"first end that uses it until that is closed; 'relaxed', for many senders, first in, first out for each Sender only.\n"
"max_bytes: bound on the memory of the values queued, in bytes; small values cost nothing, and a value that alone is\n"
"larger raises ValueError when it is sent.\n"
"name: under which lookup(), lookup_sender() and lookup_receiver() find the channel while it lives.\n\n"
"Raises TypeError or ValueError for other arguments, Error if the name is in use, MemoryError. Never waits.");

PyDoc_STRVAR(is_shareable_doc,
"is_shareable($module, value, /)\n--\n\n"
"Whether a channel takes this value, with all that is in it. Costs one walk over its tuples.");

PyDoc_STRVAR(set_memory_limit_doc,
"set_memory_limit($module, nbytes, /)\n--\n\n"
"Bound the memory, in bytes, of all values on their way in the whole process; None lifts the bound.\n\n"
"What would pass it raises MemoryLimitExceeded at once, never waits. Small values travel inside their channel and cost nothing.\n"
"Memory kept for reuse comes on top, at most 1/32 of the bound and 1/256 per thread; this call gives it back.");

PyMethodDef methods[] = {
    {"channel", as_method(make_channel), METH_FASTCALL | METH_KEYWORDS, channel_doc},
    {"select", as_method(select_cases), METH_FASTCALL | METH_KEYWORDS, select_doc},
    {"aselect", as_method(aselect), METH_FASTCALL | METH_KEYWORDS, aselect_doc},
    {"lookup", as_method(lookup), METH_FASTCALL | METH_KEYWORDS, lookup_doc},
    {"lookup_sender", as_method(lookup_sender), METH_FASTCALL | METH_KEYWORDS, lookup_sender_doc},
    {"lookup_receiver", as_method(lookup_receiver), METH_FASTCALL | METH_KEYWORDS, lookup_receiver_doc},
    {"publish", as_method(publish), METH_FASTCALL | METH_KEYWORDS, publish_doc},
    {"unpublish", unpublish, METH_O, unpublish_doc},
    {"dumps", dumps, METH_O, dumps_doc},
    {"loads", loads, METH_O, loads_doc},
    {"is_shareable", value_is_shareable, METH_O, is_shareable_doc},
    {"share", share, METH_O, share_doc},
    {"channels", list_channels, METH_NOARGS, list_channels_doc},
    {"memory_stats", arena_stats, METH_NOARGS, arena_stats_doc},
    {"set_memory_limit", set_limit, METH_O, set_memory_limit_doc},
    {"_try_select", as_method(try_select), METH_FASTCALL | METH_KEYWORDS, nullptr},
    {"_is_closed", end_is_closed, METH_O, nullptr},
    {"_is_exiting", is_exiting, METH_NOARGS, nullptr},
    {"_sent", sent_count, METH_O, nullptr},
    {"_unpickle_end", unpickle_end, METH_VARARGS, nullptr},
    {"_register_queue", register_queue, METH_O, nullptr},
    {"_count_alive", count_alive, METH_NOARGS, nullptr},
    {"_fail_after", fail_after, METH_O, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace

PyMethodDef* module_methods() noexcept { return methods; }

}  // namespace xichan::python
