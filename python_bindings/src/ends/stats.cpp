#include "ends/stats.h"

#include <iterator>

#include "arena/arena.h"
#include "base/handle.h"
#include "base/lending.h"
#include "base/ref.h"
#include "directory/registry.h"
#include "directory/tickets.h"

namespace xichan::python {
namespace {

using Count = unsigned long long;

constexpr const char* record_names[] = {"ChannelStats", "MemoryStats", "MemoryClass", "MapStats"};
static_assert(std::size(record_names) == static_cast<int>(RecordType::count));

// Returns a class of xichan._stats (borrowed). Imports it on first use, because `dataclasses` takes longer to import
// than the rest of the package.
PyObject* record_type(ModuleState& state, RecordType which) noexcept {
  PyObject*& type = state.records[static_cast<int>(which)];
  if (type != nullptr) return type;
  PyObject* module = PyImport_ImportModule("xichan._stats");
  PyObject* found = module == nullptr ? nullptr : PyObject_GetAttrString(module, record_names[static_cast<int>(which)]);
  Py_XDECREF(module);
  if (type != nullptr) {  // another thread stored it during the import
    Py_XDECREF(found);
  } else {
    type = found;
  }
  return type;
}

}  // namespace

PyObject* make_record(ModuleState& state, RecordType which, PyObject* fields) noexcept {
  PyObject* type = fields == nullptr ? nullptr : record_type(state, which);
  PyObject* record = type == nullptr ? nullptr : PyObject_VectorcallDict(type, nullptr, 0, fields);
  Py_XDECREF(fields);
  return record;
}

PyObject* bounded(std::uint64_t value) noexcept {
  return value == UINT64_MAX ? Py_NewRef(Py_None) : PyLong_FromUnsignedLongLong(value);
}

PyObject* channel_fields(const Channel& channel) noexcept {
  const ChannelStats s = channel.stats();
  const std::string_view name = channel.name();
  return Py_BuildValue("{sNss#sssNsNsKsKsKsKsKsIsIsIsIsKsKsKsK}", "id", id_as_int(channel.id()), "name",
                       name.empty() ? nullptr : name.data(), static_cast<Py_ssize_t>(name.size()), "flavor",
                       flavor_info(channel.flavor()).name, "capacity", bounded(channel.capacity()), "max_bytes",
                       bounded(channel.max_bytes() == 0 ? UINT64_MAX : channel.max_bytes()), "depth", Count{s.depth},
                       "bytes", Count{s.bytes}, "sent", Count{s.sent}, "received", Count{s.received}, "dropped",
                       Count{s.dropped}, "senders", s.senders, "receivers", s.receivers, "waiting_senders",
                       s.waiting_senders, "waiting_receivers", s.waiting_receivers, "parks", Count{s.parks}, "wakeups",
                       Count{s.wakeups}, "tickets", Count{Tickets::unclaimed(&channel)}, "pickled", Count{s.pickled});
}

PyObject* endpoint_stats(PyObject* self, PyObject*) noexcept {
  const Handle* handle = as_handle(self);
  if (!check_open(handle)) return nullptr;
  return make_record(*handle->state, RecordType::channel, channel_fields(*handle->endpoint->channel()));
}

static PyObject* list_channels(PyObject* module, PyObject*) noexcept {
  ModuleState& state = *state_of(module);
  PyObject* list = PyList_New(0);
  std::uint64_t position = 0;
  while (list != nullptr) {
    Channel* channel = Registry::next(position);
    if (channel == nullptr) break;
    PyObject* fields = channel_fields(*channel);
    channel->unpin();  // first: making the record runs Python code, from which this thread may never return
    PyObject* record = make_record(state, RecordType::channel, fields);
    if (record == nullptr || PyList_Append(list, record) < 0) Py_CLEAR(list);
    Py_XDECREF(record);
  }
  return list;
}

static PyObject* arena_stats(PyObject* module, PyObject*) noexcept {
  ModuleState& state = *state_of(module);
  take_back_loans(state.endpoints->owner);
  MemoryClass classes[memory_class_count];
  const std::size_t used = memory_classes(classes);
  // A list first: making a record runs Python code, which could find an unfinished tuple with gc.get_objects().
  const Ref list(PyList_New(0));
  if (!list) return nullptr;
  for (std::size_t i = 0; i < used; ++i) {
    const Ref record(make_record(state, RecordType::memory_class,
                                 Py_BuildValue("{sNsKsK}", "size", bounded(classes[i].size), "alive",
                                               Count{classes[i].alive}, "cached", Count{classes[i].cached})));
    if (!record || PyList_Append(list.get(), record.get()) < 0) return nullptr;
  }
  PyObject* records = PyList_AsTuple(list.get());
  if (records == nullptr) return nullptr;
  const MemoryStats s = Arena::stats();
  return make_record(
      state, RecordType::memory,
      Py_BuildValue("{sKsKsKsNsKsKsKsN}", "blocks", Count{s.blocks}, "bytes", Count{s.bytes}, "high_water",
                    Count{s.high_water}, "limit", bounded(s.limit), "cached", Count{s.cached}, "rings", Count{s.rings},
                    "lent_bytes", Count{s.lent_bytes}, "classes", records));
}

// clang-format off
PyDoc_STRVAR(list_channels_doc,
"channels($module, /)\n"
"--\n\n"
"Return a list with the stats() of every channel alive in the process. Never blocks.");

PyDoc_STRVAR(arena_stats_doc,
"memory_stats($module, /)\n"
"--\n\n"
"Return the statistics of the process-wide arena, as a MemoryStats.\n\n"
"The counts are exact only while no thread sends or receives. Never blocks.");
// clang-format on

PyMethodDef stats_functions[] = {
    {"channels", list_channels, METH_NOARGS, list_channels_doc},
    {"memory_stats", arena_stats, METH_NOARGS, arena_stats_doc},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace xichan::python
