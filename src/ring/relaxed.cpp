#include "ring/relaxed.h"

#include <concurrentqueue.h>

#include <new>
#include <utility>

#include "base/intrusive_list.h"
#include "sync/mutex.h"

namespace xichan::internal {

// The producer token of one lane. The queue lists its tokens, because an endpoint may be released while a call that
// never returns still uses its lane; that token is destroyed with the queue.
struct RelaxedRing::Token {
  explicit Token(Queue& queue) noexcept;

  moodycamel::ProducerToken producer;
  ListHook<Token> hook;
};

struct RelaxedRing::Queue : moodycamel::ConcurrentQueue<Cell> {
  ~Queue() {
    while (Token* token = tokens.first()) {
      tokens.remove(*token);
      delete token;
    }
  }

  // Returns null if memory is exhausted.
  Token* add_token() noexcept {
    auto* token = new (std::nothrow) Token(*this);
    if (token == nullptr || !token->producer.valid()) {  // the next call tries again
      delete token;
      return nullptr;
    }
    std::lock_guard guard(lock);
    tokens.push_back(*token);
    return token;
  }
  void remove_token(Token* token) noexcept {
    {
      std::lock_guard guard(lock);
      tokens.remove(*token);
    }
    delete token;
  }

  Mutex lock;
  IntrusiveList<Token, &Token::hook> tokens;
};

RelaxedRing::Token::Token(Queue& queue) noexcept : producer(queue) {}

RelaxedRing::RelaxedRing(std::uint64_t capacity) noexcept
    : capacity_(capacity == unbounded ? mark : capacity), queue_(nullptr) {
  taken_.store(0, memory_order_relaxed);
  ready_.store(0, memory_order_relaxed);
  try {
    queue_ = new Queue;
  } catch (const std::bad_alloc&) {
  }
}

RelaxedRing::~RelaxedRing() { delete queue_; }

Status RelaxedRing::try_push(const Cell& item, Lane& lane) noexcept {
  std::uint64_t taken = taken_.load(memory_order_seq_cst);
  do {
    if (taken & mark) return Status::closed;
    if (taken >= capacity_) return Status::full;
  } while (!taken_.compare_exchange_weak(taken, taken + 1, memory_order_seq_cst, memory_order_seq_cst));
  bool pushed = false;
  {
    std::lock_guard guard(lane.lock);
    if (lane.token == nullptr) lane.token = queue_->add_token();
    const auto* token = static_cast<Token*>(lane.token);
    pushed = token != nullptr && queue_->enqueue(token->producer, item);
  }
  if (!pushed) {
    taken_.fetch_sub(1, memory_order_seq_cst);
    return Status::no_memory;
  }
  ready_.fetch_add(1, memory_order_seq_cst);  // (10) publishes the item; with the decrement in try_pop
  return Status::ok;
}

Status RelaxedRing::try_pop(Cell& item) noexcept {
  std::uint64_t ready = ready_.load(memory_order_seq_cst);
  do {
    if (ready == 0) {
      // Once the mark is set no push takes a place, and each taken place is still to be published or popped.
      const std::uint64_t taken = taken_.load(memory_order_seq_cst);
      if (taken == mark && ready_.load(memory_order_seq_cst) == 0) return Status::closed;
      return Status::empty;
    }
  } while (!ready_.compare_exchange_weak(ready, ready - 1, memory_order_seq_cst, memory_order_seq_cst));
  while (!queue_->try_dequeue(item)) cpu_relax();  // X1: an item exists
  popped_.fetch_add(1, memory_order_relaxed);
  taken_.fetch_sub(1, memory_order_seq_cst);
  return Status::ok;
}

void RelaxedRing::forget(Lane& lane) noexcept {
  if (lane.token != nullptr) queue_->remove_token(static_cast<Token*>(std::exchange(lane.token, nullptr)));
}

}  // namespace xichan::internal
