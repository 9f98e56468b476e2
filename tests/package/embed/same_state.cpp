// Shared state that C++ and Python use together: found by name, received inside values, and passed on.
#include <xichan/xichan.h>

#include <mutex>
#include <thread>

#include "check.h"
#include "embed.h"

namespace {

using namespace xichan;

void run(const char* source) {
  const bool done = PyRun_SimpleString(source) == 0;
  CHECK(done);
}

// An interpreter that ends while it holds the lock.
void die_with(const char* source) {
  std::thread([=] {
    const OwnInterpreter interpreter;
    CHECK(interpreter);
    run(source);
  }).join();
}

}  // namespace

int main() {
  AtomicInt hits;
  Lock lock;
  Event done;
  BroadcastSender sender;
  Broadcast prices;
  CHECK(AtomicInt::make(40, hits, "hits") == Status::ok);
  CHECK(Lock::make(lock, "lock") == Status::ok);
  CHECK(Event::make(done, "done") == Status::ok);
  CHECK(broadcast({.capacity = 4, .name = "prices"}, sender, prices) == Status::ok);
  {
    const Python python;
    Map table;
    Cell settings;
    BroadcastReceiver receiver;
    {
      const InterpreterGuard guard(python.main());
      CHECK(lock.acquire() == Status::ok);
      run(R"(
import threading, xichan
hits = xichan.AtomicInt.lookup("hits")
assert hits.add(2) == 42
table = xichan.Map(max_items=100, ttl=3600, name="table")
table["list"] = [1, 2]
table[("x", 1)] = 5
settings = xichan.Cell({"limit": 10}, name="settings")
lock = xichan.Lock.lookup("lock")
assert lock.locked() and not lock.acquire(blocking=False)
subscribe = xichan.Broadcast.lookup("prices")
first = subscribe()
done = xichan.Event.lookup("done")
waiter = threading.Thread(target=done.wait)
waiter.start()
)");
      CHECK(hits.value() == 42);
      CHECK(Map::lookup("table", table) == Status::ok && Cell::lookup("settings", settings) == Status::ok);

      // The same object inside values, in both directions.
      Value value;
      CHECK(table.as_value(value) == Status::ok && set_global("from_cpp", value));
      run("assert from_cpp == table and from_cpp['list'] == [1, 2]");
      PyObject* const main = PyImport_AddModule("__main__");  // borrowed
      PyObject* const handles =
          PyRun_String("{'receiver': subscribe()}", Py_eval_input, PyModule_GetDict(main), PyModule_GetDict(main));
      CHECK(handles != nullptr && from_python(handles, value));
      Py_DECREF(handles);
      CHECK(BroadcastReceiver::open(*DictView(value.view()).find("receiver"), receiver) == Status::ok);

      // Keys and values are those of Python.
      Value key;
      CHECK(table.get("list", value) == Status::ok && value.view()[1].as_integer() == 2);
      CHECK(Value::pack(key, "x", 1.0) == Status::ok && table.add(key, 1, value) == Status::ok);
      CHECK(value.view().as_integer() == 6 && table.stats().ttl == std::chrono::hours(1));
      CHECK(settings.update([](ValueView before, Value& after) {
        ValueEntry entries[1];
        const Status status = Value::text("limit", entries[0].key);
        entries[0].value = Value::of(DictView(before).find("limit")->as_integer() + 1);
        return status == Status::ok ? Value::dict(entries, after) : status;
      }) == Status::ok);
      CHECK(sender.send_nowait(Value::of(7)) == Status::ok);
      CHECK(receiver.recv_nowait(value) == Status::ok && value.view().as_integer() == 7);
      lock.unlock();
      done.set();
      run(R"(
assert table[("x", 1)] == 6 and settings.get() == {"limit": 11} and settings.version == 2
assert first.recv(timeout=60) == 7
with lock:
    pass
waiter.join()
)");
    }
    die_with("import xichan; xichan.Lock.lookup('lock').acquire()");
    CHECK(lock.acquire() == Status::owner_died && !lock.locked());
    {
      const std::lock_guard guard(lock);
      CHECK(lock.locked());
    }
  }
  Map table;
  CHECK(Map::lookup("table", table) == Status::not_found);
  sender.close();
  prices.close();
  CHECK(memory_stats().blocks == 0);
  std::puts("done");
  return 0;
}
