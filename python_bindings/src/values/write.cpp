#include "base/errors.h"
#include "base/handle.h"
#include "base/state_handle.h"
#include "values/arrays.h"
#include "values/block_encoder.h"
#include "values/transfer.h"

namespace xichan::python {
namespace {

// Returns the tag of a value that is encoded as the elements of a tuple.
Tag tag_of(PyObject* value, PyObject* elements) noexcept {
  if (Py_IS_TYPE(value, &PyRange_Type)) return Tag::range;
  return are_array_elements(elements) ? Tag::array : Tag::record;
}

}  // namespace

Cell* BlockEncoder::write_items(PyObject* container, Cell* cells) noexcept {
  const Tag tag = container_tag(container);
  if (tag == Tag::complex) {
    const Py_complex number = reinterpret_cast<PyComplexObject*>(container)->cval;
    cells[0] = Cell::real(number.real);
    cells[1] = Cell::real(number.imag);
    return cells + 2;
  }
  if (tag == Tag::bytearray) {
    const auto length = static_cast<std::uint64_t>(PyByteArray_GET_SIZE(container));
    const char* const data = PyByteArray_AS_STRING(container);
    if (fits_short(length, 1)) {
      *cells = Cell::of_short(Tag::short_bytes, data, length);
    } else {
      builder_.write_large_bytes(*cells, data, length);
    }
    return cells + 1;
  }
  Cell* next = cells;
  if (Cell::of(tag).is_hashed()) {
    const std::uint64_t entries = entries_of(container, tag);
    const Cell* const end = cells + entries * Cell::of(tag).entry_cells();
    for (; next != end; ++next) {
      const Cell& entry = entries_[next_entry_++];
      if (entry.tag() != Tag::empty) {
        *next = entry;
      } else {
        write_item(reinterpret_cast<PyObject*>(entry.word), *next);
      }
    }
    return next + (entries > largest_unindexed);
  }
  visit_items(container, tag, [&](PyObject* item) noexcept {
    if (!encode_short(item, next)) write_item(item, *next);
    ++next;
    return true;
  });
  return next;
}

bool BlockEncoder::write_seen(PyObject* value, Cell& cell) noexcept {
  if (value == root_) {
    builder_.write_repeat(cell, builder_.root());
    return true;
  }
  Cell** const first = seen_.find(value);
  if (first == nullptr) return false;  // the root, which is being written
  if (*first != nullptr) {
    builder_.write_repeat(cell, **first);
    return true;
  }
  *first = &cell;
  return false;
}

void BlockEncoder::write_repeated(PyObject* value, Cell& cell) noexcept {
  DuplicateTracker::First* const first = duplicates_.first(value);
  if (first == nullptr) return write_single(value, cell);
  if (first->cell != nullptr) return builder_.write_repeat(cell, *first->cell);
  first->cell = &cell;
  if (first->loan != nullptr) return write_loan(value, cell, first->loan);
  // A large value that cannot be lent is counted here, too.
  if (!PyBytes_CheckExact(value)) return write_single(value, cell);
  builder_.write_large_bytes(cell, PyBytes_AS_STRING(value), static_cast<std::uint64_t>(PyBytes_GET_SIZE(value)));
}

void BlockEncoder::write_loan(PyObject* value, Cell& cell, Loan* loan) noexcept {
  if (PyUnicode_CheckExact(value)) {
    const Text text(value);
    builder_.write_loan(cell, text_tag(text.kind), text.length, text.data, text.length * text_width(text.kind),
                        Lender::place(loan));
  } else {
    const auto length = static_cast<std::uint64_t>(PyBytes_GET_SIZE(value));
    builder_.write_loan(cell, Tag::bytes, length, PyBytes_AS_STRING(value), length, Lender::place(loan));
  }
}

void BlockEncoder::write_single(PyObject* value, Cell& cell) noexcept {
  if (PyUnicode_CheckExact(value)) {
    const Text text(value);
    builder_.write_text(cell, text.kind, text.data, text.length);
  } else if (PyBytes_CheckExact(value)) {
    builder_.write_bytes(cell, PyBytes_AS_STRING(value), static_cast<std::uint64_t>(PyBytes_GET_SIZE(value)));
  } else if (PyLong_CheckExact(value)) {
    write_int(builder_, value, int_bytes(value), cell);
  } else {
    write_other(value, cell);
  }
}

void BlockEncoder::write_other(PyObject* value, Cell& cell) noexcept {
  if (const Tag tag = container_tag(value); tag != Tag::empty) return write_container(value, tag, cell);
  if (Reduced* reduced = reduced_.find(value)) {
    if (reduced->first != nullptr) return builder_.write_repeat(cell, *reduced->first);
    reduced->first = &cell;
    builder_.write_tuple(cell, static_cast<std::uint64_t>(PyTuple_GET_SIZE(reduced->elements)),
                         tag_of(value, reduced->elements));
  } else if (const ArrayContent* content = array_content(value)) {
    if (fits_short(content->length, 1)) {
      cell = Cell::of_short(Tag::short_bytes, content->data, content->length);
    } else {
      builder_.write_large_bytes(cell, content->data, content->length);
    }
  } else if (PyObject* parts = queue_parts(state_, value)) {
    if (Py_REFCNT(value) != 1 && write_seen(value, cell)) return;
    builder_.write_tuple(cell, static_cast<std::uint64_t>(PyTuple_GET_SIZE(parts)), Tag::queue);
  } else if (is_of_movable_type(state_, value)) {
    write_movable(value, cell);
  } else if (is_state_handle(value)) {
    StateObject* const object = as_state_handle(value)->reference->object();
    object->retain();
    builder_.write_reference(cell, {&state_reference, object});
  } else if (!write_view(encoding_of(state_, value), cell)) {
    const Endpoint& endpoint = *as_handle(value)->endpoint;
    endpoint.channel()->add_endpoint(endpoint.side());
    builder_.write_reference(cell, {&endpoint_reference(endpoint.side()), endpoint.channel()});
  }
}

void BlockEncoder::write_container(PyObject* value, Tag tag, Cell& cell) noexcept {
  if ((Py_REFCNT(value) != 1 || value == root_) && write_seen(value, cell)) return;
  if (!Cell::of(tag).is_hashed()) {
    builder_.write_tuple(cell, cells_of(value, tag), tag);
    return;
  }
  builder_.write_hashed(cell, entries_of(value, tag), tag);
  if (cell.is_indexed()) indexed_.begin()[next_indexed_++] = &cell;
}

// An object that occurs several times has one reference.
void BlockEncoder::write_movable(PyObject* value, Cell& cell) noexcept {
  Transfer::Entry& entry = state_.transfer->entry_of(as_movable(value));
  if (entry.is_written) {
    cell = entry.cell;
    return;
  }
  builder_.write_reference(cell, entry.moved->as_reference());
  entry.cell = cell;
  entry.is_written = true;
}

bool BlockEncoder::write_view(const ViewEncoding& encoding, Cell& cell) noexcept {
  if (encoding.kind == ViewEncoding::ViewKind::none) return false;
  if (encoding.kind == ViewEncoding::ViewKind::complete) {
    cell = encoding.cell;
    return true;
  }
  Arena::retain(encoding.block);
  const Reference reference{&block_reference, encoding.block};
  if (encoding.kind == ViewEncoding::ViewKind::window) {
    builder_.write_window(cell, reference, encoding.cell);
  } else {
    builder_.write_reference(cell, reference,
                             encoding.kind == ViewEncoding::ViewKind::shared ? Tag::shared : Tag::reference);
  }
  return true;
}

}  // namespace xichan::python
