// Statistics as records of xichan._stats: the stats() of an endpoint, channels() and memory_stats().
#pragma once

#include "base/state.h"

namespace xichan::python {

/// Makes a record of `fields`, a dict, which it releases. Null, with an exception set, if `fields` is null.
PyObject* make_record(ModuleState& state, RecordType which, PyObject* fields) noexcept;
/// Converts to an int; the maximum stands for "no bound" and becomes None.
PyObject* bounded(std::uint64_t value) noexcept;

PyObject* endpoint_stats(PyObject* self, PyObject*) noexcept;
/// channels() and memory_stats() of the module.
extern PyMethodDef stats_functions[];

/// Returns the fields of a ChannelStats as a dict. Runs no Python code: the caller may own a pin of the channel.
PyObject* channel_fields(const Channel& channel) noexcept;

}  // namespace xichan::python
