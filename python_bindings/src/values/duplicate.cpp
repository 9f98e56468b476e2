#include "values/duplicate.h"

#include "value/message.h"
#include "values/decode.h"
#include "values/encode.h"
#include "values/transfer.h"

namespace xichan::python {
namespace {

// _duplicate(value): what a receiver of the value gets, with duplicates of its Descriptors. For xichan.Workers, which
// sends the arguments of a worker several times. Buffers move.
PyObject* duplicate_value(PyObject* module, PyObject* value) noexcept {
  ModuleState& state = *state_of(module);
  Cell cell;
  if (!encode(state, value, cell, Destination::duplicate)) return nullptr;
  Transfers transfers;
  if (transfers.take(state, cell)) transfers.sent(cell);
  PyObject* const made = decode(state, cell);
  release(cell);
  return made;
}

}  // namespace

PyMethodDef duplicate_functions[] = {
    {"_duplicate", duplicate_value, METH_O, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace xichan::python
