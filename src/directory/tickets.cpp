#include "directory/tickets.h"

#include <new>
#include <unordered_map>

#include "base/immortal.h"

namespace xichan::internal {
namespace {

struct Ticket {
  Cell value;
  const Channel* channel;  // only compared
  const EndpointOwner* issuer;
  Side side;
};

struct Table {
  Mutex lock;
  std::unordered_map<std::uint64_t, Ticket> tickets;
  std::uint64_t last_number = 0;
};

Table& table() noexcept { return immortal<Table>(); }

// Releases the tickets for which `matches` is true, outside the lock. Returns their number.
template <class Matches>
std::uint64_t cancel_all(Matches matches) noexcept {
  constexpr unsigned batch = 64;
  Table& t = table();
  Cell found[batch];
  std::uint64_t total = 0;
  unsigned count;
  do {
    count = 0;
    {
      std::lock_guard guard(t.lock);
      for (auto i = t.tickets.begin(); i != t.tickets.end() && count < batch;) {
        if (matches(i->second)) {
          found[count++] = i->second.value;
          i = t.tickets.erase(i);
        } else {
          ++i;
        }
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
  bool added;
  {
    std::lock_guard guard(t.lock);
    added = t.tickets.try_emplace(number, Ticket{value, channel, issuer, side}).second;
  }
  if (!added) release(value);
  return number;
} catch (const std::bad_alloc&) {
  return 0;
}

bool Tickets::claim(std::uint64_t number, Cell& value) noexcept {
  Table& t = table();
  std::lock_guard guard(t.lock);
  const auto found = t.tickets.find(number);
  if (found == t.tickets.end()) return false;
  value = found->second.value;
  t.tickets.erase(found);
  return true;
}

void Tickets::cancel(std::uint64_t number) noexcept {
  Cell value;
  if (claim(number, value)) release(value);
}

void Tickets::cancel_owner(const EndpointOwner* issuer) noexcept {
  cancel_all([&](const Ticket& ticket) { return ticket.issuer == issuer; });
}

std::uint64_t Tickets::cancel_endpoints(const Channel* channel, Side side) noexcept {
  return cancel_all([&](const Ticket& ticket) { return ticket.channel == channel && ticket.side == side; });
}

std::uint64_t Tickets::unclaimed(const Channel* channel) noexcept {
  Table& t = table();
  std::lock_guard guard(t.lock);
  if (channel == nullptr) return t.tickets.size();
  std::uint64_t count = 0;
  for (const auto& [number, ticket] : t.tickets) count += ticket.channel == channel;
  return count;
}

void Tickets::lock_for_fork() noexcept { table().lock.lock(); }

void Tickets::unlock_after_fork(bool in_child) noexcept {
  if (in_child) table().tickets.clear();
  table().lock.unlock();
}

}  // namespace xichan::internal
