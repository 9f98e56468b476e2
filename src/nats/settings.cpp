#include "nats/settings.h"

#include <charconv>
#include <cstring>
#include <iterator>
#include <utility>
#include <vector>

#include "nats/failure.h"

namespace xichan::nats::internal {
namespace {

constexpr std::int64_t format = 1;
constexpr const char* storages[] = {"memory", "file", "durable"};
constexpr const char* acks[] = {"receive", "lease"};
// Receivers of all processes that may wait at the same time. JetStream's default is 512.
constexpr int most_waiting = 1 << 16;
constexpr std::uint64_t largest = INT64_MAX;

std::string seconds(Seconds time) {
  char text[64];
  const auto [end, error] = std::to_chars(text, text + sizeof text, time.count(), std::chars_format::fixed);
  std::string written(text, end);
  if (written.find('.') == written.npos) written += ".0";
  return written;
}

std::string nanoseconds(Seconds time) { return std::to_string(static_cast<std::int64_t>(time.count() * 1e9)); }

// A number, or the word for "no bound".
std::string bound(std::uint64_t number, std::uint64_t none, const char* word) {
  return number == none ? word : std::to_string(number);
}

using Entries = std::vector<std::pair<const char*, std::string>>;

// The settings in the order of Python's dataclass.
Entries entries_of(const ChannelOptions& options) {
  return {
      {"capacity", bound(options.capacity, unbounded, "null")},
      {"max_bytes", bound(options.max_bytes, 0, "null")},
      {"storage", quote(storages[static_cast<int>(options.storage)])},
      {"ack", quote(acks[static_cast<int>(options.ack)])},
      {"ack_wait", seconds(options.ack_wait)},
      {"max_deliver", bound(options.max_deliver, 0, "null")},
      {"duplicate_window", seconds(options.duplicate_window)},
      {"sender_timeout", seconds(options.sender_timeout)},
      {"keep", options.keep ? "true" : "false"},
  };
}

template <class Enum, std::size_t Count>
bool read_word(const Json& json, const char* const (&words)[Count], Enum& out) noexcept {
  for (std::size_t i = 0; i < Count; ++i) {
    if (json.text() == words[i]) {
      out = static_cast<Enum>(i);
      return true;
    }
  }
  return false;
}

bool read_count(const Json& json, std::uint64_t none, std::uint64_t& out) noexcept {
  out = json ? static_cast<std::uint64_t>(json.integer()) : none;
  return !json || (json.kind() == Json::Kind::number && json.integer() > 0);
}

bool read_seconds(const Json& json, Seconds& out) noexcept {
  out = Seconds(json.number());
  return json.kind() == Json::Kind::number;
}

bool read_options(const Json& json, ChannelOptions& out) noexcept {
  out.keep = json["keep"].truth();
  const std::size_t expected = 10 + (json["ended_by"] ? 1 : 0);
  return json.entries().size() == expected && json["xichan"].integer() == format &&
         read_count(json["capacity"], unbounded, out.capacity) && read_count(json["max_bytes"], 0, out.max_bytes) &&
         read_word(json["storage"], storages, out.storage) && read_word(json["ack"], acks, out.ack) &&
         read_seconds(json["ack_wait"], out.ack_wait) && read_count(json["max_deliver"], 0, out.max_deliver) &&
         read_seconds(json["duplicate_window"], out.duplicate_window) &&
         read_seconds(json["sender_timeout"], out.sender_timeout) && json["keep"].kind() == Json::Kind::boolean;
}

}  // namespace

Status Settings::check() const {
  if (options.capacity == 0) {
    return fail(Status::invalid, "capacity must be at least 1: a channel between machines cannot be a rendezvous");
  }
  const std::pair<const char*, std::uint64_t> counts[] = {
      {"capacity", options.capacity == unbounded ? 1 : options.capacity},
      {"max_bytes", options.max_bytes},
      {"max_deliver", options.max_deliver}};
  for (const auto& [name, count] : counts) {
    if (count > largest) return fail(Status::invalid, std::string(name) + " must be less than 2^63");
  }
  const std::pair<const char*, Seconds> times[] = {{"ack_wait", options.ack_wait},
                                                   {"duplicate_window", options.duplicate_window},
                                                   {"sender_timeout", options.sender_timeout}};
  for (const auto& [name, time] : times) {
    if (time.count() >= 0.1 && time.count() <= 1e9) continue;
    return fail(Status::invalid, std::string(name) + " must be from 0.1 to 1e9 seconds, got " + seconds(time));
  }
  const auto storage = static_cast<std::size_t>(options.storage), ack = static_cast<std::size_t>(options.ack);
  if (storage >= std::size(storages) || ack >= std::size(acks)) {
    return fail(Status::invalid, "storage and ack must be constants of their types");
  }
  return Status::ok;
}

Settings Settings::for_dead_letters() const {
  Settings dead;
  dead.options.capacity = unbounded;
  dead.options.storage = options.storage;
  dead.options.ack_wait = options.ack_wait;
  dead.options.duplicate_window = options.duplicate_window;
  dead.options.keep = true;
  return dead;
}

std::string Settings::description(std::string_view ended_by) const {
  std::string text = "{\"xichan\": " + std::to_string(format);
  if (!ended_by.empty()) text += ", \"ended_by\": " + quote(ended_by);
  for (const auto& [name, value] : entries_of(options)) text += ", \"" + std::string(name) + "\": " + value;
  return text + "}";
}

std::string Settings::stream(const Names& names, std::string_view ended_by) const {
  const char* const storage = options.storage == Storage::memory ? "memory" : "file";
  return "{\"name\":" + quote(names.stream) + ",\"subjects\":[" + quote(names.values) +
         R"(],"retention":"workqueue","discard":"new","storage":)" + quote(storage) +
         ",\"num_replicas\":" + std::to_string(replicas()) +
         ",\"max_msgs\":" + bound(options.capacity, unbounded, "-1") +
         ",\"max_bytes\":" + bound(options.max_bytes, 0, "-1") +
         ",\"max_consumers\":-1,\"max_msg_size\":-1,\"duplicate_window\":" + nanoseconds(options.duplicate_window) +
         ",\"description\":" + quote(description(ended_by)) + (ended_by.empty() ? "}" : ",\"sealed\":true}");
}

std::string Settings::consumer(const Names& names) const {
  return "{\"stream_name\":" + quote(names.stream) + ",\"config\":{\"durable_name\":" + quote(consumer_name) +
         ",\"ack_policy\":\"explicit\",\"ack_wait\":" + nanoseconds(options.ack_wait) +
         R"(,"deliver_policy":"all","replay_policy":"instant","max_ack_pending":-1,"max_deliver":-1,"max_waiting":)" +
         std::to_string(most_waiting) + "}}";
}

std::string Settings::differences(const Settings& wanted) const {
  std::string text;
  const Entries found = entries_of(options), others = entries_of(wanted.options);
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i].second == others[i].second) continue;
    text +=
        (text.empty() ? "" : "; ") + std::string(found[i].first) + "=" + found[i].second + ", not " + others[i].second;
  }
  return text;
}

Status find_settings(const Json& info, const Names& names, Settings& settings) {
  Json description;
  if (Json::parse(info["config"]["description"].text(), description) && read_options(description, settings.options) &&
      settings.check() == Status::ok) {
    return Status::ok;
  }
  return fail(Status::unavailable, "the stream " + names.stream + " was not made by this version of xichan");
}

bool is_shut_down(const Json& info) noexcept {
  return is_sealed(info) && info["config"]["description"].text().find("\"ended_by\": \"senders\"") == std::string::npos;
}

}  // namespace xichan::nats::internal
