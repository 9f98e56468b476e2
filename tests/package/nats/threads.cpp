// Threads that share endpoints, and calls that end because another thread closes what they wait for. The argument is
// the URL of the server.
#include <xichan/nats.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "check.h"

namespace {

using namespace std::chrono_literals;
using xichan::Status;
using xichan::Value;
namespace nats = xichan::nats;

constexpr std::int64_t per_thread = 150;
constexpr int threads = 4;

// A call of another thread is about to block. The pause makes it likely; the outcome does not depend on it.
void let_it_block() { std::this_thread::sleep_for(300ms); }

void share_endpoints(nats::Hub& hub) {
  nats::Sender tx;
  nats::Receiver rx;
  CHECK(hub.channel("threads", {.capacity = 16}, tx, rx) == Status::ok);
  std::atomic<std::int64_t> sum = 0, count = 0;
  std::vector<std::thread> senders, receivers;
  for (int i = 0; i < threads; ++i) {
    senders.emplace_back([&] {
      for (std::int64_t n = 0; n < per_thread; ++n) CHECK(tx.send(Value::of(n)) == Status::ok);
    });
    receivers.emplace_back([&] {
      Value value;
      Status status;
      while ((status = rx.recv(value)) == Status::ok) {
        sum += value.view().as_integer();
        ++count;
      }
      CHECK(status == Status::closed);
    });
  }
  for (auto& thread : senders) thread.join();
  tx.close();
  for (auto& thread : receivers) thread.join();
  CHECK(count == threads * per_thread);
  CHECK(sum == threads * per_thread * (per_thread - 1) / 2);
  CHECK(hub.remove("threads") == Status::ok);
}

void close_ends_calls(nats::Hub& hub) {
  nats::Sender tx;
  nats::Receiver rx;
  CHECK(hub.channel("closing", {.capacity = 1, .keep = true}, tx, rx) == Status::ok);
  std::thread receiving([&] {
    Value value;
    CHECK(rx.recv(value) == Status::end_closed);
    nats::Lease lease;
    CHECK(rx.lease(lease) == Status::end_closed);
  });
  let_it_block();
  rx.close();
  receiving.join();
  CHECK(tx.send(Value::of(1)) == Status::ok);
  std::thread sending([&] { CHECK(tx.send(Value::of(2)) == Status::end_closed); });
  std::thread waiting([&] { CHECK(tx.wait_closed() == Status::end_closed); });
  let_it_block();
  tx.close();
  sending.join();
  waiting.join();
  CHECK(tx.closed() && rx.closed());
  CHECK(hub.remove("closing") == Status::ok);
}

void hub_ends_calls(const char* url) {
  nats::Hub hub = nats::connect(url);
  CHECK(hub && hub.connected() && !hub.closed());
  nats::Sender tx;
  nats::Receiver rx;
  CHECK(hub.channel("hub", {}, tx, rx) == Status::ok);
  nats::Lease lease;
  CHECK(tx.send(Value::of(5)) == Status::ok);
  CHECK(rx.lease(lease) == Status::ok);
  std::thread receiving([&] {
    Value value;
    CHECK(rx.recv(value) == Status::end_closed);
  });
  let_it_block();
  hub.close();
  receiving.join();
  CHECK(hub.closed() && !hub.connected());
  CHECK(tx.send(Value::of(1)) == Status::end_closed);
  CHECK(lease.ack() == Status::end_closed);
  CHECK(lease.value().as_integer() == 5);
  CHECK(hub.sender("hub", tx) == Status::end_closed);
}

void move_and_replace(nats::Hub& hub) {
  nats::Sender tx;
  nats::Receiver rx;
  CHECK(tx.send(Value::of(1)) == Status::end_closed && !tx && tx.name().empty() && tx.closed());
  CHECK(hub.channel("moved", {.keep = true}, tx, rx) == Status::ok);
  nats::Sender other = std::move(tx);
  CHECK(!tx && other && other.name() == "moved" && other.capacity() == 1000);
  CHECK(hub.sender("moved", other) == Status::ok);  // replaces it
  CHECK(other.send(Value::of(3)) == Status::ok);
  nats::Receiver moved = std::move(rx);
  nats::Lease lease, second;
  CHECK(moved.lease(lease) == Status::ok);
  second = std::move(lease);
  CHECK(lease.done() && !second.done() && second.ack() == Status::ok && second.ack() == Status::end_closed);
  CHECK(hub.remove("moved") == Status::ok);
}

void destructors_keep_the_error(nats::Hub& hub) {
  {
    nats::Sender tx;
    nats::Receiver rx;
    CHECK(hub.channel("kept", {.capacity = 1}, tx, rx) == Status::ok);
    CHECK(tx.send_nowait(Value::of(1)) == Status::ok && tx.send_nowait(Value::of(2)) == Status::full);
  }
  CHECK(nats::last_error().message == "the channel 'kept' is full");
  CHECK(hub.remove("kept") == Status::ok);
}

}  // namespace

int main(int, char** arguments) {
  nats::Hub hub;
  CHECK(nats::connect(arguments[1], {}, hub) == Status::ok);
  share_endpoints(hub);
  close_ends_calls(hub);
  hub_ends_calls(arguments[1]);
  move_and_replace(hub);
  CHECK(hub.remove("hub") == Status::ok);
  destructors_keep_the_error(hub);
  std::puts("done");
  return 0;
}
