// An application with plugins in Python: one interpreter per plugin, each with its own GIL and thread, so that they run
// in parallel and one can be unloaded while the others go on.
//
//   plugins [FOLDER] [CYCLES]      plugins beside this source, and 100 cycles, unless given
//
// The host loads every *.py of the folder and sends each plugin numbered events; a plugin answers every one. Then,
// again and again, it unloads one plugin and loads it anew, while the others are at work. At the end it shows that
// unloading gives back what a plugin had: the arena's blocks and bytes and the number of interpreters are what they
// were.
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

/// One loaded plugin: a thread, in which its interpreter lives from the beginning to the end of the script. The script
/// finds `events` and `answers`, and ends when `events` does.
class Plugin {
 public:
  explicit Plugin(const std::filesystem::path& script) : name_(script.stem()) {
    std::ifstream file(script);
    std::string source{std::istreambuf_iterator<char>(file), {}};
    Receiver events;
    Sender answers;
    check("channel", xichan::channel({.capacity = 64}, events_, events));
    check("channel", xichan::channel({.capacity = 64}, answers, answers_));
    Value values[2];
    check("end", events.as_value(values[0]));
    check("end", answers.as_value(values[1]));
    thread_ = std::thread(run, std::move(source), std::move(values[0]), std::move(values[1]));
  }
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;
  ~Plugin() {
    events_.close();  // its loop ends, and with it the script and the interpreter
    thread_.join();
  }

  const std::string& name() const { return name_; }

  void post(std::int64_t number, std::int64_t payload) {
    Value event;
    check("event", Value::pack(event, number, payload));
    check(name_.c_str(), events_.send(std::move(event)));
  }

  /// Waits for the answer to an event. Without any lock of Python: the host never is in an interpreter.
  void expect(std::int64_t number) {
    Value answer;
    check(name_.c_str(), answers_.recv(answer));
    if (answer.view()[0].utf8() == name_ && answer.view()[1].as_integer() == number) return;
    std::fprintf(stderr, "plugins: %s answered something else\n", name_.c_str());
    std::exit(1);
  }

 private:
  static void run(std::string source, Value events, Value answers) {
    const OwnInterpreter interpreter;
    if (!interpreter) return;  // the ends go, and the host is told
    if (!set_global("events", events) || !set_global("answers", answers)) return;
    events = Value();  // from here on the script's own ends are the only ones
    answers = Value();
    PyRun_SimpleString(source.c_str());
  }

  std::string name_;
  Sender events_;
  Receiver answers_;
  std::thread thread_;
};

/// What a leak would show in.
struct Footprint {
  int interpreters = 0;
  std::uint64_t blocks = 0;
  std::uint64_t bytes = 0;
  long resident = 0;  // KiB; CPython's own share moves a little

  bool same_as(const Footprint& other) const {
    return interpreters == other.interpreters && blocks == other.blocks && bytes == other.bytes;
  }
};

/// To be called while no interpreter comes or goes.
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
    const auto round = [&] {  // all plugins work on it at once
      ++number;
      for (const auto& plugin : plugins) plugin->post(number, number * number % 1000);
      for (const auto& plugin : plugins) plugin->expect(number);
    };
    for (int i = 0; i < 10; ++i) round();
    for (int cycle = 1; cycle <= cycles; ++cycle) {
      const std::size_t chosen = static_cast<std::size_t>(cycle) % plugins.size();
      // Unloaded and loaded anew while the others have events to work on.
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
    std::printf("%zu plugins answered %lld events each, but for what they missed unloaded\n", plugins.size(),
                static_cast<long long>(number));
  }
  const Footprint last = footprint(python);
  print("all unloaded", last);
  const bool freed = last.same_as(bare);
  std::puts(freed ? "everything was given back" : "something was NOT given back");
  return freed ? 0 : 1;
}
