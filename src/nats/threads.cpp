#include "nats/threads.h"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

#include "nats/fork.h"

namespace xichan::nats::internal {
namespace {

// How long exit() waits for the threads of connections. One that cannot write what was published needs a second to
// close.
constexpr time_t patience = 2;  // seconds

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
  std::mutex mutex;  // a thread that has ended does not take it: others join it while they hold it
  std::vector<Running> running;
  std::vector<Running> left;       // when the process exited
  std::atomic<bool> exits{false};  // set while `mutex` is held
  std::mutex retired_mutex;
  std::vector<Retired> retired;
};

std::atomic<State*> current{nullptr};     // of this process, or of the one that it was forked from
std::atomic<std::uint64_t> callbacks{0};  // that have begun; read by `retire`

State& state() {
  State* known = current.load();
  while (known == nullptr || is_forked(known->process)) {
    auto made = std::make_unique<State>();
    if (current.compare_exchange_strong(known, made.get())) return *made.release();
  }
  return *known;
}

void end_connections() noexcept {
  State* const all = current.load();
  if (all == nullptr || is_forked(all->process)) return;
  std::vector<std::shared_ptr<Served>> open;
  {
    const std::lock_guard lock(all->mutex);
    all->exits = true;
    for (const Running& each : all->running) {
      if (auto connection = each.connection.lock()) open.push_back(std::move(connection));
    }
  }
  for (const auto& connection : open) connection->close_at_exit();
  timespec limit;
  clock_gettime(CLOCK_REALTIME, &limit);  // musl can wait by no other clock
  limit.tv_sec += patience;
  {
    const std::lock_guard lock(all->mutex);
    all->left.swap(all->running);  // never destroyed: a std::thread does not know that it was joined in this way
  }
  for (Running& each : all->left) (void)pthread_timedjoin_np(each.thread.native_handle(), nullptr, &limit);
}

}  // namespace

void Threads::start(const std::shared_ptr<Served>& connection) {
  State& all = state();
  const std::lock_guard lock(all.mutex);
  if (all.exits) throw std::system_error(ECANCELED, std::generic_category(), "the process exits");
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
  const std::lock_guard lock(all->mutex);  // exit() waits for it
  std::erase_if(all->running, [&](Running& each) {
    if (each.connection.lock().get() != &connection) return false;
    each.thread.join();
    return true;
  });
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
  if (all.exits) return;
  const std::uint64_t last = callbacks;
  std::erase_if(all.retired, [last](const Retired& each) {
    if (each.callback == last) return false;
    natsConnection_Destroy(each.connection);
    return true;
  });
}

}  // namespace xichan::nats::internal
