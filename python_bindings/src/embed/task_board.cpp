#include "embed/task_board.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

#include <algorithm>
#include <mutex>
#include <new>
#include <utility>

#include "base/deadline.h"
#include "base/exit.h"
#include "base/immortal.h"
#include "base/ref.h"
#include "embed/guard.h"
#include "xichan/python.h"

namespace xichan::python {
namespace {

constexpr timespec retry_interval{0, 10'000'000};
constexpr timespec wake_grace{0, 100'000'000};

struct Table {
  Mutex lock;
  std::uint64_t next = 1;
  std::map<std::uint64_t, std::weak_ptr<TaskBoard>> boards;
};

Table& table() noexcept { return immortal<Table>(); }

// Attached, for a limited time, to the interpreter of a slot; by a thread that has no thread state.
class Visit {
 public:
  explicit Visit(std::int64_t interpreter) noexcept : gate_(find_gate(interpreter)) {
    if (gate_ == nullptr) return;
    while ((status_ = enter_gate(gate_, attachment_)) == Status::no_memory) nanosleep(&retry_interval, nullptr);
  }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;
  ~Visit() {
    if (attached()) leave_gate(attachment_);
    if (gate_ != nullptr) release_gate(gate_);
  }
  // False if the interpreter has ended or is about to.
  bool attached() const noexcept { return status_ == Status::ok; }

 private:
  Gate* gate_;
  Attachment attachment_{};
  Status status_ = Status::exiting;
};

// Sets the exception in the thread of the task. Attached to its interpreter.
void raise_in_thread(TaskSlot& slot) noexcept {
  slot.interrupted = true;
  PyThreadState_SetAsyncExc(slot.thread->thread_id, slot.interrupted_type);
  interrupt_waits();
}

struct Delivery {
  std::shared_ptr<TaskBoard> board;
  std::shared_ptr<TaskSlot> slot;
};

}  // namespace

std::shared_ptr<TaskBoard> TaskBoard::create() noexcept try {
  auto board = std::make_shared<TaskBoard>();
  Table& t = table();
  std::lock_guard guard(t.lock);
  t.boards.emplace(t.next, board);
  board->number_ = t.next++;
  return board;
} catch (const std::bad_alloc&) {
  return nullptr;
}

std::shared_ptr<TaskBoard> TaskBoard::find(std::uint64_t number) noexcept {
  Table& t = table();
  std::lock_guard guard(t.lock);
  const auto found = t.boards.find(number);
  return found == t.boards.end() ? nullptr : found->second.lock();
}

void TaskBoard::close() noexcept {
  Table& t = table();
  std::lock_guard guard(t.lock);
  t.boards.erase(number_);
}

std::shared_ptr<TaskSlot> TaskBoard::add_slot(std::int64_t interpreter) noexcept try {
  auto slot = std::make_shared<TaskSlot>(interpreter);
  std::lock_guard guard(lock_);
  slots_.push_back(slot);
  return slot;
} catch (const std::bad_alloc&) {
  return nullptr;
}

void TaskBoard::remove(const std::shared_ptr<TaskSlot>& slot) noexcept {
  std::lock_guard guard(lock_);
  std::erase(slots_, slot);
}

Status TaskBoard::interrupt(std::int64_t task, bool again) noexcept try {
  std::shared_ptr<TaskSlot> found;
  {
    std::lock_guard guard(lock_);
    bool& claimed = requested_[task];
    if (claimed && !again) return Status::ok;
    claimed = false;
    requests_.store(requested_.size(), memory_order_seq_cst);  // T3: before looking for the task
    const auto runs = [=](const auto& slot) noexcept { return slot->task.load(memory_order_seq_cst) == task; };
    const auto place = std::ranges::find_if(slots_, runs);
    if (place != slots_.end()) found = *place;
  }
  if (found == nullptr || found->delivering.exchange(true, memory_order_seq_cst) || start_delivery(found)) {
    return Status::ok;
  }
  found->delivering.store(false, memory_order_seq_cst);
  forget(task);
  return Status::no_memory;
} catch (const std::bad_alloc&) {
  return Status::no_memory;
}

void TaskBoard::forget(std::int64_t task) noexcept {
  std::lock_guard guard(lock_);
  requested_.erase(task);
  requests_.store(requested_.size(), memory_order_seq_cst);
}

bool TaskBoard::claim(std::int64_t task) noexcept {
  if (!has_requests()) return false;
  std::lock_guard guard(lock_);
  const auto found = requested_.find(task);
  return found != requested_.end() && !std::exchange(found->second, true);  // T1
}

bool TaskBoard::list(std::vector<Running>& found) noexcept try {
  const std::int64_t now = Deadline::now();
  std::lock_guard guard(lock_);
  for (const auto& slot : slots_) {
    const std::int64_t task = slot->task.load(memory_order_seq_cst);
    const std::int64_t began = slot->began.load(memory_order_seq_cst);
    // The slot may have gone on to another task in between.
    if (task == TaskSlot::idle || slot->task.load(memory_order_seq_cst) != task) continue;
    found.push_back({task, static_cast<double>(std::max<std::int64_t>(now - began, 0)) / 1e9});
  }
  return true;
} catch (const std::bad_alloc&) {
  return false;
}

bool TaskBoard::is_blocked() noexcept {
  std::lock_guard guard(lock_);
  return std::ranges::any_of(slots_,
                             [](const auto& slot) noexcept { return slot->delivering.load(memory_order_seq_cst); });
}

bool TaskBoard::begin(TaskSlot& slot, std::int64_t task) noexcept {
  slot.thread = PyThreadState_Get();
  const std::int64_t now = Deadline::now();
  slot.began.store(now, memory_order_relaxed);
  slot.place.begin(now);
  slot.task.store(task, memory_order_seq_cst);  // T3: before looking for requests
  return !claim(task);
}

void TaskBoard::raise_again(TaskSlot& slot) noexcept {
  if (slot.task.load(memory_order_relaxed) != TaskSlot::idle && slot.thread == PyThreadState_Get()) {
    raise_in_thread(slot);
  }
}

void TaskBoard::end(TaskSlot& slot) noexcept {
  slot.task.store(TaskSlot::idle, memory_order_seq_cst);
  slot.place.end();
  if (!slot.interrupted) return;
  slot.interrupted = false;
  Py_XDECREF(std::exchange(slot.thread->async_exc, nullptr));  // T2
}

bool TaskBoard::start_delivery(const std::shared_ptr<TaskSlot>& slot) noexcept {
  auto* const delivery = new (std::nothrow) Delivery{shared_from_this(), slot};
  if (delivery == nullptr) return false;
  // Signals are for the threads of the program.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  const bool started = pthread_create(&thread, nullptr, run_delivery, delivery) == 0;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (started) {
    pthread_detach(thread);
  } else {
    delete delivery;
  }
  return started;
}

void* TaskBoard::run_delivery(void* argument) noexcept {
  const std::unique_ptr<Delivery> delivery(static_cast<Delivery*>(argument));
  delivery->board->deliver(*delivery->slot);
  return nullptr;
}

void TaskBoard::deliver(TaskSlot& slot) noexcept {
  std::int64_t task;
  {
    const Visit visit(slot.interpreter);
    slot.delivering.store(false, memory_order_seq_cst);  // T3: before looking for requests
    if (!visit.attached()) return;
    task = slot.task.load(memory_order_seq_cst);
    if (task == TaskSlot::idle || !claim(task)) return;
    if (slot.wake == nullptr) return raise_in_thread(slot);
    // The function has an event loop stop its coroutine. It raises only without memory.
    const Ref held(Py_NewRef(slot.wake));
    if (!Ref(PyObject_CallNoArgs(held.get()))) PyErr_Clear();
  }
  // A coroutine that computes does not let the loop do so: then raise the exception, which may end the loop, too.
  nanosleep(&wake_grace, nullptr);
  const Visit visit(slot.interpreter);
  if (visit.attached() && slot.task.load(memory_order_seq_cst) == task && slot.wake != nullptr) raise_in_thread(slot);
}

}  // namespace xichan::python
