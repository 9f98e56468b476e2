// co_await on channels: coroutines that an event loop or an executor resumes.
#include "xichan/async.h"

#include <poll.h>

#include <atomic>
#include <deque>
#include <optional>
#include <thread>

#include "page/page.h"
#include "page/wait_report.h"
#include "public/public_support.h"

namespace xichan {
namespace {

/// A coroutine that starts at once and is destroyed with its handle.
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

Task receive_all(Notifier& notifier, Receiver& receiver, std::vector<std::int64_t>& got, Status& last) {
  Value value;
  while ((last = co_await notifier.recv(receiver, value)) == Status::ok) got.push_back(value.view().as_integer());
}

Task send_all(Notifier& notifier, Sender& sender, std::int64_t count, Status& last) {
  for (std::int64_t i = 0; i < count; ++i) {
    last = co_await notifier.send(sender, Value::of(i));
    if (last != Status::ok) co_return;
  }
  sender.close();
}

// The coroutines that wait, as readers of the page see them: the call, and whether it is that of a receiver.
std::vector<std::pair<std::string, bool>> shown_coroutines() {
  std::vector<std::pair<std::string, bool>> found;
  const internal::Page* const page = internal::existing_page();
  for (std::size_t i = 0; page != nullptr && i < internal::used_wait_slots(*page); ++i) {
    internal::ShownWait wait;
    if (!internal::read_wait(*page, i, wait) || (wait.flags & internal::WaitReport::is_coroutine) == 0) continue;
    found.emplace_back(std::string(wait.call, wait.call_length), wait.targets == 1 && wait.target[0].receives);
  }
  return found;
}

bool is_readable(const Notifier& notifier, int timeout = 0) {
  pollfd polled{notifier.descriptor(), POLLIN, 0};
  return poll(&polled, 1, timeout) == 1;
}

class PublicAsync : public test::PublicTest {
 protected:
  void SetUp() override { ASSERT_EQ(Notifier::make(notifier), Status::ok); }

  Notifier notifier;
  std::vector<std::int64_t> got;
  Status received = Status::invalid;
  Status sent = Status::invalid;
};

TEST_F(PublicAsync, CoroutinesExchangeValuesOverEveryFlavor) {
  const test::Watchdog watchdog("coroutines on every flavor");
  const ChannelOptions kinds[] = {{.capacity = 1},
                                  {.capacity = 0},
                                  {.capacity = unbounded},
                                  {.flavor = Flavor::spsc, .capacity = 2},
                                  {.flavor = Flavor::relaxed, .capacity = 2},
                                  {.capacity = 2, .max_bytes = 100}};
  for (const ChannelOptions& options : kinds) {
    auto [sender, receiver] = open(options);
    got.clear();
    const Task consumer = receive_all(notifier, receiver, got, received);
    const Task producer = send_all(notifier, sender, 1'000, sent);
    while (!consumer.done()) {
      ASSERT_TRUE(is_readable(notifier, 60'000));
      notifier.run();
    }
    EXPECT_TRUE(producer.done());
    EXPECT_EQ(received, Status::closed);
    ASSERT_EQ(got.size(), 1'000u);
    for (std::int64_t i = 0; i < 1'000; ++i) ASSERT_EQ(got[static_cast<std::size_t>(i)], i);
    notifier.run();
    EXPECT_FALSE(is_readable(notifier));
  }
}

TEST_F(PublicAsync, CoroutineMeetsThread) {
  const test::Watchdog watchdog("a coroutine and a thread");
  for (const std::uint64_t capacity : {0, 3}) {
    auto [sender, receiver] = open({.capacity = capacity});
    const int items = test::rounds(5'000);
    got.clear();
    std::thread producer([&, tx = std::move(sender)]() mutable {
      for (int i = 0; i < items; ++i) ASSERT_EQ(tx.send(Value::of(i)), Status::ok);
    });
    const Task consumer = receive_all(notifier, receiver, got, received);
    while (!consumer.done()) {
      ASSERT_TRUE(is_readable(notifier, 60'000));
      notifier.run();
    }
    producer.join();
    EXPECT_EQ(got.size(), static_cast<std::size_t>(items));
  }
}

/// A coroutine that destroys itself when it ends.
struct Detached {
  struct promise_type {
    Detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

Detached receive_one(Notifier& notifier, Receiver receiver, std::atomic<Status>& last) {
  Value value;
  const Status status = co_await notifier.recv(receiver, value);
  receiver.close();  // perhaps the last endpoint of the channel
  last = status;
}

TEST_F(PublicAsync, LoopOfAnotherThreadCompletesCallThatBegins) {
  const test::Watchdog watchdog("coroutines that begin on another thread than their loop");
  std::atomic<bool> ended = false;
  std::thread loop([&] {
    while (!ended) notifier.run();
  });
  for (const std::uint64_t capacity : {1, 0}) {
    for (int i = 0; i < test::rounds(500); ++i) {
      auto [sender, receiver] = open({.capacity = capacity});
      std::atomic<Status> last = Status::empty;
      std::thread peer([tx = std::move(sender)]() mutable { EXPECT_EQ(tx.send(Value::of(1)), Status::ok); });
      receive_one(notifier, std::move(receiver), last);
      while (last == Status::empty) std::this_thread::yield();
      EXPECT_EQ(last, Status::ok);
      peer.join();
    }
  }
  ended = true;
  loop.join();
}

TEST_F(PublicAsync, ExecutorResumesCoroutines) {
  const test::Watchdog watchdog("an executor");
  auto [sender, receiver] = open({.capacity = 1});
  std::deque<std::coroutine_handle<>> queue;
  const Task consumer = receive_all(notifier, receiver, got, received);
  const Task producer = send_all(notifier, sender, 100, sent);
  while (!consumer.done()) {
    notifier.run([&](std::coroutine_handle<> coroutine) { queue.push_back(coroutine); });
    while (!queue.empty()) {
      const auto next = queue.front();
      queue.pop_front();
      std::thread([next] { next.resume(); }).join();
    }
  }
  EXPECT_EQ(got.size(), 100u);
}

TEST_F(PublicAsync, DestroyedCoroutineLosesNoValue) {
  auto [sender, receiver] = open({.capacity = 1});
  {
    const Task waiting = receive_all(notifier, receiver, got, received);
    EXPECT_EQ(sender.send(Value::of(7)), Status::ok);
    EXPECT_TRUE(is_readable(notifier));
  }
  EXPECT_FALSE(is_readable(notifier));
  EXPECT_EQ(notifier.run(), 0u);
  {
    std::optional<Task> first = receive_all(notifier, receiver, got, received);
    EXPECT_EQ(got, std::vector<std::int64_t>{7}) << "received at once";
    std::vector<std::int64_t> other;
    Receiver clone = receiver.clone();
    const Task second = receive_all(notifier, clone, other, received);
    EXPECT_EQ(sender.send(Value::of(8)), Status::ok);  // notifies the first
    first.reset();                                     // passes the notification on
    notifier.run();
    EXPECT_EQ(other, std::vector<std::int64_t>{8});
  }
  EXPECT_EQ(sender.send(text(std::string(100, 'x'))), Status::ok);
}

TEST_F(PublicAsync, FailuresAreResults) {
  auto [sender, receiver] = open({.capacity = 1});
  {
    const Task consumer = receive_all(notifier, receiver, got, received);
    sender.shutdown();
    notifier.run();
    EXPECT_TRUE(consumer.done());
    EXPECT_EQ(received, Status::closed);
  }
  Sender none;
  const Task producer = send_all(notifier, none, 1, sent);
  EXPECT_EQ(sent, Status::end_closed);
  Notifier empty;
  auto [tx, rx] = open({.capacity = 1});
  const Task unserved = receive_all(empty, rx, got, received);
  EXPECT_EQ(received, Status::invalid) << "an empty notifier cannot suspend";
}

TEST_F(PublicAsync, WaitsAreShownUntilTheyAreDecided) {
  using Shown = std::vector<std::pair<std::string, bool>>;
  auto [sender, receiver] = open({.capacity = 1});
  EXPECT_EQ(shown_coroutines(), Shown());
  {
    Task waiting = receive_all(notifier, receiver, got, received);
    EXPECT_EQ(shown_coroutines(), (Shown{{"Notifier.recv", true}}));
    ASSERT_EQ(sender.send_nowait(Value::of(1)), Status::ok);
    EXPECT_EQ(shown_coroutines(), Shown());  // before the loop knows
    notifier.run();
    EXPECT_EQ(got.size(), 1u);
    EXPECT_EQ(shown_coroutines(), (Shown{{"Notifier.recv", true}}));
  }
  EXPECT_EQ(shown_coroutines(), Shown());  // destroyed
  Task sending = send_all(notifier, sender, 2, sent);
  EXPECT_EQ(shown_coroutines(), (Shown{{"Notifier.send", false}}));
  receiver.close();
  EXPECT_EQ(shown_coroutines(), Shown());
  notifier.run();
  EXPECT_EQ(sent, Status::closed);
}

TEST_F(PublicAsync, NotifierIsMovable) {
  EXPECT_GE(notifier.descriptor(), 0);
  EXPECT_EQ(Notifier().descriptor(), -1);
  Notifier moved = std::move(notifier);
  EXPECT_EQ(notifier.descriptor(), -1);
  EXPECT_GE(moved.descriptor(), 0);
  EXPECT_EQ(Notifier::make(moved), Status::ok) << "replaces the previous one";
}

}  // namespace
}  // namespace xichan
