// The order of the handlers around a fork. Before it, those that were registered last run first.
#pragma once

namespace xichan::internal {

/// The priority of a constructor that registers a handler which takes the lock of a leaf: one that threads take while
/// they hold those of process.cpp. It is registered earlier, so that the fork takes its lock later. A snapshot that
/// goes on meanwhile could not take it otherwise, and the fork waits for the end of that snapshot.
inline constexpr int leaf_fork_handler = 200;

}  // namespace xichan::internal
