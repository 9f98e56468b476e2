#include "nats/exchange.h"

#include <span>

namespace xichan::nats::internal {
namespace {

Status make_replies(const Batch& batch, Value& out) {
  std::vector<Value> replies(batch.replies.size());
  for (std::size_t i = 0; i < replies.size(); ++i) {
    const auto& [index, data] = batch.replies[i];
    const Status status = Value::pack(replies[i], static_cast<std::int64_t>(index), std::as_bytes(std::span(data)));
    if (status != Status::ok) return status;
  }
  Value list;
  const Status status = Value::tuple(replies, list);
  if (status != Status::ok) return status;
  return Value::pack(out, static_cast<std::int64_t>(batch.id), std::move(list));
}

}  // namespace

void post_replies(const Batch& batch) noexcept {
  Value message = Value::of(static_cast<std::int64_t>(batch.id));
  if (!batch.replies.empty() && make_replies(batch, message) != Status::ok) {
    batch.mailbox->close();  // no memory for the replies
    return;
  }
  batch.mailbox->post(std::move(message));
}

}  // namespace xichan::nats::internal
