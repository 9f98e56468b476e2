// A connection to a server, and the thread that serves it.
//
// Threads: one native thread per connection waits for its socket, and does everything that may block inside libnats:
// connecting, subscribing, closing (threads.h). libnats' own threads only keep time; their callback sets a flag and
// wakes that thread. No Python code runs on any of them. The thread of a caller publishes, and writes to the socket as
// far as that is possible without blocking.
//
// A connection that is lost is replaced by a new one, to which every source subscribes again. libnats' own reconnection
// is off: with an event loop, its parser would complete a message that was cut with bytes of the new connection.
//
// Invariants:
//   1. Every exchange is in `exchanges_` from its call until its reply, cancellation or end, connected or not.
//   2. Exchanges are sent, and repeated, in the order of their numbers, while `mutex_` is held.
//   3. `nc_` is created and destroyed by the thread of the connection. Others use it while they hold `mutex_` or
//      `output_mutex_` and `is_connected()`.
//   4. Locks are taken in this order: that of a source, `mutex_`, those of libnats, that of a mailbox. No thread holds
//      `output_mutex_` and takes another lock than those of libnats.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "nats/exchange.h"
#include "nats/options.h"
#include "nats/socket_events.h"
#include "nats/source.h"
#include "nats/threads.h"

namespace xichan::nats::internal {

class Connection : public Served, public std::enable_shared_from_this<Connection> {
 public:
  /// Starts to connect. `events` receives tuples: ("connected", server, most bytes of a message), ("failed", reason)
  /// or ("closed", reason); after one of the last two it ends. Null if threads or descriptors are exhausted.
  static std::shared_ptr<Connection> open(ConnectOptions options, std::shared_ptr<Mailbox> events);
  explicit Connection(ConnectOptions options, std::shared_ptr<Mailbox> events);

  /// Closes the connection, after what was published has been written. Never blocks: `events` tells of the end.
  void close();
  /// Has exit() call a function, which closes what uses the connection.
  void on_exit(std::function<void()> function);
  /// Calls that function and closes the connection.
  void close_at_exit() noexcept override;
  void run() noexcept override;

  /// Publishes a request; the batch keeps its reply. Returns the id of the batch.
  std::uint64_t request(std::shared_ptr<Mailbox> mailbox, const std::string& subject, std::string_view data,
                        const std::vector<std::pair<std::string, std::string>>& headers);
  /// Publishes values with the message ids `prefix` + `first`, `first` + 1 and so on. The batch keeps the replies that
  /// report errors. Returns the id of the batch.
  std::uint64_t send(std::shared_ptr<Mailbox> mailbox, const std::string& subject, const std::string& prefix,
                     std::uint64_t first, const std::vector<std::string_view>& values);
  /// Forgets the exchanges of a batch. The server may have received them.
  void cancel(std::uint64_t batch);
  /// Publishes a message once, if the connection is up; the server is not asked to confirm it. Does not write: see
  /// `write_output`. Returns false if the message was not published.
  bool publish(const std::string& subject, std::string_view data, const std::string& reply = {});
  /// Writes what libnats holds, as far as the socket takes it.
  void write_output() noexcept;
  /// Has the thread look at everything.
  void wake() noexcept { socket_.wake(); }
  /// Publishes acknowledgments, of whose confirmation `source` is told; they are repeated for `lifetime`.
  void acknowledge(const std::shared_ptr<Source>& source, const std::vector<std::string>& subjects,
                   std::string_view verb, Time lifetime);

  /// Serves a source until it is finished.
  void add(std::shared_ptr<Source> source);

  struct State {
    std::string server;                // that it is connected to, or was last
    std::vector<std::string> servers;  // that it may connect to
    std::uint64_t connections = 0;     // how often it was made
    std::size_t unconfirmed = 0;       // requests, values and acknowledgments without a reply
  };
  State state();

  // For sources, in the thread of the connection.
  std::string new_inbox() { return inbox_ + ".c" + std::to_string(++inboxes_); }
  bool subscribe(const std::string& subject, natsSubscription*& subscription) noexcept;

  /// Returns true once `events` has told of the end.
  bool has_ended() const noexcept override { return ended_; }
  bool is_connected() const noexcept { return socket_.is_up(); }

 private:
  bool connect(std::string& error);
  void on_closed() noexcept;
  void announce();
  void serve();
  void pause(Time lasts);
  std::string reason_of_loss();
  void disconnect() noexcept;
  void remember_servers() noexcept;
  bool must_end() const noexcept { return closing_ || events_->is_abandoned(); }
  void end(const char* kind, const std::string& reason) noexcept;

  void read();
  void receive(Message message);
  void repeat_soon();
  void on_connected();
  void on_time(Time time);
  Time next_time();

  std::uint64_t add_exchange(Exchange&& exchange);
  bool publish_message(const Message& message) noexcept;
  void publish_exchange(const Exchange& exchange) noexcept;
  std::vector<std::shared_ptr<Source>> sources();
  std::string reply_subject(std::uint64_t number) const { return inbox_ + ".r." + std::to_string(number); }

  const ConnectOptions options_;
  const std::shared_ptr<Mailbox> events_;
  SocketEvents socket_;
  std::string inbox_;
  natsConnection* nc_ = nullptr;  // changes while both mutexes are held
  natsSubscription* replies_ = nullptr;
  std::uint64_t inboxes_ = 0;

  std::mutex mutex_;
  std::vector<std::string> discovered_;  // servers that are not among the options; changed by the thread only
  std::string server_;
  std::uint64_t connections_ = 0;
  std::map<std::uint64_t, Exchange> exchanges_;
  Time exchanges_due_ = never;  // when the first of them is to be repeated or forgotten, at the earliest
  std::vector<std::shared_ptr<Source>> sources_;
  std::uint64_t next_number_ = 1;

  std::uint64_t callback_ = 0;  // the number of the closed callback

  std::mutex exit_mutex_;  // not `mutex_`: exit() must not wait for a call that libnats blocks
  std::function<void()> on_exit_;

  std::mutex output_mutex_;
  std::atomic<std::thread::id> thread_{};  // that runs
  std::atomic<bool> ended_{false};         // set while `mutex_` is held
  std::atomic<bool> closing_{false};
  std::atomic<bool> lost_{false};  // set by a callback while `mutex_` is held: libnats has closed `nc_`
};

}  // namespace xichan::nats::internal
