// Records what the threads of the process send, receive, wait for and run.
//
// Algorithm: each thread writes into a chunk of events of its own, so that threads do not disturb each other. When the
// chunk is full it takes room for the next one from that of the trace, and pushes the chunk on a list. If no room is
// left, the newest events are dropped and counted. The thread that ends the trace takes the list.
//
// Invariants
//   Q1  a thread touches the trace, and its chunk, only while its log says that it is inside. It enters, then reads
//       which trace records; the end of a trace changes that, then waits until no thread is inside. All four are
//       sequentially consistent: either the thread sees the end, or the end sees the thread.
//   Q2  an event that has not ended belongs to its thread, which may still store its end.
//
// Progress: recording waits for no other thread; the end of a trace waits for the few instructions of those that are
// inside. Names take a short lock. Fork: the child records nothing, and drops what it inherits.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "sync/mutex.h"
#include "sync/process_words.h"
#include "trace/event.h"
#include "xichan/export.h"
#include "xichan/status.h"

namespace xichan::internal {

/// Events of one thread.
struct TraceChunk {
  TraceChunk* next;  // constant once it is listed
  std::uint32_t thread;
  char thread_name[16];  // as the kernel knows it when the chunk is taken
  std::uint32_t room;
  atomic<std::uint32_t> used;

  TraceEvent* events() noexcept { return reinterpret_cast<TraceEvent*>(this + 1); }
  const TraceEvent* events() const noexcept { return reinterpret_cast<const TraceEvent*>(this + 1); }
};

/// One recording. Thread safety: that of Trace while it records; then that of a plain value.
class XICHAN_API TraceData {
 public:
  TraceData(std::uint32_t number_of_trace, std::uint64_t max_events) noexcept;
  TraceData(const TraceData&) = delete;
  TraceData& operator=(const TraceData&) = delete;
  ~TraceData();

  /// Returns the number of events recorded so far. Any thread, while the data lives.
  std::uint64_t events() const noexcept;

  const std::uint32_t number;
  const std::int64_t begin = Deadline::now();
  std::int64_t end = 0;
  atomic<std::int64_t> room;
  atomic<std::uint64_t> dropped{0};
  atomic<TraceChunk*> chunks{nullptr};
  Mutex names_lock;
  struct Less {
    bool operator()(const TraceSubject& a, const TraceSubject& b) const noexcept;
  };
  std::map<TraceSubject, std::string, Less> names;  // guarded by the lock, as is:
  std::map<std::string, std::uint64_t, std::less<>> texts;
};

class XICHAN_API Trace {
 public:
  /// Begins to record: `ok`, with the number of the trace; `claimed` if a trace is recorded already; `no_memory`.
  static Status start(std::uint64_t max_events, std::uint32_t& number) noexcept;
  /// Ends the trace with this number and returns what it recorded; null if it has ended. Blocks for a moment.
  static std::unique_ptr<TraceData> stop(std::uint32_t number) noexcept;
  /// Stores how many events the trace has recorded and dropped so far. Returns false if it has ended.
  static bool count(std::uint32_t number, std::uint64_t& events, std::uint64_t& dropped) noexcept;

  /// Sets the interpreter of what the calling thread records from here on; -1 if it is none.
  static void set_interpreter(std::int64_t id) noexcept;

  /// Records an event of the calling thread, whose `interpreter` it sets.
  static void record(TraceEvent event) noexcept;
  /// Gives a subject the name that the file shows. The first one is kept.
  static void name(const TraceSubject& subject, std::string_view text) noexcept;
  /// Returns a subject that is shown as this text.
  static TraceSubject text(std::string_view text) noexcept;

  // Called around a fork by directory/process.cpp.
  static void lock_for_fork() noexcept;
  static void unlock_after_fork(bool in_child) noexcept;

 private:
  friend class TraceSpan;
  struct Log;
  class Entry;

  static Log* own_log() noexcept;
  static TraceEvent* append(TraceData& data, Log& log) noexcept;
  static TraceChunk* take_chunk(TraceData& data) noexcept;

  static atomic<Log*> logs_;  // of all threads, also ended ones
};

/// An event that lasts as long as this object: a wait or a task of the calling thread. If a trace begins meanwhile, it
/// is recorded from there on. Without a trace it costs two loads. `since` is the time at which the event began, if not
/// now.
class XICHAN_API TraceSpan {
 public:
  TraceSpan(TraceKind kind, const TraceSubject& subject, TraceCall call = TraceCall::none, std::uint32_t count = 0,
            std::int64_t since = 0) noexcept
      : subject_(subject), since_(since), count_(count), kind_(kind), call_(call) {
    if (is_traced()) begin();
  }
  TraceSpan(const TraceSpan&) = delete;
  TraceSpan& operator=(const TraceSpan&) = delete;
  ~TraceSpan() {
    if (number_ != 0 || is_traced()) end();
  }

  /// For a subject that is known later. Before the end.
  void set_subject(const TraceSubject& subject) noexcept { subject_ = subject; }
  /// For a task that has failed. error: a subject of Trace::text.
  void set_error(const TraceSubject& error) noexcept { error_ = error; }
  /// Returns when the event began, if a trace recorded that, else `since`.
  std::int64_t since() const noexcept { return since_; }
  /// The thread interrupts the wait for a moment; if it takes it up again at once, that is one event.
  void cut() noexcept { is_cut_ = true; }

 private:
  void begin() noexcept;
  void end() noexcept;
  void fill(TraceEvent& event, std::int64_t since) const noexcept;

  TraceSubject subject_;
  TraceSubject error_;  // none, or of the task
  std::int64_t since_;  // 0: the event begins when this object is made
  TraceEvent* event_ = nullptr;
  std::uint32_t number_ = 0;  // of the trace of `event_`
  const std::uint32_t count_;
  const TraceKind kind_;
  const TraceCall call_;
  bool is_cut_ = false;
};

}  // namespace xichan::internal
