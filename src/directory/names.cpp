#include "directory/names.h"

#include <map>
#include <new>
#include <string>
#include <utility>

#include "base/immortal.h"
#include "state/object.h"
#include "sync/thread_waiter.h"
#include "trace/trace.h"

namespace xichan::internal {
namespace {

struct Entry {
  NameKind kind;
  ChannelId id;
  Cell value;
  StateObject* object = nullptr;  // not owned
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

// Calls `added` under the lock.
template <class Added>
Status add(std::string_view name, const Entry& entry, Added added) noexcept try {
  Table& t = table();
  {
    std::lock_guard guard(t.lock);
    if (!t.entries.try_emplace(std::string(name), entry).second) return Status::name_taken;
    added();
  }
  t.version.fetch_add(1, memory_order_seq_cst);
  t.waiters.notify_all();
  return Status::ok;
} catch (const std::bad_alloc&) {
  return Status::no_memory;
}

}  // namespace

Status Names::add_channel(std::string_view name, const ChannelId& id) noexcept {
  return add(name, {NameKind::channel, id, {}}, []() noexcept {});
}

// Whether the name is free is known only under the lock; once another thread can find the object, by its name or in the
// list, its name and number no longer change.
Status Names::add_state(std::string_view name, StateObject& object) noexcept try {
  std::string its_name(name);
  return add(name, {NameKind::state, {}, {}, &object}, [&]() noexcept {
    object.set_name(std::move(its_name), [](StateObject& named) noexcept { remove(named.name()); });
    StateObjects::add(object);
  });
} catch (const std::bad_alloc&) {
  return Status::no_memory;
}

Status Names::publish(std::string_view name, const Cell& value, bool replace, Cell& previous) noexcept {
  previous = {};
  for (;;) {
    const Status status = add(name, {NameKind::value, {}, value}, []() noexcept {});
    if (status != Status::name_taken || !replace) return status;
    Table& t = table();
    std::lock_guard guard(t.lock);
    const auto found = t.entries.find(name);
    if (found == t.entries.end()) continue;  // removed meanwhile
    if (found->second.kind != NameKind::value) return Status::name_taken;
    previous = std::exchange(found->second.value, value);
    return Status::ok;
  }
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

Names::Found Names::find(std::string_view name) noexcept {
  Table& t = table();
  std::lock_guard guard(t.lock);
  const auto found = t.entries.find(name);
  if (found == t.entries.end()) return {};
  const Entry& entry = found->second;
  if (entry.object != nullptr && !entry.object->try_retain()) return {};  // O2
  retain(entry.value);
  return {entry.kind, entry.id, entry.value, entry.object};
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
  if (version() == seen && !ends) {
    if (limits.report != nullptr) limits.report->show({}, 0);
    TraceSpan span(TraceKind::wait, {}, TraceCall::lookup);
    result = waiter.park(earlier(limits.deadline, limits.slice));
    if (result != WaitResult::woken && !limits.deadline.passed()) span.cut();
  }
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
  if (in_child) std::erase_if(t.entries, [](const auto& entry) { return entry.second.kind != NameKind::value; });
  t.lock.unlock();
}

}  // namespace xichan::internal
