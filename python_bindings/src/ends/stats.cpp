// Looking inside: statistics as xichan.Stats records.
#include "arena/arena.h"
#include "base/handle.h"
#include "directory/registry.h"
#include "directory/tickets.h"

namespace xichan::python {
namespace {

using Count = unsigned long long;

// Steals the dict.
PyObject* as_record(const ModuleState& state, PyObject* dict) noexcept {
  PyObject* record = dict == nullptr ? nullptr : PyObject_CallOneArg(state.stats_type, dict);
  Py_XDECREF(dict);
  return record;
}

// None for the greatest value.
PyObject* bounded(std::uint64_t value) noexcept {
  return value == UINT64_MAX ? Py_NewRef(Py_None) : PyLong_FromUnsignedLongLong(value);
}

PyObject* describe(const ModuleState& state, const Channel& channel) noexcept {
  const ChannelStats s = channel.stats();
  const std::string_view name = channel.name();
  return as_record(
      state, Py_BuildValue("{sNss#sssNsNsKsKsKsKsIsIsIsIsKsKsK}", "id", id_as_int(channel.id()), "name",
                           name.empty() ? nullptr : name.data(), static_cast<Py_ssize_t>(name.size()), "flavor",
                           flavor_info(channel.flavor()).name, "capacity", bounded(channel.capacity()), "max_bytes",
                           bounded(channel.max_bytes() == 0 ? UINT64_MAX : channel.max_bytes()), "depth",
                           Count{s.depth}, "bytes", Count{s.bytes}, "sent", Count{s.sent}, "received",
                           Count{s.received}, "senders", s.senders, "receivers", s.receivers, "waiting_senders",
                           s.waiting_senders, "waiting_receivers", s.waiting_receivers, "parks", Count{s.parks},
                           "wakeups", Count{s.wakeups}, "tickets", Count{Tickets::unclaimed(&channel)}));
}

}  // namespace

PyObject* end_stats(PyObject* self, PyObject*) noexcept {
  const Handle* handle = as_handle(self);
  return check_open(handle) ? describe(*handle->state, *handle->end->channel()) : nullptr;
}

PyObject* list_channels(PyObject* module, PyObject*) noexcept {
  const ModuleState& state = *state_of(module);
  PyObject* list = PyList_New(0);
  std::uint64_t at = 0;
  while (list != nullptr) {
    Channel* channel = Registry::next(at);  // pinned, because making a record may run other threads
    if (channel == nullptr) break;
    PyObject* record = describe(state, *channel);
    channel->unpin();
    if (record == nullptr || PyList_Append(list, record) < 0) Py_CLEAR(list);
    Py_XDECREF(record);
  }
  return list;
}

PyObject* arena_stats(PyObject* module, PyObject*) noexcept {
  const ModuleState& state = *state_of(module);
  MemoryClass classes[memory_class_count];
  const std::size_t used = memory_classes(classes);
  PyObject* records = PyTuple_New(static_cast<Py_ssize_t>(used));
  if (records == nullptr) return nullptr;
  for (std::size_t i = 0; i < used; ++i) {
    PyObject* record = as_record(state, Py_BuildValue("{sNsKsK}", "size", bounded(classes[i].size), "alive",
                                                      Count{classes[i].alive}, "cached", Count{classes[i].cached}));
    if (record == nullptr) {
      Py_DECREF(records);
      return nullptr;
    }
    PyTuple_SET_ITEM(records, static_cast<Py_ssize_t>(i), record);
  }
  const MemoryStats s = Arena::stats();
  return as_record(state, Py_BuildValue("{sKsKsKsNsKsN}", "blocks", Count{s.blocks}, "bytes", Count{s.bytes},
                                        "high_water", Count{s.high_water}, "limit", bounded(s.limit), "cached",
                                        Count{s.cached}, "classes", records));
}

const char end_stats_doc[] =
    "stats($self, /)\n--\n\n"
    "A record of the channel: id, name, flavor, capacity, max_bytes; depth (values queued), bytes (of their blocks, "
    "where\n"
    "max_bytes bounds them), sent, received; senders and receivers (ends open in the process, those in flight "
    "included);\n"
    "waiting_senders, waiting_receivers; parks and wakeups (of waiting calls); tickets (ends handed over by other "
    "means\n"
    "than a channel and not yet received). Counts are read one by one: exact only while nothing else runs.";
const char list_channels_doc[] =
    "channels($module, /)\n--\n\n"
    "The stats() of every channel alive in the process, as a list.";
const char arena_stats_doc[] =
    "memory_stats($module, /)\n--\n\n"
    "Counters of the process-wide arena: blocks and bytes alive, high_water (the most bytes ever, to within 32 KiB "
    "per\n"
    "thread), limit (bytes, or None), cached (bytes of freed blocks that are kept for reuse, beyond the limit), "
    "classes:\n"
    "a tuple with a record per size class in use, of size (the most bytes of such a block; None: any larger), alive "
    "and\n"
    "cached (blocks). Exact only while nothing is sent or received.";

}  // namespace xichan::python
