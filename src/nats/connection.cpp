#include "nats/connection.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <new>
#include <system_error>
#include <thread>

#include "nats/fork.h"

namespace xichan::nats::internal {
namespace {

// A value or request that got no reply is repeated after this time, then after twice as long, and so on.
constexpr Time first_interval = 1000 * milliseconds;
constexpr Time longest_interval = 8000 * milliseconds;
// It is repeated after this time if no server serves its subject: those of a cluster are electing a leader.
constexpr Time unserved_interval = 500 * milliseconds;
// How long a connection that is closed tries to write what was published.
constexpr Time linger = 500 * milliseconds;
// How long a connection that was closed waits for libnats' callback.
constexpr Time longest_callback = 5000 * milliseconds;
// Longest wait of the thread: it then looks whether the interpreter of the connection has ended.
constexpr Time longest_wait = 500 * milliseconds;

constexpr const char* closed = "closed";  // the event that ends a connection that was made

// The interpreters' signal handlers must run in their threads.
void block_signals() noexcept {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);
}

void post(Mailbox& mailbox, const char* kind, std::string_view text, std::int64_t number) noexcept {
  Value message;
  if (Value::pack(message, kind, text, number) == Status::ok) mailbox.post(std::move(message));
}

// Returns the other servers of a cluster, of which the server has told.
std::vector<std::string> discovered_by(natsConnection* nc) {
  char** servers = nullptr;
  int count = 0;
  std::vector<std::string> found;
  if (natsConnection_GetDiscoveredServers(nc, &servers, &count) != NATS_OK) return found;
  const std::unique_ptr<char*, decltype(&std::free)> list(servers, std::free);
  for (int i = 0; i < count; ++i) {
    const std::unique_ptr<char, decltype(&std::free)> server(servers[i], std::free);
    found.emplace_back(server.get());
  }
  return found;
}

void add_missing(std::vector<std::string>& to, std::vector<std::string>&& names) {
  for (std::string& name : names) {
    if (std::find(to.begin(), to.end(), name) == to.end()) to.push_back(std::move(name));
  }
}

}  // namespace

Connection::Connection(ConnectOptions options, std::shared_ptr<Mailbox> events)
    : options_(std::move(options)), events_(std::move(events)) {}

std::shared_ptr<Connection> Connection::open(ConnectOptions options, std::shared_ptr<Mailbox> events) {
  auto connection = std::make_shared<Connection>(std::move(options), std::move(events));
  if (!connection->socket_.is_usable()) return nullptr;
  try {
    Threads::start(connection);
  } catch (const std::system_error& error) {
    errno = error.code().value();
    return nullptr;
  }
  return connection;
}

void Connection::close() {
  closing_ = true;
  socket_.wake();
}

void Connection::on_exit(std::function<void()> function) {
  const std::lock_guard lock(exit_mutex_);
  on_exit_ = std::move(function);
}

void Connection::close_at_exit() noexcept {
  std::function<void()> function;
  {
    const std::lock_guard lock(exit_mutex_);
    function.swap(on_exit_);
  }
  if (function) function();
  close();
}

// The thread.

void Connection::run() noexcept {
  block_signals();
  thread_ = std::this_thread::get_id();
  const char* kind = "failed";
  std::string reason;
  try {
    for (int attempt = 0; !must_end(); pause(reconnect_delay(options_, ++attempt) * milliseconds)) {
      if (connect(reason)) {
        on_connected();  // sends what was published before
        if (kind != closed) announce();
        kind = closed;
        attempt = 0;
        serve();
        if (lost_) reason = reason_of_loss();
        disconnect();
      }
      if (kind != closed || (options_.most_reconnects >= 0 && attempt >= options_.most_reconnects)) break;
    }
  } catch (const std::bad_alloc&) {
    reason.clear();  // "out of memory" might need memory
  }
  disconnect();
  end(kind, reason);
}

bool Connection::connect(std::string& error) {
  Options options = make_options(options_, discovered_, error);
  if (options == nullptr) return false;
  Threads::watch_exit();  // the options use OpenSSL
  lost_ = false;
  natsStatus status = socket_.attach_to(options.get());
  if (status == NATS_OK) {
    status = natsOptions_SetClosedCB(
        options.get(), [](natsConnection*, void* self) { static_cast<Connection*>(self)->on_closed(); }, this);
  }
  // libnats reports errors of the protocol on stderr if no handler is set.
  if (status == NATS_OK) {
    status = natsOptions_SetErrorHandler(
        options.get(), [](natsConnection*, natsSubscription*, natsStatus, void*) {}, nullptr);
  }
  natsConnection* made = nullptr;
  if (status == NATS_OK) status = natsConnection_Connect(&made, options.get());
  if (status == NATS_OK) {
    char server[256] = "";
    (void)natsConnection_GetConnectedUrl(made, server, sizeof server);
    const std::lock_guard lock(mutex_);
    server_ = server;
    ++connections_;
    const std::lock_guard output(output_mutex_);
    nc_ = made;
  }
  char* inbox = nullptr;
  if (status == NATS_OK && inbox_.empty()) {  // what is repeated later has the same reply subject
    status = natsInbox_Create(&inbox);
    if (status == NATS_OK) inbox_ = inbox;
    natsInbox_Destroy(inbox);
  }
  if (status == NATS_OK && !subscribe(inbox_ + ".r.*", replies_)) status = NATS_ERR;
  if (status == NATS_OK) return true;
  error = describe(status);
  disconnect();
  return false;
}

// In libnats' thread for callbacks.
void Connection::on_closed() noexcept {
  const std::lock_guard lock(mutex_);
  callback_ = Threads::begin_callback();
  lost_ = true;
  socket_.wake();
}

void Connection::announce() { post(*events_, "connected", server_, natsConnection_GetMaxPayload(nc_)); }

void Connection::serve() {
  while (!must_end() && !lost_) {
    const Time left = std::clamp<Time>(next_time() - now(), 0, longest_wait);
    const SocketEvents::Ready ready = socket_.wait(static_cast<int>((left + milliseconds - 1) / milliseconds));
    if (ready.read) {
      natsConnection_ProcessReadEvent(nc_);
      read();
    }
    on_time(now());
    if (socket_.has_output()) write_output();
  }
  if (lost_) return;
  const Time limit = after(now(), linger);
  for (const auto& source : sources()) source->close();
  while (!lost_ && socket_.is_up() && now() < limit) {
    on_time(now());
    write_output();
    if (!socket_.has_output() && sources().empty()) break;
    if (socket_.wait(10).read) {
      natsConnection_ProcessReadEvent(nc_);
      read();
    }
  }
}

// Waits before the next attempt to connect.
void Connection::pause(Time lasts) {
  const Time end = after(now(), lasts);
  for (Time time = now(); !must_end() && time < end; time = now()) {
    socket_.wait(static_cast<int>(std::min(end - time, longest_wait) / milliseconds) + 1);
    on_time(now());
  }
}

std::string Connection::reason_of_loss() {
  const char* detail = nullptr;
  if (natsConnection_GetLastError(nc_, &detail) != NATS_OK && detail != nullptr) return detail;
  return describe(NATS_CONNECTION_CLOSED);
}

// Closes the connection. What refers to it in libnats' threads is gone afterwards: their last callback is over.
void Connection::disconnect() noexcept {
  socket_.set_down();
  if (nc_ == nullptr) return;
  remember_servers();
  natsConnection_Close(nc_);
  const Time limit = after(now(), longest_callback);
  while (!lost_ && now() < limit) socket_.wait(10);
  natsConnection* closed_connection = nullptr;
  std::uint64_t callback = 0;
  bool is_told = false;
  {
    const std::lock_guard lock(mutex_);
    const std::lock_guard output(output_mutex_);
    closed_connection = std::exchange(nc_, nullptr);
    callback = callback_;
    is_told = lost_;
  }
  for (const auto& source : sources()) source->unsubscribe();
  natsSubscription_Destroy(std::exchange(replies_, nullptr));
  if (is_told) return Threads::retire(closed_connection, callback);
  closing_ = true;  // the callback is still to come: it would end the next connection
  leak(shared_from_this());
}

void Connection::remember_servers() noexcept {
  try {
    std::vector<std::string> found = discovered_by(nc_);
    const std::lock_guard lock(mutex_);
    add_missing(discovered_, std::move(found));
  } catch (const std::bad_alloc&) {
  }
}

Connection::State Connection::state() {
  const std::lock_guard lock(mutex_);
  State state{server_, options_.servers, connections_, exchanges_.size()};
  add_missing(state.servers, std::vector<std::string>(discovered_));
  if (nc_ != nullptr) add_missing(state.servers, discovered_by(nc_));
  return state;
}

void Connection::end(const char* kind, const std::string& reason) noexcept {
  std::map<std::uint64_t, Exchange> exchanges;
  std::vector<std::shared_ptr<Source>> ended;
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    exchanges.swap(exchanges_);
    ended.swap(sources_);
  }
  post(*events_, kind, reason, 0);
  events_->close();
  for (const auto& source : ended) source->close();
  for (const auto& [number, exchange] : exchanges) {
    if (exchange.batch != nullptr) exchange.batch->mailbox->close();
  }
}

// Writes what libnats holds, as far as the socket takes it. Any thread.
void Connection::write_output() noexcept {
  if (options_.tls && std::this_thread::get_id() != thread_) {  // reads and writes of TLS must not overlap
    if (socket_.has_output()) socket_.wake();
    return;
  }
  const std::lock_guard lock(output_mutex_);
  // An empty write would be taken for a broken connection.
  if (nc_ == nullptr || !socket_.has_output()) return;
  natsConnection_ProcessWriteEvent(nc_);
  if (socket_.has_output()) socket_.watch_output();
}

void Connection::read() {
  Message message;
  std::size_t unserved = 0;
  while (next_message(replies_, message, unserved)) receive(std::move(message));
  if (unserved != 0) repeat_soon();
  for (const auto& source : sources()) source->read(*this);
}

std::vector<std::shared_ptr<Source>> Connection::sources() {
  const std::lock_guard lock(mutex_);
  return sources_;
}

void Connection::receive(Message message) {
  std::shared_ptr<Batch> batch;
  std::shared_ptr<Source> source;
  std::size_t acknowledged;
  {
    const std::lock_guard lock(mutex_);
    const auto found = exchanges_.find(last_number(subject_of(message)));
    if (found == exchanges_.end()) return;
    if (is_temporary(data_of(message))) return;  // on_time() repeats it
    Exchange& exchange = found->second;
    source = exchange.source.lock();
    acknowledged = exchange.messages.size();
    batch = std::move(exchange.batch);
    if (batch != nullptr) {
      const std::string_view reply = data_of(message);
      if (batch->keeps_replies || is_error(reply)) batch->replies.emplace_back(exchange.index, reply);
      if (--batch->open != 0) batch.reset();
    }
    exchanges_.erase(found);
  }
  if (batch != nullptr) post_replies(*batch);
  if (source != nullptr) source->on_acknowledged(acknowledged);
}

// A reply that no server serves a subject does not tell whose reply it is.
void Connection::repeat_soon() {
  const Time soon = after(now(), unserved_interval);
  const std::lock_guard lock(mutex_);
  for (auto& [number, exchange] : exchanges_) {
    exchange.repeat_at = std::min(exchange.repeat_at, soon);
    exchange.interval = first_interval;
  }
  exchanges_due_ = std::min(exchanges_due_, soon);
}

void Connection::on_connected() {
  {
    const std::lock_guard lock(mutex_);
    socket_.set_up();
    for (auto& [number, exchange] : exchanges_) publish_exchange(exchange);
  }
  for (const auto& source : sources()) source->on_reconnected(*this);
}

Time Connection::next_time() {
  Time next;
  {
    const std::lock_guard lock(mutex_);
    next = exchanges_due_;
  }
  for (const auto& source : sources()) next = std::min(next, source->next_time());
  return next;
}

void Connection::on_time(Time time) {
  for (const auto& source : sources()) {
    source->on_time(*this, time);
    if (!source->is_finished()) continue;
    const std::lock_guard lock(mutex_);
    std::erase(sources_, source);
  }
  const std::lock_guard lock(mutex_);
  if (time < exchanges_due_) return;
  exchanges_due_ = never;
  for (auto at = exchanges_.begin(); at != exchanges_.end();) {
    Exchange& exchange = at->second;
    if (time >= exchange.give_up) {
      at = exchanges_.erase(at);
      continue;
    }
    if (time >= exchange.repeat_at) {
      exchange.interval = std::min(exchange.interval * 2, longest_interval);
      exchange.repeat_at = after(time, exchange.interval);
      publish_exchange(exchange);
    }
    exchanges_due_ = std::min({exchanges_due_, exchange.repeat_at, exchange.give_up});
    ++at;
  }
}

// Publishing, by any thread.

// `mutex_` is held. Returns false if the message was not published.
bool Connection::publish_message(const Message& message) noexcept {
  const SocketEvents::Writer writer;
  return socket_.is_up() && natsConnection_PublishMsg(nc_, message.get()) == NATS_OK;
}

void Connection::publish_exchange(const Exchange& exchange) noexcept {
  for (const Message& message : exchange.messages) publish_message(message);
}

// `mutex_` is held. Returns the number of the exchange, which `Exchange::messages` carry as their reply subject.
std::uint64_t Connection::add_exchange(Exchange&& exchange) {
  exchange.interval = first_interval;
  exchange.repeat_at = after(now(), first_interval);
  exchanges_due_ = std::min({exchanges_due_, exchange.repeat_at, exchange.give_up});
  const std::uint64_t number = next_number_++;
  publish_exchange(exchanges_.emplace(number, std::move(exchange)).first->second);
  return number;
}

std::uint64_t Connection::request(std::shared_ptr<Mailbox> mailbox, const std::string& subject, std::string_view data,
                                  const std::vector<std::pair<std::string, std::string>>& headers) {
  auto batch = std::make_shared<Batch>();
  batch->mailbox = std::move(mailbox);
  batch->keeps_replies = true;
  batch->open = 1;
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return batch->mailbox->close(), 0;
    batch->id = next_number_;
    Exchange exchange;
    exchange.batch = batch;
    Message message = make_message(subject.c_str(), reply_subject(batch->id).c_str(), data);
    for (const auto& [name, value] : headers) {
      if (message != nullptr && natsMsgHeader_Set(message.get(), name.c_str(), value.c_str()) != NATS_OK) {
        message.reset();
      }
    }
    if (message == nullptr) throw std::bad_alloc();
    exchange.messages.push_back(std::move(message));
    add_exchange(std::move(exchange));
  }
  write_output();
  return batch->id;
}

std::uint64_t Connection::send(std::shared_ptr<Mailbox> mailbox, const std::string& subject, const std::string& prefix,
                               std::uint64_t first, const std::vector<std::string_view>& values) {
  auto batch = std::make_shared<Batch>();
  batch->mailbox = std::move(mailbox);
  batch->open = values.size();
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return batch->mailbox->close(), 0;
    batch->id = next_number_++;
    for (std::size_t i = 0; i < values.size(); ++i) {
      Exchange exchange;
      exchange.batch = batch;
      exchange.index = i;
      Message message = make_message(subject.c_str(), reply_subject(next_number_).c_str(), values[i],
                                     (prefix + std::to_string(first + i)).c_str());
      if (message == nullptr) throw std::bad_alloc();
      exchange.messages.push_back(std::move(message));
      add_exchange(std::move(exchange));
    }
  }
  write_output();
  return batch->id;
}

void Connection::cancel(std::uint64_t batch) {
  const std::lock_guard lock(mutex_);
  std::erase_if(exchanges_,
                [&](const auto& entry) { return entry.second.batch != nullptr && entry.second.batch->id == batch; });
}

bool Connection::publish(const std::string& subject, std::string_view data, const std::string& reply) {
  const std::lock_guard lock(mutex_);
  const Message message = make_message(subject.c_str(), reply.empty() ? nullptr : reply.c_str(), data);
  return message != nullptr && publish_message(message);
}

void Connection::acknowledge(const std::shared_ptr<Source>& source, const std::vector<std::string>& subjects,
                             std::string_view verb, Time lifetime) {
  if (subjects.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    Exchange exchange;
    exchange.source = source;
    exchange.give_up = after(now(), lifetime);
    for (const std::string& subject : subjects) {
      // The server processes the acknowledgments of a connection in order, so the reply to the last one confirms all.
      const bool last = &subject == &subjects.back();
      const std::string reply = reply_subject(next_number_);
      Message message = make_message(subject.c_str(), last ? reply.c_str() : nullptr, verb);
      if (message == nullptr) throw std::bad_alloc();
      exchange.messages.push_back(std::move(message));
    }
    add_exchange(std::move(exchange));
  }
  write_output();
}

void Connection::add(std::shared_ptr<Source> source) {
  bool ended;
  {
    const std::lock_guard lock(mutex_);
    ended = ended_;
    if (!ended) sources_.push_back(source);
  }
  if (ended) source->close();
  socket_.wake();
}

bool Connection::subscribe(const std::string& subject, natsSubscription*& subscription) noexcept {
  return natsConnection_SubscribeSync(&subscription, nc_, subject.c_str()) == NATS_OK &&
         natsSubscription_SetPendingLimits(subscription, -1, -1) == NATS_OK;
}

}  // namespace xichan::nats::internal
