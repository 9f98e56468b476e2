// Coroutines that send to and receive from channels, driven by one poll() loop, while another thread sends to them.
//
//   coroutines [items]
#include <poll.h>
#include <xichan/async.h>
#include <xichan/xichan.h>

#include <coroutine>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <thread>
#include <utility>

namespace {

using xichan::Notifier, xichan::Receiver, xichan::Sender, xichan::Status, xichan::Value;

/// A coroutine that starts at once and is destroyed with its Task. Use the one of your event loop instead.
class Task {
 public:
  struct promise_type {
    Task get_return_object() { return Task(std::coroutine_handle<promise_type>::from_promise(*this)); }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  ~Task() {
    if (handle_) handle_.destroy();
  }
  bool done() const { return handle_.done(); }

 private:
  explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

/// Receives numbers and sends their squares. Suspends while no number is queued, and while the other channel is full.
Task square(Notifier& notifier, Receiver numbers, Sender squares) {
  Value value;
  while (co_await notifier.recv(numbers, value) == Status::ok) {
    const std::int64_t number = value.view().as_integer();
    if (co_await notifier.send(squares, Value::of(number * number)) != Status::ok) break;
  }
  squares.close();  // ends the stream: the parameters of a coroutine live as long as the Task
}

Task add(Notifier& notifier, Receiver squares, std::int64_t& sum) {
  Value value;
  while (co_await notifier.recv(squares, value) == Status::ok) sum += value.view().as_integer();
}

}  // namespace

int main(int argc, char** argv) {
  const std::int64_t items = argc > 1 ? std::atoll(argv[1]) : 10'000;
  Sender numbers_in, squares_in;
  Receiver numbers, squares;
  Notifier notifier;
  if (xichan::channel(16, numbers_in, numbers) != Status::ok) return 1;
  if (xichan::channel(4, squares_in, squares) != Status::ok) return 1;
  if (Notifier::make(notifier) != Status::ok) return 1;

  std::jthread producer([tx = std::move(numbers_in), items](std::stop_token stop) mutable {
    for (std::int64_t i = 1; i <= items; ++i) {
      if (tx.send(Value::of(i), stop) != Status::ok) return;  // blocks while the channel is full, until a stop
    }
  });

  std::int64_t sum = 0;
  {
    const Task first = square(notifier, std::move(numbers), std::move(squares_in));
    const Task last = add(notifier, std::move(squares), sum);
    while (!last.done()) {
      pollfd polled{notifier.descriptor(), POLLIN, 0};
      if (poll(&polled, 1, 60'000) != 1) return 1;
      notifier.run();  // resumes what can continue
    }
  }
  std::printf("the squares from 1 to %lld add up to %lld\n", static_cast<long long>(items),
              static_cast<long long>(sum));
  return sum == items * (items + 1) * (2 * items + 1) / 6 ? 0 : 1;
}
