// Each function here performs the steps that belong together without running Python code in between. So code that
// interrupts a call of a Queue (a signal handler, __del__, a weakref callback) finds it finished or not begun.
//
// A blocked join() waits on a channel of its own, whose only Sender lies in the channel of the joiners: dropping that
// Sender wakes it.
#include "ends/tasks.h"

#include "base/blocking_call.h"
#include "base/handle.h"
#include "value/message.h"
#include "values/elements.h"
#include "values/encode.h"

namespace xichan::python {
namespace {

// Returns an open endpoint of a Queue; null with an exception set.
Handle* open_part(const ModuleState& state, PyObject* parts, QueuePart which) noexcept {
  if (!are_queue_parts(state, parts)) {
    PyErr_Format(PyExc_TypeError, "expected the parts of a Queue, got %T", parts);
    return nullptr;
  }
  Handle* handle = as_handle(queue_part(parts, which));
  return check_open(handle) ? handle : nullptr;
}

// Wakes the blocked joins. A joiner whose Sender is being added at this moment finds the count changed.
void wake_joiners(Handle* joiners) noexcept {
  Cell cells[batch_size];
  std::uint64_t taken;
  while (!joiners->endpoint->is_closed() && joiners->endpoint->try_recv_many(cells, batch_size, taken) == Status::ok) {
    for (std::uint64_t i = 0; i < taken; ++i) release(cells[i]);
  }
}

void wake_if_finished(const Channel& items, Handle* joiners) noexcept {
  if (items.unfinished_tasks() == 0) wake_joiners(joiners);
}

// _tasks_done(parts) -> the number of tasks done.
PyObject* tasks_done(PyObject* module, PyObject* parts) noexcept {
  const Handle* items = open_part(*state_of(module), parts, QueuePart::items_tx);
  return items == nullptr ? nullptr : PyLong_FromUnsignedLongLong(items->endpoint->channel()->tasks_done());
}

// _task_done(parts): finishes one task.
PyObject* task_done(PyObject* module, PyObject* parts) noexcept {
  const ModuleState& state = *state_of(module);
  Handle* items = open_part(state, parts, QueuePart::items_tx);
  Handle* joiners = items == nullptr ? nullptr : open_part(state, parts, QueuePart::joiners_rx);
  if (joiners == nullptr) return nullptr;
  Channel& channel = *items->endpoint->channel();
  if (channel.finish_tasks(1) == 0) {
    PyErr_SetString(PyExc_ValueError, "task_done() called too many times");
    return nullptr;
  }
  wake_if_finished(channel, joiners);
  Py_RETURN_NONE;
}

// _add_joiner(parts, tx) -> whether a task is unfinished. Then the end of the last one drops a copy of `tx`.
PyObject* add_joiner(PyObject* module, PyObject* const* args, Py_ssize_t count) noexcept {
  const ModuleState& state = *state_of(module);
  if (count != 2) return PyErr_Format(PyExc_TypeError, "_add_joiner() takes 2 arguments, got %zd", count);
  Handle* items = open_part(state, args[0], QueuePart::items_tx);
  Handle* joiners_tx = items == nullptr ? nullptr : open_part(state, args[0], QueuePart::joiners_tx);
  Handle* joiners_rx = joiners_tx == nullptr ? nullptr : open_part(state, args[0], QueuePart::joiners_rx);
  Cell cell;
  if (joiners_rx == nullptr || !encode(state, args[1], cell)) return nullptr;
  const Status status = joiners_tx->endpoint->try_send(cell);
  if (status != Status::ok) {
    release(cell);
    return raise_for(joiners_tx, status);
  }
  // After the Sender was added: the call that finishes the last task either precedes this look at the count or finds
  // the Sender. If it saw an earlier joiner that was just being added, it stopped there, and that joiner wakes the
  // others.
  if (items->endpoint->channel()->unfinished_tasks() != 0) Py_RETURN_TRUE;
  wake_joiners(joiners_rx);
  Py_RETURN_FALSE;
}

// _discard_tasks(parts): discards the items of a queue that is shut down, and finishes their tasks. Blocks only while a
// put that was accepted before is still writing its item.
PyObject* discard_tasks(PyObject* module, PyObject* parts) noexcept {
  const ModuleState& state = *state_of(module);
  Handle* items = open_part(state, parts, QueuePart::items_rx);
  Handle* joiners = items == nullptr ? nullptr : open_part(state, parts, QueuePart::joiners_rx);
  if (joiners == nullptr) return nullptr;
  if (!items->endpoint->channel()->is_closed()) {
    PyErr_SetString(PyExc_ValueError, "expected a queue that is shut down, found one that is open");
    return nullptr;
  }
  if (items->unread != nullptr) {
    items->endpoint->channel()->finish_tasks(items->unread->size());
    drop_unread(items);
  }
  const auto received = [](Status status) noexcept { return status == Status::ok || status == Status::interrupted; };
  for (;;) {
    Cell cell;
    Status status;
    const bool decided =
        call(owner_of(items), *items->endpoint, Side::receiver, cell, Timeout{}, status, []() noexcept {});
    if (items->endpoint->is_closed()) {  // by code that ran while this call blocked
      if (decided && received(status)) release(cell);
      return decided ? raise_for(items, Status::end_closed) : nullptr;
    }
    Channel& channel = *items->endpoint->channel();
    if (decided && received(status)) {
      release(cell);
      channel.finish_tasks(1);
      continue;
    }
    wake_if_finished(channel, joiners);
    if (!decided) return nullptr;
    if (status != Status::closed && status != Status::failed) return raise_for(items, status);
    Py_RETURN_NONE;
  }
}

}  // namespace

PyMethodDef task_functions[] = {
    {"_tasks_done", tasks_done, METH_O, nullptr},
    {"_task_done", task_done, METH_O, nullptr},
    {"_add_joiner", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(add_joiner)), METH_FASTCALL, nullptr},
    {"_discard_tasks", discard_tasks, METH_O, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace xichan::python
