// Messages of libnats, and the parts of JetStream's protocol that they carry.
#pragma once

#include <nats/nats.h>

#include <cstdint>
#include <memory>
#include <string_view>

namespace xichan::nats::internal {

struct DestroyMessage {
  void operator()(natsMsg* message) const noexcept { natsMsg_Destroy(message); }
};
/// Owns a message. Null stands for "out of memory".
using Message = std::unique_ptr<natsMsg, DestroyMessage>;

inline std::string_view subject_of(const Message& message) noexcept { return natsMsg_GetSubject(message.get()); }
inline std::string_view data_of(const Message& message) noexcept {
  return {natsMsg_GetData(message.get()), static_cast<std::size_t>(natsMsg_GetDataLength(message.get()))};
}
/// Returns the reply subject; empty if the message has none.
inline std::string_view reply_of(const Message& message) noexcept {
  const char* const reply = natsMsg_GetReply(message.get());
  return reply == nullptr ? std::string_view() : reply;
}

/// Takes the next message of a subscription. Returns false if there is none. Passes over replies that say that no
/// server serves the subject of a request, as during the election of a leader, and counts them.
bool next_message(natsSubscription* subscription, Message& message, std::size_t& unserved) noexcept;

/// Makes a message. `reply` and `id` may be null; `id` is the message id by which the server finds duplicates.
Message make_message(const char* subject, const char* reply, std::string_view data, const char* id = nullptr) noexcept;

/// Returns the status of a message without content that the server sent, such as 404 or 408; 0 for any other message.
int status_of(const Message& message) noexcept;

/// Returns the number behind the last dot of a subject; 0 if there is none.
std::uint64_t last_number(std::string_view subject) noexcept;

/// What the reply subject of a delivered message says about it.
struct Delivery {
  std::uint64_t count = 0;     ///< how often the message has been delivered, this time included
  std::uint64_t sequence = 0;  ///< its number in the stream
};

/// Returns false if `reply` is not the reply subject of a message of a consumer.
bool parse_delivery(std::string_view reply, Delivery& delivery) noexcept;

}  // namespace xichan::nats::internal
