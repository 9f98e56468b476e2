// Counters and configuration that a C++ program and Python interpreters read and change together.
//
//   shared_state [INTERPRETERS] [REQUESTS]      defaults: 3 interpreters, 10000 requests each
//
// Each interpreter has its own GIL and thread, and counts its requests in a Map that the program counts in as well. The
// price of a request is in a Cell, which the program changes while they run. At the end it adds up what was counted.
#include <xichan/xichan.h>

#include <string>
#include <thread>
#include <vector>

#include "embed.h"

namespace {

using xichan::Barrier, xichan::Cell, xichan::DictView, xichan::Map, xichan::Status, xichan::Value, xichan::ValueView;

constexpr const char* script = R"(
import xichan

settings = xichan.Cell.lookup("settings")
counters = xichan.Map.lookup("counters")
xichan.Barrier.lookup("start").wait()
for _ in range(requests):
    counters.add("requests")
    counters.add(("cost", interpreter), settings.get()["price"])
)";

void check(const char* what, Status status) {
  if (status == Status::ok) return;
  const auto text = to_string(status);
  std::fprintf(stderr, "shared_state: %s: %.*s\n", what, static_cast<int>(text.size()), text.data());
  std::exit(1);
}

void run_interpreter(std::int64_t number, std::int64_t requests) {
  const OwnInterpreter interpreter;
  const bool ready =
      interpreter && set_global("requests", Value::of(requests)) && set_global("interpreter", Value::of(number));
  if (!ready || PyRun_SimpleString(script) != 0) std::exit(1);
}

Status make_settings(std::int64_t price, Value& settings) {
  xichan::ValueEntry entries[1];
  entries[0].value = Value::of(price);
  const Status status = Value::text("price", entries[0].key);
  return status == Status::ok ? Value::dict(entries, settings) : status;
}

}  // namespace

int main(int argc, char** argv) {
  const std::int64_t interpreters = argc > 1 ? std::atoll(argv[1]) : 3;
  const std::int64_t requests = argc > 2 ? std::atoll(argv[2]) : 10'000;
  Value first;
  Cell settings;
  Map counters;
  Barrier start;
  check("settings", make_settings(1, first));
  check("settings", Cell::make(std::move(first), settings, "settings"));
  check("counters", Map::make({.name = "counters"}, counters));
  check("start", Barrier::make(static_cast<std::uint64_t>(interpreters) + 1, start, xichan::forever, "start"));
  {
    const Python python;
    std::vector<std::thread> threads;
    for (std::int64_t i = 0; i < interpreters; ++i) threads.emplace_back(run_interpreter, i, requests);
    check("start", start.wait());
    const xichan::MapKey key = "requests";
    for (std::int64_t i = 0; i < requests; ++i) check("requests", counters.add(key));
    // From now on a request costs one more. The function runs again if another thread has changed the settings.
    const auto raise_price = [](ValueView before, Value& after) {
      return make_settings(DictView(before).find("price")->as_integer() + 1, after);
    };
    check("settings", settings.update(raise_price));
    for (std::thread& thread : threads) thread.join();
  }

  std::int64_t counted = 0, cost = 0;
  xichan::MapSnapshot snapshot;
  check("snapshot", counters.snapshot(snapshot));
  for (const xichan::ValueEntry& entry : snapshot) {
    (entry.key.view().kind() == xichan::ValueKind::text ? counted : cost) += entry.value.view().as_integer();
  }
  const bool right = counted == (interpreters + 1) * requests && cost >= interpreters * requests &&
                     cost <= 2 * interpreters * requests;
  std::printf("the requests of the interpreters cost %lld\n", static_cast<long long>(cost));
  std::printf("%lld requests counted by C++ and %lld interpreters%s\n", static_cast<long long>(counted),
              static_cast<long long>(interpreters), right ? "" : ": WRONG");
  return right ? 0 : 1;
}
