// Each function first copies what it finds to memory of its own, under whatever lock there is, and makes objects then:
// that may run Python code, by the collector.
#include "ends/inspect.h"

#include <string>
#include <vector>

#include "base/handle.h"
#include "base/ref.h"
#include "directory/registry.h"
#include "ends/remote_end.h"
#include "ends/stats.h"
#include "page/page.h"
#include "page/wait_report.h"

namespace xichan::python {
namespace {

using Number = unsigned long long;

// Returns a str; bytes other than UTF-8 are replaced. A text that was cut begins with "...".
PyObject* text_of(const char* text, std::size_t length, bool is_cut = false) noexcept {
  PyObject* const decoded = PyUnicode_DecodeUTF8(text, static_cast<Py_ssize_t>(length), "replace");
  if (decoded == nullptr || !is_cut) return decoded;
  PyObject* const cut = PyUnicode_FromFormat("...%U", decoded);
  Py_DECREF(decoded);
  return cut;
}

// Appends an object, of which it consumes the reference. False with an exception set, also if it is null.
bool append(PyObject* list, PyObject* object) noexcept {
  const bool appended = object != nullptr && PyList_Append(list, object) == 0;
  Py_XDECREF(object);
  return appended;
}

// Returns ((what, receives, kind, until_closed, id), ...).
PyObject* targets_of(const ShownWait& wait) noexcept {
  PyObject* const targets = PyTuple_New(wait.targets);
  for (Py_ssize_t i = 0; targets != nullptr && i < wait.targets; ++i) {
    const WaitTarget& target = wait.target[i];
    const bool is_channel = target.what == WaitTarget::What::channel;
    PyObject* const entry = Py_BuildValue(
        "(iiiiN)", static_cast<int>(target.what), int{target.receives}, int{target.kind}, int{target.until_closed},
        is_channel ? id_as_int({target.low, target.high}) : PyLong_FromUnsignedLongLong(target.low));
    if (entry == nullptr) {
      Py_DECREF(targets);
      return nullptr;
    }
    PyTuple_SET_ITEM(targets, i, entry);
  }
  return targets;
}

PyObject* shown_wait(const ShownWait& wait) noexcept {
  return Py_BuildValue("(KLLIIIINNNN)", Number{wait.number}, static_cast<long long>(wait.started),
                       static_cast<long long>(wait.interpreter), wait.thread, wait.flags, wait.line, wait.more,
                       text_of(wait.call, wait.call_length), text_of(wait.function, wait.function_length),
                       text_of(wait.file, wait.file_length, wait.flags & WaitReport::is_file_cut), targets_of(wait));
}

// _inspect_waits() -> [(number, started, interpreter, thread, flags, line, more, call, function, file, targets)]
PyObject* inspect_waits(PyObject*, PyObject*) noexcept {
  Ref list(PyList_New(0));
  const Page* const shown = existing_page();
  for (std::size_t i = 0; list && shown != nullptr && i < used_wait_slots(*shown); ++i) {
    ShownWait wait;
    if (read_wait(*shown, i, wait) && !append(list.get(), shown_wait(wait))) return nullptr;
  }
  return list.release();
}

// _unshown_waits() -> the number of waits for which the page had no slot.
PyObject* unshown_waits(PyObject*, PyObject*) noexcept {
  const Page* const shown = existing_page();
  return PyLong_FromUnsignedLongLong(shown == nullptr ? 0 : shown->header.waits_unshown.load(memory_order_relaxed));
}

// Returns the file of a place, or None.
PyObject* file_of(const Place* place) noexcept {
  return place == nullptr ? Py_NewRef(Py_None) : text_of(place->file().data(), place->file().size());
}
unsigned line_of(const Place* place) noexcept { return place == nullptr ? 0 : place->line(); }

// _inspect_channels() -> [(fields of ChannelStats, state, created, senders in C++, receivers in C++, note)]; note:
// (internal, label, id of the channel it is part of or 0, unfinished tasks, file or None, line)
PyObject* inspect_channels(PyObject*, PyObject*) noexcept {
  Ref list(PyList_New(0));
  std::uint64_t position = 0;
  while (list) {
    Channel* const channel = Registry::next(position);
    if (channel == nullptr) break;
    PyObject* const fields = channel_fields(*channel);
    const char* const state = channel->state_name();
    const auto created = static_cast<long long>(channel->created());
    const Number senders = channel->native_count(Side::sender), receivers = channel->native_count(Side::receiver);
    PyObject* const note =
        Py_BuildValue("(NNNKNI)", PyBool_FromLong(channel->is_internal()),
                      text_of(channel->label().data(), channel->label().size()), id_as_int(channel->part_of()),
                      Number{channel->unfinished_tasks()}, file_of(channel->made()), line_of(channel->made()));
    channel->unpin();
    if (note == nullptr || fields == nullptr) {
      Py_XDECREF(note);
      Py_XDECREF(fields);
      return nullptr;
    }
    if (!append(list.get(), Py_BuildValue("(NsLKKN)", fields, state, created, senders, receivers, note))) {
      return nullptr;
    }
  }
  return list.release();
}

// _inspect_endpoints() -> [(channel id, receives, interpreter, thread, file or None, line)]
PyObject* inspect_endpoints(PyObject*, PyObject*) noexcept try {
  struct Found {
    std::int64_t interpreter;
    EndpointEntry entry;
  };
  std::vector<Found> found;
  std::size_t count = 0;
  // Without allocating under the lock of the owners: counts first, and again if there are more by then.
  do {
    found.reserve(count + 64);
    found.clear();
    count = 0;
    EndpointOwner::for_each([&](const EndpointOwner& owner) noexcept {
      owner.table().for_each([&](const EndpointEntry& entry) noexcept {
        if (count++ < found.capacity()) found.push_back({owner.interpreter.load(memory_order_relaxed), entry});
      });
    });
  } while (count > found.capacity());
  Ref list(PyList_New(0));
  for (std::size_t i = 0; list && i < found.size(); ++i) {
    const auto& [interpreter, entry] = found[i];
    const Place* const place = entry.origin.place;
    if (!append(list.get(), Py_BuildValue("(NiLINI)", id_as_int(entry.id), int{entry.side == Side::receiver},
                                          static_cast<long long>(interpreter), entry.origin.thread, file_of(place),
                                          line_of(place)))) {
      return nullptr;
    }
  }
  return list.release();
} catch (const std::bad_alloc&) {
  return PyErr_NoMemory();
}

// _interpreter_names() -> {id: name or None} of the interpreters that have imported xichan.
PyObject* interpreter_names(PyObject*, PyObject*) noexcept try {
  struct Found {
    std::int64_t interpreter;
    std::size_t length;
    char name[EndpointOwner::most_name_bytes];
  };
  std::vector<Found> found;
  std::size_t count = 0;
  do {
    found.reserve(count + 64);
    found.clear();
    count = 0;
    EndpointOwner::for_each([&](const EndpointOwner& owner) noexcept {
      const std::int64_t number = owner.interpreter.load(memory_order_relaxed);
      if (number < 0 || count++ >= found.capacity()) return;
      Found& named = found.emplace_back(Found{.interpreter = number, .length = 0, .name = {}});
      named.length = owner.read_name(named.name);
    });
  } while (count > found.capacity());
  Ref names(PyDict_New());
  for (std::size_t i = 0; names && i < found.size(); ++i) {
    const Ref key(PyLong_FromLongLong(found[i].interpreter));
    const Ref name(found[i].length == 0 ? Py_NewRef(Py_None) : text_of(found[i].name, found[i].length));
    if (!key || !name || PyDict_SetItem(names.get(), key.get(), name.get()) < 0) return nullptr;
  }
  return names.release();
} catch (const std::bad_alloc&) {
  return PyErr_NoMemory();
}

// _name_interpreter(name): sets what inspect() calls this interpreter.
PyObject* name_interpreter(PyObject* module, PyObject* name) noexcept {
  Py_ssize_t length;
  const char* const text = PyUnicode_Check(name) ? PyUnicode_AsUTF8AndSize(name, &length) : nullptr;
  if (text == nullptr) {
    return PyErr_Occurred() ? nullptr : PyErr_Format(PyExc_TypeError, "name must be a str, got %T", name);
  }
  state_of(module)->endpoints->owner.set_name({text, static_cast<std::size_t>(length)});
  Py_RETURN_NONE;
}

// _take_page_refusal() -> the errno because of which other processes cannot see the page, once; else 0.
PyObject* page_refusal(PyObject*, PyObject*) noexcept { return PyLong_FromLong(take_page_refusal()); }

// _page_descriptor() -> the file of the page, or -1.
PyObject* descriptor_of_page(PyObject*, PyObject*) noexcept { return PyLong_FromLong(page_descriptor()); }

}  // namespace

int open_page() noexcept {
  if (existing_page() != nullptr) return 0;
  const Ref os(PyImport_ImportModule("os"));
  const Ref environment(os ? PyObject_GetAttrString(os.get(), "environ") : nullptr);
  if (!environment) return -1;
  PyObject* found;
  if (PyMapping_GetOptionalItemString(environment.get(), "XICHAN_PAGE", &found) < 0) return -1;
  const Ref value(found);
  if (value && PyUnicode_Check(value.get()) && PyUnicode_EqualToUTF8(value.get(), "0")) make_page_private();
  (void)page();
  return 0;
}

PyMethodDef inspect_functions[] = {
    {"_inspect_waits", inspect_waits, METH_NOARGS, nullptr},
    {"_unshown_waits", unshown_waits, METH_NOARGS, nullptr},
    {"_inspect_channels", inspect_channels, METH_NOARGS, nullptr},
    {"_inspect_endpoints", inspect_endpoints, METH_NOARGS, nullptr},
    {"_inspect_remote", inspect_remote, METH_NOARGS, nullptr},
    {"_interpreter_names", interpreter_names, METH_NOARGS, nullptr},
    {"_name_interpreter", name_interpreter, METH_O, nullptr},
    {"_take_page_refusal", page_refusal, METH_NOARGS, nullptr},
    {"_page_descriptor", descriptor_of_page, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace xichan::python
