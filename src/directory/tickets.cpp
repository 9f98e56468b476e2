#include "directory/tickets.h"

#include <map>
#include <new>

#include "base/immortal.h"
#include "base/intrusive_list.h"

namespace xichan::internal {
namespace {

struct Ticket {
  std::uint64_t number;
  Cell value;
  const Channel* channel;  // only compared
  const EndpointOwner* issuer;
  Side side;
  ListHook<Ticket> of_issuer;
  ListHook<Ticket> of_channel;
};

using IssuerTickets = IntrusiveList<Ticket, &Ticket::of_issuer>;

struct ChannelTickets {
  IntrusiveList<Ticket, &Ticket::of_channel> of_side[2];
  std::uint64_t count = 0;
};

// Trees: with hash tables, a wheel would need a libstdc++ that manylinux_2_28 does not promise.
struct Table {
  Mutex lock;
  std::map<std::uint64_t, Ticket> tickets;
  std::map<const EndpointOwner*, IssuerTickets> issuers;
  std::map<const Channel*, ChannelTickets> channels;
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
  channel->second.of_side[static_cast<unsigned>(ticket.side)].remove(ticket);
  if (--channel->second.count == 0) t.channels.erase(channel);
  t.tickets.erase(ticket.number);
  return value;
}

// Removes the ticket that `next` returns, until it returns null, and releases the values. In batches, so that other
// threads wait for the lock only briefly, and the values are released without it. Returns the number of tickets.
template <class Next>
std::uint64_t cancel_all(Next next) noexcept {
  constexpr unsigned batch = 64;
  Table& t = table();
  Cell found[batch];
  std::uint64_t total = 0;
  unsigned count;
  do {
    count = 0;
    {
      std::lock_guard guard(t.lock);
      while (count < batch) {
        Ticket* const ticket = next(t);
        if (ticket == nullptr) break;
        found[count++] = take(t, *ticket);
      }
    }
    for (unsigned i = 0; i < count; ++i) release(found[i]);
    total += count;
  } while (count == batch);
  return total;
}

}  // namespace

std::uint64_t Tickets::reserve() noexcept {
  Table& t = table();
  std::lock_guard guard(t.lock);
  return ++t.last_number;
}

std::uint64_t Tickets::issue(const Cell& value, const Channel* channel, const EndpointOwner* issuer, Side side,
                             std::uint64_t number) noexcept try {
  if (number == 0) number = reserve();
  Table& t = table();
  {
    std::lock_guard guard(t.lock);
    // An entry may be left empty because a later one finds no memory; the next ticket uses it, or cancel_owner removes
    // it.
    IssuerTickets& of_issuer = t.issuers[issuer];
    ChannelTickets& of_channel = t.channels[channel];
    const auto [place, added] = t.tickets.try_emplace(number, Ticket{number, value, channel, issuer, side, {}, {}});
    if (added) {
      of_issuer.push_back(place->second);
      of_channel.of_side[static_cast<unsigned>(side)].push_back(place->second);
      ++of_channel.count;
      return number;
    }
  }
  release(value);
  return number;
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

void Tickets::cancel_owner(const EndpointOwner* issuer) noexcept {
  cancel_all([=](Table& t) noexcept -> Ticket* {
    const auto found = t.issuers.find(issuer);
    if (found == t.issuers.end()) return nullptr;
    Ticket* const first = found->second.first();
    if (first == nullptr) t.issuers.erase(found);
    return first;
  });
}

std::uint64_t Tickets::cancel_endpoints(const Channel* channel, Side side) noexcept {
  return cancel_all([=](Table& t) noexcept -> Ticket* {
    const auto found = t.channels.find(channel);
    return found == t.channels.end() ? nullptr : found->second.of_side[static_cast<unsigned>(side)].first();
  });
}

std::uint64_t Tickets::unclaimed(const Channel* channel) noexcept {
  Table& t = table();
  std::lock_guard guard(t.lock);
  if (channel == nullptr) return t.tickets.size();
  const auto found = t.channels.find(channel);
  return found == t.channels.end() ? 0 : found->second.count;
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
