// The kinds of queue that a channel can be made with.
#pragma once

#include <cstdint>

namespace xichan {

/// What queues the values of a channel. All are FIFO; `relaxed` for each Sender alone. Thread safety: a plain value.
enum class Flavor : std::uint8_t {
  mpmc,        ///< bounded, for any number of senders and receivers; strictly FIFO
  spsc,        ///< bounded, for one end at a time on each side; fastest between two C++ threads
  unbounded,   ///< as mpmc, without a bound; what mpmc becomes with the capacity `unbounded`
  relaxed,     ///< bounded or not, for many senders; FIFO for each Sender, not among them
  rendezvous,  ///< queues nothing: a send completes when a receiver has the value; mpmc with the capacity 0
};

}  // namespace xichan
