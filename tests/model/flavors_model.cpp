// Models of channels with rings other than mpmc's: the same traffic and the same ways to close.
#include "channel_scenarios.h"

namespace xichan::internal {
namespace model {
namespace {

// All threads of a side of an spsc channel share one endpoint, as they must.
constexpr ChannelKind spsc_1{Flavor::spsc, 1};
constexpr ChannelKind spsc_2{Flavor::spsc, 2};
constexpr ChannelKind endless{Flavor::unbounded, 0};  // in segments of two

// Two endpoints use a side of an spsc channel in turn: the second one gets `claimed` until the first has released its
// claim.
struct Claims : WithChannel<Claims, 3, 2, 1, spsc_2> {
  Lane* lanes[2];     // of endpoints, which stop checking once they have claimed their side
  rl::var<int> mine;  // stands for all that the one owner of a side may touch
  int sent = 0;

  void begin() {
    WithChannel::begin();
    for (Lane*& each : lanes) each = new Lane(*channels[0]);
    mine($) = 0;
  }
  void thread(unsigned index) {
    if (index == 2) {
      poll(2);
      drop_endpoint(Side::receiver);
      return;
    }
    for (int i = 0; i < 2; ++i) {
      Case only = sending(index);
      only.lane = lanes[index];
      const Status status = attempt(only);
      RL_ASSERT(status != Status::empty && status != Status::end_closed);
      if (status == Status::ok) {
        mine($) = mine($) + 1;
        ++sent;
      }
    }
    channels[0]->unclaim(Side::sender, *lanes[index]);
    drop_endpoint(Side::sender);
  }
  void after() {
    RL_ASSERT(mine($) == sent);
    WithChannel::after();
    for (Lane* each : lanes) delete each;
  }
};

// As Drained, where one receiver takes what is there in batches and goes; the other one sleeps until the end.
struct DrainedInBatches : WithChannel<DrainedInBatches, 4, 1, 1, endless> {
  void thread(unsigned index) {
    if (index == 0) channels[0]->shutdown(false);
    if (index == 1) {
      while (send(1) == Status::ok && last_message < 3) {
      }
    }
    if (index == 2) {
      Cell cells[2];
      std::uint64_t done;
      while (channels[0]->try_recv_many(cells, 2, done, lane) == Status::ok) {
        for (std::uint64_t i = 0; i < done; ++i) ++received[cells[i].word];
      }
    }
    if (index == 3) {
      while (recv(3) == Status::ok) {
      }
    }
  }
  void after() {
    RL_ASSERT(channels[0]->size() == 0);
    WithChannel::after();
  }
};

}  // namespace
}  // namespace model
}  // namespace xichan::internal

int main(int argc, char** argv) {
  using namespace xichan::internal::model;
  return xichan::internal::model::main(argc, argv,
                                       {
                                           {"spsc_1x1", random_search<Traffic<1, 1, spsc_1, 3>>, 150'000},
                                           {"spsc_1x1_wide", random_search<Traffic<1, 1, spsc_2, 4>>, 150'000},
                                           {"spsc_shared_ends", random_search<Traffic<2, 2, spsc_1, 1>>, 100'000},
                                           {"spsc_last_sender", random_search<LastSender<1, 1, spsc_1>>, 150'000},
                                           {"spsc_last_receiver", random_search<LastReceiver<1, 1, spsc_1>>, 150'000},
                                           {"spsc_shutdown", random_search<Shutdown<true, spsc_1>>, 100'000},
                                           {"spsc_drained_1x2", random_search<Drained<1, 2, spsc_1>>, 100'000},
                                           {"spsc_drained_2x1", random_search<Drained<2, 1, spsc_2>>, 100'000},
                                           {"spsc_one_stays", random_search<OneStays<true, spsc_1>>, 100'000},
                                           {"spsc_claims", random_search<Claims>, 150'000},
                                           {"unbounded_1x2", random_search<Traffic<1, 2, endless, 4>>, 100'000},
                                           {"unbounded_2x2", random_search<Traffic<2, 2, endless, 2>>, 100'000},
                                           {"unbounded_last_sender", random_search<LastSender<2, 2, endless>>, 100'000},
                                           {"unbounded_shutdown", random_search<Shutdown<true, endless>>, 100'000},
                                           {"unbounded_drained", random_search<Drained<1, 2, endless>>, 100'000},
                                           {"unbounded_batches", random_search<DrainedInBatches>, 100'000},
                                       });
}
