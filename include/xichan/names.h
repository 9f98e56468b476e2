// Names that the whole process agrees on: of channels (Sender::lookup, Receiver::lookup), and of values.
#pragma once

#include <string_view>

#include "xichan/channel.h"

namespace xichan {

/// Keeps a value under a name for everybody's `lookup`, until `unpublish`: `ok`, which takes over the value; `invalid`
/// for a name that is empty or no UTF-8, `name_taken`, `no_memory`, which leave it as it was. Any thread; never waits.
XICHAN_API Status publish(std::string_view name, Value&& value) noexcept;

/// Ends a published name: `ok | not_found`. Any thread; never waits.
XICHAN_API Status unpublish(std::string_view name) noexcept;

/// What was published under a name, sharing its content; sleeps until there is such a value: `ok | not_found`, with
/// `value` as it was. Any thread.
XICHAN_API Status lookup(std::string_view name, Value& value, Timeout timeout = Timeout::zero()) noexcept;

}  // namespace xichan
