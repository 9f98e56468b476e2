#include "directory/page_publisher.h"

#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <mutex>

#include "arena/arena.h"
#include "directory/registry.h"
#include "page/page.h"
#include "state/atomic_int.h"
#include "state/barrier.h"
#include "state/broadcast.h"
#include "state/condition.h"
#include "state/event.h"
#include "state/lock.h"
#include "state/object.h"
#include "state/semaphore.h"
#include "state/versioned_cell.h"
#include "sync/futex.h"
#include "sync/sleep_hook.h"
#include "xichan/memory.h"

namespace xichan::internal {
namespace {

constexpr std::int64_t interval_ns = 250'000'000;
constexpr std::int64_t rest =
    2'000;  // threads that are about to sleep spend at most this part of the time on snapshots
constexpr std::size_t stack_bytes = 256 << 10;

constinit Mutex snapshot_lock;             // held while a snapshot is taken: W1
constinit std::uint64_t last_snapshot{0};  // guarded by snapshot_lock

constinit Mutex thread_lock;  // held while the publisher starts or ends, which a fork waits for
constinit bool runs{false};   // this and `thread` are guarded by thread_lock
constinit pthread_t thread{};
constinit atomic<bool> ends{false};  // the publisher has to return

bool is_busy(const Channel& channel) noexcept {
  return channel.size() != 0 || channel.waiting(Side::sender) != 0 || channel.waiting(Side::receiver) != 0;
}

ChannelRow row_of(const Channel& channel, std::uint64_t snapshot) noexcept {
  const ChannelStats stats = channel.stats();
  ChannelRow row{};
  row.snapshot = snapshot;
  row.id[0] = channel.id().place;
  row.id[1] = channel.id().secret;
  row.flavor = static_cast<std::uint32_t>(channel.flavor());
  if (channel.is_closed()) row.flags |= ChannelRow::is_closed;
  if (channel.is_shut_down()) row.flags |= ChannelRow::is_shut_down;
  if (channel.is_internal()) row.flags |= ChannelRow::is_internal;
  row.capacity = channel.capacity();
  row.max_bytes = channel.max_bytes();
  row.depth = stats.depth;
  row.bytes = stats.bytes;
  row.sent = stats.sent;
  row.received = stats.received;
  row.dropped = stats.dropped;
  row.parks = stats.parks;
  row.senders = stats.senders;
  row.receivers = stats.receivers;
  row.waiting_senders = stats.waiting_senders;
  row.waiting_receivers = stats.waiting_receivers;
  if (channel.name().empty() && !channel.is_internal() && !channel.label().empty()) row.flags |= ChannelRow::is_label;
  copy_text(row.name, channel.name().empty() || channel.is_internal() ? channel.label() : channel.name());
  if (channel.part_of() != ChannelId{}) {  // "Queue.join of #1"
    const std::size_t length = strnlen(row.name, sizeof row.name);
    std::snprintf(row.name + length, sizeof row.name - length, " of #%llx",
                  static_cast<unsigned long long>(channel.part_of().place));
  }
  return row;
}

// If there are more channels than rows, those with values or waiting calls come first.
std::uint32_t write_channels(Page& page, std::uint64_t snapshot) noexcept {
  const bool is_crowded = Registry::size() > channel_slots;
  std::uint32_t used = 0;
  for (const bool busy : {true, false}) {
    std::uint64_t place = 0;
    while (used < channel_slots) {
      Channel* const channel = Registry::next(place);
      if (channel == nullptr) break;
      if (!is_crowded || is_busy(*channel) == busy) page.channels[used++].write(row_of(*channel, snapshot));
      channel->unpin();
    }
    if (!is_crowded) break;
  }
  return used;
}

void set_holder(const SharedLock& lock, ObjectRow& row) noexcept {
  const Token token = lock.token();
  row.value = token.word != 0;
  if (token.word != 0 && PagePublisher::find_holder != nullptr) PagePublisher::find_holder(token, row);
}

// Sets what is worth to know of an object besides its waiting calls; docs/reference/page.md lists it.
void set_figures(StateObject& object, ObjectRow& row) noexcept {
  const auto set = [&](std::uint64_t value, std::uint64_t limit = 0) noexcept {
    row.value = static_cast<std::int64_t>(value);
    row.limit = static_cast<std::int64_t>(limit);
  };
  switch (object.kind()) {
    case StateKind::atomic_int: row.value = static_cast<AtomicInteger&>(object).load(); break;
    case StateKind::cell: set(static_cast<VersionedCell&>(object).version()); break;
    case StateKind::lock:
    case StateKind::rlock: set_holder(static_cast<SharedLock&>(object), row); break;
    case StateKind::semaphore: set(static_cast<SharedSemaphore&>(object).value()); break;
    case StateKind::event: set(static_cast<SharedEvent&>(object).is_set()); break;
    case StateKind::barrier: {
      auto& barrier = static_cast<SharedBarrier&>(object);
      set(barrier.arrived(), barrier.parties());
      break;
    }
    case StateKind::broadcast: set(static_cast<BroadcastChannel&>(object).subscribers()); break;
    case StateKind::broadcast_sender: set(static_cast<BroadcastSender&>(object).channel().subscribers()); break;
    case StateKind::broadcast_receiver: set(static_cast<Subscription&>(object).pending()); break;
    case StateKind::condition: set_holder(static_cast<SharedCondition&>(object).guard(), row); break;
    case StateKind::map: break;  // counting its entries would stop all of its calls
  }
}

std::uint32_t write_objects(Page& page, std::uint64_t snapshot) noexcept {
  std::uint32_t used = 0;
  StateObjects::for_each([&](StateObject& object) noexcept {
    if (used == object_slots) return;
    ObjectRow row{};
    row.snapshot = snapshot;
    row.number = object.number();
    row.kind = static_cast<std::uint32_t>(object.kind());
    row.waiting = object.waiting();
    copy_text(row.name, object.name());
    row.value = ObjectRow::no_value;
    row.owner_interpreter = -1;
    set_figures(object, row);
    page.objects[used++].write(row);
  });
  return used;
}

// Under snapshot_lock. No function here takes it: what a channel or object releases when it is unpinned does not sleep.
void write_snapshot(Page& page) noexcept {
  const MemoryStats memory = Arena::stats();
  SnapshotRow row{};
  row.snapshot = ++last_snapshot;
  row.channels = Registry::size();
  row.objects = StateObjects::count();
  if (!allocate_in_page(page.snapshot)) return;
  if (allocate_in_page(page.channels)) row.channel_rows = write_channels(page, row.snapshot);
  if (allocate_in_page(page.objects)) row.object_rows = write_objects(page, row.snapshot);
  if (PagePublisher::write_remotes != nullptr && allocate_in_page(page.remotes))
    PagePublisher::write_remotes(page, row);
  row.memory_blocks = memory.blocks;
  row.memory_bytes = memory.bytes;
  row.memory_high_water = memory.high_water;
  row.memory_limit = memory.limit;
  row.memory_cached = memory.cached;
  row.memory_rings = memory.rings;
  row.memory_lent = memory.lent_bytes;
  row.time = Deadline::now();
  page.snapshot.write(row);
}

void* run(void*) noexcept {
  pthread_setname_np(pthread_self(), "xichan-page");
  Page& page = *existing_page();
  page.header.publisher.store(static_cast<std::uint32_t>(syscall(SYS_gettid)), memory_order_relaxed);
  while (!ends.load(memory_order_seq_cst)) {
    const std::uint32_t asked = page.header.request.load(memory_order_seq_cst);
    if (asked == page.header.answer.load(memory_order_relaxed)) {
      (void)shared_futex_wait(page.header.request, asked, Deadline::never());
      continue;
    }
    {
      std::lock_guard guard(snapshot_lock);
      write_snapshot(page);
    }
    page.header.answer.store(asked, memory_order_seq_cst);
    shared_futex_wake_all(page.header.answer);
    if (Arena::has_cached()) Arena::idle();  // a channel that it was the last to unpin
  }
  page.header.publisher.store(0, memory_order_relaxed);
  return nullptr;
}

// Under thread_lock.
bool create_thread() noexcept {
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return false;
  pthread_attr_setstacksize(&attributes, stack_bytes);
  // Signals are for the threads of the program.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const bool created = pthread_create(&thread, &attributes, run, nullptr) == 0;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  return created;
}

// Returns whether other processes can see the page, which this creates if there is none.
bool is_shared() noexcept { return page() != nullptr && page_descriptor() >= 0; }

bool has_other_threads() noexcept {
  struct stat tasks;
  return stat("/proc/self/task", &tasks) == 0 && tasks.st_nlink > 3;  // an entry each, besides the two of a folder
}

void before_sleep() noexcept {
  if (!is_shared()) return sleep_hook.due.store(INT64_MAX, memory_order_relaxed);
  if (syscall(SYS_gettid) != getpid()) PagePublisher::start();
  PagePublisher::publish();
}

[[gnu::constructor]] void watch_sleeps() noexcept {
  sleep_hook.call = before_sleep;
  sleep_hook.due.store(0, memory_order_relaxed);
}

}  // namespace

void PagePublisher::start() noexcept {
  if (!is_shared()) return;
  std::lock_guard guard(thread_lock);
  if (!runs) runs = create_thread();
}

void PagePublisher::publish() noexcept {
  Page* const all = page();
  const std::unique_lock guard(snapshot_lock, std::try_to_lock);
  if (all == nullptr || !guard) return;
  const std::int64_t begin = Deadline::now();
  sleep_hook.due.store(INT64_MAX, memory_order_relaxed);  // other threads need not try meanwhile
  write_snapshot(*all);
  const std::int64_t end = Deadline::now();
  sleep_hook.due.store(end + std::max(interval_ns, (end - begin) * rest), memory_order_relaxed);
}

void PagePublisher::before_fork() noexcept {
  thread_lock.lock();
  if (runs) {
    ends.store(true, memory_order_seq_cst);
    existing_page()->header.request.fetch_add(1, memory_order_seq_cst);
    shared_futex_wake_all(existing_page()->header.request);
    pthread_join(thread, nullptr);
    ends.store(false, memory_order_seq_cst);
  }
  snapshot_lock.lock();
}

void PagePublisher::after_fork(bool in_child) noexcept {
  snapshot_lock.unlock();
  if (runs) runs = !in_child && has_other_threads() && create_thread();
  thread_lock.unlock();
  if (in_child) sleep_hook.due.store(0, memory_order_relaxed);
}

constinit PagePublisher::Writer PagePublisher::write_remotes = nullptr;
constinit PagePublisher::FindHolder PagePublisher::find_holder = nullptr;

}  // namespace xichan::internal
