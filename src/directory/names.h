// Names that interpreters agree on: of channels, weakly, and of published values.
//
// Thread safety: any thread. Progress: a short lock; nothing on the path of a message comes here.
#pragma once

#include <string_view>

#include "channel/select.h"

namespace xichan::internal {

enum class NameKind : std::uint8_t { nothing, channel, value };

class XICHAN_API Names {
 public:
  /// `name_taken` or `no_memory` leave everything as it was.
  static Status add_channel(std::string_view name, const ChannelId& id) noexcept;
  /// Takes over what the cell owns, if `ok`.
  static Status publish(std::string_view name, const Cell& value) noexcept;
  /// Ends a published name; `value` owns what it stood for. `not_found` for other names.
  static Status unpublish(std::string_view name, Cell& value) noexcept;
  /// For the channel of that name, when it goes.
  static void remove(std::string_view name) noexcept;

  /// What the name stands for: the channel's id, or a cell that owns a further count of the value.
  static NameKind find(std::string_view name, ChannelId& id, Cell& value) noexcept;

  /// Changes whenever a name is added.
  static std::uint32_t version() noexcept;
  /// Sleeps until `version` is no longer `seen`: `ok | timeout | interrupted`.
  static Status wait(std::uint32_t seen, const WaitLimits& limits) noexcept;
  static void nudge_all() noexcept;

  // Around a fork, see process.cpp; the child forgets all channels' names, and keeps published values.
  static void lock_for_fork() noexcept;
  static void unlock_after_fork(bool in_child) noexcept;
};

}  // namespace xichan::internal
