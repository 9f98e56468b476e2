// The names that all interpreters share: of channels, held weakly, and of published values.
//
// Thread safety: any thread. Progress: a short lock; no message passes through here.
#pragma once

#include <string_view>

#include "channel/select.h"

namespace xichan::internal {

class StateObject;

enum class NameKind : std::uint8_t { nothing, channel, value, state };

class XICHAN_API Names {
 public:
  /// Adds the name of a channel. `ok | name_taken | no_memory`.
  static Status add_channel(std::string_view name, const ChannelId& id) noexcept;
  /// Adds the name of an object that no other thread knows yet, gives it to the object, and lists the object. Same
  /// results; in case of an error the object is not listed.
  static Status add_state(std::string_view name, StateObject& object) noexcept;
  /// Adds the name of a value. Takes over the cell if `ok`, else `name_taken` or `no_memory`. With `replace`, the name
  /// may be that of a published value, which is passed to the caller in `previous` (else none): no look-up misses it.
  static Status publish(std::string_view name, const Cell& value, bool replace, Cell& previous) noexcept;
  /// Removes a published name and passes its value to the caller. `not_found` for any other name.
  static Status unpublish(std::string_view name, Cell& value) noexcept;
  /// Removes the name of a channel or object that is being destroyed.
  static void remove(std::string_view name) noexcept;

  /// What a name refers to: the id of a channel, a cell that owns another reference to the value, or an object that has
  /// been retained.
  struct Found {
    NameKind kind = NameKind::nothing;
    ChannelId id = {};
    Cell value = {};
    StateObject* object = nullptr;
  };
  static Found find(std::string_view name) noexcept;

  /// Returns a number that changes whenever a name is added.
  static std::uint32_t version() noexcept;
  /// Blocks until `version` is no longer `seen`: `ok | timeout | interrupted`.
  static Status wait(std::uint32_t seen, const WaitLimits& limits) noexcept;
  static void nudge_all() noexcept;
  /// Makes every wait re-check all conditions whose `limits.owner_exiting` is this flag.
  static void nudge_owner(const atomic<bool>* owner_exiting) noexcept;

  // Called around a fork by process.cpp. The child removes the names of channels and keeps published values.
  static void lock_for_fork() noexcept;
  static void unlock_after_fork(bool in_child) noexcept;
};

}  // namespace xichan::internal
