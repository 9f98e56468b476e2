// Guards delay the finalization of an interpreter. CPython 3.15 provides them (PEP 788): a view, which may outlive its
// interpreter, and a guard made from it. For older versions a gate counts the guards, and a function registered with
// `atexit` shuts the gate and blocks until the last guard is released. It runs after the interpreter's own threads are
// joined, and before CPython checks for remaining thread states.
//
// Invariants
//   G1  The interpreter of a gate exists while the gate is open or a guard is counted.
//   G2  No lock is held while attaching to an interpreter.
//   G3  The table is process-wide, holds no Python object and is never destroyed.
#include "embed/guard.h"

#include <pthread.h>

#include <map>
#include <mutex>
#include <new>

#include "base/ref.h"
#include "base/state.h"
#include "directory/process.h"

namespace xichan::python {

class Gate {
 public:
  explicit Gate(std::int64_t id) noexcept : id_(id) {}
  ~Gate();

  bool prepare() noexcept;
  Status enter(Attachment& attachment) noexcept;
  void leave(const Attachment& attachment) noexcept;
  void shut() noexcept;
  bool is_inherited() const noexcept { return generation_ != process_generation(); }

  const std::int64_t id_;
  atomic<std::uint64_t> references_{1};

 private:
  const std::uint32_t generation_ = process_generation();
#if PY_VERSION_HEX >= 0x030F0000
  PyInterpreterView* view_ = nullptr;
#else
  void step_out() noexcept;

  PyInterpreterState* interpreter_ = nullptr;
  std::mutex lock_;
  pthread_cond_t left_ = PTHREAD_COND_INITIALIZER;  // std's needs a libstdc++ that manylinux_2_28 does not promise
  std::uint64_t inside_ = 0;
  bool open_ = true;
#endif
};

namespace {

struct Table {
  std::mutex lock;
  std::map<std::int64_t, Gate*> gates;  // holds one reference to each
};

Table& table() noexcept {
  alignas(Table) static std::byte memory[sizeof(Table)];
  static Table* const instance = new (memory) Table;
  return *instance;
}

// The child of a fork has one thread and no guards. The gates of the parent admit no thread in the child, where
// `current_gate` opens new ones. The table is locked across the fork, to be consistent in the child.
void before_fork() noexcept { table().lock.lock(); }
void after_fork() noexcept { table().lock.unlock(); }
[[gnu::constructor]] void watch_forks() { pthread_atfork(before_fork, after_fork, after_fork); }

// Returns a new reference to the gate of an interpreter, or null.
Gate* find(std::int64_t id) noexcept {
  Table& t = table();
  std::lock_guard guard(t.lock);
  const auto found = t.gates.find(id);
  if (found == t.gates.end()) return nullptr;
  retain_gate(found->second);
  return found->second;
}

// Adds a gate to the table and takes over a reference. False if there is no memory or the interpreter has a gate.
bool add(Gate* gate) noexcept try {
  Table& t = table();
  std::lock_guard guard(t.lock);
  return t.gates.try_emplace(gate->id_, gate).second;
} catch (const std::bad_alloc&) {
  return false;
}

// Removes a gate from the table of the child of a fork. Its reference is leaked: threads of the parent used the gate,
// and may have left its lock held.
void forget(const Gate* gate) noexcept {
  Table& t = table();
  std::lock_guard guard(t.lock);
  t.gates.erase(gate->id_);
}

std::int64_t current_id() noexcept { return PyInterpreterState_GetID(PyInterpreterState_Get()); }

}  // namespace

#if PY_VERSION_HEX >= 0x030F0000

Gate::~Gate() {
  if (view_ != nullptr && !is_inherited()) PyInterpreterView_Close(view_);
}

bool Gate::prepare() noexcept {
  view_ = PyInterpreterView_FromCurrent();
  return view_ != nullptr;
}

Status Gate::enter(Attachment& attachment) noexcept {
  if (is_inherited()) return Status::exiting;
  PyInterpreterGuard* guard = PyInterpreterGuard_FromView(view_);
  if (guard == nullptr) return Status::exiting;
  PyThreadStateToken* thread = PyThreadState_Ensure(guard);
  if (thread == nullptr) {
    PyInterpreterGuard_Close(guard);
    return Status::no_memory;
  }
  attachment = {this, thread, guard};
  return Status::ok;
}

void Gate::leave(const Attachment& attachment) noexcept {
  PyThreadState_Release(static_cast<PyThreadStateToken*>(attachment.thread));
  PyInterpreterGuard_Close(static_cast<PyInterpreterGuard*>(attachment.other));
}

#else

Gate::~Gate() = default;

void Gate::shut() noexcept {
  if (is_inherited()) return;  // a thread that does not exist in the child may hold its lock
  std::lock_guard guard(lock_);
  open_ = false;
  while (inside_ != 0) pthread_cond_wait(&left_, lock_.native_handle());
}

void Gate::step_out() noexcept {
  std::lock_guard guard(lock_);
  if (--inside_ == 0) pthread_cond_broadcast(&left_);
}

Status Gate::enter(Attachment& attachment) noexcept {
  if (is_inherited()) return Status::exiting;
  {
    std::lock_guard guard(lock_);
    if (!open_) return Status::exiting;
    ++inside_;  // G1
  }
  PyThreadState* before = PyThreadState_GetUnchecked();
  PyThreadState* thread = nullptr;
  if (before == nullptr || PyThreadState_GetInterpreter(before) != interpreter_) {
    thread = PyThreadState_New(interpreter_);
    if (thread == nullptr) {
      step_out();
      return Status::no_memory;
    }
    if (before != nullptr) PyEval_SaveThread();
    PyEval_RestoreThread(thread);
  }
  attachment = {this, thread, thread == nullptr ? nullptr : before};
  return Status::ok;
}

void Gate::leave(const Attachment& attachment) noexcept {
  if (attachment.thread != nullptr) {
    PyThreadState_Clear(static_cast<PyThreadState*>(attachment.thread));
    PyThreadState_DeleteCurrent();
  }
  step_out();  // before re-attaching to the previous interpreter, which may never return
  if (attachment.other != nullptr) PyEval_RestoreThread(static_cast<PyThreadState*>(attachment.other));
}

namespace {

Gate* gate_of(PyObject* capsule) noexcept { return static_cast<Gate*>(PyCapsule_GetPointer(capsule, nullptr)); }

PyObject* shut_gate(PyObject* capsule, PyObject*) noexcept {
  Gate* gate = gate_of(capsule);
  Py_BEGIN_ALLOW_THREADS;
  gate->shut();
  Py_END_ALLOW_THREADS;
  Py_RETURN_NONE;
}

PyMethodDef shut_gate_method = {"_shut_gate", shut_gate, METH_NOARGS, nullptr};

}  // namespace

bool Gate::prepare() noexcept {
  interpreter_ = PyInterpreterState_Get();
  const Ref capsule(PyCapsule_New(this, nullptr, [](PyObject* self) { release_gate(gate_of(self)); }));
  if (!capsule) return false;
  retain_gate(this);
  const Ref hook(PyCFunction_New(&shut_gate_method, capsule.get()));
  if (!hook) return false;
  const Ref atexit(PyImport_ImportModule("atexit"));
  return atexit && Ref(PyObject_CallMethod(atexit.get(), "register", "O", hook.get()));
}

#endif

int open_gate() noexcept {
  if (Gate* gate = find(current_id())) {
    release_gate(gate);
    return 0;
  }
  Gate* gate = new (std::nothrow) Gate(current_id());
  if (gate != nullptr && gate->prepare() && add(gate)) return 0;
  if (gate != nullptr) release_gate(gate);
  if (!PyErr_Occurred()) PyErr_NoMemory();
  return -1;
}

void remove_gate(PyInterpreterState* interpreter) noexcept {
  Table& t = table();
  Gate* gate = nullptr;
  {
    std::lock_guard guard(t.lock);
    const auto found = t.gates.find(PyInterpreterState_GetID(interpreter));
    if (found == t.gates.end()) return;
    gate = found->second;
    t.gates.erase(found);
  }
  release_gate(gate);
}

Gate* current_gate() noexcept {
  if (import_state() == nullptr) return nullptr;
  Gate* gate = find(current_id());
  if (gate != nullptr && gate->is_inherited()) {  // the module was imported before the fork
    forget(gate);
    gate = open_gate() < 0 ? nullptr : find(current_id());
  }
  if (gate == nullptr && !PyErr_Occurred()) {
    PyErr_SetString(PyExc_RuntimeError, "the interpreter is shutting down");
  }
  return gate;
}

Gate* find_gate(std::int64_t id) noexcept { return find(id); }
void retain_gate(Gate* gate) noexcept { gate->references_.fetch_add(1, memory_order_relaxed); }
void release_gate(Gate* gate) noexcept {
  // acq_rel: every use of the gate happens before its destruction.
  if (gate->references_.fetch_sub(1, memory_order_acq_rel) == 1) delete gate;
}
std::int64_t gate_id(const Gate* gate) noexcept { return gate->id_; }

Status enter_gate(Gate* gate, Attachment& attachment) noexcept {
  const Status status = gate->enter(attachment);
  if (status == Status::ok) retain_gate(gate);
  return status;
}

void leave_gate(const Attachment& attachment) noexcept {
  attachment.gate->leave(attachment);
  release_gate(attachment.gate);
}

}  // namespace xichan::python
