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
};

struct Table {
  Mutex lock;
  std::unordered_map<std::uint64_t, Ticket> tickets;
  std::uint64_t last_number = 0;
};

Table& table() noexcept { return immortal<Table>(); }

}  // namespace

std::uint64_t Tickets::issue(const Cell& value, const Channel* channel, const EndpointOwner* issuer) noexcept try {
  Table& t = table();
  std::lock_guard guard(t.lock);
  const std::uint64_t number = t.last_number + 1;
  t.tickets.emplace(number, Ticket{value, channel, issuer});
  return t.last_number = number;
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
  constexpr unsigned batch = 64;
  Table& t = table();
  Cell found[batch];
  unsigned count;
  do {
    count = 0;
    {
      std::lock_guard guard(t.lock);
      for (auto i = t.tickets.begin(); i != t.tickets.end() && count < batch;) {
        if (i->second.issuer == issuer) {
          found[count++] = i->second.value;
          i = t.tickets.erase(i);
        } else {
          ++i;
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
