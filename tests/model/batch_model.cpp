// Models of batches: slots of src/ring/mpmc.h claimed at once, and the consequences for waiters of a channel.
#include "channel_under_model.h"
#include "no_registry.h"
#include "ring_scenarios.h"

namespace xichan::internal {
namespace model {
namespace {

constexpr std::uint64_t near_wrap = UINT64_MAX;  // the last lap: the next push or pop wraps the counters

// Makes every push and pop a batch of one, so that the scenarios of single items apply.
template <std::uint64_t Capacity>
struct OfOne : MpmcRing<int> {
  static constexpr int bound = Capacity;
  OfOne() : MpmcRing(Capacity) {}
  Status try_push(int item) {
    std::uint64_t done;
    return try_push_many(&item, 1, done);
  }
  Status try_pop(int& item) {
    std::uint64_t done;
    return try_pop_many(&item, 1, done);
  }
};

// Producers and consumers of batches and of single items, until all items are through. Items are numbered per producer:
// producer * 100 + i.
template <unsigned Producers, unsigned Consumers, std::uint64_t Capacity, int Items, int Batch,
          std::uint64_t FirstLap = 0>
struct Batches : Model<Batches<Producers, Consumers, Capacity, Items, Batch, FirstLap>, Producers + Consumers> {
  MpmcRing<int> ring{Capacity, FirstLap};
  int last[Consumers][Producers] = {};
  int taken = 0;

  void begin() {}
  void thread(unsigned index) {
    if (index < Producers) {
      int items[Items];
      for (int i = 0; i < Items; ++i) items[i] = static_cast<int>(index) * 100 + i + 1;
      for (std::uint64_t sent = 0, done; sent < Items; sent += done) {
        const auto most = std::min<std::uint64_t>(Items - sent, Batch);
        while (ring.try_push_many(items + sent, most, done) != Status::ok) rl::yield(1, $);
        RL_ASSERT(done >= 1 && done <= most);
      }
      return;
    }
    constexpr std::uint64_t share = Producers * Items / Consumers;
    for (std::uint64_t left = share, done; left != 0; left -= done) {
      int items[Batch];
      const auto most = std::min<std::uint64_t>(left, Batch);
      while (ring.try_pop_many(items, most, done) != Status::ok) rl::yield(1, $);
      RL_ASSERT(done >= 1 && done <= most);
      for (std::uint64_t i = 0; i < done; ++i, ++taken) {
        int& previous = last[index - Producers][items[i] / 100];
        RL_ASSERT(items[i] % 100 > previous);
        previous = items[i] % 100;
      }
    }
  }
  void after() {
    RL_ASSERT(taken == static_cast<int>(Producers) * Items && ring.size() == 0);
    int item;
    RL_ASSERT(ring.try_pop(item) == Status::empty);
  }
};

// The producers push a batch without lines, then an item with one; consumers pop batches without and with lines.
template <unsigned Producers, unsigned Consumers, std::uint64_t Capacity>
struct BatchesAndLines : Model<BatchesAndLines<Producers, Consumers, Capacity>, Producers + Consumers> {
  MpmcRing<int> ring{Capacity};
  int taken = 0;

  void begin() {}
  void thread(unsigned index) {
    if (index < Producers) {
      const int items[2] = {static_cast<int>(index) * 100 + 2, static_cast<int>(index) * 100 + 4};
      for (std::uint64_t sent = 0, done; sent < 2; sent += done) {
        while (ring.try_push_many(items + sent, 2 - sent, done) != Status::ok) rl::yield(1, $);
      }
      const int lined = static_cast<int>(index) * 100 + 5;
      while (ring.try_push(lined, lined) != Status::ok) rl::yield(1, $);
      return;
    }
    int last[Producers] = {};
    for (std::uint64_t left = Producers * 3 / Consumers, done; left != 0; left -= done) {
      int items[6];
      int lines[6] = {};
      Status status = ring.try_pop_many(items, left, done);
      if (status == Status::full) status = ring.try_pop_many(items, lines, left, done);
      if (status != Status::ok) rl::yield(1, $);
      for (std::uint64_t i = 0; i < done; ++i, ++taken) {
        RL_ASSERT(lines[i] == (items[i] % 2 == 0 ? 0 : items[i]));
        int& previous = last[items[i] / 100];
        RL_ASSERT(items[i] % 100 > previous);
        previous = items[i] % 100;
      }
    }
  }
  void after() { RL_ASSERT(taken == static_cast<int>(Producers) * 3 && ring.size() == 0); }
};

// All threads send or receive, in batches or one by one, and sleep when they cannot: all items are sent and received.
template <unsigned Senders, unsigned Receivers, std::uint64_t Capacity, int Items, bool SendersBatch,
          bool ReceiversBatch>
struct Traffic : WithChannel<Traffic<Senders, Receivers, Capacity, Items, SendersBatch, ReceiversBatch>,
                             Senders + Receivers, Senders, Receivers, Capacity> {
  void thread(unsigned index) {
    const bool sends = index < Senders;
    constexpr int share = Senders * Items / Receivers;
    for (int left = sends ? Items : share; left != 0;) left -= sends ? send_some(index, left) : recv_some(index, left);
  }
  int send_some(unsigned index, int most) {
    if (SendersBatch) {
      Cell cells[Items];
      for (int i = 0; i < most; ++i) cells[i].word = this->last_message + 1 + i;
      this->last_message += most;
      std::uint64_t done;
      const bool any = this->channels[0]->try_send_many(cells, most, done, this->lane) == Status::ok;
      for (std::uint64_t i = 0; i < done; ++i) ++this->accepted[cells[i].word];
      if (any) return static_cast<int>(done);
    }
    RL_ASSERT(this->send(index) == Status::ok);
    return 1;
  }
  int recv_some(unsigned index, int most) {
    if (ReceiversBatch) {
      Cell cells[Items * Senders];
      std::uint64_t done;
      const bool any = this->channels[0]->try_recv_many(cells, most, done, this->lane) == Status::ok;
      for (std::uint64_t i = 0; i < done; ++i) ++this->received[cells[i].word];
      if (any) return static_cast<int>(done);
    }
    RL_ASSERT(this->recv(index) == Status::ok);
    return 1;
  }
};

// A full ring, two senders, and a receiver that takes two items at once: the slot that is freed first is not the one
// that the next sender needs.
template <bool SendersBatch>
struct Freed : WithChannel<Freed<SendersBatch>, 3, 2, 1, 2> {
  void begin() {
    Freed::WithChannel::begin();
    for (int i = 0; i < 2; ++i) RL_ASSERT(this->attempt(this->sending(0)) == Status::ok);
  }
  void thread(unsigned index) {
    std::uint64_t done = 0;
    if (index == 2) {
      Cell cells[2];
      RL_ASSERT(this->channels[0]->try_recv_many(cells, 2, done, this->lane) == Status::ok && done == 2);
      for (const Cell& cell : cells) ++this->received[cell.word];
      return;
    }
    if (SendersBatch) {
      const Cell cell{++this->last_message};
      if (this->channels[0]->try_send_many(&cell, 1, done, this->lane) == Status::ok) {
        ++this->accepted[cell.word];
        return;
      }
    }
    RL_ASSERT(this->send(index) == Status::ok);
  }
};

// As Freed, with messages in lines.
struct FreedLines : WithChannel<FreedLines, 3, 2, 1, 2> {
  void begin() {
    FreedLines::WithChannel::begin();
    for (int i = 0; i < 2; ++i) RL_ASSERT(send_line(0) == Status::ok);
  }
  void thread(unsigned index) {
    if (index != 2) {
      RL_ASSERT(send_line(index) == Status::ok);
      return;
    }
    Cell cells[2];
    Line lines[batch_size];
    std::uint64_t done;
    RL_ASSERT(channels[0]->try_recv_many(cells, 2, done, lane, lines) == Status::ok && done == 2);
    for (const Cell& cell : cells) ++received[cell.word];
  }
};

// The receivers close while batches arrive: some thread discards what was accepted.
struct LastReceiver : WithChannel<LastReceiver, 3, 2, 1, 2> {
  void thread(unsigned index) {
    if (index < 2) {
      const Cell cells[2] = {last_message + 1, last_message + 2};
      last_message += 2;
      std::uint64_t done;
      channels[0]->try_send_many(cells, 2, done, lane);
      for (std::uint64_t i = 0; i < done; ++i) ++accepted[cells[i].word];
      drop_endpoint(Side::sender);
    } else {
      drop_endpoint(Side::receiver);
    }
  }
};

}  // namespace
}  // namespace model
}  // namespace xichan::internal

int main(int argc, char** argv) {
  using namespace xichan::internal::model;
  return xichan::internal::model::main(
      argc, argv,
      {
          {"ring_1p1c", random_search<Batches<1, 1, 2, 4, 2>>, 500'000},
          {"ring_2p1c", random_search<Batches<2, 1, 3, 3, 3>>, 300'000},
          {"ring_2p2c", random_search<Batches<2, 2, 2, 2, 2>>, 300'000},
          {"ring_2p2c_capacity_1", random_search<Batches<2, 2, 1, 2, 2>>, 200'000},
          {"ring_near_wrap", random_search<Batches<2, 2, 3, 4, 2, near_wrap>>, 300'000},
          {"ring_lines_1p1c", random_search<BatchesAndLines<1, 1, 3>>, 200'000},
          {"ring_lines_2p1c", random_search<BatchesAndLines<2, 1, 2>>, 200'000},
          {"ring_lines_2p2c", random_search<BatchesAndLines<2, 2, 3>>, 200'000},
          {"ring_enough_of_both", random_search<Enough<OfOne<4>, 2, 2>>, 200'000},
          {"ring_close_2p2c", random_search<Closing<OfOne<2>, 2, 2, 2, true>>, 200'000},
          {"freed_for_singles", random_search<Freed<false>>, 200'000},
          {"freed_for_batches", random_search<Freed<true>>, 200'000},
          {"freed_lines", random_search<FreedLines>, 100'000},
          {"batch_to_singles", random_search<Traffic<1, 2, 2, 2, true, false>>, 300'000},
          {"singles_to_batch", random_search<Traffic<2, 1, 2, 2, false, true>>, 300'000},
          {"batch_to_batch", random_search<Traffic<2, 2, 2, 2, true, true>>, 200'000},
          {"batch_to_batch_wide", random_search<Traffic<1, 2, 4, 4, true, true>>, 200'000},
          {"last_receiver", random_search<LastReceiver>, 300'000},
      });
}
