// xichan.bench._lower_bound: times the parts that every channel needs. Used by the benchmarks only.
//
// Each function runs n steps between two threads, with the interpreter detached, and returns the seconds per step. The
// threads wait for each other indefinitely, so only n bounds a call.
#include <Python.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

#include "base/atomic.h"
#include "base/deadline.h"
#include "ring/mpmc.h"
#include "sync/cpus.h"
#include "sync/futex.h"
#include "value/cell.h"

namespace xichan::python {

using namespace internal;
namespace {

constexpr std::uint64_t ring_capacity = 1024;

// A ring whose push() and pop() block. They spin; after `spin_limit_` attempts the other thread is probably
// descheduled, so they yield the CPU.
class CellRing {
 public:
  bool valid() const noexcept { return cells_.valid(); }

  void push(const Cell& cell) noexcept {
    until_ok([&]() noexcept { return cells_.try_push(cell); });
  }

  void pop(Cell& cell) noexcept {
    until_ok([&]() noexcept { return cells_.try_pop(cell); });
  }

 private:
  template <class Try>
  void until_ok(Try attempt) noexcept {
    for (int failed = 0; attempt() != Status::ok; ++failed) {
      if (failed < spin_limit_) {
        cpu_relax();
      } else {
        std::this_thread::yield();
      }
    }
  }

  MpmcRing<Cell> cells_{ring_capacity};
  const int spin_limit_ = usable_cpus() < 2 ? 0 : 1000;  // determined once, because it takes a system call
};

// Runs `far` in another thread and `near` in this one. Returns the nanoseconds from when both threads run until `near`
// returns, or nullopt if no thread can be started.
template <class Near, class Far>
std::optional<std::int64_t> time_pair(Near near, Far far) noexcept {
  try {
    atomic<bool> started{false};
    std::thread other([&]() noexcept {
      started.store(true, memory_order_release);
      far();
    });
    while (!started.load(memory_order_acquire)) std::this_thread::yield();
    const std::int64_t start = Deadline::now();
    near();
    const std::int64_t end = Deadline::now();
    other.join();
    return end - start;
  } catch (const std::system_error&) {
    return std::nullopt;
  }
}

std::optional<std::int64_t> time_one_way(CellRing& ring, std::int64_t n) noexcept {
  const auto receive = [&]() noexcept {
    Cell cell;
    for (std::int64_t i = 0; i < n; ++i) ring.pop(cell);
  };
  const auto send = [&]() noexcept {
    for (std::int64_t i = 0; i < n; ++i) ring.push(Cell::integer(i));
  };
  return time_pair(receive, send);
}

std::optional<std::int64_t> time_round_trips(CellRing& requests, CellRing& replies, std::int64_t n) noexcept {
  const auto ask = [&]() noexcept {
    Cell cell;
    for (std::int64_t i = 0; i < n; ++i) {
      requests.push(Cell::integer(i));
      replies.pop(cell);
    }
  };
  const auto reply = [&]() noexcept {
    Cell cell;
    for (std::int64_t i = 0; i < n; ++i) {
      requests.pop(cell);
      replies.push(cell);
    }
  };
  return time_pair(ask, reply);
}

void sleep_while_parity_is(atomic<std::uint32_t>& word, std::uint32_t parity) noexcept {
  for (std::uint32_t seen; ((seen = word.load(memory_order_acquire)) & 1) == parity;) {
    futex_wait(word, seen, Deadline::never());
  }
}

void change_parity(atomic<std::uint32_t>& word) noexcept {
  word.fetch_add(1, memory_order_release);
  futex_wake(&word);
}

// One thread rests and makes the word odd, the other makes it even again. Stores the nanoseconds of each trip.
bool time_rested_trips(std::vector<std::int64_t>& times, std::chrono::duration<double> rest) noexcept {
  atomic<std::uint32_t> word{0};
  const auto ask = [&]() noexcept {
    for (std::int64_t& time : times) {
      std::this_thread::sleep_for(rest);
      const std::int64_t start = Deadline::now();
      change_parity(word);
      sleep_while_parity_is(word, 1);
      time = Deadline::now() - start;
    }
  };
  const auto reply = [&]() noexcept {
    for (std::size_t i = 0; i < times.size(); ++i) {
      sleep_while_parity_is(word, 0);
      change_parity(word);
    }
  };
  return time_pair(ask, reply).has_value();
}

bool parse_count(PyObject* argument, long long& n) noexcept {
  n = PyLong_AsLongLong(argument);
  if (n == -1 && PyErr_Occurred()) return false;
  if (n < 1) PyErr_Format(PyExc_ValueError, "n must be positive, got %lld", n);
  return n >= 1;
}

template <class Time>
PyObject* timed(PyObject* argument, Time time) noexcept {
  long long n;
  if (!parse_count(argument, n)) return nullptr;
  CellRing requests, replies;
  if (!requests.valid() || !replies.valid()) return PyErr_NoMemory();
  std::optional<std::int64_t> nanoseconds;
  Py_BEGIN_ALLOW_THREADS;
  nanoseconds = time(requests, replies, n);
  Py_END_ALLOW_THREADS;
  if (!nanoseconds) return PyErr_Format(PyExc_RuntimeError, "cannot start a thread");
  return PyFloat_FromDouble(static_cast<double>(*nanoseconds) / 1e9 / static_cast<double>(n));
}

PyObject* ring(PyObject*, PyObject* n) noexcept {
  return timed(n, [](CellRing& cells, CellRing&, std::int64_t k) noexcept { return time_one_way(cells, k); });
}

PyObject* ring_round_trip(PyObject*, PyObject* n) noexcept {
  return timed(n, [](CellRing& requests, CellRing& replies, std::int64_t k) noexcept {
    return time_round_trips(requests, replies, k);
  });
}

PyObject* rested_trip(PyObject*, PyObject* const* args, Py_ssize_t count) noexcept {
  if (count != 2) return PyErr_Format(PyExc_TypeError, "rested_trip() takes 2 arguments, got %zd", count);
  long long n;
  if (!parse_count(args[0], n)) return nullptr;
  const double rest = PyFloat_AsDouble(args[1]);
  if (rest == -1 && PyErr_Occurred()) return nullptr;
  if (!(rest >= 0 && rest <= 1)) return PyErr_Format(PyExc_ValueError, "rest must be between 0 and 1 second");
  std::vector<std::int64_t> times;
  try {
    times.resize(static_cast<std::size_t>(n));
  } catch (const std::exception&) {
    return PyErr_NoMemory();
  }
  bool done;
  Py_BEGIN_ALLOW_THREADS;
  done = time_rested_trips(times, std::chrono::duration<double>(rest));
  Py_END_ALLOW_THREADS;
  if (!done) return PyErr_Format(PyExc_RuntimeError, "cannot start a thread");
  const auto median = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), median, times.end());
  return PyFloat_FromDouble(static_cast<double>(*median) / 1e9);
}

// Has the calling convention of send() and recv().
PyObject* noop(PyObject*, PyObject* const*, Py_ssize_t, PyObject*) noexcept { Py_RETURN_NONE; }

PyMethodDef methods[] = {
    {"noop", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(noop)), METH_FASTCALL | METH_KEYWORDS,
     PyDoc_STR("Do nothing, with any arguments.")},
    {"ring", ring, METH_O,
     PyDoc_STR("ring($module, n, /)\n--\n\nReturn the seconds per cell when one thread passes n cells to another "
               "through a ring.")},
    {"ring_round_trip", ring_round_trip, METH_O,
     PyDoc_STR("ring_round_trip($module, n, /)\n--\n\nReturn the seconds per round trip of a cell through two rings, "
               "spinning.")},
    {"rested_trip", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(rested_trip)), METH_FASTCALL,
     PyDoc_STR("rested_trip($module, n, rest, /)\n--\n\nReturn the median seconds of a round trip of two threads that "
               "wake each other by futex.\n\nrest: float, the seconds before each of the n trips, from 0 to 1.")},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef_Slot slots[] = {
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
    {Py_mod_gil, Py_MOD_GIL_USED},
    {0, nullptr},
};

PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "xichan.bench._lower_bound",
    .m_doc = "Times the parts that every channel needs.",
    .m_size = 0,
    .m_methods = methods,
    .m_slots = slots,
};

}  // namespace
}  // namespace xichan::python

PyMODINIT_FUNC PyInit__lower_bound() { return PyModuleDef_Init(&xichan::python::definition); }
