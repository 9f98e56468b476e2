// InterpreterGuard and conversions, in a program that embeds Python. Exits with 0, or prints the check that failed.
#include <sys/wait.h>
#include <unistd.h>
#include <xichan/xichan.h>

#include <atomic>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "embed.h"

using namespace xichan;

namespace {

constexpr bool refuses_at_once = PY_VERSION_HEX < 0x030F0000;

std::int64_t here() { return PyInterpreterState_GetID(PyInterpreterState_Get()); }
bool attached() { return PyThreadState_GetUnchecked() != nullptr; }

template <class Done>
void await(Done done) {
  while (!done()) std::this_thread::sleep_for(std::chrono::microseconds(100));
}

/// An interpreter that lives on a thread of its own, detached, until `end` is called.
class Other {
 public:
  Other() {
    thread_ = std::thread([this] {
      {
        const OwnInterpreter interpreter;
        CHECK(interpreter);
        handle = InterpreterHandle::current();
        CHECK(handle);
        Py_BEGIN_ALLOW_THREADS;
        ready_ = true;
        await([this] { return end_.load(); });
        Py_END_ALLOW_THREADS;
      }
      ended = true;
    });
    await([this] { return ready_.load(); });
  }
  ~Other() {
    end();
    thread_.join();
  }
  void end() { end_ = true; }

  InterpreterHandle handle;
  std::atomic<bool> ended{false};

 private:
  std::thread thread_;
  std::atomic<bool> ready_{false};
  std::atomic<bool> end_{false};
};

void goes_in_and_back(const InterpreterHandle& main) {
  CHECK(!attached());
  {
    InterpreterGuard guard(main);
    CHECK(guard && guard.status() == Status::ok && here() == 0);
    CHECK(PyRun_SimpleString("x = 1 + 1") == 0);
  }
  CHECK(!attached());
  std::thread([&] {  // one that Python has never seen
    for (int i = 0; i < 3; ++i) {
      InterpreterGuard guard(main.id());
      CHECK(guard && here() == 0);
      CHECK(PyRun_SimpleString("import threading; assert threading.current_thread()") == 0);
    }
    CHECK(!attached());
  })
      .join();
}

void nests(const InterpreterHandle& main) {
  Other one, two;
  CHECK(one.handle.id() != two.handle.id() && one.handle.id() != 0);
  InterpreterGuard outer(main);
  CHECK(here() == 0);
  {
    InterpreterGuard again(main);
    CHECK(again && here() == 0);
    InterpreterGuard first(one.handle);
    CHECK(first && here() == one.handle.id());
    {
      InterpreterGuard second(two.handle);
      CHECK(second && here() == two.handle.id());
      InterpreterGuard back(one.handle);
      CHECK(back && here() == one.handle.id());
      CHECK(PyRun_SimpleString("y = 2") == 0);
    }
    CHECK(here() == one.handle.id());
    CHECK(PyRun_SimpleString("assert y == 2") == 0);
  }
  CHECK(here() == 0);
}

void comes_back_to_its_own(const InterpreterHandle& main) {
  std::thread([&] {
    const OwnInterpreter interpreter;
    CHECK(interpreter && here() != 0);
    const PyThreadState* own = PyThreadState_Get();
    for (int i = 0; i < 3; ++i) {
      InterpreterGuard guard(main);
      CHECK(guard && here() == 0);
      CHECK(PyRun_SimpleString("a = 1") == 0);
    }
    CHECK(PyThreadState_Get() == own && here() != 0);
    const InterpreterHandle handle = InterpreterHandle::current();
    CHECK(handle && handle.id() == here());
    {
      InterpreterGuard guard(handle);  // where it is already
      CHECK(guard && PyThreadState_Get() == own);
    }
    CHECK(PyThreadState_Get() == own);
  }).join();
}

void refuses_what_has_ended(const InterpreterHandle& main) {
  InterpreterHandle handle;
  std::int64_t id;
  {
    Other other;
    handle = other.handle;
    id = handle.id();
    CHECK(InterpreterHandle::find(id));
  }
  CHECK(handle.id() == id);
  InterpreterGuard guard(handle);
  CHECK(!guard && guard.status() == Status::exiting);
  InterpreterGuard by_id(id);
  CHECK(!by_id && by_id.status() == Status::not_found);
  InterpreterGuard unknown(12'345), negative(-1), empty{InterpreterHandle()};
  CHECK(unknown.status() == Status::not_found && !negative && !empty);
  CHECK(!attached());
  // A guard that failed leaves the thread where it was.
  InterpreterGuard outer(main);
  InterpreterGuard failed(handle);
  CHECK(!failed && here() == 0);
}

void holds_up_the_end() {
  Other other;
  std::atomic<bool> inside{false}, leave{false};
  std::thread guest([&] {
    InterpreterGuard guard(other.handle);
    CHECK(guard);
    Py_BEGIN_ALLOW_THREADS;  // only a test may block holding a guard
    inside = true;
    await([&] { return leave.load(); });
    Py_END_ALLOW_THREADS;
    CHECK(PyRun_SimpleString("import xichan; assert xichan.channel()") == 0);
    CHECK(!other.ended);
  });
  await([&] { return inside.load(); });
  other.end();
  // Refused: its finalization has begun. By PEP 788 other threads may still attach while one is attached.
  if (refuses_at_once) await([&] { return !InterpreterGuard(other.handle); });
  CHECK(!other.ended);
  leave = true;
  guest.join();
  await([&] { return other.ended.load(); });
}

void serves_many_threads(const InterpreterHandle& main) {
  std::vector<std::thread> threads;
  std::atomic<int> refused{0}, entered{0};
  {
    Other other;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, handle = other.handle] {
        bool alive = true;
        for (int i = 0; i < 200 || (alive && refuses_at_once); ++i) {
          InterpreterGuard guard(i % 2 == 0 ? handle : main);
          alive = alive && guard;
          ++(guard ? entered : refused);
          if (guard) CHECK(PyRun_SimpleString("z = [n for n in range(10)]") == 0);
        }
      });
    }
    await([&] { return entered > 200; });
  }  // ends among them
  for (std::thread& thread : threads) thread.join();
  CHECK(refused >= 4 || !refuses_at_once);
}

void converts(const InterpreterHandle& main) {
  InterpreterGuard guard(main);
  PyObject* names = PyModule_GetDict(PyImport_AddModule("__main__"));
  const auto evaluate = [&](const char* source) { return PyRun_String(source, Py_eval_input, names, names); };
  CHECK(PyRun_SimpleString("import xichan; tx, rx = xichan.channel()") == 0);
  for (const char* source :
       {"None", "True", "-7", "2**200", "-2**64", "1.5", "'text'", "'\\ud800 \\u20ac ' * 9", "b'bytes' * 99", "()",
        "(1, ('a text that needs a block', (2.5, None)), b'', 3)", "(tx, (rx, tx))"}) {
    PyObject* object = evaluate(source);
    CHECK(object != nullptr);
    Value value;
    CHECK(from_python(object, value));
    PyObject* back = to_python(value);
    CHECK(back != nullptr);
    const bool ends = std::strchr(source, 'x') != nullptr && source[0] == '(';
    CHECK(ends || PyObject_RichCompareBool(object, back, Py_EQ) == 1);
    CHECK(Py_TYPE(object) == Py_TYPE(back));
    for (const ValueView item : value.view()) {
      PyObject* part = to_python(item);
      CHECK(part != nullptr);
      Py_DECREF(part);
    }
    Py_DECREF(back);
    Py_DECREF(object);
  }
  PyObject* queue = evaluate("xichan.Queue()");
  Value value;
  CHECK(queue != nullptr && from_python(queue, value));
  CHECK(value.view().kind() == ValueKind::queue && value.view().size() > 0);
  CHECK(value.view().begin() != value.view().end());
  PyObject* same = to_python(value);
  CHECK(same != nullptr && Py_TYPE(same) == Py_TYPE(queue));
  Py_DECREF(same);
  Py_DECREF(queue);
  value = Value::of(5);
  PyObject* refused = evaluate("(1, [object()])");
  CHECK(refused != nullptr && !from_python(refused, value) && value.view().as_integer() == 5);
  CHECK(PyErr_Occurred());
  PyErr_Clear();
  Py_DECREF(refused);
}

// The child of a fork takes a handle of its own; one from before is of no use there.
void serves_the_child_of_a_fork(const InterpreterHandle& before) {
  InterpreterGuard guard(before);
  CHECK(guard);
  PyOS_BeforeFork();
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child != 0) {
    PyOS_AfterFork_Parent();
    int status = -1;
    Py_BEGIN_ALLOW_THREADS;
    CHECK(waitpid(child, &status, 0) == child);
    Py_END_ALLOW_THREADS;
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return;
  }
  PyOS_AfterFork_Child();
  alarm(30);
  CHECK(InterpreterGuard(before).status() == Status::exiting);
  const InterpreterHandle now = InterpreterHandle::current();
  CHECK(now && now.id() == before.id() && InterpreterHandle::find(now.id()));
  {
    InterpreterGuard here(now);
    CHECK(here && PyRun_SimpleString("import xichan; assert xichan.channel()") == 0);
  }
  _exit(0);
}

}  // namespace

int main() {
  InterpreterHandle kept;
  CHECK(InterpreterGuard(std::int64_t{0}).status() == Status::not_found);
  {
    const Python python;
    kept = python.main();
    goes_in_and_back(kept);
    serves_the_child_of_a_fork(kept);
    nests(kept);
    comes_back_to_its_own(kept);
    refuses_what_has_ended(kept);
    for (int i = 0; i < 5; ++i) holds_up_the_end();
    for (int i = 0; i < 5; ++i) serves_many_threads(kept);
    converts(kept);
  }
  CHECK(InterpreterGuard(kept).status() == Status::exiting);
  CHECK(memory_stats().blocks == 0);
  std::puts("done");
  return 0;
}
