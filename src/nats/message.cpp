#include "nats/message.h"

#include <charconv>

namespace xichan::nats::internal {
namespace {

bool parse_number(std::string_view text, std::uint64_t& number) noexcept {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

bool next_message(natsSubscription* subscription, Message& message, std::size_t& unserved) noexcept {
  natsMsg* received = nullptr;
  natsStatus status;
  while ((status = natsSubscription_NextMsg(&received, subscription, 0)) == NATS_NO_RESPONDERS) ++unserved;
  message.reset(status == NATS_OK ? received : nullptr);
  return message != nullptr;
}

Message make_message(const char* subject, const char* reply, std::string_view data, const char* id) noexcept {
  natsMsg* made = nullptr;
  if (natsMsg_Create(&made, subject, reply, data.data(), static_cast<int>(data.size())) != NATS_OK) return nullptr;
  Message message(made);
  if (id != nullptr && natsMsgHeader_Set(made, "Nats-Msg-Id", id) != NATS_OK) return nullptr;
  return message;
}

int status_of(const Message& message) noexcept {
  if (natsMsg_GetDataLength(message.get()) != 0) return 0;
  const char* text = nullptr;
  if (natsMsgHeader_Get(message.get(), "Status", &text) != NATS_OK) return 0;
  std::uint64_t status = 0;
  return text != nullptr && parse_number(text, status) ? static_cast<int>(status) : 0;
}

std::uint64_t last_number(std::string_view subject) noexcept {
  std::uint64_t number = 0;
  return parse_number(subject.substr(subject.rfind('.') + 1), number) ? number : 0;
}

bool parse_delivery(std::string_view reply, Delivery& delivery) noexcept {
  // $JS.ACK.<stream>.<consumer>.<count>.<sequence>.<consumer sequence>.<time>.<pending>; newer servers insert a domain
  // and an account before the stream, and a random token at the end.
  constexpr std::size_t most = 12;
  std::string_view tokens[most];
  std::size_t count = 0;
  for (std::string_view rest = reply; count < most; ++count) {
    const std::size_t dot = rest.find('.');
    tokens[count] = rest.substr(0, dot);
    if (dot == rest.npos) {
      ++count;
      break;
    }
    rest.remove_prefix(dot + 1);
  }
  if (count < 9 || tokens[0] != "$JS" || tokens[1] != "ACK") return false;
  const std::size_t first = count == 9 ? 4 : 6;
  return count != 10 && parse_number(tokens[first], delivery.count) &&
         parse_number(tokens[first + 1], delivery.sequence);
}

}  // namespace xichan::nats::internal
