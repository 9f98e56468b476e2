#include "nats/dead_letters.h"

#include "nats/channels.h"

namespace xichan::nats::internal {
namespace {

// Returns a reason as one line of at most `most` bytes of ASCII.
std::string shorten(const std::string& reason, std::size_t most) {
  std::string line = reason.substr(0, most);
  for (char& character : line) {
    if (character < ' ' || character > '~') character = character == '\n' ? ' ' : '?';
  }
  return line;
}

}  // namespace

Status store_dead_letter(Calls& calls, const Names& names, const Settings& settings, const Consumer::Accepted& delivery,
                         const std::string& reason) {
  const Names dead(names.channel, true);
  // These headers leave room for a value of any permitted size: beside the texts, they have less than 120 bytes. The
  // server stores a value once, even if this is interrupted and repeated by another Receiver.
  const Headers headers{{"Nats-Msg-Id", names.stream + "-" + std::to_string(delivery.delivery.sequence)},
                        {"Xichan-Deliveries", std::to_string(delivery.delivery.count)},
                        {"Xichan-Reason", shorten(reason, overhead - 120 - names.stream.size())}};
  Json info;
  Status status = calls.find_stream(dead, info);
  if (status == Status::ok && !info) status = create(calls, dead, settings.for_dead_letters());
  if (status != Status::ok) return status;
  const std::string what = "dead letters of " + names.title();
  std::string text;
  status = calls.request(dead.values, data_of(delivery.message), headers, what, text);
  if (status != Status::ok) return status;
  Json reply;
  const bool refuses = Json::parse(text, reply) && reply["error"];
  return refuses ? refused(what, reply["error"]) : Status::ok;
}

}  // namespace xichan::nats::internal
