// What a blocked call shows in the page of the process while it sleeps: who waits, where, since when, for what.
//
// A call makes a report before it blocks, which costs some stores. The report takes a slot of the page only when the
// thread really goes to sleep (a coroutine: when it is enlisted), and frees it when the wait is over. So calls that do
// not sleep pay nothing, and neither does the path of a message.
//
// Invariants
//   S1  a slot belongs to the report that has taken it (page/slot_set.h), until that report releases it; no other
//   thread
//       writes to it.
//   S2  the number of a wait is never used again in this process, and a free slot shows the number 0.
//   S3  a report that was shown before a fork does not touch the page in the child.
//
// Progress: showing takes the slot that the thread used last if it is free; otherwise it looks at one word per 64
// slots. Hiding is wait-free. If no slot is free the wait is counted, and not shown.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/atomic.h"
#include "page/layout.h"
#include "xichan/export.h"

namespace xichan::internal {

/// One of the things that a call waits for. The first four members are bytes of a word in the slot.
struct WaitTarget {
  enum class What : std::uint8_t { none, channel, object };

  What what = What::none;
  bool receives = false;      // a channel: the endpoint of the call is a Receiver
  std::uint8_t kind = 0;      // an object: its StateKind
  bool until_closed = false;  // a channel: the call waits until it is closed
  std::uint64_t low = 0;      // the id of a channel, or the number of an object
  std::uint64_t high = 0;
};

/// The texts of a slot. Longer ones are cut: of a file name the end is kept, of the others the beginning.
class WaitText {
 public:
  void set_call(std::string_view text) noexcept { call_ = text; }
  void set_function(std::string_view text) noexcept { function_ = text; }
  void set_place(std::string_view file, std::uint32_t line) noexcept {
    file_ = file;
    line_ = line;
  }

  std::string_view call() const noexcept { return call_; }
  std::string_view function() const noexcept { return function_; }
  std::string_view file() const noexcept { return file_; }
  std::uint32_t line() const noexcept { return line_; }

 private:
  std::string_view call_, function_, file_;
  std::uint32_t line_ = 0;
};

/// The code that makes a call, opaque to the core. It must stay alive during the wait.
struct WaitCaller {
  /// Passes the texts to `take`, which copies them. Runs without the interpreter's lock.
  using Describe = void (*)(const WaitCaller& caller, std::string_view call,
                            void (*take)(void*, const WaitText&) noexcept, void* context) noexcept;

  std::int64_t interpreter = -1;  // -1: a thread of C++
  Describe describe = nullptr;    // null: nothing is known but the name of the call
  const void* code = nullptr;     // for `describe`, as are the others
  const void* library = nullptr;
  std::int32_t position = 0;
};

class XICHAN_API WaitReport {
 public:
  enum Flag : std::uint32_t { has_timeout = 1, is_idle = 2, is_coroutine = 4, is_file_cut = 8 };

  /// `call` is a literal.
  explicit WaitReport(const char* call, std::uint32_t flags = 0, const WaitCaller& caller = {}) noexcept
      : caller_(caller), call_(call), flags_(flags) {
    slot_.store(nullptr, memory_order_relaxed);
  }
  WaitReport(const WaitReport&) = delete;
  WaitReport& operator=(const WaitReport&) = delete;
  ~WaitReport() { hide(); }

  void set_idle() noexcept { flags_ |= is_idle; }

  bool is_shown() const noexcept { return slot_.load(memory_order_relaxed) != nullptr; }
  /// Shows the wait; called right before the thread sleeps. `total` counts the targets, of which the first few are
  /// passed. Shown again after `hide`, the wait keeps its number and the time at which it began.
  void show(std::span<const WaitTarget> targets, std::size_t total) noexcept;
  /// Ends the wait for readers; called once the thread is awake. Idempotent.
  void hide() noexcept {
    WaitSlot* const slot = slot_.load(memory_order_relaxed);
    if (slot == nullptr) return;
    slot_.store(nullptr, memory_order_relaxed);
    clear(slot);
  }
  /// Does the same for a coroutine, which the thread that wakes it may call at the same time.
  void hide_shared() noexcept {
    // (58) acq_rel among these threads: one of them clears the slot.
    WaitSlot* const slot = slot_.exchange(nullptr, memory_order_acq_rel);
    if (slot != nullptr) clear(slot);
  }

 private:
  void clear(WaitSlot* slot) noexcept;
  void write(WaitSlot& slot, std::span<const WaitTarget> targets, std::size_t total) noexcept;

  WaitCaller caller_;
  const char* const call_;
  std::uint32_t flags_;
  std::uint32_t forks_ = 0;   // page_forks() when it was shown
  std::uint64_t number_ = 0;  // 0 until it is first shown
  std::int64_t started_ = 0;
  atomic<WaitSlot*> slot_;  // null while it is not shown; `unshown` if no slot was free
};

/// A wait as read from a slot.
struct ShownWait {
  std::uint64_t number;
  std::int64_t started;
  std::int64_t interpreter;
  std::uint32_t thread;
  std::uint32_t flags;
  std::uint32_t line;
  std::uint32_t more;  // targets beyond those listed
  std::uint32_t targets;
  WaitTarget target[most_wait_cases];
  std::uint16_t call_length, function_length, file_length;
  char call[most_call_bytes], function[most_function_bytes], file[most_file_bytes];
};

/// Reads the slot with this index. Returns false if it shows no wait. Repeats reads that meet a write, a few times.
XICHAN_API bool read_wait(const Page& page, std::size_t index, ShownWait& out) noexcept;
/// Returns how many slots there are to read.
XICHAN_API std::size_t used_wait_slots(const Page& page) noexcept;

}  // namespace xichan::internal
