#include "state/object.h"

#include <cstdio>
#include <iterator>

#include "base/immortal.h"
#include "sync/mutex.h"
#include "trace/trace.h"

namespace xichan::internal {
namespace {

struct Table {
  Mutex lock;
  StateObject::List objects;  // in the order of their numbers
  std::uint64_t last_number = 0;
  std::uint64_t count = 0;
};

Table& table() noexcept { return immortal<Table>(); }

// As Python shows them.
constexpr const char* kind_names[] = {
    "AtomicInt", "Cell",    "Map",       "Lock",      "RLock",           "Semaphore",
    "Event",     "Barrier", "Condition", "Broadcast", "BroadcastSender", "BroadcastReceiver"};
static_assert(std::size(kind_names) == state_kind_count);

void release_object(void* object) noexcept { static_cast<StateObject*>(object)->release(); }

}  // namespace

constinit const ReferenceType state_reference{ReferenceKind::state, release_object};

StateObject::StateObject(StateKind kind) noexcept : kind_(kind) { references_.store(1, memory_order_relaxed); }

bool StateObject::try_retain() noexcept {
  std::uint64_t count = references_.load(memory_order_relaxed);
  while (count != 0) {
    if (references_.compare_exchange_weak(count, count + 1, memory_order_relaxed, memory_order_relaxed)) return true;
  }
  return false;
}

void StateObject::release() noexcept {
  // (33) release and acquire, with itself in other threads: every use happens before the object is destroyed.
  if (references_.fetch_sub(1, memory_order_acq_rel) != 1) return;
  if (is_inherited()) return;  // O3: its lists are not touched, and it is leaked
  if (forget_name_ != nullptr) forget_name_(*this);
  if (number_ != 0) StateObjects::remove(*this);
  delete this;
}

TraceSubject StateObject::trace_subject() const noexcept {
  const TraceSubject subject{.kind = TraceSubject::Kind::object, .words = {number_, 0}};
  if (!is_traced()) return subject;
  char label[96];
  const int length =
      name_.empty()
          ? std::snprintf(label, sizeof label, "%s %llu", kind_names[static_cast<std::size_t>(kind_)],
                          static_cast<unsigned long long>(number_))
          : std::snprintf(label, sizeof label, "%s %.64s", kind_names[static_cast<std::size_t>(kind_)], name_.c_str());
  Trace::name(subject, {label, static_cast<std::size_t>(length)});
  return subject;
}

std::uint32_t StateObject::waiting() const noexcept { return 0; }

void StateObject::nudge(const void*) noexcept {}

void StateObject::owner_ended(std::uint32_t) noexcept {}

void StateObjects::add(StateObject& object) noexcept {
  Table& t = table();
  std::lock_guard guard(t.lock);
  object.number_ = ++t.last_number;
  t.objects.push_back(object);
  ++t.count;
}

void StateObjects::remove(StateObject& object) noexcept {
  Table& t = table();
  std::lock_guard guard(t.lock);
  t.objects.remove(object);
  --t.count;
}

// Returns the first object after `after`, or the first of all, that is not being destroyed, retained; or null.
StateObject* StateObjects::next(StateObject* after) noexcept {
  Table& t = table();
  std::lock_guard guard(t.lock);
  StateObject* object = after == nullptr ? t.objects.first() : t.objects.next(*after);
  while (object != nullptr && !object->try_retain()) object = t.objects.next(*object);
  return object;
}

StateObject* StateObjects::find(std::uint64_t number) noexcept {
  Table& t = table();
  std::lock_guard guard(t.lock);
  for (StateObject* object = t.objects.first(); object != nullptr; object = t.objects.next(*object)) {
    if (object->number() == number) return object->try_retain() ? object : nullptr;
  }
  return nullptr;
}

std::uint64_t StateObjects::count() noexcept {
  Table& t = table();
  std::lock_guard guard(t.lock);
  return t.count;
}

void StateObjects::nudge_all() noexcept { nudge_owner(nullptr); }

void StateObjects::nudge_owner(const void* owner) noexcept {
  for_each([=](StateObject& object) noexcept { object.nudge(owner); });
}

void StateObjects::owner_ended(std::uint32_t owner) noexcept {
  for_each([=](StateObject& object) noexcept { object.owner_ended(owner); });
}

void StateObjects::lock_for_fork() noexcept { table().lock.lock(); }

void StateObjects::unlock_after_fork(bool in_child) noexcept {
  Table& t = table();
  if (in_child) {
    t.objects.clear();
    t.count = 0;
  }
  t.lock.unlock();
}

}  // namespace xichan::internal
