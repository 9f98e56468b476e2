#include "channel/end.h"

#include <new>
#include <utility>

#include "channel/names.h"
#include "channel/readiness.h"
#include "channel/registry.h"
#include "channel/ticket.h"
#include "channel/watch.h"

namespace xichan {

End* End::open(Channel* channel, Side side, EndOwner& owner) noexcept {
  End* end = owner.has_ended() ? nullptr : new (std::nothrow) End(channel, side);
  if (end == nullptr) {
    channel->drop_end(side);
    return nullptr;
  }
  owner.link(*end);
  return end;
}

void End::destroy(End* end) noexcept {
  end->close();
  if (end->owner_ != nullptr) end->owner_->unlink(*end);
  // A call that never came back from its owner's end may still look at `closed_`: its End stays (some 100 bytes).
  if (end->calls_ == 0) delete end;
}

void End::give_back() noexcept {
  if (!owns_count_) return;
  owns_count_ = false;
  Readiness::destroy(std::exchange(readiness_, nullptr));
  channel_->unclaim(side_, lane_);
  if (calls_ == 0) channel_->forget(lane_);  // else a call that never comes back may still use it
  channel_->drop_end(side_);
}

void End::close() noexcept {
  // (8) sequentially consistent, before the look at the wait list: see Wait::enlist.
  if (closed_.exchange(true, memory_order_seq_cst)) return;
  if (generation_ != process_generation()) return;  // a fork's child lets go of nothing
  if (calls_ == 0) {
    give_back();
  } else {
    channel_->cancel_calls(side_, this);
  }
}

void End::leave() noexcept {
  if (--calls_ == 0 && is_closed()) give_back();
}

void EndOwner::begin_exit() noexcept {
  exiting_.store(true, memory_order_seq_cst);  // (13), as Process::begin_exit
  Registry::nudge_all();
  Names::nudge_all();
}

void EndOwner::link(End& end) noexcept {
  end.owner_ = this;
  end.next_ = first_;
  if (first_ != nullptr) first_->previous_ = &end;
  first_ = &end;
}

void EndOwner::unlink(End& end) noexcept {
  (end.previous_ == nullptr ? first_ : end.previous_->next_) = end.next_;
  if (end.next_ != nullptr) end.next_->previous_ = end.previous_;
  end.owner_ = nullptr;
  end.previous_ = end.next_ = nullptr;
}

void EndOwner::link(Watch& watch) noexcept {
  watch.owner_ = this;
  watch.next_of_owner_ = first_watch_;
  if (first_watch_ != nullptr) first_watch_->previous_of_owner_ = &watch;
  first_watch_ = &watch;
}

void EndOwner::unlink(Watch& watch) noexcept {
  (watch.previous_of_owner_ == nullptr ? first_watch_ : watch.previous_of_owner_->next_of_owner_) =
      watch.next_of_owner_;
  if (watch.next_of_owner_ != nullptr) watch.next_of_owner_->previous_of_owner_ = watch.previous_of_owner_;
  watch.owner_ = nullptr;
}

int End::descriptor() noexcept {
  if (readiness_ == nullptr) readiness_ = Readiness::create(*channel_, side_);
  return readiness_ == nullptr ? -1 : readiness_->descriptor();
}

bool End::arm() noexcept { return readiness_ != nullptr && readiness_->arm(); }

void EndOwner::give_back_all() noexcept {
  ended_.store(true, memory_order_seq_cst);  // before the calls inside are woken
  while (Watch* watch = first_watch_) {
    std::size_t number;
    watch->close(number);
    watch->pass_token();
    watch->leave_ends();
  }
  while (End* end = first_) {
    unlink(*end);
    end->close();
    end->give_back();
  }
  Tickets::cancel_owner(this);
}

}  // namespace xichan
