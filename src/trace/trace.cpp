#include "trace/trace.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <tuple>
#include <utility>

#include "base/immortal.h"

namespace xichan::internal {

/// What a thread records with. Never freed: a later thread takes it over.
struct alignas(cache_line) Trace::Log {
  atomic<std::uint32_t> inside{0};
  atomic<bool> is_owned{true};
  std::uint32_t number = 0;  // of the trace of `chunk`
  TraceChunk* chunk = nullptr;
  Log* next = nullptr;
};

namespace {

constexpr std::int64_t chunk_room = 256;  // events

struct Control {
  Mutex lock;
  std::uint32_t last_number = 0;  // guarded by the lock
};
Control& control() noexcept { return immortal<Control>(); }

constinit atomic<TraceData*> current{nullptr};

thread_local constinit std::int32_t interpreter = -1;

// A generation that no endpoint has: closed endpoints have the complement of theirs.
constexpr std::uint32_t traced_generation = 1u << 31;

}  // namespace

constinit atomic<Trace::Log*> Trace::logs_{nullptr};

bool TraceData::Less::operator()(const TraceSubject& a, const TraceSubject& b) const noexcept {
  return std::tie(a.kind, a.words[0], a.words[1]) < std::tie(b.kind, b.words[0], b.words[1]);
}

TraceData::TraceData(std::uint32_t number_of_trace, std::uint64_t max_events) noexcept : number(number_of_trace) {
  room.store(static_cast<std::int64_t>(std::min<std::uint64_t>(max_events, INT64_MAX)), memory_order_relaxed);
}

TraceData::~TraceData() {
  for (TraceChunk* chunk = chunks.load(memory_order_relaxed); chunk != nullptr;) {
    std::free(std::exchange(chunk, chunk->next));
  }
}

std::uint64_t TraceData::events() const noexcept {
  std::uint64_t count = 0;
  // (71) acquire, with the push in take_chunk.
  for (const TraceChunk* chunk = chunks.load(memory_order_acquire); chunk != nullptr; chunk = chunk->next) {
    count += chunk->used.load(memory_order_relaxed);
  }
  return count;
}

// Returns the log of the calling thread; null without memory, or while the thread ends.
Trace::Log* Trace::own_log() noexcept {
  static thread_local constinit Log* own = nullptr;
  static thread_local constinit bool has_left = false;
  struct Leave {
    Leave() noexcept {}
    ~Leave() {
      has_left = true;
      // (72) release, with the acquire below: what the thread recorded comes before what the next owner does.
      if (own != nullptr) std::exchange(own, nullptr)->is_owned.store(false, memory_order_release);
    }
  };
  if (own != nullptr || has_left) return own;
  static thread_local Leave leave;
  [[maybe_unused]] Leave* const volatile made = &leave;  // first use registers the destructor
  for (Log* log = logs_.load(memory_order_acquire); log != nullptr; log = log->next) {  // (73)
    bool expected = false;
    if (!log->is_owned.compare_exchange_strong(expected, true, memory_order_acquire, memory_order_relaxed)) continue;
    log->number = 0;
    return own = log;
  }
  Log* const fresh = new (std::nothrow) Log;
  if (fresh == nullptr) return nullptr;
  fresh->next = logs_.load(memory_order_relaxed);
  // (73) release, with the acquire of threads that walk the list. Sequentially consistent: see Q1.
  while (!logs_.compare_exchange_weak(fresh->next, fresh, memory_order_seq_cst, memory_order_relaxed)) {
  }
  return own = fresh;
}

/// The time during which a thread touches the trace: Q1.
class Trace::Entry {
 public:
  Entry() noexcept : log_(own_log()) {
    if (log_ == nullptr) return;
    log_->inside.store(1, memory_order_seq_cst);
    data_ = current.load(memory_order_seq_cst);
  }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;
  ~Entry() {
    // (70) release, with the load in stop: what the thread has recorded is read after it.
    if (log_ != nullptr) log_->inside.store(0, memory_order_release);
  }

  /// Null if no trace records.
  TraceData* data() const noexcept { return data_; }
  Log& log() const noexcept { return *log_; }

 private:
  Log* const log_;
  TraceData* data_ = nullptr;
};

TraceChunk* Trace::take_chunk(TraceData& data) noexcept {
  std::int64_t left = data.room.load(memory_order_relaxed);
  std::int64_t taken;
  do {
    taken = std::min(left, chunk_room);
    if (taken <= 0) return nullptr;
  } while (!data.room.compare_exchange_weak(left, left - taken, memory_order_relaxed, memory_order_relaxed));
  const auto events = static_cast<std::size_t>(taken);
  void* const memory = std::malloc(sizeof(TraceChunk) + events * sizeof(TraceEvent));
  if (memory == nullptr) {
    data.room.fetch_add(taken, memory_order_relaxed);
    return nullptr;
  }
  auto* const chunk = new (memory) TraceChunk;
  chunk->thread = static_cast<std::uint32_t>(syscall(SYS_gettid));
  if (prctl(PR_GET_NAME, chunk->thread_name) != 0) chunk->thread_name[0] = 0;
  chunk->room = static_cast<std::uint32_t>(taken);
  chunk->used.store(0, memory_order_relaxed);
  chunk->next = data.chunks.load(memory_order_relaxed);
  // (71) release, with the load in TraceData::events.
  while (!data.chunks.compare_exchange_weak(chunk->next, chunk, memory_order_release, memory_order_relaxed)) {
  }
  return chunk;
}

// Returns a place for one more event of the thread, or null.
TraceEvent* Trace::append(TraceData& data, Log& log) noexcept {
  if (log.number != data.number) {
    log.number = data.number;
    log.chunk = nullptr;
  }
  if (log.chunk == nullptr || log.chunk->used.load(memory_order_relaxed) == log.chunk->room) {
    TraceChunk* const fresh = take_chunk(data);
    if (fresh == nullptr) {
      data.dropped.fetch_add(1, memory_order_relaxed);
      return nullptr;
    }
    log.chunk = fresh;
  }
  const std::uint32_t used = log.chunk->used.load(memory_order_relaxed);
  log.chunk->used.store(used + 1, memory_order_relaxed);
  return new (log.chunk->events() + used) TraceEvent;
}

Status Trace::start(std::uint64_t max_events, std::uint32_t& number) noexcept {
  std::lock_guard guard(control().lock);
  if (current.load(memory_order_relaxed) != nullptr) return Status::claimed;
  if (++control().last_number == 0) ++control().last_number;
  auto* const data = new (std::nothrow) TraceData(control().last_number, max_events);
  if (data == nullptr) return Status::no_memory;
  number = data->number;
  current.store(data, memory_order_seq_cst);
  process_words.plain_generation.store(process_generation() ^ traced_generation, memory_order_relaxed);
  process_words.trace.store(number, memory_order_relaxed);
  return Status::ok;
}

std::unique_ptr<TraceData> Trace::stop(std::uint32_t number) noexcept {
  std::lock_guard guard(control().lock);
  std::unique_ptr<TraceData> data(current.load(memory_order_relaxed));
  if (data == nullptr || data->number != number) {
    (void)data.release();
    return nullptr;
  }
  process_words.trace.store(0, memory_order_relaxed);
  process_words.plain_generation.store(process_generation(), memory_order_relaxed);
  current.store(nullptr, memory_order_seq_cst);
  for (const Log* log = logs_.load(memory_order_seq_cst); log != nullptr; log = log->next) {  // (73)
    while (log->inside.load(memory_order_seq_cst) != 0) sched_yield();                        // (70)
  }
  data->end = Deadline::now();
  return data;
}

bool Trace::count(std::uint32_t number, std::uint64_t& events, std::uint64_t& dropped) noexcept {
  std::lock_guard guard(control().lock);
  const TraceData* const data = current.load(memory_order_relaxed);
  if (data == nullptr || data->number != number) return false;
  events = data->events();
  dropped = data->dropped.load(memory_order_relaxed);
  return true;
}

void Trace::set_interpreter(std::int64_t id) noexcept { interpreter = static_cast<std::int32_t>(id); }

void Trace::record(TraceEvent event) noexcept {
  const Entry entry;
  if (entry.data() == nullptr) return;
  if (TraceEvent* const place = append(*entry.data(), entry.log())) {
    // What began before this trace, maybe while another one recorded, begins with it.
    event.begin = std::max(event.begin, entry.data()->begin);
    if (event.end != 0) event.end = std::max(event.end, event.begin);
    event.interpreter = interpreter;
    *place = event;
  }
}

void Trace::name(const TraceSubject& subject, std::string_view text) noexcept try {
  const Entry entry;
  if (entry.data() == nullptr) return;
  std::lock_guard guard(entry.data()->names_lock);
  entry.data()->names.try_emplace(subject, text);
} catch (const std::bad_alloc&) {  // it stays without a name
}

TraceSubject Trace::text(std::string_view text) noexcept try {
  const Entry entry;
  if (entry.data() == nullptr) return {};
  TraceData& data = *entry.data();
  std::lock_guard guard(data.names_lock);
  auto found = data.texts.find(text);
  if (found == data.texts.end()) found = data.texts.emplace(text, data.texts.size()).first;
  TraceSubject subject{.kind = TraceSubject::Kind::text};
  subject.words[0] = found->second;
  data.names.try_emplace(subject, text);
  return subject;
} catch (const std::bad_alloc&) {
  return {};
}

void Trace::lock_for_fork() noexcept { control().lock.lock(); }

// The data stays in memory, because another thread may have been changing it; so do the logs of the other threads.
void Trace::unlock_after_fork(bool in_child) noexcept {
  if (in_child) {
    process_words.trace.store(0, memory_order_relaxed);
    process_words.plain_generation.store(process_generation(), memory_order_relaxed);
    current.store(nullptr, memory_order_relaxed);
    for (Log* log = logs_.load(memory_order_relaxed); log != nullptr; log = log->next) {
      log->inside.store(0, memory_order_relaxed);
    }
  }
  control().lock.unlock();
}

void TraceSpan::fill(TraceEvent& event, std::int64_t since) const noexcept {
  event.begin = since;
  event.subject = subject_;
  event.count = count_;
  event.kind = kind_;
  event.interpreter = interpreter;
  event.call = call_;
}

void TraceSpan::begin() noexcept {
  const Trace::Entry entry;
  if (entry.data() == nullptr) return;
  Trace::Log& log = entry.log();
  number_ = entry.data()->number;
  if (log.number == number_ && log.chunk != nullptr) {
    TraceEvent& last = log.chunk->events()[log.chunk->used.load(memory_order_relaxed) - 1];
    if (last.is_cut && last.kind == kind_ && last.call == call_ && last.subject == subject_ &&
        last.interpreter == interpreter) {
      last.is_cut = false;
      last.end = 0;
      since_ = last.begin;
      event_ = &last;
      return;
    }
  }
  event_ = Trace::append(*entry.data(), log);
  if (event_ == nullptr) return;
  if (since_ == 0) since_ = Deadline::now();
  fill(*event_, since_);
}

void TraceSpan::end() noexcept {
  const Trace::Entry entry;
  TraceData* const data = entry.data();
  if (data == nullptr) return;
  if (data->number != number_) {  // it began before the trace
    event_ = Trace::append(*data, entry.log());
    if (event_ == nullptr) return;
    fill(*event_, data->begin);
  }
  if (event_ == nullptr) return;
  event_->subject = subject_;
  if (error_.kind == TraceSubject::Kind::text) event_->first = error_.words[0] + 1;
  event_->is_cut = is_cut_;
  event_->end = Deadline::now();
}

}  // namespace xichan::internal
