#include "directory/tickets.h"

#include <new>
#include <unordered_map>

#include "base/immortal.h"
#include "base/intrusive_list.h"

namespace xichan::internal {
namespace {

struct Ticket {
  std::uint64_t number;
  Cell value;
  const Channel* channel;  // only compared
  const EndpointOwner* issuer;
  ListHook<Ticket> hook;  // among the tickets of its issuer
};

struct Table {
  Mutex lock;
  std::unordered_map<std::uint64_t, Ticket> tickets;
  std::unordered_map<const EndpointOwner*, IntrusiveList<Ticket, &Ticket::hook>> issuers;
  std::unordered_map<const Channel*, std::uint64_t> channels;  // the number of tickets of each
  std::uint64_t last_number = 0;
};

Table& table() noexcept { return immortal<Table>(); }

// Removes a ticket and returns its value.
Cell take(Table& t, Ticket& ticket) noexcept {
  const Cell value = ticket.value;
  const auto issuer = t.issuers.find(ticket.issuer);
  issuer->second.remove(ticket);
  if (issuer->second.first() == nullptr) t.issuers.erase(issuer);
  const auto channel = t.channels.find(ticket.channel);
  if (--channel->second == 0) t.channels.erase(channel);
  t.tickets.erase(ticket.number);
  return value;
}

}  // namespace

std::uint64_t Tickets::issue(const Cell& value, const Channel* channel, const EndpointOwner* issuer) noexcept try {
  Table& t = table();
  std::lock_guard guard(t.lock);
  // An entry may be left empty because a later one finds no memory; cancel_owner removes it.
  auto& of_issuer = t.issuers[issuer];
  std::uint64_t& of_channel = t.channels[channel];
  const std::uint64_t number = t.last_number + 1;
  of_issuer.push_back(t.tickets.emplace(number, Ticket{number, value, channel, issuer, {}}).first->second);
  ++of_channel;
  return t.last_number = number;
} catch (const std::bad_alloc&) {
  return 0;
}

bool Tickets::claim(std::uint64_t number, Cell& value) noexcept {
  Table& t = table();
  std::lock_guard guard(t.lock);
  const auto found = t.tickets.find(number);
  if (found == t.tickets.end()) return false;
  value = take(t, found->second);
  return true;
}

void Tickets::cancel(std::uint64_t number) noexcept {
  Cell value;
  if (claim(number, value)) release(value);
}

// In batches, so that other threads wait for the lock only briefly, and the values are released without it.
void Tickets::cancel_owner(const EndpointOwner* issuer) noexcept {
  constexpr unsigned batch = 64;
  Table& t = table();
  Cell found[batch];
  unsigned count;
  do {
    count = 0;
    {
      std::lock_guard guard(t.lock);
      for (auto i = t.issuers.find(issuer); i != t.issuers.end() && count < batch; i = t.issuers.find(issuer)) {
        Ticket* const first = i->second.first();
        if (first == nullptr) {
          t.issuers.erase(i);
        } else {
          found[count++] = take(t, *first);
        }
      }
    }
    for (unsigned i = 0; i < count; ++i) release(found[i]);
  } while (count == batch);
}

std::uint64_t Tickets::unclaimed(const Channel* channel) noexcept {
  Table& t = table();
  std::lock_guard guard(t.lock);
  if (channel == nullptr) return t.tickets.size();
  const auto found = t.channels.find(channel);
  return found == t.channels.end() ? 0 : found->second;
}

void Tickets::lock_for_fork() noexcept { table().lock.lock(); }

void Tickets::unlock_after_fork(bool in_child) noexcept {
  Table& t = table();
  if (in_child) {
    t.tickets.clear();
    t.issuers.clear();
    t.channels.clear();
  }
  t.lock.unlock();
}

}  // namespace xichan::internal
