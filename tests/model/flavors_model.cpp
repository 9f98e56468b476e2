// Models of channels with rings other than mpmc's, and of the byte bound: the same traffic and the same ways to close.
#include "channel_scenarios.h"

namespace xichan::internal {
namespace model {
namespace {

// All threads of a side of an spsc channel share one endpoint, as they must.
constexpr ChannelKind spsc_1{Flavor::spsc, 1};
constexpr ChannelKind spsc_2{Flavor::spsc, 2};
constexpr ChannelKind endless{Flavor::unbounded, 0};  // in segments of two
constexpr ChannelKind bytes_1{Flavor::mpmc, 2, 1};    // two places, and bytes for one message
constexpr ChannelKind bytes_2{Flavor::mpmc, 3, 2};

// Two endpoints use a side of an spsc channel in turn: the second one gets `claimed` until the first has released its
// claim.
struct Claims : WithChannel<Claims, 3, 2, 1, spsc_2> {
  Lane other_lane;
  rl::var<int> mine;  // stands for all that the one owner of a side may touch
  int sent = 0;

  void begin() {
    WithChannel::begin();
    mine($) = 0;
  }
  void thread(unsigned index) {
    if (index == 2) {
      poll(2);
      drop_endpoint(Side::receiver);
      return;
    }
    Case only = sending(index);
    if (index == 1) only.lane = &other_lane;
    const Status status = attempt(only);
    RL_ASSERT(status == Status::ok || status == Status::claimed || status == Status::closed);
    if (status == Status::ok) {
      mine($) = mine($) + 1;
      ++sent;
    }
    channels[0]->unclaim(Side::sender, *only.lane);
    drop_endpoint(Side::sender);
  }
  void after() {
    RL_ASSERT(mine($) == sent);
    WithChannel::after();
  }
};

// A sender reserves bytes for a message that then finds no slot, and releases them: a sender that waits for more bytes
// than were free meanwhile is woken.
struct ReleasesBytes : WithChannel<ReleasesBytes, 3, 1, 1, ChannelKind{Flavor::mpmc, 1, 2}> {
  std::uint64_t light;
  std::uint64_t heavy = Cell::heavy;

  void begin() {
    WithChannel::begin();
    RL_ASSERT(attempt(sending(0)) == Status::ok);
    light = ++last_message;
    last_message = heavy;
  }
  void thread(unsigned index) {
    if (index == 0) {
      if (attempt(as_case(0, Side::sender, 0, light)) == Status::ok) RL_ASSERT(poll(0) == Status::ok);
    } else if (index == 1) {
      RL_ASSERT(poll(1) == Status::ok);
    } else {
      RL_ASSERT(wait(as_case(2, Side::sender, 0, heavy)) == Status::ok);
    }
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
                                           {"bytes_1x1", random_search<Traffic<1, 1, bytes_1, 3>>, 150'000},
                                           {"bytes_2x1", random_search<Traffic<2, 1, bytes_1, 1>>, 150'000},
                                           {"bytes_2x2", random_search<Traffic<2, 2, bytes_1, 2>>, 100'000},
                                           {"bytes_2x2_wide", random_search<Traffic<2, 2, bytes_2, 2>>, 100'000},
                                           {"bytes_released", random_search<ReleasesBytes>, 100'000},
                                           {"bytes_last_receiver", random_search<LastReceiver<2, 2, bytes_1>>, 100'000},
                                           {"bytes_shutdown", random_search<Shutdown<true, bytes_1>>, 100'000},
                                       });
}
