// What the server is to confirm: requests, values and acknowledgments. Each is repeated until its reply arrives, so
// that a connection that breaks loses none. The server knows a value by its message id and stores it once.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "nats/mailbox.h"
#include "nats/message.h"

namespace xichan::nats::internal {

class Source;

/// Nanoseconds of the monotonic clock.
using Time = std::int64_t;
inline constexpr Time never = INT64_MAX;
inline constexpr Time milliseconds = 1'000'000;

inline Time now() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}
inline Time after(Time start, Time delay) noexcept { return delay > never - start ? never : start + delay; }

/// One call of a thread that waits in a mailbox: it is told once all exchanges of the batch have a reply.
struct Batch {
  std::shared_ptr<Mailbox> mailbox;
  std::uint64_t id = 0;
  std::size_t open = 0;        // exchanges without a reply
  bool keeps_replies = false;  // all replies, not only those that report an error
  std::vector<std::pair<std::size_t, std::string>> replies;
};

/// Posts the id of a batch, and the replies that it keeps: an int, or a tuple of the id and tuples of (index, bytes).
void post_replies(const Batch& batch) noexcept;

/// Returns true if a reply of JetStream reports an error.
inline bool is_error(std::string_view reply) noexcept { return reply.find("\"error\":{") != reply.npos; }

/// Returns true if the request is to be repeated: the servers of a cluster are electing a leader.
inline bool is_temporary(std::string_view reply) noexcept {
  return is_error(reply) &&
         (reply.find("\"err_code\":10008") != reply.npos || reply.find("\"err_code\":10009") != reply.npos);
}

struct Exchange {
  std::vector<Message> messages;  // sent together, in order; the last one asks for the reply
  std::shared_ptr<Batch> batch;   // null: acknowledgments of `source`
  std::size_t index = 0;          // in the batch
  std::weak_ptr<Source> source;   // is told of the reply
  Time repeat_at = never;
  Time interval = 0;
  Time give_up = never;
};

}  // namespace xichan::nats::internal
