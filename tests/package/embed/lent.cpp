// Objects that Python lent to messages stay valid and are freed after the interpreters that lent them, the main one
// included, have been finalized.
#include <xichan/xichan.h>

#include <span>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "embed.h"

using namespace xichan;

namespace {

constexpr std::size_t count = 50;  // messages of each interpreter

// Sends bytes and text large enough to be lent, one of them inside a tuple.
constexpr const char* lend = R"(
for i in range(25):
    tx.send(bytes([i]) * (10_000 + i))
    tx.send((i, chr(97 + i) * (20_000 + i)))
tx.close()
)";

void lend_from_here(const Sender& tx) {
  Value value;
  CHECK(tx.as_value(value) == Status::ok && set_global("tx", value));
  CHECK(PyRun_SimpleString(lend) == 0);
}

void check(const Value& value, std::size_t index) {
  const std::size_t i = index % count / 2;
  if (index % 2 == 0) {
    const std::span<const std::byte> data = value.view().as_bytes();
    CHECK(data.size() == 10'000 + i);
    for (const std::byte byte : data) CHECK(byte == std::byte(i));
  } else {
    const ValueView text = value.view()[1];
    CHECK(text.as_ascii() == std::string(20'000 + i, static_cast<char>('a' + i)));
  }
}

}  // namespace

int main() {
  Receiver rx;
  {
    Sender tx;
    CHECK(channel(unbounded, tx, rx) == Status::ok);
    const Python python;
    {
      const InterpreterGuard guard(python.main());
      lend_from_here(tx);
    }
    std::thread([&] {
      const OwnInterpreter interpreter;
      CHECK(interpreter);
      lend_from_here(tx);
    }).join();
    CHECK(memory_stats().lent_bytes > 1'000'000);
  }
  std::vector<Value> kept;
  for (std::size_t i = 0; i < 2 * count; ++i) {
    Value value;
    CHECK(rx.recv(value) == Status::ok);
    check(value, i);
    if (i % 3 == 0) kept.push_back(std::move(value));
  }
  Value none;
  CHECK(rx.recv(none) == Status::closed);
  rx.close();
  for (std::size_t i = 0; i < kept.size(); ++i) check(kept[i], 3 * i);
  kept.clear();
  CHECK(memory_stats().lent_bytes == 0 && memory_stats().blocks == 0);
  std::puts("done");
}
