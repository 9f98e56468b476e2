#include "nats/room.h"

#include <algorithm>
#include <charconv>

#include "nats/connection.h"

namespace xichan::nats::internal {
namespace {

std::size_t parse_count(std::string_view text) noexcept {
  std::size_t count = 1;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count;
}

}  // namespace

Room::Room(std::shared_ptr<Connection> connection, std::string room, std::string all, Time interval,
           std::shared_ptr<Mailbox> tokens)
    : connection_(std::move(connection)),
      room_(std::move(room)),
      all_(std::move(all)),
      interval_(interval),
      tokens_(std::move(tokens)) {}

void Room::begin_wait() {
  {
    const std::lock_guard lock(mutex_);
    if (waiters_++ == 0) look_at_ = after(now(), interval_);
    if (subscribed_) give(1);
  }
  connection_->wake();  // to subscribe, and for the time
}

void Room::end_wait() {
  const std::lock_guard lock(mutex_);
  if (--waiters_ == 0) {
    look_at_ = never;
  } else {
    give(1);
  }
}

std::size_t Room::waiters() const {
  const std::lock_guard lock(mutex_);
  return waiters_;
}

// More tokens than waiters are of no use.
void Room::give(std::size_t count) {
  const std::size_t given = tokens_->size();
  for (count = std::min(count, waiters_); count > 0 && given + count > waiters_; --count) {
  }
  for (; count > 0; --count) tokens_->post(Value::of(1));
}

void Room::read(Connection&) {
  std::size_t freed = 0;
  natsMsg* received = nullptr;
  while (room_subscription_ != nullptr && natsSubscription_NextMsg(&received, room_subscription_, 0) == NATS_OK) {
    freed += parse_count(data_of(Message(received)));
  }
  bool changed = false;
  while (all_subscription_ != nullptr && natsSubscription_NextMsg(&received, all_subscription_, 0) == NATS_OK) {
    natsMsg_Destroy(received);
    changed = true;
  }
  const std::lock_guard lock(mutex_);
  if (changed) freed = waiters_;
  give(freed);
}

void Room::on_reconnected(Connection&) {
  const std::lock_guard lock(mutex_);
  if (subscribed_) give(waiters_);
}

void Room::on_time(Connection& connection, Time time) {
  if (tokens_->is_abandoned()) close();
  if (room_subscription_ == nullptr && !is_finished() && waiters() != 0 && connection.is_connected()) {
    const bool done = connection.subscribe(room_, room_subscription_) && connection.subscribe(all_, all_subscription_);
    connection.write_output();
    const std::lock_guard lock(mutex_);
    subscribed_ = done;
    give(waiters_);
  }
  const std::lock_guard lock(mutex_);
  if (closed_) unsubscribe();
  if (time < look_at_) return;
  look_at_ = after(time, interval_);
  give(1);
}

Time Room::next_time() const {
  const std::lock_guard lock(mutex_);
  if (closed_ || (waiters_ != 0 && !subscribed_)) return 0;
  return look_at_;
}

bool Room::is_finished() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

void Room::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  tokens_->close();
}

void Room::unsubscribe() noexcept {
  natsSubscription_Destroy(std::exchange(room_subscription_, nullptr));
  natsSubscription_Destroy(std::exchange(all_subscription_, nullptr));
}

}  // namespace xichan::nats::internal
