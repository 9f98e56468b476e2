#include "page/workers.h"

namespace xichan::internal {
namespace {

constinit atomic<std::uint64_t> last_number{0};

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
  owner_ = SlotOwner::identity(row.interpreter, last_number.fetch_add(1, memory_order_relaxed));
  for (WorkerSlot& slot : all->workers) {
    if (!allocate_in_page(slot)) return;
    if (!slot.owner.try_take(owner_)) continue;
    slot.began.store(0, memory_order_relaxed);
    slot.tasks.store(0, memory_order_relaxed);
    slot.failed.store(0, memory_order_relaxed);
    slot.row.write(row);
    raise_used(*all, static_cast<std::size_t>(&slot - all->workers) + 1);
    if (slot.owner.end_write(owner_)) slot_ = &slot;
    return;
  }
}

void WorkerPlace::release() noexcept {
  if (has_slot()) slot_->owner.release(owner_);
  slot_ = nullptr;
}

void WorkerPlace::show(const WorkerRow& row) noexcept {
  if (!has_slot()) return;
  bool is_own = slot_->owner.begin_write(owner_);
  if (is_own) {
    slot_->row.write(row);
    is_own = slot_->owner.end_write(owner_);
  }
  if (!is_own) slot_ = nullptr;  // release_workers has taken it
}

bool read_worker(std::size_t index, WorkerView& view) noexcept {
  const Page* const all = existing_page();
  if (all == nullptr) return false;
  const WorkerSlot& slot = all->workers[index];
  const std::uint64_t owner = slot.owner.get();
  if (owner == 0 || !slot.row.read(view.row)) return false;
  view.began = slot.began.load(memory_order_relaxed);
  view.tasks = slot.tasks.load(memory_order_relaxed);
  view.failed = slot.failed.load(memory_order_relaxed);
  return slot.owner.get() == owner;
}

void release_workers(std::int64_t interpreter) noexcept {
  Page* const all = existing_page();
  for (std::size_t i = 0; all != nullptr && i < worker_slots; ++i) all->workers[i].owner.release_of(interpreter);
}

}  // namespace xichan::internal
