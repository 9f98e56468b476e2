// Finds out that a channel has ended for its Receivers: its stream is deleted, or sealed and empty. Seals it once no
// Sender is left.
//
// A Sender holds a lease: a key that the server removes when it is not renewed in time. The watch counts the leases at
// an interval. If none is left, and the connection has been up for so long that every Sender must have renewed its
// lease after a restart of the server, the last Sender is gone. The stream is then sealed, by a Sender that closes
// or by the watch of any Receiver.
//
// Advisories of the server tell of changes of the stream, and Receivers tell of removed values (see room.h), so that no
// waiting Receiver depends on the interval.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "nats/source.h"

namespace xichan::nats::internal {

class Consumer;

/// Thread safety: any thread.
class EndWatch : public Source {
 public:
  struct Settings {
    std::string stream;       // the subject of requests for the state of the stream
    std::string changes;      // the subject of advisories about it
    std::string room;         // the subject that tells of removed values
    std::string leases;       // the subject of requests for the leases; empty: Senders are not counted
    std::string leases_data;  // the content of these requests
    std::string seal;         // the subject of the request that seals the stream
    std::string seal_data;    // its content
    Time interval = 0;        // of looks at the leases
    Time lease = 0;           // how long a lease lasts
  };

  EndWatch(std::shared_ptr<Consumer> consumer, Settings settings);

  void read(Connection& connection) override;
  void on_reconnected(Connection& connection) override;
  void on_time(Connection& connection, Time time) override;
  Time next_time() const override;
  bool is_finished() const override;
  void close() override;
  void unsubscribe() noexcept override;

 private:
  void on_stream(std::string_view reply);
  void on_leases(Connection& connection, std::string_view reply);
  void ask(Connection& connection, const std::string& subject, const std::string& data, const char* kind);

  const std::weak_ptr<Consumer> consumer_;
  const Settings settings_;

  // Used by the thread of the connection only.
  std::string inbox_;
  natsSubscription* replies_ = nullptr;
  natsSubscription* changes_ = nullptr;
  natsSubscription* room_ = nullptr;
  Time connected_since_ = 0;
  Time replied_ = 0;  // when the server last counted the leases
  int looks_ = 0;     // how often in a row it counted none
  Time leases_at_ = 0;
  Time stream_at_ = 0;
  bool sealed_ = false;

  mutable std::mutex mutex_;
  Time next_ = 0;
  bool ended_ = false;
};

}  // namespace xichan::nats::internal
