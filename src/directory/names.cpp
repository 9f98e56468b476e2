#include "directory/names.h"

#include <map>
#include <new>
#include <string>

#include "base/immortal.h"
#include "sync/thread_waiter.h"

namespace xichan::internal {
namespace {

struct Entry {
  NameKind kind;
  ChannelId id;
  Cell value;
};

struct Table {
  Mutex lock;
  std::map<std::string, Entry, std::less<>> entries;
  // (15) sequentially consistent, with the registration of waiters: a change happens before the look for waiters, and a
  // waiter re-reads the version after it has registered.
  atomic<std::uint32_t> version{0};
  Mutex waiters_lock;
  WaitList waiters{waiters_lock};
};

Table& table() noexcept { return immortal<Table>(); }

Status add(std::string_view name, const Entry& entry) noexcept try {
  Table& t = table();
  {
    std::lock_guard guard(t.lock);
    if (!t.entries.try_emplace(std::string(name), entry).second) return Status::name_taken;
  }
  t.version.fetch_add(1, memory_order_seq_cst);
  t.waiters.notify_all();
  return Status::ok;
} catch (const std::bad_alloc&) {
  return Status::no_memory;
}

}  // namespace

Status Names::add_channel(std::string_view name, const ChannelId& id) noexcept {
  return add(name, {NameKind::channel, id, {}});
}

Status Names::publish(std::string_view name, const Cell& value) noexcept {
  return add(name, {NameKind::value, {}, value});
}

Status Names::unpublish(std::string_view name, Cell& value) noexcept {
  Table& t = table();
  std::lock_guard guard(t.lock);
  const auto found = t.entries.find(name);
  if (found == t.entries.end() || found->second.kind != NameKind::value) return Status::not_found;
  value = found->second.value;
  t.entries.erase(found);
  return Status::ok;
}

void Names::remove(std::string_view name) noexcept {
  Table& t = table();
  std::lock_guard guard(t.lock);
  const auto found = t.entries.find(name);
  if (found != t.entries.end()) t.entries.erase(found);
}

NameKind Names::find(std::string_view name, ChannelId& id, Cell& value) noexcept {
  Table& t = table();
  std::lock_guard guard(t.lock);
  const auto found = t.entries.find(name);
  if (found == t.entries.end()) return NameKind::nothing;
  const Entry& entry = found->second;
  id = entry.id;
  value = entry.value;
  retain(value);
  return entry.kind;
}

std::uint32_t Names::version() noexcept { return table().version.load(memory_order_seq_cst); }

Status Names::wait(std::uint32_t seen, const WaitLimits& limits) noexcept {
  Table& t = table();
  ThreadWaiter waiter;
  WaitNode node{.waiter = &waiter, .owner = limits.owner_exiting};
  t.waiters.add(node);
  const bool ends = exit_began(limits);
  WaitResult result = WaitResult::woken;
  // A change wakes all waiters, so there is no token to pass on.
  if (version() == seen && !ends) result = waiter.park(earlier(limits.deadline, limits.slice));
  t.waiters.remove(node);
  if (version() != seen) return Status::ok;
  if (limits.deadline.passed()) return Status::timeout;
  return result == WaitResult::woken && !waiter.was_nudged() && !ends ? Status::ok : Status::interrupted;
}

void Names::nudge_all() noexcept { table().waiters.nudge_all(); }

void Names::nudge_owner(const atomic<bool>* owner_exiting) noexcept { table().waiters.nudge_owner(owner_exiting); }

void Names::lock_for_fork() noexcept {
  table().lock.lock();
  table().waiters_lock.lock();
}

void Names::unlock_after_fork(bool in_child) noexcept {
  Table& t = table();
  if (in_child) t.waiters.forget_all();
  t.waiters_lock.unlock();
  if (in_child) std::erase_if(t.entries, [](const auto& entry) { return entry.second.kind == NameKind::channel; });
  t.lock.unlock();
}

}  // namespace xichan::internal
