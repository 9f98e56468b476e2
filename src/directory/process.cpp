#include "directory/process.h"

#include <pthread.h>

#include "base/random.h"
#include "directory/names.h"
#include "directory/page_publisher.h"
#include "directory/registry.h"
#include "directory/tickets.h"
#include "state/object.h"
#include "sync/idle_watch.h"
#include "sync/process_words.h"
#include "trace/trace.h"

namespace xichan::internal {

namespace {

constinit atomic<std::uint64_t> nonce_word{0};

// A fork copies the memory but only one thread. The tables are locked across it, so the child finds them consistent.
// The child then removes all channels: inherited endpoints behave as closed, and inherited channels are never modified
// (H5).
void before_fork() noexcept {
  PagePublisher::before_fork();
  Trace::lock_for_fork();
  Names::lock_for_fork();
  Registry::lock_for_fork();
  Tickets::lock_for_fork();
  StateObjects::lock_for_fork();
  idle_watchers().lock_for_fork();
}
void after_fork_in_parent() noexcept {
  idle_watchers().unlock_after_fork(false);
  StateObjects::unlock_after_fork(false);
  Tickets::unlock_after_fork(false);
  Registry::unlock_after_fork(false);
  Names::unlock_after_fork(false);
  Trace::unlock_after_fork(false);
  PagePublisher::after_fork(false);
}
void after_fork_in_child() noexcept {
  process_words.generation.fetch_add(1, memory_order_relaxed);
  process_words.exiting.store(0, memory_order_relaxed);
  nonce_word.store(0, memory_order_relaxed);
  idle_watchers().unlock_after_fork(true);
  StateObjects::unlock_after_fork(true);
  Tickets::unlock_after_fork(true);
  Registry::unlock_after_fork(true);
  Names::unlock_after_fork(true);
  Trace::unlock_after_fork(true);
  PagePublisher::after_fork(true);
}

[[gnu::constructor]] void watch_forks() { pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child); }

}  // namespace

void Process::begin_exit() noexcept {
  // (13) sequentially consistent, before looking for waiters: a call that enlists later sees it (see wait_any).
  process_words.exiting.store(1, memory_order_seq_cst);
  Registry::nudge_all();
  Names::nudge_all();
  StateObjects::nudge_all();
}

void Process::end_exit() noexcept { process_words.exiting.store(0, memory_order_seq_cst); }

std::uint64_t Process::nonce() noexcept {
  std::uint64_t nonce = nonce_word.load(memory_order_relaxed);
  if (nonce != 0) return nonce;
  const std::uint64_t fresh = random_bits() | 1;
  return nonce_word.compare_exchange_strong(nonce, fresh, memory_order_relaxed, memory_order_relaxed) ? fresh : nonce;
}

}  // namespace xichan::internal
