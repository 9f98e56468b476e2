#include "values/transfer.h"

#include <cerrno>
#include <new>

namespace xichan::python {

Transfer::~Transfer() {
  for (Entry& entry : entries_) {
    if (message_ == nullptr && entry.moved != nullptr) {  // not written
      entry.content = entry.moved->take();
      delete entry.moved;
    }
    entry.object->transfer = nullptr;
    if (entry.is_duplicate) {
      release_content(entry);
    } else if (entry.content != nullptr) {
      put_content(entry.object, entry.content);
    } else {
      entry.object->condition = MovableState::sent;
    }
  }
  for (Entry& entry : entries_) Py_DECREF(entry.object);
}

int Transfer::add(MovableObject* object, bool duplicates) noexcept {
  if (!entries_.reserve(entries_.size() + 1)) return ENOMEM;
  const MovedType& type = object->kind->content;
  const bool is_duplicate = duplicates && object->kind->duplicate != nullptr;
  void* content = object->content;
  if (is_duplicate) {
    const int error = object->kind->duplicate(object->content, content);
    if (error != 0) return error;
  }
  auto* const moved = new (std::nothrow) Moved(type, content);
  if (moved == nullptr) {
    if (is_duplicate) type.release(content);
    return ENOMEM;
  }
  if (!is_duplicate) take_content(object, MovableState::sending);
  object->transfer = this;
  object->entry = entries_.size();
  Py_INCREF(object);
  (void)entries_.push({object, &type, moved, nullptr, {}, false, is_duplicate});
  return 0;
}

void Transfer::withdraw() noexcept {
  for (Entry& entry : entries_) entry.content = std::exchange(entry.moved, nullptr)->take();
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
