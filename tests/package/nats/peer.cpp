// Runs the commands that it reads, one a line, and prints the outcome of each: what a test makes C++ do. The argument
// is the URL of the server.
//
//   channel NAME [SETTING=VALUE ...]   sender NAME   receiver NAME   dead NAME   remove NAME
//   send VALUE [SECONDS]   send_nowait VALUE   send_many COUNT [SECONDS]   send_bytes SIZE   send_endpoint
//   recv [SECONDS]   recv_nowait   recv_many COUNT [SECONDS]   lease [SECONDS]   value   ack   nak   extend   drop
//   process [SECONDS]   throw [SECONDS]
//   close [ERROR]   close_receiver   shutdown [ERROR]   shutdown_now   wait_closed [SECONDS]   closed   stats   hub
//   close_hub   exit   close_hub_and_exit
#include <xichan/channel.h>
#include <xichan/nats.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using xichan::Status;
using xichan::TimeLimit;
using xichan::Value;
using xichan::ValueKind;
using xichan::ValueView;
namespace nats = xichan::nats;

nats::Sender tx;
nats::Receiver rx;
nats::Lease lease;

std::string show(ValueView value) {
  switch (value.kind()) {
    case ValueKind::none: return "None";
    case ValueKind::integer: return std::to_string(value.as_integer());
    case ValueKind::text: return value.utf8();
    case ValueKind::bytes: return std::to_string(value.size()) + " bytes";
    default: break;
  }
  std::string text;
  for (const ValueView item : value) text += (text.empty() ? "" : ", ") + show(item);
  return "(" + text + ")";
}

void print(Status status, const std::string& detail = {}) {
  std::string text(to_string(status));
  if (status == Status::ok) text = detail.empty() ? "ok" : "ok: " + detail;
  if (status == Status::unavailable || status == Status::invalid || status == Status::too_large) {
    text += ": " + nats::last_error().message;
  }
  std::cout << text << std::endl;
}

// A number, or text.
Value parse(const std::string& word) {
  Value value;
  if (word.find_first_not_of("-0123456789") == word.npos) return Value::of(std::stoll(word));
  (void)Value::text(word, value);
  return value;
}

TimeLimit limit(std::istringstream& words) {
  double seconds;
  return words >> seconds ? TimeLimit(nats::Seconds(seconds)) : TimeLimit(xichan::forever);
}

nats::ChannelOptions options(std::istringstream& words) {
  nats::ChannelOptions options;
  for (std::string word; words >> word;) {
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, equals), value = word.substr(equals + 1);
    if (name == "capacity") options.capacity = value == "None" ? xichan::unbounded : std::stoull(value);
    if (name == "max_bytes") options.max_bytes = std::stoull(value);
    if (name == "storage") options.storage = value == "file" ? nats::Storage::file : nats::Storage::memory;
    if (name == "ack") options.ack = value == "lease" ? nats::Acknowledge::lease : nats::Acknowledge::receive;
    if (name == "ack_wait") options.ack_wait = nats::Seconds(std::stod(value));
    if (name == "max_deliver") options.max_deliver = std::stoull(value);
    if (name == "sender_timeout") options.sender_timeout = nats::Seconds(std::stod(value));
    if (name == "keep") options.keep = value == "True";
  }
  return options;
}

void print_stats() {
  nats::Stats stats;
  const Status status = tx ? tx.stats(stats) : rx.stats(stats);
  std::ostringstream text;
  text << "depth=" << stats.depth << " sent=" << stats.sent << " received=" << stats.received
       << " unacknowledged=" << stats.unacknowledged << " redelivered=" << stats.redelivered
       << " senders=" << stats.senders << " receivers=" << stats.receivers << " dead_letters=" << stats.dead_letters
       << " closed=" << stats.closed;
  print(status, text.str());
}

void print_hub(nats::Hub& hub) {
  nats::HubStats stats;
  const Status status = hub.stats(stats);
  std::ostringstream text;
  text << "connected=" << stats.connected << " closed=" << stats.closed << " senders=" << stats.senders
       << " receivers=" << stats.receivers << " reconnects=" << stats.reconnects << " servers=" << stats.servers.size();
  print(status, text.str());
}

void receive_many(std::istringstream& words) {
  std::size_t count, received;
  words >> count;
  std::vector<Value> values(count);
  const Status status = rx.recv_many(values, received, limit(words));
  std::string text;
  for (std::size_t i = 0; i < received; ++i) text += (i == 0 ? "" : " ") + show(values[i].view());
  print(status, text);
}

void send_many(std::istringstream& words) {
  std::int64_t count;
  std::size_t sent, left = 0;
  words >> count;
  std::vector<Value> values;
  for (std::int64_t i = 0; i < count; ++i) values.push_back(Value::of(i));
  const Status status = tx.send_many(values, sent, limit(words));
  for (const Value& value : values) left += value.view().kind() != ValueKind::none;
  std::cout << to_string(status) << ": " << sent << " sent, " << left << " left" << std::endl;
}

void send_bytes(std::istringstream& words) {
  std::size_t size;
  words >> size;
  Value value;
  const std::vector<std::byte> data(size);
  (void)Value::bytes(data, value);
  print(tx.send(std::move(value)));
}

void send_endpoint() {
  xichan::Sender local;
  xichan::Receiver other;
  Value value;
  (void)xichan::channel(1, local, other);
  (void)local.as_value(value);
  print(tx.send(std::move(value)));
}

void throw_in_process(std::istringstream& words) {
  try {
    print(rx.process([](ValueView) { throw std::runtime_error("refused"); }, limit(words)));
  } catch (const std::runtime_error& error) {
    std::cout << "threw " << error.what() << std::endl;
  }
}

// Runs a command that concerns an endpoint.
void run(const std::string& command, std::istringstream& words) {
  Value value;
  std::string word;
  if (command == "send") {
    words >> word;
    print(tx.send(parse(word), limit(words)));
  } else if (command == "send_nowait") {
    words >> word;
    print(tx.send_nowait(parse(word)));
  } else if (command == "recv") {
    const Status status = rx.recv(value, limit(words));
    if (status == Status::failed) value = rx.error();
    std::cout << (status == Status::failed ? "error " + show(value.view()) + ": " : "");
    print(status, show(value.view()));
  } else if (command == "recv_nowait") {
    const Status status = rx.recv_nowait(value);
    print(status, show(value.view()));
  } else if (command == "error") {
    value = tx ? tx.error() : rx.error();
    print(Status::ok, show(value.view()));
  } else if (command == "lease") {
    const Status status = rx.lease(lease, limit(words));
    print(status, show(lease.value()) + " delivery " + std::to_string(lease.delivery()));
  } else if (command == "process") {
    const Status status = rx.process([&](ValueView view) { (void)view.to_value(value); }, limit(words));
    print(status, show(value.view()));
  } else if (command == "ack") {
    print(lease.ack());
  } else if (command == "nak") {
    print(lease.nak());
  } else if (command == "extend") {
    print(lease.extend());
  } else if (command == "drop") {
    lease = nats::Lease();
    print(Status::ok);
  } else if (command == "close") {
    Status status = Status::ok;
    if (words >> word) {
      status = tx.close(parse(word));
    } else {
      tx.close();
    }
    print(status);
  } else if (command == "close_receiver") {
    rx.close();
    print(Status::ok);
  } else if (command == "shutdown") {
    print(words >> word ? tx.shutdown(false, parse(word)) : tx.shutdown());
  } else if (command == "shutdown_now") {
    print(tx.shutdown(true));
  } else if (command == "wait_closed") {
    print(tx ? tx.wait_closed(limit(words)) : rx.wait_closed(limit(words)));
  } else if (command == "closed") {
    print(Status::ok, std::string("sender ") + (tx.closed() ? "1" : "0") + " receiver " + (rx.closed() ? "1" : "0"));
  } else {
    std::cout << "no such command" << std::endl;
  }
}

}  // namespace

int main(int, char** arguments) {
  nats::Hub hub;
  print(nats::connect(arguments[1], {.timeout = nats::Seconds(10)}, hub));
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string command, name;
    words >> command;
    if (command == "channel") {
      words >> name;
      print(hub.channel(name, options(words), tx, rx));
    } else if (command == "sender") {
      words >> name;
      print(hub.sender(name, tx));
    } else if (command == "receiver") {
      words >> name;
      print(hub.receiver(name, rx));
    } else if (command == "dead") {
      words >> name;
      print(hub.dead_letters(name, rx));
    } else if (command == "remove") {
      words >> name;
      print(hub.remove(name));
    } else if (command == "send_many") {
      send_many(words);
    } else if (command == "recv_many") {
      receive_many(words);
    } else if (command == "send_bytes") {
      send_bytes(words);
    } else if (command == "send_endpoint") {
      send_endpoint();
    } else if (command == "throw") {
      throw_in_process(words);
    } else if (command == "stats") {
      print_stats();
    } else if (command == "hub") {
      print_hub(hub);
    } else if (command == "exit") {
      std::exit(0);  // nothing is closed
    } else if (command == "close_hub_and_exit") {
      std::thread([&hub] { hub.close(); }).detach();
      while (hub.connected()) std::this_thread::yield();
      std::this_thread::sleep_for(std::chrono::milliseconds(100));  // close() is about to return
      std::exit(0);
    } else if (command == "close_hub") {
      hub.close();
      print(Status::ok);
    } else {
      run(command, words);
    }
  }
  return 0;
}
