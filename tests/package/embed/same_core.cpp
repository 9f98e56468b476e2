// A program linked to an installed library, and the Python module with a copy of its own beside it: one core.
#include <xichan/xichan.h>

#include <fstream>
#include <set>
#include <string>

#include "embed.h"

int main() {
  using namespace xichan;
  Sender ours;
  Receiver end;
  if (channel({.name = "made in C++"}, ours, end) != Status::ok) return 1;
  {
    const Python python;
    const InterpreterGuard guard(python.main());
    const int result = PyRun_SimpleString(R"(
import xichan
assert [c.name for c in xichan.channels()] == ["made in C++"], xichan.channels()
tx = xichan.Sender.lookup("made in C++")
tx.send(("from Python", 1))
kept = xichan.channel(name="made in Python")
assert len(xichan.channels()) == 2
)");
    if (result != 0) return 1;
    Value value;
    if (end.recv(value) != Status::ok || value.view()[0].utf8() != "from Python") return 1;
    Sender theirs;
    if (Sender::lookup("made in Python", theirs) != Status::ok || end.stats().senders != 2) return 1;
  }
  std::set<std::string> libraries;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find("libxichan") != std::string::npos) libraries.insert(line.substr(line.find('/')));
  }
  for (const std::string& library : libraries) std::puts(library.c_str());
  return libraries.size() == 1 ? 0 : 1;
}
