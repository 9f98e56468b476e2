#include "endpoint/remote_end.h"

#include <pthread.h>

#include <algorithm>
#include <new>
#include <utility>

#include "base/fork_order.h"
#include "base/immortal.h"
#include "sync/mutex.h"

namespace xichan::internal {
namespace {

struct Ends {
  Mutex lock;
  IntrusiveList<RemoteEnd, &RemoteEnd::all_hook_> list;
};

Ends& ends() noexcept { return immortal<Ends>(); }

// Connections do not survive a fork, and neither do their endpoints.
void before_fork() noexcept { ends().lock.lock(); }
void after_fork_in_parent() noexcept { ends().lock.unlock(); }
void after_fork_in_child() noexcept {
  ends().list.clear();
  ends().lock.unlock();
}

[[gnu::constructor(leaf_fork_handler)]] void watch_forks() {
  pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

}  // namespace

RemoteEnd* RemoteEnd::open(EndpointOwner& owner, std::string_view name, std::string_view server, Side side,
                           EndpointOrigin origin) noexcept try {
  if (owner.has_ended()) return nullptr;
  auto* const end = new RemoteEnd(owner, name, server, side, origin);
  owner.add(*end);
  std::lock_guard guard(ends().lock);
  ends().list.push_back(*end);
  return end;
} catch (const std::bad_alloc&) {
  return nullptr;
}

void RemoteEnd::close() noexcept {
  EndpointOwner* const owner = std::exchange(owner_, nullptr);
  if (owner == nullptr) return;
  owner->remove(*this);
  std::lock_guard guard(ends().lock);
  if (generation_ == process_generation()) ends().list.remove(*this);
}

void RemoteEnd::begin_wait_on(const ChannelId& channel) noexcept try {
  std::lock_guard guard(ends().lock);
  local_.push_back(channel);
} catch (const std::bad_alloc&) {
}

void RemoteEnd::end_wait_on(const ChannelId& channel) noexcept {
  std::lock_guard guard(ends().lock);
  const auto found = std::ranges::find(local_, channel);
  if (found != local_.end()) local_.erase(found);
}

void RemoteEnd::destroy(RemoteEnd* end) noexcept {
  end->close();
  delete end;
}

RemoteEnd::Locked::Locked() noexcept { ends().lock.lock(); }
RemoteEnd::Locked::Locked(std::try_to_lock_t) noexcept : is_held(ends().lock.try_lock()) {}
RemoteEnd::Locked::~Locked() {
  if (is_held) ends().lock.unlock();
}
const RemoteEnd* RemoteEnd::Locked::first() const noexcept { return is_held ? ends().list.first() : nullptr; }

}  // namespace xichan::internal
