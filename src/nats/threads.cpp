#include "nats/threads.h"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#include "nats/fork.h"

namespace xichan::nats::internal {
namespace {

// How long exit() waits for the threads of connections.
constexpr time_t patience = 1;  // seconds

struct Running {
  std::weak_ptr<Served> connection;
  std::thread thread;

  bool has_ended() const noexcept {
    const auto held = connection.lock();
    return held == nullptr || held->has_ended();
  }
};

struct Retired {
  natsConnection* connection;
  std::uint64_t callback;
};

// Never destroyed: threads may outlive the objects with static lifetime.
struct State {
  const pid_t process = getpid();
  std::mutex mutex;
  std::vector<Running> running;
  std::mutex retired_mutex;
  std::vector<Retired> retired;
};

std::atomic<State*> current{nullptr};     // of this process, or of the one that it was forked from
std::atomic<std::uint64_t> callbacks{0};  // that have begun; read by `retire`
std::atomic<bool> exits{false};

State& state() {
  State* known = current.load();
  while (known == nullptr || is_forked(known->process)) {
    auto made = std::make_unique<State>();
    if (current.compare_exchange_strong(known, made.get())) return *made.release();
  }
  return *known;
}

void wait_for(std::thread& thread, const timespec& limit) noexcept {
  (void)pthread_timedjoin_np(thread.native_handle(), nullptr, &limit);
  ::new (std::malloc(sizeof thread)) std::thread(std::move(thread));  // `thread` does not know that it was joined
}

void end_connections() noexcept {
  State* const all = current.load();
  if (all == nullptr || is_forked(all->process)) return;
  exits = true;
  std::vector<std::shared_ptr<Served>> open;
  {
    const std::lock_guard lock(all->mutex);
    for (const Running& each : all->running) {
      if (auto connection = each.connection.lock()) open.push_back(std::move(connection));
    }
  }
  for (const auto& connection : open) connection->close_at_exit();
  timespec limit;
  clock_gettime(CLOCK_REALTIME, &limit);  // musl can wait by no other clock
  limit.tv_sec += patience;
  std::vector<Running> running;
  {
    const std::lock_guard lock(all->mutex);
    running.swap(all->running);
  }
  for (Running& each : running) wait_for(each.thread, limit);
}

}  // namespace

void Threads::start(const std::shared_ptr<Served>& connection) {
  State& all = state();
  const std::lock_guard lock(all.mutex);
  std::erase_if(all.running, [](Running& each) {
    if (!each.has_ended()) return false;
    each.thread.join();  // it does nothing but end
    return true;
  });
  all.running.push_back({connection, {}});
  try {
    all.running.back().thread = std::thread([connection]() noexcept { connection->run(); });
  } catch (...) {
    all.running.pop_back();
    throw;
  }
}

void Threads::join(const Served& connection) noexcept {
  State* const all = current.load();
  if (all == nullptr || is_forked(all->process) || !connection.has_ended()) return;
  std::thread thread;
  {
    const std::lock_guard lock(all->mutex);
    std::erase_if(all->running, [&](Running& each) {
      if (each.connection.lock().get() != &connection) return false;
      thread = std::move(each.thread);
      return true;
    });
  }
  if (thread.joinable()) thread.join();
}

void Threads::watch_exit() noexcept {
  static const int failed = std::atexit(end_connections);
  (void)failed;
}

std::uint64_t Threads::begin_callback() noexcept { return ++callbacks; }

void Threads::retire(natsConnection* closed, std::uint64_t callback) noexcept {
  State& all = *current.load();  // made by `start`
  const std::lock_guard lock(all.retired_mutex);
  try {
    all.retired.push_back({closed, callback});
  } catch (const std::bad_alloc&) {
    return;  // is never freed
  }
  if (exits) return;
  const std::uint64_t last = callbacks;
  std::erase_if(all.retired, [last](const Retired& each) {
    if (each.callback == last) return false;
    natsConnection_Destroy(each.connection);
    return true;
  });
}

}  // namespace xichan::nats::internal
