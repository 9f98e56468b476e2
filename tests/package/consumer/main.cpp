// Uses each part of the library a little, and prints the versions of library and headers.
#include <xichan/xichan.h>

#include <cstdio>
#include <cstring>
#include <thread>

int main() {
  using namespace xichan;
  Sender sender;
  Receiver receiver;
  if (channel({.capacity = 4, .name = "consumer"}, sender, receiver) != Status::ok) return 1;
  std::thread producer([tx = std::move(sender)]() mutable {
    Value value;
    for (int i = 0; i < 1000; ++i) {
      if (Value::pack(value, i, "a text that needs a block", 0.5) != Status::ok) return;
      if (tx.send(std::move(value)) != Status::ok) return;
    }
  });
  Value value;
  std::int64_t sum = 0;
  while (receiver.recv(value) == Status::ok) sum += value.view()[0].as_integer();
  producer.join();
  value = Value();
  if (sum != 999 * 1000 / 2 || memory_stats().blocks != 0) return 1;
  std::printf("%s %s\n", version(), XICHAN_VERSION);
  return 0;
}
