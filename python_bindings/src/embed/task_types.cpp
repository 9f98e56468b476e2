#include "embed/task_types.h"

#include <algorithm>
#include <new>
#include <string_view>

#include "base/ref.h"
#include "base/state.h"
#include "embed/task_board.h"
#include "embed/traced_task.h"
#include "ends/trace.h"

namespace xichan::python {
namespace {

struct BoardObject {
  PyObject_HEAD
  std::shared_ptr<TaskBoard> board;
};

struct RunnerObject {
  PyObject_HEAD
  std::shared_ptr<TaskBoard> board;
  std::shared_ptr<TaskSlot> slot;
};

TaskBoard& board_of(PyObject* self) noexcept { return *reinterpret_cast<BoardObject*>(self)->board; }
RunnerObject* as_runner(PyObject* self) noexcept { return reinterpret_cast<RunnerObject*>(self); }

// In the child of a fork, another thread may have held the lock of a board.
bool check_usable(const TaskBoard& board) noexcept {
  if (!board.is_inherited()) return true;
  PyErr_SetString(PyExc_RuntimeError, "the pool was created before fork(); create a new one in the child process");
  return false;
}

bool parse_task(PyObject* value, std::int64_t& task) noexcept {
  const long long number = PyLong_AsLongLong(value);
  task = number;
  if (number != TaskSlot::idle) return number != -1 || !PyErr_Occurred();
  PyErr_SetString(PyExc_OverflowError, "the id of a task is out of range");
  return false;
}

// _TaskBoard()

PyObject* board_new(PyTypeObject* type, PyObject* args, PyObject* keywords) noexcept {
  static const char* names[] = {nullptr};
  if (!PyArg_ParseTupleAndKeywords(args, keywords, ":_TaskBoard", const_cast<char**>(names))) return nullptr;
  auto board = TaskBoard::create();
  if (board == nullptr) return PyErr_NoMemory();
  PyObject* self = type->tp_alloc(type, 0);
  if (self == nullptr) {
    board->close();
    return nullptr;
  }
  new (&reinterpret_cast<BoardObject*>(self)->board) std::shared_ptr<TaskBoard>(std::move(board));
  return self;
}

void board_dealloc(PyObject* self) noexcept {
  PyTypeObject* type = Py_TYPE(self);
  auto& board = reinterpret_cast<BoardObject*>(self)->board;
  if (!board->is_inherited()) board->close();
  std::destroy_at(&board);
  type->tp_free(self);
  Py_DECREF(type);
}

// number() -> what _TaskRunner() takes, in any interpreter.
PyObject* board_number(PyObject* self, PyObject*) noexcept {
  return PyLong_FromUnsignedLongLong(board_of(self).number());
}

// interrupt(id, again=False): requests that a task is interrupted, now or as soon as it begins; once, unless `again`.
PyObject* board_interrupt(PyObject* self, PyObject* args) noexcept {
  PyObject* id;
  int again = 0;
  std::int64_t task;
  if (!PyArg_ParseTuple(args, "O|p:interrupt", &id, &again)) return nullptr;
  if (!parse_task(id, task) || !check_usable(board_of(self))) return nullptr;
  if (board_of(self).interrupt(task, again != 0) == Status::ok) Py_RETURN_NONE;
  return PyErr_NoMemory();
}

// forget(id): the task is over.
PyObject* board_forget(PyObject* self, PyObject* id) noexcept {
  std::int64_t task;
  if (!parse_task(id, task) || !check_usable(board_of(self))) return nullptr;
  board_of(self).forget(task);
  Py_RETURN_NONE;
}

// running() -> {id: seconds since it began} of the tasks that run now.
PyObject* board_running(PyObject* self, PyObject*) noexcept {
  if (!check_usable(board_of(self))) return nullptr;
  std::vector<TaskBoard::Running> found;
  if (!board_of(self).list(found)) return PyErr_NoMemory();
  Ref result(PyDict_New());
  if (!result) return nullptr;
  for (const auto& [task, seconds] : found) {
    const Ref id(PyLong_FromLongLong(task));
    const Ref value(PyFloat_FromDouble(seconds));
    if (!id || !value || PyDict_SetItem(result.get(), id.get(), value.get()) < 0) return nullptr;
  }
  return result.release();
}

// is_blocked() -> whether an interrupt waits for the GIL of a worker.
PyObject* board_is_blocked(PyObject* self, PyObject*) noexcept {
  return check_usable(board_of(self)) ? PyBool_FromLong(board_of(self).is_blocked()) : nullptr;
}

// Replaces a text of a row. False with an exception set.
template <std::size_t size>
bool set_text(char (&to)[size], PyObject* text) noexcept {
  const Ref bytes(PyUnicode_AsEncodedString(text, "utf-8", "replace"));  // lone surrogates become question marks
  if (!bytes) return false;
  std::ranges::fill(to, 0);
  copy_text(to, {PyBytes_AS_STRING(bytes.get()), static_cast<std::size_t>(PyBytes_GET_SIZE(bytes.get()))});
  return true;
}

// _TaskRunner(number, name=None, supervised=False): adds a worker, the calling interpreter, to a board. With a name,
// the page shows it. supervised: it belongs to Workers.

bool claim_place(TaskSlot& slot, PyObject* name, bool supervised) noexcept {
  slot.row.interpreter = slot.interpreter;
  slot.row.thread = static_cast<std::int64_t>(PyThread_get_thread_native_id());
  slot.row.kind = supervised ? WorkerRow::workers : WorkerRow::pool;
  slot.row.state = WorkerRow::starting;
  if (!set_text(slot.row.name, name)) return false;
  slot.place.claim(slot.row);
  if (is_traced()) name_worker(slot.row);
  return true;
}

PyObject* runner_new(PyTypeObject* type, PyObject* args, PyObject* keywords) noexcept {
  static const char* names[] = {"number", "name", "supervised", nullptr};
  unsigned long long number;
  PyObject* name = nullptr;
  int supervised = 0;
  if (!PyArg_ParseTupleAndKeywords(args, keywords, "K|Up:_TaskRunner", const_cast<char**>(names), &number, &name,
                                   &supervised)) {
    return nullptr;
  }
  auto board = TaskBoard::find(number);
  if (board == nullptr || board->is_inherited()) {
    PyErr_SetString(PyExc_LookupError, "the pool has been released");
    return nullptr;
  }
  auto slot = board->add_slot(PyInterpreterState_GetID(PyInterpreterState_Get()));
  if (slot == nullptr) return PyErr_NoMemory();
  const ModuleState& state = *static_cast<ModuleState*>(PyType_GetModuleState(type));
  slot->interrupted_type = state.error(ErrorClass::interrupted);
  PyObject* self = type->tp_alloc(type, 0);
  if (self == nullptr) {
    board->remove(slot);
    return nullptr;
  }
  new (&as_runner(self)->board) std::shared_ptr<TaskBoard>(std::move(board));
  new (&as_runner(self)->slot) std::shared_ptr<TaskSlot>(std::move(slot));
  if (name == nullptr || claim_place(*as_runner(self)->slot, name, supervised != 0)) return self;
  Py_DECREF(self);
  return nullptr;
}

// No task runs: `run` holds a reference.
void runner_dealloc(PyObject* self) noexcept {
  PyTypeObject* type = Py_TYPE(self);
  RunnerObject& runner = *as_runner(self);
  Py_CLEAR(runner.slot->wake);
  runner.slot->place.release();
  if (!runner.board->is_inherited()) runner.board->remove(runner.slot);
  std::destroy_at(&runner.board);
  std::destroy_at(&runner.slot);
  type->tp_free(self);
  Py_DECREF(type);
}

// run(id, function, args, kwargs=None): calls the function as a task, in one step of the caller: an interrupt of this
// task is raised by the call, or not at all.
PyObject* runner_run(PyObject* self, PyObject* const* args, Py_ssize_t count) noexcept {
  if (count < 3 || count > 4) return PyErr_Format(PyExc_TypeError, "run() takes 3 or 4 arguments, got %zd", count);
  std::int64_t task;
  if (!parse_task(args[0], task)) return nullptr;
  PyObject* keywords = count == 4 && args[3] != Py_None ? args[3] : nullptr;
  if (!PyTuple_Check(args[2]) || (keywords != nullptr && !PyDict_Check(keywords))) {
    PyErr_SetString(PyExc_TypeError, "run() expects a tuple of arguments and a dict of keyword arguments or None");
    return nullptr;
  }
  TaskSlot& slot = *as_runner(self)->slot;
  TaskBoard& board = *as_runner(self)->board;
  if (!check_usable(board)) return nullptr;
  if (slot.task.load(memory_order_relaxed) != TaskSlot::idle) {
    PyErr_SetString(PyExc_RuntimeError, "a task is running already");
    return nullptr;
  }
  const Ref held(Py_NewRef(self));
  TracedTask traced;
  PyObject* result = nullptr;
  if (board.begin(slot, task)) {
    result = PyObject_Call(args[1], args[2], keywords);
  } else {
    PyErr_SetNone(slot.interrupted_type);
  }
  TaskBoard::end(slot);
  traced.finish(args[1], args[2], slot.row);
  return result;
}

// set_wake(function or None): while it is set, an interrupt calls the function, in another thread of this interpreter.
PyObject* runner_set_wake(PyObject* self, PyObject* function) noexcept {
  PyObject* const wake = function == Py_None ? nullptr : Py_NewRef(function);
  Py_XDECREF(std::exchange(as_runner(self)->slot->wake, wake));
  Py_RETURN_NONE;
}

// show(task): the next tasks call the function with this name.
PyObject* runner_show(PyObject* self, PyObject* name) noexcept {
  TaskSlot& slot = *as_runner(self)->slot;
  if (!PyUnicode_Check(name)) return PyErr_Format(PyExc_TypeError, "show() expects a str, got %T", name);
  if (!set_text(slot.row.task, name)) return nullptr;
  slot.place.show(slot.row);
  Py_RETURN_NONE;
}

// show_failure(error): a task has failed with an exception of this type and message.
PyObject* runner_show_failure(PyObject* self, PyObject* error) noexcept {
  TaskSlot& slot = *as_runner(self)->slot;
  if (!PyUnicode_Check(error)) return PyErr_Format(PyExc_TypeError, "show_failure() expects a str, got %T", error);
  if (!set_text(slot.row.error, error)) {  // without memory, the failure is counted all the same
    PyErr_Clear();
    std::ranges::fill(slot.row.error, 0);
  }
  slot.place.fail(slot.row);
  Py_RETURN_NONE;
}

// set_state(number): of WorkerRow::State.
PyObject* runner_set_state(PyObject* self, PyObject* number) noexcept {
  const long value = PyLong_AsLong(number);
  if (value == -1 && PyErr_Occurred()) return nullptr;
  TaskSlot& slot = *as_runner(self)->slot;
  slot.row.state = static_cast<std::uint32_t>(value);
  slot.place.show(slot.row);
  Py_RETURN_NONE;
}

// unraisablehook(unraisable): as sys.unraisablehook, raises an Interrupted once more that CPython has dropped in a
// finalizer or weakref callback. In C: a function in Python would be interrupted itself.
PyObject* runner_unraisablehook(PyObject* self, PyObject* unraisable) noexcept {
  TaskSlot& slot = *as_runner(self)->slot;
  const Ref type(PyObject_GetAttrString(unraisable, "exc_type"));
  if (!type) return nullptr;
  if (type.get() == slot.interrupted_type) {
    TaskBoard::raise_again(slot);
    Py_RETURN_NONE;
  }
  PyObject* const original = PySys_GetObject("__unraisablehook__");  // borrowed
  return original == nullptr ? Py_NewRef(Py_None) : PyObject_CallOneArg(original, unraisable);
}

PyMethodDef board_methods[] = {
    {"number", board_number, METH_NOARGS, nullptr},
    {"interrupt", board_interrupt, METH_VARARGS, nullptr},
    {"forget", board_forget, METH_O, nullptr},
    {"running", board_running, METH_NOARGS, nullptr},
    {"is_blocked", board_is_blocked, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};
PyMethodDef runner_methods[] = {
    {"run", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(runner_run)), METH_FASTCALL, nullptr},
    {"unraisablehook", runner_unraisablehook, METH_O, nullptr},
    {"set_wake", runner_set_wake, METH_O, nullptr},
    {"show", runner_show, METH_O, nullptr},
    {"show_failure", runner_show_failure, METH_O, nullptr},
    {"set_state", runner_set_state, METH_O, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot board_slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(board_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(board_dealloc)},
    {Py_tp_methods, board_methods},
    {0, nullptr},
};
PyType_Slot runner_slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(runner_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(runner_dealloc)},
    {Py_tp_methods, runner_methods},
    {0, nullptr},
};

}  // namespace

PyType_Spec task_board_spec = {"xichan._core._TaskBoard", sizeof(BoardObject), 0,
                               Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, board_slots};
PyType_Spec task_runner_spec = {"xichan._core._TaskRunner", sizeof(RunnerObject), 0,
                                Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, runner_slots};

}  // namespace xichan::python
