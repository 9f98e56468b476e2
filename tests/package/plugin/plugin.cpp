// A plugin that uses xichan: in a thread that has to wait, and so starts a thread of the library.
#include <xichan/xichan.h>

#include <chrono>
#include <thread>

extern "C" bool use() {
  xichan::Sender sender;
  xichan::Receiver receiver;
  if (xichan::channel({.capacity = 1}, sender, receiver) != xichan::Status::ok) return false;
  xichan::Status status = xichan::Status::invalid;
  std::thread waiting([&] {
    xichan::Value value;
    status = receiver.recv(value, std::chrono::milliseconds(50));
  });
  waiting.join();
  return status == xichan::Status::timeout;
}
