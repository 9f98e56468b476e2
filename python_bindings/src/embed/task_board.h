// Which task each worker of a pool runs, and how a task is interrupted from any interpreter.
//
// A board belongs to a pool. Each worker adds a slot, in which it stores the id of the task that it runs. `run` of a
// _TaskRunner (task_types.cpp) begins and ends a task in one call of C code: in between, only code of the task is
// executed, so an exception that is set asynchronously then is raised in this task or not at all.
//
// To interrupt a task, a thread adds its id to the requests of the board. If a slot has the id, it starts a thread that
// attaches to the interpreter of the worker and delivers the interrupt there. A thread of its own, because attaching
// takes as long as the worker executes C code without releasing the lock of its interpreter (the GIL).
//
// Invariants
//   T1  A request is claimed once, under the lock of the board: by the worker as it begins the task, or by the thread
//       that delivers it. It is kept until the pool forgets the task, so that a later one for the same task has no
//       effect.
//   T2  An interrupt is delivered under the GIL of the worker, while its slot has the id of the task. Ending the task,
//       under the same GIL, removes an exception that has not been raised. So none reaches other code.
//   T3  Each request of a task that is running, or about to, is delivered: a worker stores the id and then looks for
//       requests; the other thread adds the request and then looks for the id. If a slot is `delivering` already, that
//       thread looks for requests later.
// tests/model/test_task_interrupts.py searches all interleavings.
#pragma once

#include <Python.h>

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "base/state.h"
#include "page/workers.h"
#include "sync/mutex.h"

namespace xichan::python {

/// One worker of a board. The atomic members may be read by any thread; the others are guarded by the GIL of the
/// worker.
struct TaskSlot {
  static constexpr std::int64_t idle = INT64_MIN;

  explicit TaskSlot(std::int64_t id) noexcept : interpreter(id) {}

  const std::int64_t interpreter;
  atomic<std::int64_t> task{idle};       // the id of the task that runs
  atomic<std::int64_t> began{0};         // when it began: Deadline::now()
  atomic<bool> delivering{false};        // a thread has been started that will look for requests
  PyThreadState* thread = nullptr;       // that runs the task
  PyObject* interrupted_type = nullptr;  // xichan.Interrupted of the interpreter; borrowed
  PyObject* wake = nullptr;              // called in place of raising an exception, or null
  bool interrupted = false;              // the exception was set, and may not have been raised
  WorkerRow row{};                       // what the page shows of the worker
  WorkerPlace place;
};

class TaskBoard : public std::enable_shared_from_this<TaskBoard> {
 public:
  struct Running {
    std::int64_t task;
    double seconds;  // since it began
  };

  /// Creates a board that `find` finds until `close`. Null without memory.
  static std::shared_ptr<TaskBoard> create() noexcept;
  static std::shared_ptr<TaskBoard> find(std::uint64_t number) noexcept;
  void close() noexcept;
  std::uint64_t number() const noexcept { return number_; }
  /// Returns true in the child of a fork, where another thread may have held the lock.
  bool is_inherited() const noexcept { return generation_ != process_generation(); }

  /// Returns whether a thread waits to enter an interpreter, because a worker executes C code there that does not
  /// release the GIL.
  bool is_blocked() noexcept;

  /// Null without memory.
  std::shared_ptr<TaskSlot> add_slot(std::int64_t interpreter) noexcept;
  void remove(const std::shared_ptr<TaskSlot>& slot) noexcept;

  /// Requests that a task is interrupted: `ok | no_memory`. Has no effect if it has been interrupted, unless `again`.
  Status interrupt(std::int64_t task, bool again) noexcept;
  /// Removes the requests for a task that is over. Idempotent.
  void forget(std::int64_t task) noexcept;
  /// Appends the tasks that run now. False without memory.
  bool list(std::vector<Running>& found) noexcept;

  /// Begins a task in a slot, attached to its interpreter. Returns false if the task is to be interrupted at once; it
  /// has begun nevertheless.
  bool begin(TaskSlot& slot, std::int64_t task) noexcept;
  /// Sets the exception of the calling thread again if it runs a task: CPython has dropped it, in a finalizer.
  static void raise_again(TaskSlot& slot) noexcept;
  /// Ends it. Removes an exception that was set but not raised.
  static void end(TaskSlot& slot) noexcept;

 private:
  bool has_requests() const noexcept { return requests_.load(memory_order_seq_cst) != 0; }
  bool claim(std::int64_t task) noexcept;
  bool start_delivery(const std::shared_ptr<TaskSlot>& slot) noexcept;
  void deliver(TaskSlot& slot) noexcept;
  static void* run_delivery(void* delivery) noexcept;

  std::uint64_t number_ = 0;
  const std::uint32_t generation_ = process_generation();
  Mutex lock_;
  std::map<std::int64_t, bool> requested_;        // by task: whether it was claimed; guarded by lock_
  std::vector<std::shared_ptr<TaskSlot>> slots_;  // guarded by lock_
  atomic<std::uint64_t> requests_{0};             // the size of requested_
};

}  // namespace xichan::python
