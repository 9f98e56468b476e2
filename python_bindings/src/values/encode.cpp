#include "values/encode.h"

#include <memory>
#include <new>

#include "base/errors.h"
#include "base/lending.h"
#include "values/block_encoder.h"
#include "values/prepare.h"
#include "values/transfer.h"

namespace xichan::python {

bool BlockEncoder::write(PyObject* root, Cell& cell) noexcept {
  Status status = Status::ok;
  for (View* view : strided_) {
    if (status == Status::ok && view->step != 1) status = make_contiguous(view);
  }
  if (status == Status::ok) status = builder_.allocate();
  if (status != Status::ok) {
    cancel_loans();
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

// Measures a value that `first` has stopped at, because Python code or a Transfer is needed, and calls `use` with the
// encoder. No with an exception set.
template <class Use>
[[gnu::noinline]] Encoded use_again(const ModuleState& state, PyObject* value, Destination destination,
                                    ReducedValues& reduced, const BlockEncoder& first, Use use) noexcept {
  const Ref held(Py_NewRef(value));
  bool unprepared = first.needs_preparation();
  bool moves = first.needs_transfer();
  for (int i = 0; i < preparations; i += unprepared) {
    if (unprepared && !prepare(state, value, reduced)) return Encoded::no;
    reduced.restart();
    std::unique_ptr<Transfer> transfer(moves ? new (std::nothrow) Transfer : nullptr);
    if (moves && !transfer) {
      PyErr_NoMemory();
      return Encoded::no;
    }
    state.transfer = transfer.get();
    BlockEncoder encoder(state, destination, reduced);
    const bool measured = encoder.measure(value);
    if (!measured) encoder.cancel_loans();
    const Encoded used = measured ? use(encoder) : Encoded::no;
    const bool stopped_at_movable = !measured && encoder.needs_transfer();
    state.transfer = nullptr;
    if (used != Encoded::no) {
      state.transfer = transfer.release();
      return moves ? Encoded::moving : Encoded::after_python_code;
    }
    if (measured) return Encoded::no;
    unprepared = encoder.needs_preparation();
    moves |= stopped_at_movable;
    if (unprepared || stopped_at_movable) continue;
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
    return use(encoder);
  encoder.cancel_loans();
  if (encoder.needs_preparation() || encoder.needs_transfer()) {
    return use_again(state, value, destination, reduced, encoder, use);
  }
  encoder.raise_refusal();
  return Encoded::no;
}

bool has_payload(PyObject* value) noexcept {
  return PyUnicode_CheckExact(value) || PyBytes_CheckExact(value) || PyLong_CheckExact(value);
}

// Makes the block of a value that `has_payload`, which needs no walk and is not lent. No with an exception set.
Encoded encode_payload(const ModuleState& state, PyObject* value, Cell& cell) noexcept {
  BlockBuilder builder;
  const bool is_text = PyUnicode_CheckExact(value);
  std::uint64_t bytes = 0;
  if (is_text) {
    const Text text(value);
    builder.count_text(text.kind, text.length);
  } else {
    bytes = PyBytes_CheckExact(value) ? static_cast<std::uint64_t>(PyBytes_GET_SIZE(value))
                                      : BlockEncoder::int_bytes(value);
    builder.count_bytes(bytes);
  }
  const Status status = builder.allocate();
  if (status != Status::ok) {
    raise(state, status);
    return Encoded::no;
  }
  if (is_text) {
    const Text text(value);
    builder.write_text(builder.root(), text.kind, text.data, text.length);
  } else if (PyBytes_CheckExact(value)) {
    builder.write_bytes(builder.root(), PyBytes_AS_STRING(value), bytes);
  } else {
    BlockEncoder::write_int(builder, value, bytes, builder.root());
  }
  cell = builder.finish();
  return Encoded::yes;
}

}  // namespace

Encoded encode_block(const ModuleState& state, PyObject* value, Cell& cell, Destination destination) noexcept {
  if (PyTuple_CheckExact(value)) {
    // measured below
  } else if (has_payload(value)) {
    if (!BlockEncoder::may_be_lent(value)) return encode_payload(state, value, cell);
  } else {
    take_back_loans(state.endpoints->owner);
    if (encode_whole(state, value, cell)) return Encoded::yes;
  }
  return use_measured(state, value, destination,
                      [&](BlockEncoder& encoder) noexcept { return static_cast<Encoded>(encoder.write(value, cell)); });
}

void write_int_line(PyObject* value, Cell& cell, Line& line) noexcept {
  const std::uint64_t bytes = BlockEncoder::int_bytes(value);
  cell = Cell::of(Tag::big_int, bytes);
  PyLong_AsNativeBytes(value, line.bytes, static_cast<Py_ssize_t>(bytes), Py_ASNATIVEBYTES_LITTLE_ENDIAN);
}

Encoded encode_small_tuple(const ModuleState& state, PyObject* tuple, Cell& cell, Line& line) noexcept {
  return use_measured(state, tuple, Destination::receiver, [&](BlockEncoder& encoder) noexcept {
    if (!encoder.has_only_cells()) return static_cast<Encoded>(encoder.write(tuple, cell));
    const Py_ssize_t length = PyTuple_GET_SIZE(tuple);
    for (Py_ssize_t i = 0; i < length; ++i) {
      // A view of a short value.
      if (!encode_short(PyTuple_GET_ITEM(tuple, i), line.cells() + i)) {
        return static_cast<Encoded>(encoder.write(tuple, cell));
      }
    }
    cell = Cell::of(Tag::tuple, static_cast<std::uint64_t>(length));
    return Encoded::in_line;
  });
}

bool check_shareable(const ModuleState& state, PyObject* value, Destination destination) noexcept {
  if (encode_short(value, nullptr)) return true;
  const auto accept = [](BlockEncoder&) noexcept { return Encoded::yes; };
  return use_measured(state, value, destination, accept) != Encoded::no;
}

int is_shareable(const ModuleState& state, PyObject* value) noexcept {
  if (check_shareable(state, value, Destination::nowhere)) return 1;
  const bool is_refused = PyErr_ExceptionMatches(state.error(ErrorClass::not_shareable)) ||
                          PyErr_ExceptionMatches(state.error(ErrorClass::closed));
  if (!is_refused) return -1;
  PyErr_Clear();
  return 0;
}

}  // namespace xichan::python
