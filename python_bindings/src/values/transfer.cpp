#include "values/transfer.h"

#include <new>

namespace xichan::python {

Transfer::~Transfer() {
  for (Entry& entry : entries_) {
    if (message_ == nullptr && entry.moved != nullptr) {  // not written
      entry.block = entry.moved->take();
      delete entry.moved;
    }
    entry.buffer->transfer = nullptr;
    if (entry.block != nullptr) {
      entry.buffer->block = entry.block;
      entry.buffer->condition = BufferState::usable;
    } else {
      entry.buffer->condition = BufferState::sent;
    }
  }
  for (Entry& entry : entries_) Py_DECREF(entry.buffer);
}

bool Transfer::add(BufferObject* buffer) noexcept {
  auto* const moved = new (std::nothrow) MovedBuffer(buffer->block);
  if (moved == nullptr) return false;
  if (!entries_.push({buffer, moved, nullptr, {}, false})) {
    moved->take();
    delete moved;
    return false;
  }
  Py_INCREF(buffer);
  buffer->block = nullptr;
  buffer->condition = BufferState::sending;
  buffer->transfer = this;
  buffer->entry = entries_.size() - 1;
  return true;
}

void Transfer::withdraw() noexcept {
  for (Entry& entry : entries_) entry.block = std::exchange(entry.moved, nullptr)->take();
  message_ = nullptr;
}

bool Transfers::take(const ModuleState& state, const Cell& message) noexcept {
  Transfer* const transfer = std::exchange(state.transfer, nullptr);
  if (transfer == nullptr) return false;
  transfer->message_ = message.as_block();
  transfer->next_ = first_;
  first_ = transfer;
  return true;
}

Transfer* Transfers::find(const Cell& message) const noexcept {
  if (!message.owns_block()) return nullptr;
  Transfer* transfer = first_;
  while (transfer != nullptr && transfer->message_ != message.as_block()) transfer = transfer->next_;
  return transfer;
}

void Transfers::sent(const Cell& message) noexcept {
  if (Transfer* transfer = find(message)) {
    transfer->forget();
    restore();
  }
}

void Transfers::restore() noexcept {
  for (Transfer** link = &first_; *link != nullptr;) {
    Transfer* const transfer = *link;
    if (transfer->message_ != nullptr) {
      link = &transfer->next_;
    } else {
      *link = transfer->next_;
      delete transfer;
    }
  }
}

void Transfers::withdraw() noexcept {
  for (Transfer* transfer = first_; transfer != nullptr; transfer = transfer->next_) {
    if (transfer->message_ != nullptr) transfer->withdraw();
  }
}

void Transfers::discard() noexcept {
  for (Transfer* transfer = first_; transfer != nullptr; transfer = transfer->next_) transfer->discard();
}

void Transfers::retain() noexcept {
  for (Transfer* transfer = first_; transfer != nullptr; transfer = transfer->next_) Arena::retain(transfer->message_);
}

void Transfers::release(bool were_sent) noexcept {
  for (Transfer* transfer = first_; transfer != nullptr; transfer = transfer->next_) {
    Block* const message = transfer->message_;
    if (!were_sent) transfer->withdraw();
    Arena::release(message);
  }
}

void Transfers::forget() noexcept {
  for (Transfer* transfer = first_; transfer != nullptr; transfer = transfer->next_) transfer->forget();
  restore();
}

}  // namespace xichan::python
