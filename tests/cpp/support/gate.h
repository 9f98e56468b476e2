// An item whose copy constructor blocks at a gate: in a push between claiming the slot and publishing the item, in a
// pop between claiming the item and freeing the slot.
#pragma once

#include <condition_variable>
#include <mutex>

namespace xichan::test {

/// Blocks one thread until another opens the gate.
class Gate {
 public:
  void stop_here() {
    std::unique_lock guard(lock_);
    inside_ = true;
    changed_.notify_all();
    changed_.wait(guard, [this] { return open_; });
  }
  void await_arrival() {
    std::unique_lock guard(lock_);
    changed_.wait(guard, [this] { return inside_; });
  }
  void open() {
    std::lock_guard guard(lock_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex lock_;
  std::condition_variable changed_;
  bool inside_ = false;
  bool open_ = false;
};

/// Its copies block at the gates of both the source and the target.
struct GatedItem {
  int value = 0;
  Gate* gate = nullptr;  // stays with the object: never copied

  GatedItem() = default;
  explicit GatedItem(int number, Gate* at = nullptr) : value(number), gate(at) {}
  GatedItem(const GatedItem& other) { copy(other); }
  GatedItem& operator=(const GatedItem& other) {
    copy(other);
    return *this;
  }

  void copy(const GatedItem& other) {
    for (Gate* at : {other.gate, gate}) {
      if (at != nullptr) at->stop_here();
    }
    value = other.value;
  }
};

}  // namespace xichan::test
