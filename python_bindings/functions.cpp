// The functions of the module.
#include "functions.h"

#include "arena/arena.h"
#include "channel/registry.h"
#include "channel/ticket.h"
#include "encode.h"
#include "handle.h"

namespace xichan::python {
namespace {

bool parse_capacity(PyObject* value, std::uint64_t& capacity) noexcept {
  if (value == nullptr) return true;
  if (!PyIndex_Check(value) || PyBool_Check(value)) {
    PyErr_Format(PyExc_TypeError, "capacity must be an int, not %T", value);
    return false;
  }
  PyObject* integer = PyNumber_Index(value);
  if (integer == nullptr) return false;
  int overflow;
  const long long number = PyLong_AsLongLongAndOverflow(integer, &overflow);
  Py_DECREF(integer);
  if (overflow != 0 || number < 1 || number > static_cast<long long>(Channel::max_capacity)) {
    PyErr_Format(PyExc_ValueError, "capacity must be from 1 to %llu",
                 static_cast<unsigned long long>(Channel::max_capacity));
    return false;
  }
  capacity = static_cast<std::uint64_t>(number);
  return true;
}

bool parse_flavor(PyObject* value) noexcept {
  if (value == nullptr) return true;
  if (!PyUnicode_Check(value)) {
    PyErr_Format(PyExc_TypeError, "flavor must be a str, not %T", value);
    return false;
  }
  if (PyUnicode_EqualToUTF8(value, "mpmc")) return true;
  PyErr_Format(PyExc_ValueError, "flavor must be 'mpmc', not %R", value);
  return false;
}

PyObject* make_channel(PyObject* module, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"capacity", "flavor"};
  static constexpr Signature signature{"channel", names, 0, 1};
  PyObject* values[2];
  std::uint64_t capacity = 1024;
  if (!parse_arguments(signature, args, count, keywords, values) || !parse_capacity(values[0], capacity) ||
      !parse_flavor(values[1])) {
    return nullptr;
  }
  ModuleState& state = *state_of(module);
  Channel* channel;
  const Status status = Channel::create(capacity, channel);
  if (status != Status::ok) return raise(state, status);
  PyObject* sender = new_handle(state, channel, Side::sender);
  if (sender == nullptr) {
    channel->drop_end(Side::receiver);
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

PyObject* arena_stats(PyObject*, PyObject*) noexcept {
  const MemoryStats stats = Arena::stats();
  PyObject* limit = stats.limit == UINT64_MAX ? Py_NewRef(Py_None) : PyLong_FromUnsignedLongLong(stats.limit);
  return Py_BuildValue("{sKsKsKsN}", "blocks", static_cast<unsigned long long>(stats.blocks), "bytes",
                       static_cast<unsigned long long>(stats.bytes), "high_water",
                       static_cast<unsigned long long>(stats.high_water), "limit", limit);
}

PyObject* set_limit(PyObject*, PyObject* value) noexcept {
  std::uint64_t limit = UINT64_MAX;
  if (value != Py_None) {
    if (!PyIndex_Check(value) || PyBool_Check(value)) {
      return PyErr_Format(PyExc_TypeError, "the limit must be an int or None, not %T", value);
    }
    PyObject* integer = PyNumber_Index(value);
    if (integer == nullptr) return nullptr;
    limit = PyLong_AsUnsignedLongLong(integer);
    Py_DECREF(integer);
    if (PyErr_Occurred()) {  // negative, or more than any machine has
      PyErr_Clear();
      return PyErr_Format(PyExc_ValueError, "the limit must be from 0 to 2**64 - 1 bytes");
    }
  }
  Arena::set_limit(limit);
  Py_RETURN_NONE;
}

// For the tests: what is alive in the whole process.
PyObject* count_alive(PyObject*, PyObject*) noexcept {
  return Py_BuildValue("{sKsK}", "channels", static_cast<unsigned long long>(Registry::size()), "tickets",
                       static_cast<unsigned long long>(Tickets::unclaimed()));
}

PyObject* end_counts(PyObject* module, PyObject* object) noexcept {
  const ModuleState& state = *state_of(module);
  if (!Py_IS_TYPE(object, state.sender_type) && !Py_IS_TYPE(object, state.receiver_type)) {
    return PyErr_Format(PyExc_TypeError, "a Sender or Receiver, not %T", object);
  }
  if (!check_open(as_handle(object))) return nullptr;
  const Channel& channel = *as_handle(object)->end->channel();
  return Py_BuildValue("{sIsIsIsI}", "senders", channel.end_count(Side::sender), "receivers",
                       channel.end_count(Side::receiver), "waiting_senders", channel.waiting(Side::sender),
                       "waiting_receivers", channel.waiting(Side::receiver));
}

// For the tests: the arena allocation after `countdown` more fails, and all after it; a negative one ends that.
PyObject* fail_after(PyObject*, PyObject* value) noexcept {
  const long long countdown = PyLong_AsLongLong(value);
  if (countdown == -1 && PyErr_Occurred()) return nullptr;
  Arena::fail_after(countdown);
  Py_RETURN_NONE;
}

PyDoc_STRVAR(channel_doc,
"channel($module, /, capacity=1024, *, flavor='mpmc')\n--\n\n"
"Make a channel and return its two ends, (Sender, Receiver).\n\n"
"capacity: how many values it holds at the most, exactly, from 1 to 2**24; a send to a full channel waits.\n"
"flavor: 'mpmc', a bounded queue for any number of senders and receivers, first in, first out.\n\n"
"Raises TypeError or ValueError for other arguments, MemoryError. Never waits.");

PyDoc_STRVAR(is_shareable_doc,
"is_shareable($module, value, /)\n--\n\n"
"Whether a channel takes this value, with all that is in it. Costs one walk over its tuples.");

PyDoc_STRVAR(memory_stats_doc, "_memory_stats($module, /)\n--\n\nSee xichan.memory_stats.");

PyDoc_STRVAR(set_memory_limit_doc,
"set_memory_limit($module, nbytes, /)\n--\n\n"
"Bound the memory, in bytes, of all values on their way in the whole process; None lifts the bound.\n\n"
"What would pass it raises ArenaFull at once, never waits. Small values travel inside their channel and cost nothing.");

PyMethodDef methods[] = {
    {"channel", as_method(make_channel), METH_FASTCALL | METH_KEYWORDS, channel_doc},
    {"is_shareable", value_is_shareable, METH_O, is_shareable_doc},
    {"set_memory_limit", set_limit, METH_O, set_memory_limit_doc},
    {"_memory_stats", arena_stats, METH_NOARGS, memory_stats_doc},
    {"_unpickle_end", unpickle_end, METH_VARARGS, nullptr},
    {"_count_alive", count_alive, METH_NOARGS, nullptr},
    {"_end_counts", end_counts, METH_O, nullptr},
    {"_fail_after", fail_after, METH_O, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace

PyMethodDef* module_methods() noexcept { return methods; }

}  // namespace xichan::python
