#include "values/encode.h"

#include "base/errors.h"
#include "values/block_encoder.h"
#include "values/prepare.h"

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

namespace {

// Python code may change the value while it is prepared. It is prepared again this often.
constexpr int preparations = 8;

// Measures a value that needs Python code, and calls `use` with the encoder. False with an exception set.
template <class Use>
[[gnu::noinline]] Encoded use_prepared(const ModuleState& state, PyObject* value, Destination destination,
                                       ReducedValues& reduced, Use use) noexcept {
  const Ref held(Py_NewRef(value));
  for (int i = 0; i < preparations; ++i) {
    if (!prepare(state, value, reduced)) return Encoded::no;
    reduced.restart();
    BlockEncoder encoder(state, destination, reduced);
    if (encoder.measure(value)) return use(encoder) ? Encoded::after_python_code : Encoded::no;
    if (encoder.needs_preparation()) continue;
    encoder.raise_refusal();
    return Encoded::no;
  }
  PyErr_SetString(PyExc_RuntimeError,
                  "the value changes each time its objects are encoded; do not modify it meanwhile");
  return Encoded::no;
}

// Measures a value, and calls `use` with the encoder. False with an exception set.
template <class Use>
[[gnu::always_inline]] inline Encoded use_measured(const ModuleState& state, PyObject* value, Destination destination,
                                                   Use use) noexcept {
  ReducedValues reduced;
  BlockEncoder encoder(state, destination, reduced);
  if (encoder.measure(value)) [[likely]]
    return static_cast<Encoded>(use(encoder));
  if (encoder.needs_preparation()) return use_prepared(state, value, destination, reduced, use);
  encoder.raise_refusal();
  return Encoded::no;
}

}  // namespace

Encoded encode_block(const ModuleState& state, PyObject* value, Cell& cell, Destination destination) noexcept {
  const bool is_plain = PyTuple_CheckExact(value) || PyBytes_CheckExact(value) || PyUnicode_CheckExact(value);
  if (!is_plain && encode_whole(state, value, cell)) return Encoded::yes;
  return use_measured(state, value, destination,
                      [&](BlockEncoder& encoder) noexcept { return encoder.write(value, cell); });
}

int is_shareable(const ModuleState& state, PyObject* value) noexcept {
  if (encode_short(value, nullptr)) return 1;
  const auto accept = [](BlockEncoder&) noexcept { return true; };
  if (use_measured(state, value, Destination::process, accept) != Encoded::no) return 1;
  const bool is_refused = PyErr_ExceptionMatches(state.error(ErrorClass::not_shareable)) ||
                          PyErr_ExceptionMatches(state.error(ErrorClass::closed));
  if (!is_refused) return -1;
  PyErr_Clear();
  return 0;
}

}  // namespace xichan::python
