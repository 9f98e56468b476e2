#include "trace/json.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <map>
#include <new>
#include <set>
#include <string>

#include "trace/depths.h"
#include "trace/flows.h"
#include "trace/json_writer.h"
#include "xichan/version.h"

namespace xichan::internal {
namespace {

constexpr const char* call_names[] = {"", "send ", "recv ", "select ", "wait_closed ", "lookup", "acquire ", "wait "};
constexpr const char* categories[] = {"send", "recv", "wait", "wait", "task", "call"};

/// Writes one file. Its processes are the interpreters; the counters of channels are in one of their own.
class TraceFile {
 public:
  TraceFile(const TraceData& data, int descriptor)
      : data_(data), out_(descriptor), events_(sort_events(data)), flows_(find_flows(events_)) {}

  int write() {
    out_.text("{\"displayTimeUnit\":\"ns\",\"otherData\":{\"version\":\"xichan " XICHAN_VERSION
              "\",\"dropped_events\":");
    out_.number(data_.dropped.load(memory_order_relaxed));
    out_.text("},\"traceEvents\":[\n");
    number_interpreters();
    write_names();
    for (std::size_t i = 0; i < events_.size(); ++i) {
      if (events_[i].event->kind == TraceKind::coroutine_wait) {
        write_coroutine_wait(i);
      } else {
        write_slice(events_[i]);
      }
    }
    for (std::size_t i = 0; i < flows_.size(); ++i) write_flow(i);
    write_depths();
    out_.text("\n]}\n");
    return out_.finish();
  }

 private:
  void begin_record() {
    if (!is_first_) out_.text(",\n");
    is_first_ = false;
  }

  // Interpreters by number, then the threads without one.
  void number_interpreters() {
    for (const TracedEvent& e : events_) processes_.try_emplace(e.event->interpreter, 0);
    std::uint32_t next = 1;
    for (auto& [interpreter, process] : processes_) {
      if (interpreter >= 0) process = next++;
    }
    if (const auto none = processes_.find(-1); none != processes_.end()) none->second = next++;
    channels_process_ = next;
  }

  void write_name(const char* what, std::uint32_t process, std::uint32_t thread, std::string_view name) {
    begin_record();
    out_.text("{\"ph\":\"M\",\"name\":\"");
    out_.text(what);
    out_.text("\",\"pid\":");
    out_.number(process);
    out_.text(",\"tid\":");
    out_.number(thread);
    out_.text(",\"args\":{\"name\":");
    out_.quoted(name);
    out_.text("}}");
  }

  // Returns the name that was given, or else the one that the thread has.
  std::string_view name_of(TraceSubject::Kind kind, std::uint64_t number, const char* otherwise) const {
    const auto found = data_.names.find({.kind = kind, .words = {number, 0}});
    return found == data_.names.end() ? otherwise : std::string_view(found->second);
  }

  void write_names() {
    std::set<std::pair<std::int32_t, std::uint32_t>> threads;
    std::set<std::int32_t> interpreters;
    for (const TracedEvent& e : events_) {
      const std::int32_t interpreter = e.event->interpreter;
      const char* const name = e.chunk->thread_name;
      if (interpreters.insert(interpreter).second) {
        std::string label = interpreter < 0 ? "threads without an interpreter" : "main interpreter";
        if (interpreter > 0) {
          label = "interpreter " + std::to_string(interpreter) + ": ";
          label += name_of(TraceSubject::Kind::interpreter, static_cast<std::uint64_t>(interpreter), name);
        }
        write_name("process_name", processes_[interpreter], 0, label);
        begin_record();
        out_.text("{\"ph\":\"M\",\"name\":\"process_sort_index\",\"pid\":");
        out_.number(processes_[interpreter]);
        out_.text(",\"tid\":0,\"args\":{\"sort_index\":");
        out_.number(processes_[interpreter]);
        out_.text("}}");
      }
      if (threads.emplace(interpreter, e.chunk->thread).second) {
        write_name("thread_name", processes_[interpreter], e.chunk->thread,
                   name_of(TraceSubject::Kind::thread, e.chunk->thread, name));
      }
    }
  }

  static bool is_channel(const TraceSubject& subject) noexcept {
    return subject.kind == TraceSubject::Kind::channel || subject.kind == TraceSubject::Kind::own_channel;
  }

  // Returns the name of a subject; channels without a name are numbered as they appear.
  std::string_view label_of(const TraceSubject& subject) {
    if (const auto found = data_.names.find(subject); found != data_.names.end()) return found->second;
    if (subject.kind == TraceSubject::Kind::none) return "";
    auto& label = labels_[subject];
    if (label.empty()) {
      label = is_channel(subject) ? "channel " + std::to_string(labels_.size())
                                  : "object " + std::to_string(subject.words[0]);
    }
    return label;
  }

  void write_label(const TraceEvent& e) {
    if (e.kind == TraceKind::task || e.kind == TraceKind::call) {
      const std::string_view label = label_of(e.subject);
      return out_.quoted(label.empty() ? "task" : label);
    }
    std::string label = e.kind == TraceKind::send      ? "send "
                        : e.kind == TraceKind::receive ? "recv "
                                                       : std::string("wait: ") + call_names[static_cast<int>(e.call)];
    label += label_of(e.subject);
    out_.quoted(label);
  }

  void write_place(const TracedEvent& e) {
    out_.text(",\"pid\":");
    out_.number(processes_[e.event->interpreter]);
    out_.text(",\"tid\":");
    out_.number(e.chunk->thread);
  }

  std::int64_t end_of(const TraceEvent& e) const { return e.end == 0 ? data_.end : e.end; }

  void write_arguments(const TraceEvent& e) {
    out_.text(",\"args\":{");
    const char* separator = "";
    const auto key = [&](const char* name) {
      out_.text(separator);
      out_.text(name);
      separator = ",";
    };
    if (is_channel(e.subject)) {
      char id[40];
      std::snprintf(id, sizeof id, "\"0x%llx%016llx\"", static_cast<unsigned long long>(e.subject.words[1]),
                    static_cast<unsigned long long>(e.subject.words[0]));
      key("\"channel\":");
      out_.quoted(label_of(e.subject));
      key("\"id\":");
      out_.text(id);
    }
    if (e.kind == TraceKind::send || e.kind == TraceKind::receive) {
      key("\"messages\":");
      out_.number(e.count);
      key("\"first\":");
      out_.number(e.first);
    } else if (e.call == TraceCall::select) {
      key("\"cases\":");
      out_.number(e.count);
    }
    if (e.kind == TraceKind::task && e.first != 0) {
      key("\"error\":");
      out_.quoted(label_of({.kind = TraceSubject::Kind::text, .words = {e.first - 1, 0}}));
    }
    if (e.end == 0) key("\"unfinished\":true");
    out_.text("}");
  }

  // One nanosecond longer than measured, so that the arrows of flows begin and end inside.
  void write_slice(const TracedEvent& e) {
    begin_record();
    out_.text("{\"ph\":\"X\",\"name\":");
    write_label(*e.event);
    out_.text(",\"cat\":\"");
    out_.text(categories[static_cast<int>(e.event->kind)]);
    if (e.event->subject.kind == TraceSubject::Kind::own_channel) out_.text(",internal");
    out_.text("\",\"ts\":");
    out_.time(e.event->begin - data_.begin);
    out_.text(",\"dur\":");
    out_.time(end_of(*e.event) - e.event->begin + 1);
    write_place(e);
    write_arguments(*e.event);
    out_.text("}");
  }

  // Other events of the thread overlap with it, so it is not a slice of the thread.
  void write_coroutine_wait(std::size_t i) {
    const TraceEvent& e = *events_[i].event;
    for (const bool is_end : {false, true}) {
      begin_record();
      out_.text(is_end ? "{\"ph\":\"e\",\"name\":" : "{\"ph\":\"b\",\"name\":");
      write_label(e);
      out_.text(",\"cat\":\"coroutine\",\"id\":");
      out_.number(i + 1);
      out_.text(",\"ts\":");
      out_.time((is_end ? end_of(e) : e.begin) - data_.begin);
      write_place(events_[i]);
      if (is_end) {
        out_.text("}");
      } else {
        write_arguments(e);
        out_.text("}");
      }
    }
  }

  void write_flow(std::size_t i) {
    const TracedEvent& send = events_[flows_[i].send];
    const TracedEvent& receive = events_[flows_[i].receive];
    for (const bool is_end : {false, true}) {
      begin_record();
      out_.text(is_end ? "{\"ph\":\"f\",\"bp\":\"e\"" : "{\"ph\":\"s\"");
      out_.text(",\"name\":\"message\",\"cat\":\"message\",\"id\":");
      out_.number(i + 1);
      out_.text(",\"ts\":");
      out_.time((is_end ? receive.event->end : send.event->begin) - data_.begin);
      write_place(is_end ? receive : send);
      out_.text("}");
    }
  }

  void write_depths() {
    const std::vector<TracedDepth> depths = find_depths(data_, events_);
    if (!depths.empty()) write_name("process_name", channels_process_, 0, "channels");
    for (const TracedDepth& depth : depths) {
      begin_record();
      out_.text("{\"ph\":\"C\",\"name\":");
      out_.quoted(std::string("depth of ").append(label_of(depth.channel)));
      out_.text(",\"pid\":");
      out_.number(channels_process_);
      out_.text(",\"ts\":");
      out_.time(depth.time - data_.begin);
      out_.text(",\"args\":{\"messages\":");
      out_.number(depth.messages);
      out_.text("}}");
    }
  }

  const TraceData& data_;
  JsonWriter out_;
  const std::vector<TracedEvent> events_;
  const std::vector<TraceFlow> flows_;
  std::map<std::int32_t, std::uint32_t> processes_;  // by interpreter
  std::map<TraceSubject, std::string, TraceData::Less> labels_;
  std::uint32_t channels_process_ = 0;
  bool is_first_ = true;
};

}  // namespace

int write_trace(const TraceData& data, int descriptor) noexcept try {
  return TraceFile(data, descriptor).write();
} catch (const std::bad_alloc&) {
  return ENOMEM;
}

}  // namespace xichan::internal
