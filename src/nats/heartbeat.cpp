#include "nats/heartbeat.h"

#include "nats/connection.h"

namespace xichan::nats::internal {

Heartbeat::Heartbeat(std::shared_ptr<Connection> connection, std::string subject, Time interval, Messages farewell)
    : connection_(std::move(connection)),
      subject_(std::move(subject)),
      interval_(interval),
      farewell_(std::move(farewell)),
      next_(after(now(), interval)) {}

void Heartbeat::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
}

void Heartbeat::on_reconnected(Connection&) {
  const std::lock_guard lock(mutex_);
  next_ = 0;
}

void Heartbeat::on_time(Connection& connection, Time time) {
  const std::lock_guard lock(mutex_);
  if (stopped_ || time < next_) return;
  connection.publish(subject_, {});
  next_ = after(time, interval_);
}

Time Heartbeat::next_time() const {
  const std::lock_guard lock(mutex_);
  return stopped_ ? 0 : next_;
}

bool Heartbeat::is_finished() const {
  const std::lock_guard lock(mutex_);
  return stopped_;
}

void Heartbeat::close() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(stopped_, true)) return;
    // The API ignores requests without a reply subject.
    for (const auto& [subject, data] : farewell_) connection_->publish(subject, data, "xichan.farewell");
  }
  connection_->write_output();
}

}  // namespace xichan::nats::internal
