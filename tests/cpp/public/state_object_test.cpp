// What all handles of shared state have in common: names, travel inside values, empty handles, forks.
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <stop_token>

#include "public/state_support.h"

namespace xichan {
namespace {

using namespace std::chrono_literals;

// One object of each class, under a name.
struct Objects {
  AtomicInt atomic_int;
  Cell cell;
  Map map;
  Lock lock;
  RLock rlock;
  Semaphore semaphore;
  Event event;
  Barrier barrier;
  Condition condition;
  Broadcast broadcast;
  BroadcastSender sender;
  BroadcastReceiver receiver;

  void make() {
    EXPECT_EQ(AtomicInt::make(1, atomic_int, "atomic_int"), Status::ok);
    EXPECT_EQ(Cell::make(Value::of(1), cell, "cell"), Status::ok);
    EXPECT_EQ(Map::make({.name = "map"}, map), Status::ok);
    EXPECT_EQ(Lock::make(lock, "lock"), Status::ok);
    EXPECT_EQ(RLock::make(rlock, "rlock"), Status::ok);
    EXPECT_EQ(Semaphore::make(1, semaphore, "semaphore"), Status::ok);
    EXPECT_EQ(Event::make(event, "event"), Status::ok);
    EXPECT_EQ(Barrier::make(2, barrier, forever, "barrier"), Status::ok);
    EXPECT_EQ(Condition::make(condition, "condition"), Status::ok);
    EXPECT_EQ(xichan::broadcast({.capacity = 2, .name = "broadcast"}, sender, broadcast), Status::ok);
    EXPECT_EQ(broadcast.subscribe(receiver), Status::ok);
  }

  template <class Use>
  void for_each(Use use) {
    use(atomic_int, StateKind::atomic_int, "atomic_int");
    use(cell, StateKind::cell, "cell");
    use(map, StateKind::map, "map");
    use(lock, StateKind::lock, "lock");
    use(rlock, StateKind::rlock, "rlock");
    use(semaphore, StateKind::semaphore, "semaphore");
    use(event, StateKind::event, "event");
    use(barrier, StateKind::barrier, "barrier");
    use(condition, StateKind::condition, "condition");
    use(broadcast, StateKind::broadcast, "broadcast");
    use(sender, StateKind::broadcast_sender, "");
    use(receiver, StateKind::broadcast_receiver, "");
  }
};

// Calls every operation of an object and returns true if each reports that the handle is unusable.
bool refuses_all(Objects& objects) {
  auto& [atomic_int, cell, map, lock, rlock, semaphore, event, barrier, condition, broadcast, sender, receiver] =
      objects;
  constexpr Status closed = Status::end_closed;
  std::stop_source source;
  const std::stop_token stop = source.get_token();
  Value value = Value::of(7), other;
  std::int64_t sum;
  std::uint64_t number = 0;
  std::size_t stored;
  bool done = false;
  const auto keep = [](ValueView, Value&) { return Status::ok; };
  bool right = atomic_int.add(1, sum) == closed && atomic_int.add() == closed && atomic_int.value() == 0;
  atomic_int.set(3);
  right = right && atomic_int.exchange(5) == 0 && !atomic_int.compare_exchange(0, 1);

  right = right && cell.get() == Value() && cell.version() == 0 && cell.set(std::move(value)) == closed;
  right = right && cell.swap(std::move(value), other) == closed && cell.update(keep) == closed;
  right = right && cell.compare_and_set(1, std::move(value), done) == closed;
  right = right && cell.wait(number) == closed && cell.wait(number, stop) == closed;

  std::optional<Value> many[1];
  const MapKey keys[] = {1};
  ValueEntry entries[1];
  MapSnapshot entries_now;
  right = right && map.get(1, other) == closed && !map.contains(1) && map.get_many(keys, many) == closed;
  right = right && map.set(1, std::move(value)) == closed && map.set_many(entries, stored) == closed;
  right = right && map.set_many({}, stored) == closed && map.get_many({}, {}) == closed;
  right = right && map.setdefault(1, std::move(value), other) == closed;
  right = right && map.compare_and_set(1, value.view(), std::move(value), done) == closed;
  right = right && map.add(1, 2, other) == closed && map.add(1) == closed && map.update_with(1, keep) == closed;
  right = right && map.pop(1, other) == closed && map.pop(1) == closed && map.popitem(value, other) == closed;
  map.clear();
  right = right && map.size() == 0 && map.snapshot(entries_now) == closed && map.stats().max_items == 0;
  right = right && map.wait(1, other) == closed && map.wait(1, other, stop) == closed;

  for (LockBase* one :
       {static_cast<LockBase*>(&lock), static_cast<LockBase*>(&rlock), static_cast<LockBase*>(&condition)}) {
    right = right && one->acquire() == closed && one->acquire(stop) == closed && one->release() == closed;
    right = right && !one->locked();
    one->unlock();
    for (const auto& call : {+[](LockBase& of) { of.lock(); }, +[](LockBase& of) { (void)of.try_lock(); }}) {
      try {
        call(*one);
        right = false;
      } catch (const std::system_error& error) {
        right = right && error.code() == std::errc::operation_not_permitted;
      }
    }
  }
  Lock plain;
  RLock recursive;
  right = right && condition.wait() == closed && condition.wait(stop) == closed && condition.notify() == closed;
  right = right && condition.notify_all() == closed && condition.open_lock(plain) == closed;
  right = right && condition.open_lock(recursive) == closed && condition.wait_for([] { return false; }) == closed;
  Condition made;
  right = right && Condition::make(lock, made) == closed && Condition::make(rlock, made) == closed && !made;

  right = right && semaphore.acquire() == closed && semaphore.acquire(stop) == closed;
  right = right && semaphore.release() == closed && semaphore.value() == 0;
  event.set();
  event.clear();
  right = right && !event.is_set() && event.wait() == closed && event.wait(stop) == closed;
  right = right && barrier.wait(number) == closed && barrier.wait(number, stop) == closed && barrier.wait() == closed;
  barrier.reset();
  barrier.abort();
  right = right && barrier.parties() == 0 && barrier.arrived() == 0 && !barrier.broken();

  BroadcastReceiver subscribed;
  BroadcastSender opened;
  right = right && broadcast.subscribe(subscribed) == closed && broadcast.sender(opened) == closed;
  right = right && broadcast.capacity() == 0 && broadcast.subscribers() == 0 && sender.capacity() == 0;
  right = right && broadcast.overflow() == Overflow::block && sender.send_nowait(std::move(value)) == closed;
  right = right && sender.send(std::move(value)) == closed && sender.send(std::move(value), stop) == closed;
  right = right && receiver.recv(other) == closed && receiver.recv(other, stop) == closed;
  right = right && receiver.recv_nowait(other) == closed && receiver.size() == 0;

  objects.for_each([&](auto& object, StateKind, const char*) {
    right = right && object.waiting() == 0 && object.as_value(other) == closed && !object.clone();
  });
  return right && value.view().as_integer() == 7;
}

using PublicStateObject = test::StateTest;

TEST_F(PublicStateObject, EveryClassIsFoundByItsNameOnly) {
  Objects objects, found;
  objects.make();
  objects.for_each([&](auto& object, StateKind, std::string_view name) {
    using Object = std::remove_reference_t<decltype(object)>;
    EXPECT_EQ(object.name(), name);
    if (name.empty()) return;
    Object other;
    ASSERT_EQ(Object::lookup(name, other), Status::ok);
    EXPECT_TRUE(other == object);
    for (const std::string_view wrong : {"atomic_int", "lock", "absent"}) {
      if (wrong == name) continue;
      EXPECT_EQ(Object::lookup(wrong, other), Status::not_found);
    }
    EXPECT_TRUE(other == object) << "unchanged";
  });
  Receiver receiver;
  Value value;
  EXPECT_EQ(Receiver::lookup("lock", receiver), Status::not_found);
  EXPECT_EQ(lookup("lock", value), Status::not_found);
}

TEST_F(PublicStateObject, NameIsFreeOnceTheLastHandleIsClosed) {
  Lock one, two;
  ASSERT_EQ(Lock::make(one, "shared"), Status::ok);
  RLock other;
  EXPECT_EQ(RLock::make(other, "shared"), Status::name_taken);
  EXPECT_EQ(publish("shared", Value::of(1)), Status::name_taken);
  EXPECT_EQ(Lock::make(two, "\xff"), Status::invalid);
  EXPECT_FALSE(two || other);
  two = one.clone();
  one.close();
  one.close();
  EXPECT_EQ(RLock::make(other, "shared"), Status::name_taken);
  two = Lock();
  EXPECT_EQ(RLock::make(other, "shared"), Status::ok);

  Value value = text("a value that needs a block");
  Cell cell;
  EXPECT_EQ(Cell::make(std::move(value), cell, "shared"), Status::name_taken);
  EXPECT_EQ(value.view().size(), 26u) << "not taken over";
  Map map;
  EXPECT_EQ(Map::make({.name = "shared"}, map), Status::name_taken);
  AtomicInt number;
  EXPECT_EQ(AtomicInt::make(1, number, "shared"), Status::name_taken);
  BroadcastSender sender;
  Broadcast subscribe;
  EXPECT_EQ(broadcast({.name = "shared"}, sender, subscribe), Status::name_taken);
  EXPECT_FALSE(cell || map || number || sender || subscribe);
}

TEST_F(PublicStateObject, LookupWaitsForTheName) {
  const test::Watchdog watchdog("a name that is looked up");
  Event event, found;
  std::thread maker([&] { EXPECT_EQ(Event::make(event, "later"), Status::ok); });
  EXPECT_EQ(Event::lookup("later", found, 1h), Status::ok);
  maker.join();
  EXPECT_TRUE(found == event);
  EXPECT_EQ(Event::lookup("never", found, 1ms), Status::not_found);
  std::stop_source source;
  std::thread stopper([&] { source.request_stop(); });
  EXPECT_EQ(Event::lookup("never", found, source.get_token()), Status::cancelled);
  stopper.join();
}

TEST_F(PublicStateObject, EveryClassTravelsInsideValues) {
  Objects objects;
  objects.make();
  auto [tx, rx] = open({});
  objects.for_each([&, &tx = tx, &rx = rx](auto& object, StateKind kind, const char*) {
    using Object = std::remove_reference_t<decltype(object)>;
    Value value, again;
    ASSERT_EQ(object.as_value(value), Status::ok);
    ASSERT_EQ(object.as_value(again), Status::ok);
    EXPECT_EQ(value.view().kind(), ValueKind::state);
    EXPECT_TRUE(value == again) << "they refer to the same object";
    ASSERT_EQ(tx.send(tuple("handle", tuple(std::move(value)))), Status::ok);
    Value received;
    ASSERT_EQ(rx.recv(received), Status::ok);
    const ValueView view = received.view()[1][0];
    EXPECT_EQ(StateBase::kind_of(view), kind);
    Object opened;
    ASSERT_EQ(Object::open(view, opened), Status::ok);
    EXPECT_TRUE(opened == object);
    const bool visited = visit(view, overloaded{[](StateView) { return true; }, [](auto) { return false; }});
    EXPECT_TRUE(visited);
    EXPECT_EQ(StateBase::kind_of(received.view()), std::nullopt);
    EXPECT_EQ(Object::open(received.view(), opened), Status::not_found);
    Dump dump;
    EXPECT_EQ(received.dump(dump), Status::invalid) << "an object exists in one process only";
    Value key;
    EXPECT_EQ(MapKey(view).status(), Status::invalid);
  });
  Value lock, rlock;
  ASSERT_EQ(objects.lock.as_value(lock), Status::ok);
  ASSERT_EQ(objects.rlock.as_value(rlock), Status::ok);
  EXPECT_FALSE(lock == rlock);
  EXPECT_EQ(RLock::open(lock.view(), objects.rlock), Status::not_found);
  EXPECT_EQ(StateBase::kind_of(ValueView()), std::nullopt);
}

TEST_F(PublicStateObject, MessageKeepsItsObjectAlive) {
  Value value;
  {
    Cell cell;
    ASSERT_EQ(Cell::make(text("a value that needs a block"), cell), Status::ok);
    ASSERT_EQ(cell.as_value(value), Status::ok);
  }
  Cell opened;
  ASSERT_EQ(Cell::open(value.view(), opened), Status::ok);
  value = Value();
  EXPECT_EQ(view_of(opened.get()).size(), 26u);
}

TEST_F(PublicStateObject, EmptyHandlesRefuseEveryOperation) {
  Objects empty;
  EXPECT_TRUE(refuses_all(empty));
  EXPECT_TRUE(Lock() == Lock());
  Lock lock;
  ASSERT_EQ(Lock::make(lock), Status::ok);
  EXPECT_FALSE(lock == Lock());
  Lock moved = std::move(lock);
  EXPECT_TRUE(moved && !lock);
  lock = std::move(moved);
  EXPECT_TRUE(lock && !moved);
}

TEST_F(PublicStateObject, ForkedChildRefusesObjectsOfItsParent) {
  Objects objects;
  objects.make();
  Value value;
  ASSERT_EQ(objects.lock.as_value(value), Status::ok);
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    bool right = refuses_all(objects);
    Lock lock;
    right = right && Lock::open(value.view(), lock) == Status::not_found;
    right = right && Lock::lookup("lock", lock) == Status::not_found && Lock::make(lock, "lock") == Status::ok;
    right = right && lock.acquire() == Status::ok && lock.release() == Status::ok;
    objects.for_each([](auto& object, StateKind, const char*) { object.close(); });
    _exit(right ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(objects.atomic_int.value(), 1) << "the parent is unharmed";
}

}  // namespace
}  // namespace xichan
