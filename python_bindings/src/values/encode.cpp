#include "values/encode.h"

#include "base/errors.h"
#include "values/block_encoder.h"

namespace xichan::python {

bool BlockEncoder::write(PyObject* root, Cell& cell) noexcept {
  Status status = Status::ok;
  for (View* view : strided_) {
    if (status == Status::ok && view->step != 1) status = make_contiguous(view);
  }
  if (status == Status::ok) status = builder_.allocate();
  if (status != Status::ok) {
    raise(state_, status);
    return false;
  }
  root_ = nullptr;
  write_item(root, builder_.root());
  root_ = root;
  // `write_item` reserves the cells of containers in the order of `containers_`, so they follow one another.
  Cell* cells = &builder_.root() + 1;
  for (PyObject* container : containers_) {
    if (PyTuple_CheckExact(container)) [[likely]] {
      const Py_ssize_t length = PyTuple_GET_SIZE(container);
      for (Py_ssize_t j = 0; j < length; ++j) {
        PyObject* item = PyTuple_GET_ITEM(container, j);
        if (!encode_short(item, &cells[j])) write_item(item, cells[j]);
      }
      cells += length;
    } else {
      cells = write_items(container, cells);
    }
  }
  for (const Cell* container : indexed_) builder_.write_index(*container);
  cell = builder_.finish();
  return true;
}

bool encode_block(const ModuleState& state, PyObject* value, Cell& cell, Destination destination) noexcept {
  if (!PyTuple_CheckExact(value) && encode_whole(state, value, cell)) return true;
  BlockEncoder encoder(state, destination);
  return encoder.measure(value) && encoder.write(value, cell);
}

int is_shareable(const ModuleState& state, PyObject* value) noexcept {
  if (encode_short(value, nullptr)) return 1;
  BlockEncoder encoder(state);
  if (encoder.measure(value)) return 1;
  if (encoder.out_of_memory()) return -1;
  PyErr_Clear();
  return 0;
}

}  // namespace xichan::python
