#include "ends/send_moving.h"

#include "base/blocking_call.h"
#include "ends/failure.h"
#include "ends/special.h"
#include "values/transfer.h"

namespace xichan::python {
namespace {

void abandon(Transfers& transfers, const Cell& cell) noexcept {
  transfers.withdraw(cell);
  release(cell);
}

PyObject* finish(Handle* handle, Transfers& transfers, const Cell& cell, Status status) noexcept {
  if (status == Status::ok) {
    transfers.sent(cell);
    Py_RETURN_NONE;
  }
  transfers.restore();
  return raise_outcome(handle, status);
}

}  // namespace

PyObject* send_moving(Handle* handle, Cell& cell, const Timeout& timeout) noexcept {
  Transfers transfers;
  if (!transfers.take(*handle->state, cell)) return nullptr;
  if (handle->endpoint->is_closed()) {
    abandon(transfers, cell);
    return raise_for(handle, Status::end_closed);
  }
  Status status;
  if (!call(
          owner_of(handle), *handle->endpoint, Side::sender, cell, timeout, status,
          [&]() noexcept { abandon(transfers, cell); }, [&](Status) noexcept { transfers.discard(); })) {
    return nullptr;
  }
  return finish(handle, transfers, cell, status == Status::full ? Status::timeout : status);
}

PyObject* send_moving_nowait(Handle* handle, const Cell& cell) noexcept {
  Transfers transfers;
  if (!transfers.take(*handle->state, cell)) return nullptr;
  Status status = handle->endpoint->is_closed() ? Status::end_closed : handle->endpoint->try_send(cell);
  if (status == Status::full && handle->endpoint->arm(cost_of(cell))) status = handle->endpoint->try_send(cell);
  if (status == Status::ok) {
    owner_of(handle).has_sent = true;
  } else {
    abandon(transfers, cell);
  }
  return finish(handle, transfers, cell, status);
}

}  // namespace xichan::python
