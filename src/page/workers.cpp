#include "page/workers.h"

#include <utility>

namespace xichan::internal {
namespace {

constinit atomic<std::uint64_t> last_number{0};

// (64) acquire and release: one worker after the other writes the row of a slot.
bool change_owner(WorkerSlot& slot, std::uint64_t from, std::uint64_t to) noexcept {
  return slot.owner.compare_exchange_strong(from, to, memory_order_acq_rel, memory_order_relaxed);
}

void raise_used(Page& all, std::uint64_t used) noexcept {
  atomic<std::uint64_t>& word = all.header.tables[workers_table].used;
  std::uint64_t seen = word.load(memory_order_relaxed);
  while (seen < used && !word.compare_exchange_weak(seen, used, memory_order_relaxed, memory_order_relaxed)) {
  }
}

}  // namespace

void WorkerPlace::claim(const WorkerRow& row) noexcept {
  release();
  Page* const all = page();
  if (all == nullptr) return;
  forks_ = page_forks();
  number_ = last_number.fetch_add(1, memory_order_relaxed) + 1;
  for (WorkerSlot& slot : all->workers) {
    if (slot.owner.load(memory_order_relaxed) != 0 || !change_owner(slot, 0, number_)) continue;
    slot.began.store(0, memory_order_relaxed);
    slot.tasks.store(0, memory_order_relaxed);
    slot.failed.store(0, memory_order_relaxed);
    slot.row.write(row);
    raise_used(*all, static_cast<std::size_t>(&slot - all->workers) + 1);
    slot_ = &slot;
    return;
  }
}

void WorkerPlace::release() noexcept {
  if (has_slot()) (void)change_owner(*slot_, number_, 0);  // false: release_workers has done so
  slot_ = nullptr;
}

void WorkerPlace::show(const WorkerRow& row) noexcept {
  if (has_slot()) slot_->row.write(row);
}

bool read_worker(std::size_t index, WorkerView& view) noexcept {
  const Page* const all = existing_page();
  if (all == nullptr) return false;
  const WorkerSlot& slot = all->workers[index];
  const std::uint64_t owner = slot.owner.load(memory_order_relaxed);
  if (owner == 0 || !slot.row.read(view.row)) return false;
  view.began = slot.began.load(memory_order_relaxed);
  view.tasks = slot.tasks.load(memory_order_relaxed);
  view.failed = slot.failed.load(memory_order_relaxed);
  return slot.owner.load(memory_order_relaxed) == owner;
}

void release_workers(std::int64_t interpreter) noexcept {
  Page* const all = existing_page();
  for (std::size_t i = 0; all != nullptr && i < worker_slots; ++i) {
    WorkerSlot& slot = all->workers[i];
    const std::uint64_t owner = slot.owner.load(memory_order_relaxed);
    WorkerRow row;
    if (owner != 0 && slot.row.read(row) && row.interpreter == interpreter) (void)change_owner(slot, owner, 0);
  }
}

}  // namespace xichan::internal
