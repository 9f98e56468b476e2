// The kinds of queue that a channel can be made with.
#pragma once

#include <cstdint>

namespace xichan {

/// What a channel guarantees. All flavors are FIFO, `relaxed` only for each Sender. At present spsc uses the queue of
/// mpmc, and relaxed that of mpmc or unbounded.
enum class Flavor : std::uint8_t {
  mpmc,        ///< bounded, for any number of senders and receivers; strictly FIFO
  spsc,        ///< bounded, for one endpoint at a time on each side
  unbounded,   ///< as mpmc, but unbounded; mpmc with the capacity `unbounded` becomes this
  relaxed,     ///< bounded or not, for many senders; FIFO for each Sender, but not among them
  rendezvous,  ///< queues nothing: a send completes when a receiver has the value; mpmc with capacity 0
};

/// The capacity of a channel that takes any number of values.
inline constexpr std::uint64_t unbounded = UINT64_MAX;

}  // namespace xichan
