// Receives the messages of one stream for one Receiver, by requests to the consumer that all its Receivers share.
//
// A call that waits for a message registers as a waiter. As long as there are waiters without a message, one request is
// open at the server; it ends with the earliest timeout of the waiters, so that the server, and not only the client,
// knows when nothing is wanted any more. Calls that do not wait send a probe, which the server answers at once.
//
// A message is put in the inbox as a number; the thread that takes the number accepts the message. A message that no
// thread has accepted after a while is returned to the server: its waiter was interrupted while the request was open.
//
// Invariants:
//   1. At most one request and one probe are open, each with a subject of its own, so that every message and status is
//      known to belong to it.
//   2. A message is in `held_` from its arrival until it is accepted or returned.
//   3. A message that the server sends to a request arrives here, unless the connection breaks: `close` waits for it.
//
// Thread safety: any thread; `mutex_` is taken before the locks of the connection. The functions that take a Connection
// are called by its thread.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>

#include "nats/source.h"

namespace xichan::nats::internal {

class Consumer : public Source, public std::enable_shared_from_this<Consumer> {
 public:
  struct Settings {
    std::string requests;     // the subject to which requests for messages go
    std::string room;         // the subject that tells senders of free space
    Time hold = 0;            // how long a message may stay unaccepted
    Time acknowledgment = 0;  // how long an acknowledgment is repeated
  };

  /// `inbox` receives the numbers of messages, and 0 when a waiter whose time is over should look at its clock.
  Consumer(std::shared_ptr<Connection> connection, Settings settings, std::shared_ptr<Mailbox> inbox);

  /// Registers a call that waits for a message until `deadline`. Returns the number of the waiter.
  std::uint64_t begin_wait(Time deadline);
  void end_wait(std::uint64_t waiter);

  /// Asks for up to `count` messages that are available now; the mailbox receives the number that this returns once
  /// they are in the inbox.
  std::uint64_t probe(std::size_t count, std::shared_ptr<Mailbox> mailbox);
  void cancel_probe(std::uint64_t probe);

  struct Accepted {
    Message message;
    Delivery delivery;
  };
  /// Takes a message out of the inbox; null if it has been returned.
  Accepted accept(std::uint64_t number);

  /// Acknowledges messages by their reply subjects. `removed` holds the sequence numbers of those that the stream is to
  /// remove; one of these that arrives again is acknowledged again.
  void acknowledge(const std::vector<std::string>& subjects, std::string_view verb,
                   const std::vector<std::uint64_t>& removed);

  /// Returns the messages that no thread has accepted, and ends. Never blocks.
  void close() override;

  Connection& connection() const noexcept { return *connection_; }
  /// No message will arrive any more: the inbox ends after those that have arrived.
  void finish();

  /// Returns true if the inbox has ended, by `close` or `finish`.
  bool has_ended() const;
  std::size_t held() const;

  /// The server has confirmed that it removed `count` messages.
  void on_acknowledged(std::size_t count) override;

  void read(Connection& connection) override;
  void on_reconnected(Connection& connection) override;
  void on_time(Connection& connection, Time time) override;
  Time next_time() const override;
  bool is_finished() const override;
  void unsubscribe() noexcept override;

 private:
  struct Request {
    std::uint64_t number = 0;  // 0: not open
    std::size_t left = 0;      // messages that may still arrive
    Time over = never;         // without a status until then it is taken to be over
  };
  struct Held {
    Message message;
    Delivery delivery;
    Time since;
  };
  struct Waiter {
    Time deadline;
    bool told = false;
  };
  struct Probe {
    std::size_t count;
    Batch batch;
  };

  bool subscribe_all(Connection& connection);
  void drain(Connection& connection, natsSubscription* subscription, Request& request);
  void keep(Message message, std::vector<std::string>& repeated);
  void on_status(int status, Time time);
  void send_request(Time time);
  void send_probe(Time time);
  void finish_probe(Time time);
  bool leave(Connection& connection, Time time);
  void return_held(Time before);

  const std::shared_ptr<Connection> connection_;
  const Settings settings_;
  const std::shared_ptr<Mailbox> inbox_;
  std::string subject_;  // the prefix of the subjects that the server replies to
  natsSubscription* waiting_ = nullptr;
  natsSubscription* probing_ = nullptr;

  mutable std::mutex mutex_;
  std::map<std::uint64_t, Held> held_;
  std::map<std::uint64_t, Waiter> waiters_;
  std::deque<Probe> probes_;  // the first one may be open
  Request request_;
  Request probe_;
  Time retry_at_ = 0;  // no request before
  std::uint64_t next_number_ = 1;
  std::size_t freed_ = 0;  // removed messages of which the senders have not been told
  std::unordered_set<std::uint64_t> removed_;
  std::deque<std::uint64_t> removed_order_;
  bool subscribed_ = false;
  bool finished_ = false;
  bool closed_ = false;
  Time leaving_until_ = 0;  // after `closed_`, while messages of the server may be on their way
  Time look_at_ = 0;
  bool gone_ = false;  // no message will arrive any more
};

}  // namespace xichan::nats::internal
