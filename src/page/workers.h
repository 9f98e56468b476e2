// The slots of the workers in the page.
#pragma once

#include "page/page.h"
#include "xichan/export.h"

namespace xichan::internal {

/// A slot that a worker has claimed, or none if there was no free one. Thread safety: one thread at a time, beside
/// `release_workers`.
class XICHAN_API WorkerPlace {
 public:
  WorkerPlace() noexcept = default;
  WorkerPlace(const WorkerPlace&) = delete;
  WorkerPlace& operator=(const WorkerPlace&) = delete;
  ~WorkerPlace() { release(); }

  /// Claims a slot, if there is a free one, and fills it.
  void claim(const WorkerRow& row) noexcept;
  void release() noexcept;
  /// Replaces the row.
  void show(const WorkerRow& row) noexcept;

  // A task begins, at this time of Deadline::now(), or ends. Under the lock of the interpreter, which ends holding it:
  // no other worker has the slot meanwhile.
  void begin(std::int64_t now) noexcept {
    if (has_slot()) slot_->began.store(now, memory_order_relaxed);
  }
  void end() noexcept {
    if (!has_slot()) return;
    slot_->began.store(0, memory_order_relaxed);
    // No other thread writes it.
    slot_->tasks.store(slot_->tasks.load(memory_order_relaxed) + 1, memory_order_relaxed);
  }
  /// Counts a task that has failed, of which the row has the error.
  void fail(const WorkerRow& row) noexcept {
    show(row);
    if (!has_slot()) return;
    slot_->failed.store(slot_->failed.load(memory_order_relaxed) + 1, memory_order_relaxed);
  }

 private:
  // The page of the parent of a fork is not mapped in the child.
  bool has_slot() const noexcept { return slot_ != nullptr && forks_ == page_forks(); }

  WorkerSlot* slot_ = nullptr;
  std::uint64_t owner_ = 0;  // SlotOwner::identity()
  std::uint32_t forks_ = 0;
};

/// What the slot of a worker shows.
struct WorkerView {
  WorkerRow row;
  std::int64_t began;
  std::uint64_t tasks;
  std::uint64_t failed;
};

/// Reads the slot with this index, which is below `worker_slots`. Returns false if no worker has it or it is being
/// written. Any thread.
XICHAN_API bool read_worker(std::size_t index, WorkerView& view) noexcept;

/// Releases all slots of an interpreter that has ended. Any thread.
XICHAN_API void release_workers(std::int64_t interpreter) noexcept;

}  // namespace xichan::internal
