// The owners of the process, and what other threads see of them.
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/fork_order.h"
#include "base/immortal.h"
#include "directory/page_publisher.h"
#include "endpoint/endpoint.h"
#include "page/page.h"
#include "state/lock.h"
#include "sync/mutex.h"

namespace xichan::internal {
namespace {

struct Owners {
  Mutex lock;
  IntrusiveList<EndpointOwner, &EndpointOwner::all_hook_> list;
};

Owners& owners() noexcept { return immortal<Owners>(); }

// The threads that got the last numbers:  unit | native id.
constexpr std::uint32_t threads_known = 4096;
constinit atomic<std::uint64_t> threads[threads_known] = {};
thread_local std::uint32_t own_unit = 0;  // of the thread

void note_thread(std::uint32_t unit, std::uint32_t thread) noexcept {
  threads[unit % threads_known].store(std::uint64_t{unit} << 32 | thread, memory_order_relaxed);
}

// The owners of other interpreters stay in the list of a child, as what was opened before the fork does in theirs.
void before_fork() noexcept { owners().lock.lock(); }
void after_fork_in_parent() noexcept { owners().lock.unlock(); }
void after_fork_in_child() noexcept {
  owners().lock.unlock();
  for (auto& thread : threads) thread.store(0, memory_order_relaxed);
  if (own_unit != 0) note_thread(own_unit, static_cast<std::uint32_t>(syscall(SYS_gettid)));
}

[[gnu::constructor(leaf_fork_handler)]] void watch_forks() {
  pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

}  // namespace

EndpointOwner::EndpointOwner() noexcept : number(next_number()) {
  std::lock_guard guard(owners().lock);
  owners().list.push_back(*this);
}

EndpointOwner::~EndpointOwner() {
  release_all();
  std::lock_guard guard(owners().lock);
  owners().list.remove(*this);
}

std::uint32_t EndpointOwner::next_unit() noexcept {
  static constinit atomic<std::uint32_t> last{0};
  const std::uint32_t unit = last.fetch_add(1, memory_order_relaxed) % INT32_MAX + 1;
  own_unit = unit;
  note_thread(unit, native_thread());
  return unit;
}

std::uint32_t EndpointOwner::thread_of_unit(std::uint32_t unit) noexcept {
  const std::uint64_t known = threads[unit % threads_known].load(memory_order_relaxed);
  return known >> 32 == unit ? static_cast<std::uint32_t>(known) : 0;
}

namespace {

void find_holder(const Token& token, ObjectRow& row) noexcept {
  EndpointOwner::for_each([&](const EndpointOwner& owner) noexcept {
    if (owner.number == token.owner()) row.owner_interpreter = owner.interpreter.load(memory_order_relaxed);
  });
  row.owner_thread = EndpointOwner::thread_of_unit(token.unit());
}

[[gnu::constructor]] void set_find_holder() noexcept { PagePublisher::find_holder = find_holder; }

}  // namespace

void EndpointOwner::lock_all() noexcept { owners().lock.lock(); }
void EndpointOwner::unlock_all() noexcept { owners().lock.unlock(); }
const EndpointOwner* EndpointOwner::first_of_all() noexcept { return owners().list.first(); }

void EndpointOwner::set_name(std::string_view name) noexcept {
  const std::size_t length = std::min(name.size(), most_name_bytes);
  name_.begin_write();
  name_.set(0, length);
  for (std::size_t at = 0; at < length; at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, name.data() + at, std::min<std::size_t>(length - at, 8));
    name_.set(1 + at / 8, word);
  }
  name_.end_write();
}

std::size_t EndpointOwner::read_name(char (&out)[most_name_bytes]) const noexcept {
  std::uint64_t words[1 + most_name_bytes / 8];
  if (!name_.read(words)) return 0;
  std::memcpy(out, words + 1, most_name_bytes);
  return std::min<std::size_t>(words[0], most_name_bytes);
}

}  // namespace xichan::internal
