// xichan._nats.Mailbox.
#pragma once

#include "nats/mailbox.h"
#include "nats/object.h"

namespace xichan::nats::internal {

struct OwnedMailbox {
  std::shared_ptr<Mailbox> mailbox;
  PyObject* receiver = nullptr;

  OwnedMailbox() = default;
  OwnedMailbox(OwnedMailbox&& other) noexcept
      : mailbox(std::move(other.mailbox)), receiver(std::exchange(other.receiver, nullptr)) {}
  ~OwnedMailbox() { drop_receiver(receiver); }
};

/// Returns the mailbox of an argument that has been checked to be a Mailbox.
inline std::shared_ptr<Mailbox> mailbox_of(PyObject* object) noexcept { return held<OwnedMailbox>(object).mailbox; }

}  // namespace xichan::nats::internal
