// The names that the whole process shares: of channels (Sender::lookup, Receiver::lookup), shared objects (X::lookup,
// where X is their class) and published values.
#pragma once

#include <string_view>

#include "xichan/channel.h"

namespace xichan {

/// Publishes a value under a name until `unpublish`. `ok | invalid | name_taken | no_memory`; `invalid` for a name that
/// is empty or not UTF-8. Takes over the value if `ok`, else leaves it unchanged. Any thread; never blocks.
XICHAN_API Status publish(std::string_view name, Value&& value) noexcept;

/// Withdraws a published name. `ok | not_found`. Any thread; never blocks.
XICHAN_API Status unpublish(std::string_view name) noexcept;

/// Stores the value that was published under a name, sharing its content; blocks until there is one. `ok | not_found`;
/// `value` is unchanged unless `ok`. Any thread.
XICHAN_API Status lookup(std::string_view name, Value& value, TimeLimit limit = Timeout::zero()) noexcept;
/// Likewise; returns `cancelled` once a stop is requested.
XICHAN_API Status lookup(std::string_view name, Value& value, StopRef stop, TimeLimit limit = forever) noexcept;

}  // namespace xichan
