// Models of select: calls that wait at several channels at once.
#include "channel_under_model.h"
#include "no_registry.h"

namespace xichan::internal {
namespace model {
namespace {

constexpr ChannelKind endless{Flavor::unbounded, 0};  // in segments of two
constexpr ChannelKind few_bytes{Flavor::mpmc, 2, 1};  // two places, and bytes for one message

// One select over two channels with one sender each, and a second receiver at the first channel, which gets what is not
// meant for the select. If the select took that, another one comes: it sends it itself, or, at a rendezvous, the sender
// that found no peer at the second channel sends to the first.
template <ChannelKind Of>
struct SelectTwo : WithChannel<SelectTwo<Of>, 4, 2, 2, Of, 2> {
  static constexpr bool meets = Of.capacity == 0;

  void thread(unsigned index) {
    if (index == 0) RL_ASSERT(this->send(0) == Status::ok);
    if (index == 1) {
      const Status status = this->send(1, meets ? Deadline::at(1) : Deadline::never(), 1);
      RL_ASSERT(status == Status::ok || (meets && status == Status::timeout));
      if (status != Status::ok) RL_ASSERT(this->send(1) == Status::ok);
    }
    if (index == 2) {
      Case cases[] = {this->receiving(2, 1), this->receiving(2, 0)};
      std::size_t chosen;
      RL_ASSERT(this->wait(cases, chosen) == Status::ok);
      RL_ASSERT(cases[1 - chosen].cell.word == 0);
      if (chosen == 1 && !meets) RL_ASSERT(this->send(2) == Status::ok);
    }
    if (index == 3) RL_ASSERT(this->recv(3) == Status::ok);
  }
  void after() {
    RL_ASSERT(this->total(this->received) == 2);
    SelectTwo::WithChannel::after();
  }
};

// Two selects over two rendezvous channels. Each would send at one and receive at the other. They meet at exactly one.
template <int Rounds>
struct SelectCrossed : WithChannel<SelectCrossed<Rounds>, 2, 1, 1, 0, 2> {
  int met[2][Rounds];  // where

  void thread(unsigned index) {
    for (int i = 0; i < Rounds; ++i) {
      Case cases[] = {this->sending(index, index), this->receiving(index, 1 - index)};
      std::size_t chosen;
      RL_ASSERT(this->wait(cases, chosen) == Status::ok);
      met[index][i] = chosen == 0 ? index : 1 - index;
    }
  }
  void after() {
    for (int i = 0; i < Rounds; ++i) RL_ASSERT(met[0][i] == met[1][i]);
    RL_ASSERT(this->total(this->received) == Rounds);
    SelectCrossed::WithChannel::after();
  }
};

// Three selects in a cycle, each between its own channel and the next one's. Two of them meet at some channel and then
// close everything, so that the third returns.
struct SelectRing : WithChannel<SelectRing, 3, 1, 1, 0, 3> {
  int met = 0;

  void thread(unsigned index) {
    Case cases[] = {sending(index, index), receiving(index, (index + 1) % 3)};
    std::size_t chosen;
    const Status status = wait(cases, chosen);
    RL_ASSERT(status == Status::ok || status == Status::closed);
    if (status != Status::ok) return;
    ++met;
    for (Channel* channel : channels) channel->shutdown(false);
  }
  void after() {
    RL_ASSERT(met == 2 && total(received) == 1);
    WithChannel::after();
  }
};

// The senders of one of two channels close while a select waits for both, beside another receiver: both are woken.
struct SelectClosed : WithChannel<SelectClosed, 4, 1, 2, 1, 2> {
  void thread(unsigned index) {
    if (index < 2) {
      if (index == 0) RL_ASSERT(send(0, Deadline::never(), 0) == Status::ok);
      drop_endpoint(Side::sender, index);
    } else if (index == 2) {
      Case cases[] = {receiving(2, 0), receiving(2, 1)};
      std::size_t chosen;
      const Status status = wait(cases, chosen);
      RL_ASSERT(status == Status::closed || (status == Status::ok && chosen == 0));
    } else {
      while (recv(3, Deadline::never(), 0) == Status::ok) {
      }
    }
  }
  void after() {
    for (unsigned i = 0; i < 2; ++i) {
      drop_endpoint(Side::receiver, i);
      drop_endpoint(Side::receiver, i);
    }
    WithChannel::after();
  }
};

// A select that sends and receives at the same rendezvous does not meet itself: it sleeps until another thread comes.
struct SelectBothSides : WithChannel<SelectBothSides, 2, 2, 1, 0> {
  void thread(unsigned index) {
    if (index == 0) {
      Case cases[] = {receiving(0), sending(0)};
      std::size_t chosen;
      RL_ASSERT(wait(cases, chosen) == Status::ok && chosen == 0);
    } else {
      while (channels[0]->stats().parks == 0) rl::yield(1, $);
      RL_ASSERT(send(1) == Status::ok);
    }
  }
};

// At every moment one of two channels is ready for a select that does not block, while another thread makes the second
// one ready and then uses up the first, by turns: a message moves between them, or a free slot.
template <bool Sends, ChannelKind Of, int Moves>
struct SelectAtOnce : WithChannel<SelectAtOnce<Sends, Of, Moves>, 2, 1, 1, Of, 2> {
  Case filling(unsigned thread, unsigned channel) { return this->sending(thread, channel); }
  Case emptying(unsigned thread, unsigned channel) { return this->receiving(thread, channel); }

  void begin() {
    SelectAtOnce::WithChannel::begin();
    RL_ASSERT(this->attempt(filling(0, 0)) == Status::ok);
  }
  void thread(unsigned index) {
    if (index == 0) return move();
    Case cases[] = {Sends ? filling(1, 0) : emptying(1, 0), Sends ? filling(1, 1) : emptying(1, 1)};
    std::size_t chosen;
    RL_ASSERT(try_any(cases, chosen) == Status::ok);
    this->count(cases[chosen]);
  }
  void move() {
    for (unsigned full = 0, i = 0; i < Moves; ++i, full = 1 - full) {
      // A message arrives before the other one leaves; a slot becomes free before the other one is used.
      if (this->attempt(!Sends ? filling(0, 1 - full) : emptying(0, full)) != Status::ok) return;
      if (this->attempt(!Sends ? emptying(0, full) : filling(0, 1 - full)) != Status::ok) return;
    }
  }
};

// The same at two rendezvous channels, where a waiting sender moves from one to the other.
template <int Moves>
struct SelectAtOnceMeeting : WithChannel<SelectAtOnceMeeting<Moves>, 2, 1, 1, 0, 2> {
  Case cases[Moves + 1];
  ThreadWaiter waiters[Moves + 1];

  void begin() {
    SelectAtOnceMeeting::WithChannel::begin();
    come(0);
  }
  void thread(unsigned index) {
    if (index == 0) {
      for (int i = 0; i < Moves; ++i) {
        come(i + 1);
        leave(i);
      }
      return leave(Moves);
    }
    Case both[] = {this->receiving(1, 0), this->receiving(1, 1)};
    std::size_t chosen;
    RL_ASSERT(try_any(both, chosen) == Status::ok || gone);
    if (both[chosen].cell.word != 0) this->count(both[chosen]);
  }
  void come(int i) {
    Case& c = cases[i] = this->sending(0, i % 2);
    c.node = {.waiter = &waiters[i], .packet = to_packet(c.cell)};
    c.channel->enlist(Side::sender, c.node);
  }
  void leave(int i) {
    if (i == Moves) gone = true;  // none is left from here on
    cases[i].channel->delist(Side::sender, cases[i].node);
    if (waiters[i].was_transferred()) this->count(cases[i]);
  }
  bool gone = false;
};

// Without a slot, but with bytes, attempts of the select itself change no version: it returns.
struct SelectFull : WithChannel<SelectFull, 2, 1, 1, ChannelKind{Flavor::mpmc, 1, 2}, 2> {
  void begin() {
    WithChannel::begin();
    for (unsigned channel = 0; channel < 2; ++channel) RL_ASSERT(attempt(sending(0, channel)) == Status::ok);
  }
  void thread(unsigned index) {
    Case both[] = {sending(index, 0), sending(index, 1)};
    std::size_t chosen;
    RL_ASSERT(try_any(both, chosen) == Status::full);
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
          {"select_2_channels", random_search<SelectTwo<1>>, 100'000},
          {"select_2_rendezvous", random_search<SelectTwo<0>>, 100'000},
          {"select_crossed", random_search<SelectCrossed<2>>, 100'000},
          {"select_ring", random_search<SelectRing>, 100'000},
          {"select_both_sides", random_search<SelectBothSides>, 100'000},
          {"select_closed", random_search<SelectClosed>, 100'000},
          {"select_moving_message", random_search<SelectAtOnce<false, 1, 4>>, 200'000},
          {"select_moving_slot", random_search<SelectAtOnce<true, 1, 4>>, 200'000},
          {"select_moving_bytes", random_search<SelectAtOnce<true, few_bytes, 4>>, 200'000},
          {"select_moving_endless", random_search<SelectAtOnce<false, endless, 4>>, 200'000},
          {"select_moving_waiter", random_search<SelectAtOnceMeeting<4>>, 200'000},
          {"select_full", random_search<SelectFull>, 50'000},
      });
}
