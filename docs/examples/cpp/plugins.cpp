// An application with Python plugins. Each plugin has its own interpreter, GIL and thread, so plugins run in parallel,
// and one can be unloaded while the others continue.
//
//   plugins [FOLDER] [CYCLES]      defaults: the plugins next to this source, 100 cycles
//
// The host loads every *.py of the folder and sends numbered events to each plugin, which replies to every event. Then
// it repeatedly unloads one plugin and loads it again while the others work. At the end it checks that unloading
// releases everything: the arena's blocks and bytes and the number of interpreters are the same as at the start.
#include <unistd.h>
#include <xichan/xichan.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "embed.h"

namespace {

using xichan::Receiver;
using xichan::Sender;
using xichan::Status;
using xichan::Value;

void check(const char* what, Status status) {
  if (status == Status::ok) return;
  const auto text = to_string(status);
  std::fprintf(stderr, "plugins: %s: %.*s\n", what, static_cast<int>(text.size()), text.data());
  std::exit(1);
}

/// One loaded plugin: a thread whose interpreter runs the script. The script has the globals `events` and `replies`,
/// and ends when the channel of events is finished.
class Plugin {
 public:
  explicit Plugin(const std::filesystem::path& script) : name_(script.stem()) {
    std::ifstream file(script);
    std::string source{std::istreambuf_iterator<char>(file), {}};
    Receiver events;
    Sender replies;
    check("channel", xichan::channel({.capacity = 64}, events_, events));
    check("channel", xichan::channel({.capacity = 64}, replies, replies_));
    Value values[2];
    check("endpoint", events.as_value(values[0]));
    check("endpoint", replies.as_value(values[1]));
    thread_ = std::thread(run, std::move(source), std::move(values[0]), std::move(values[1]));
  }
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;
  ~Plugin() {
    events_.close();  // ends the script's loop, and with it the script and the interpreter
    thread_.join();
  }

  const std::string& name() const { return name_; }

  void post(std::int64_t number, std::int64_t payload) {
    Value event;
    check("event", Value::pack(event, number, payload));
    check(name_.c_str(), events_.send(std::move(event)));
  }

  /// Blocks until the reply to an event arrives. Takes no Python lock: the host is never attached to an interpreter.
  void expect(std::int64_t number) {
    Value reply;
    check(name_.c_str(), replies_.recv(reply));
    if (reply.view()[0].utf8() == name_ && reply.view()[1].as_integer() == number) return;
    std::fprintf(stderr, "plugins: %s sent an unexpected reply\n", name_.c_str());
    std::exit(1);
  }

 private:
  static void run(std::string source, Value events, Value replies) {
    const OwnInterpreter interpreter;
    if (!interpreter) return;  // destroys the endpoints, so the host gets `closed`
    if (!set_global("events", events) || !set_global("replies", replies)) return;
    events = Value();  // from now on the script has the only endpoints of its side
    replies = Value();
    PyRun_SimpleString(source.c_str());
  }

  std::string name_;
  Sender events_;
  Receiver replies_;
  std::thread thread_;
};

/// The figures that a leak would change.
struct Footprint {
  int interpreters = 0;
  std::uint64_t blocks = 0;
  std::uint64_t bytes = 0;
  long resident = 0;  // KiB; CPython's own share varies a little

  bool same_as(const Footprint& other) const {
    return interpreters == other.interpreters && blocks == other.blocks && bytes == other.bytes;
  }
};

/// Measures the process. Call it only while no interpreter is being created or ended.
Footprint footprint(const Python& python) {
  Footprint found;
  if (xichan::InterpreterGuard guard(python.main()); guard) {
    for (auto* i = PyInterpreterState_Head(); i != nullptr; i = PyInterpreterState_Next(i)) ++found.interpreters;
  }
  const xichan::MemoryStats memory = xichan::memory_stats();
  found.blocks = memory.blocks;
  found.bytes = memory.bytes;
  long pages = 0, resident = 0;
  if (std::ifstream("/proc/self/statm") >> pages >> resident)
    found.resident = resident * (sysconf(_SC_PAGESIZE) / 1024);
  return found;
}

void print(const std::string& when, const Footprint& f) {
  std::printf("%-28s %2d interpreters, arena %3llu blocks %6llu bytes, resident %6ld KiB\n", when.c_str(),
              f.interpreters, static_cast<unsigned long long>(f.blocks), static_cast<unsigned long long>(f.bytes),
              f.resident);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const std::filesystem::path folder = argc > 1 ? argv[1] : std::filesystem::path(__FILE__).parent_path() / "plugins";
  const int cycles = argc > 2 ? std::atoi(argv[2]) : 100;
  std::vector<std::filesystem::path> scripts;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".py") scripts.push_back(entry.path());
  }
  std::ranges::sort(scripts);
  if (scripts.empty()) {
    std::fprintf(stderr, "plugins: no *.py in %s\n", folder.c_str());
    return 2;
  }

  const Python python;
  const Footprint bare = footprint(python);
  print("Python alone", bare);
  {
    std::vector<std::unique_ptr<Plugin>> plugins;
    for (const auto& script : scripts) plugins.push_back(std::make_unique<Plugin>(script));
    std::int64_t number = 0;
    const auto round = [&] {  // all plugins work at once
      ++number;
      for (const auto& plugin : plugins) plugin->post(number, number * number % 1000);
      for (const auto& plugin : plugins) plugin->expect(number);
    };
    for (int i = 0; i < 10; ++i) round();
    for (int cycle = 1; cycle <= cycles; ++cycle) {
      const std::size_t chosen = static_cast<std::size_t>(cycle) % plugins.size();
      // Unload and load it while the others have events to process.
      for (const auto& plugin : plugins) {
        if (plugin != plugins[chosen]) plugin->post(number + 1, cycle);
      }
      plugins[chosen].reset();
      plugins[chosen] = std::make_unique<Plugin>(scripts[chosen]);
      plugins[chosen]->post(number + 1, cycle);
      ++number;
      for (const auto& plugin : plugins) plugin->expect(number);
      round();
      if (cycle % std::max(cycles / 5, 1) == 0) print("after cycle " + std::to_string(cycle), footprint(python));
    }
    std::printf("%zu plugins replied to %lld events each, except events posted while they were unloaded\n",
                plugins.size(), static_cast<long long>(number));
  }
  const Footprint last = footprint(python);
  print("all unloaded", last);
  const bool freed = last.same_as(bare);
  std::puts(freed ? "everything was released" : "something was NOT released");
  return freed ? 0 : 1;
}
