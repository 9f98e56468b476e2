// nats_lower_bound: times calls of libnats. bench/compare_nats.py runs it beside the same work through xichan.nats and
// nats-py.
//
// Usage: nats_lower_bound URL. Reads lines "SCENARIO SIZE COUNT", and prints for each the seconds that it took, and for
// publish_ack the 50th and 99th percentile of a call in seconds. The stream has the settings of a channel: the capacity
// is its number of messages, and each message has an id. Exits with an error if a message is lost or has another size.
#include <nats/nats.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr int window = 256;  // messages that a fetch asks for, and publishes that wait for their acknowledgment
constexpr int64_t patience = 10'000;  // milliseconds
const char* const name = "lower_bound";

void check(natsStatus status, const char* call) {
  if (status == NATS_OK) return;
  std::fprintf(stderr, "%s: %s\n", call, natsStatus_GetText(status));
  std::exit(1);
}

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// A connection with its JetStream context.
class Connection {
 public:
  explicit Connection(const char* url) {
    check(natsConnection_ConnectTo(&connection_, url), "connect");
    jsOptions options;
    jsOptions_Init(&options);
    options.PublishAsync.MaxPending = window;
    options.PublishAsync.StallWait = patience;
    options.PublishAsync.ErrHandler = [](jsCtx*, jsPubAckErr* error, void*) { check(error->Err, "publish"); };
    check(natsConnection_JetStream(&js_, connection_, &options), "JetStream");
  }
  ~Connection() {
    jsCtx_Destroy(js_);
    natsConnection_Destroy(connection_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  jsCtx* js() const { return js_; }

 private:
  natsConnection* connection_ = nullptr;
  jsCtx* js_ = nullptr;
};

// Replaces the stream by an empty one.
void make_stream(const Connection& connection, std::int64_t capacity) {
  js_DeleteStream(connection.js(), name, nullptr, nullptr);
  jsStreamConfig config;
  jsStreamConfig_Init(&config);
  const char* subjects[] = {name};
  config.Name = name;
  config.Subjects = subjects;
  config.SubjectsLen = 1;
  config.Retention = js_WorkQueuePolicy;
  config.Discard = js_DiscardNew;
  config.Storage = js_MemoryStorage;
  config.MaxMsgs = capacity;
  config.Duplicates = 120'000'000'000;  // nanoseconds
  check(js_AddStream(nullptr, connection.js(), &config, nullptr, nullptr), "add the stream");
}

class Publisher {
 public:
  Publisher(const Connection& connection, int size) : js_(connection.js()), data_(static_cast<std::size_t>(size), 'x') {
    jsPubOptions_Init(&options_);
    options_.MaxWait = patience;
  }

  void publish() {
    const std::string id = next_id();
    options_.MsgId = id.c_str();
    check(js_Publish(nullptr, js_, name, data_.data(), static_cast<int>(data_.size()), &options_, nullptr), "publish");
  }

  void publish_async(std::int64_t count) {
    for (; count > 0; --count) {
      const std::string id = next_id();
      options_.MsgId = id.c_str();
      check(js_PublishAsync(js_, name, data_.data(), static_cast<int>(data_.size()), &options_), "publish");
    }
    options_.MsgId = nullptr;
    check(js_PublishAsyncComplete(js_, &options_), "wait for acknowledgments");
  }

 private:
  std::string next_id() { return "m" + std::to_string(number_++); }

  jsCtx* js_;
  std::string data_;
  jsPubOptions options_;
  std::int64_t number_ = 0;
};

// Fetches and acknowledges `count` messages of `size` bytes.
void fetch(const Connection& connection, int size, std::int64_t count) {
  natsSubscription* subscription = nullptr;
  check(js_PullSubscribe(&subscription, connection.js(), name, "consumer", nullptr, nullptr, nullptr), "subscribe");
  while (count > 0) {
    natsMsgList list{};
    const int wanted = static_cast<int>(std::min<std::int64_t>(count, window));
    check(natsSubscription_Fetch(&list, subscription, wanted, patience, nullptr), "fetch");
    for (int i = 0; i < list.Count; ++i) {
      check(natsMsg_GetDataLength(list.Msgs[i]) == size ? NATS_OK : NATS_ERR, "compare the size");
      check(natsMsg_Ack(list.Msgs[i], nullptr), "acknowledge");
    }
    count -= list.Count;
    natsMsgList_Destroy(&list);
  }
  natsSubscription_Destroy(subscription);
}

void publish_ack(const Connection& connection, int size, std::int64_t count) {
  Publisher publisher(connection, size);
  std::vector<double> times;
  const auto start = Clock::now();
  for (std::int64_t i = 0; i < count; ++i) {
    const auto begin = Clock::now();
    publisher.publish();
    times.push_back(seconds_since(begin));
  }
  const double total = seconds_since(start);
  std::sort(times.begin(), times.end());
  std::printf("%.9f %.9f %.9f\n", total, times[times.size() / 2], times[times.size() * 99 / 100]);
}

void run(const char* url, const std::string& scenario, int size, std::int64_t count) {
  Connection connection(url);
  make_stream(connection, count);
  Publisher publisher(connection, size);
  if (scenario == "publish_ack") return publish_ack(connection, size, count);
  if (scenario == "fetch_ack") publisher.publish_async(count);
  const Connection other(url);
  const auto start = Clock::now();
  if (scenario == "pipelined") {
    publisher.publish_async(count);
  } else if (scenario == "one_way") {
    std::thread receiver([&] { fetch(other, size, count); });
    publisher.publish_async(count);
    receiver.join();
  } else if (scenario == "fetch_ack") {
    fetch(connection, size, count);
  } else {
    std::fprintf(stderr, "unknown scenario %s\n", scenario.c_str());
    std::exit(2);
  }
  std::printf("%.9f\n", seconds_since(start));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: nats_lower_bound URL\n");
    return 2;
  }
  std::string scenario;
  int size = 0;
  std::int64_t count = 0;
  while (std::cin >> scenario >> size >> count) {
    run(argv[1], scenario, size, count);
    std::fflush(stdout);
  }
}
