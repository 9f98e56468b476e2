#include <cerrno>

#include "base/errors.h"
#include "base/handle.h"
#include "base/lending.h"
#include "base/ref.h"
#include "base/state_handle.h"
#include "values/arrays.h"
#include "values/block_encoder.h"
#include "values/encode_path.h"
#include "values/transfer.h"

namespace xichan::python {
namespace {

// Returns true if an int beyond 64 bits is the lowest that fits in `bytes`: -2**(8 * bytes - 1).
bool is_lowest(PyObject* value, std::uint64_t bytes) noexcept {
  const _PyLongValue& parts = reinterpret_cast<PyLongObject*>(value)->long_value;
  constexpr std::uintptr_t negative = 2;
  if ((parts.lv_tag & _PyLong_SIGN_MASK) != negative) return false;
  const std::uint64_t last = (parts.lv_tag >> _PyLong_NON_SIZE_BITS) - 1;
  if (last * PyLong_SHIFT + std::bit_width(parts.ob_digit[last]) != 8 * bytes) return false;
  for (std::uint64_t i = 0; i < last; ++i) {
    if (parts.ob_digit[i] != 0) return false;
  }
  return std::has_single_bit(parts.ob_digit[last]);
}

}  // namespace

const char* BlockEncoder::why_movable_is_refused(PyObject* item) const noexcept {
  if (is_a(state_, item, ValueType::buffer)) return "is not shareable, because it has one receiver; freeze() it";
  if (destination_ == Destination::outside) return "cannot leave its process; dump the content that it gives access to";
  return "is not shareable, because it has one receiver; send each receiver its own xichan.descriptor()";
}

PyObject* BlockEncoder::measure_items(PyObject* container, std::uint64_t& position) noexcept {
  const Tag tag = container_tag(container);
  if (tag == Tag::bytearray) {
    const auto length = static_cast<std::uint64_t>(PyByteArray_GET_SIZE(container));
    if (!fits_short(length, 1)) builder_.count_bytes(length);
    return nullptr;
  }
  if (Cell::of(tag).is_hashed()) return measure_entries(container, tag, position);
  PyObject* refused_item = nullptr;
  visit_items(container, tag, [&](PyObject* item) noexcept {
    if (encode_short(item, nullptr) || count(item)) {
      ++position;
      return true;
    }
    refused_item = item;
    return false;
  });
  return refused_item;
}

PyObject* BlockEncoder::measure_entries(PyObject* container, Tag tag, std::uint64_t& position) noexcept {
  const std::size_t before = entries_.size();
  const std::uint64_t cells = entries_of(container, tag) * Cell::of(tag).entry_cells();
  if (!in_memory(entries_.reserve(before + cells))) return container;
  visit_items(container, tag,
              [&](PyObject* item) noexcept { return entries_.push({0, reinterpret_cast<std::uintptr_t>(item)}); });
  const Cell* const end = entries_.end();
  for (Cell* cell = entries_.begin() + before; cell != end; ++cell) {
    auto* const item = reinterpret_cast<PyObject*>(cell->word);
    if (encode_short(item, cell)) continue;
    *cell = {0, reinterpret_cast<std::uintptr_t>(item)};
    if (count(item)) continue;
    position = static_cast<std::uint64_t>(cell - entries_.begin()) - before;
    return item;
  }
  return nullptr;
}

bool BlockEncoder::count_large(PyObject* value) noexcept {
  const bool is_text = PyUnicode_CheckExact(value);
  const TextKind kind = is_text ? Text(value).kind : TextKind::ascii;
  const auto length = static_cast<std::uint64_t>(is_text ? PyUnicode_GET_LENGTH(value) : PyBytes_GET_SIZE(value));
  const std::uint64_t bytes = length * text_width(kind);
  Lender* const lender = moves(destination_) ? state_.endpoints->owner.lender : nullptr;
  if (lender != nullptr && bytes >= LentBytes::smallest && is_lendable(value)) {
    bool is_new;
    DuplicateTracker::First* const first = duplicates_.add_first(value, is_new);
    if (first == nullptr) return in_memory(false);
    if (is_new && (first->loan = lender->lend(value, bytes)) != nullptr) {
      Py_INCREF(value);
      builder_.count_reference();
    }
    if (first->loan != nullptr) return true;
  }
  if (is_text) {
    builder_.count_text(kind, length);
  } else {
    builder_.count_bytes(length);
  }
  return true;
}

void BlockEncoder::cancel_loans() noexcept {
  if (Lender* lender = state_.endpoints->owner.lender) lender->cancel();
}

bool BlockEncoder::count_other(PyObject* value) noexcept {
  if (const Tag tag = container_tag(value); tag != Tag::empty) return count_container(value, tag);
  if (Reduced* reduced = reduced_.find(value)) return count_reduced(*reduced);
  if (PyObject* parts = queue_parts(state_, value)) {
    if (destination_ == Destination::outside) return false;
    if (Py_REFCNT(value) != 1 && is_counted(value)) return status_ == Status::ok;
    builder_.count_tuple(static_cast<std::uint64_t>(PyTuple_GET_SIZE(parts)));
    return in_memory(containers_.push(parts));
  }
  if (is_state_handle(value)) {
    if (destination_ == Destination::outside) return false;
    const StateObject* const object = as_state_handle(value)->reference->object();
    closed_endpoint_ = object == nullptr || object->is_inherited();
    builder_.count_reference();
    return !closed_endpoint_;
  }
  if (!is_handle(state_, value)) return count_view(value) || count_record(value);
  if (destination_ == Destination::outside) return false;
  closed_endpoint_ = as_handle(value)->endpoint->is_closed();
  builder_.count_reference();
  return !closed_endpoint_;
}

bool BlockEncoder::count_container(PyObject* value, Tag tag) noexcept {
  if ((Py_REFCNT(value) != 1 || value == root_) && is_counted(value)) return status_ == Status::ok;
  if (!Cell::of(tag).is_hashed()) {
    builder_.count_tuple(cells_of(value, tag));
  } else {
    const std::uint64_t entries = entries_of(value, tag);
    builder_.count_hashed(entries, Cell::of(tag).entry_cells());
    if (entries > largest_unindexed && !in_memory(indexed_.push(nullptr))) return false;
  }
  return in_memory(containers_.push(value));
}

bool BlockEncoder::count_record(PyObject* value) noexcept {
  if (const ArrayContent* content = array_content(value)) {
    if (!fits_short(content->length, 1)) builder_.count_bytes(content->length);
    return true;
  }
  if (status_ != Status::ok) return false;
  if (is_of_movable_type(state_, value)) return count_movable(value);
  Ref elements;
  const Reduction reduction = reduce_natively(state_, value, elements, reduced_.empty());
  is_unprepared_ = reduction == Reduction::unprepared && reduced_.refusal_of(value) == nullptr;
  if (reduction == Reduction::no_memory) return in_memory(false);
  if (reduction != Reduction::done) return false;
  Reduced* reduced = reduced_.add(value, std::move(elements));
  return in_memory(reduced != nullptr) && count_reduced(*reduced);
}

bool BlockEncoder::count_reduced(Reduced& reduced) noexcept {
  if (std::exchange(reduced.is_counted, true)) return true;
  builder_.count_tuple(static_cast<std::uint64_t>(PyTuple_GET_SIZE(reduced.elements)));
  return in_memory(containers_.push(reduced.elements));
}

bool BlockEncoder::count_movable(PyObject* value) noexcept {
  MovableObject* const object = as_movable(value);
  if (destination_ == Destination::nowhere) return is_movable(object);
  Transfer* const transfer = state_.transfer;
  if (!moves(destination_) || transfer == nullptr) return false;
  if (transfer->has(object)) return true;
  if (!is_movable(object)) return false;
  builder_.count_reference();
  const int error = transfer->add(object, destination_ == Destination::duplicate);
  if (error != ENOMEM) system_error_ = error;
  return in_memory(error != ENOMEM) && error == 0;
}

bool BlockEncoder::is_counted(PyObject* value) noexcept {
  if (value == root_) return true;
  if (root_ == nullptr) return false;  // it is the root, which needs no entry
  const std::size_t before = seen_.size();
  return !in_memory(seen_.insert(value) != nullptr) || seen_.size() == before;
}

bool BlockEncoder::count_view(PyObject* value) noexcept {
  switch (encoding_of(state_, value).kind) {
    case ViewEncoding::ViewKind::none: return false;
    case ViewEncoding::ViewKind::complete: return true;
    case ViewEncoding::ViewKind::window: builder_.count_window(); return true;
    case ViewEncoding::ViewKind::strided:
      if (!in_memory(strided_.push(as_view(value)))) return false;
      break;
    case ViewEncoding::ViewKind::reference:
    case ViewEncoding::ViewKind::shared: break;
  }
  builder_.count_reference();
  return true;
}

void BlockEncoder::uncount_payload(PyObject* value) noexcept {
  const DuplicateTracker::First* const first = duplicates_.first(value);
  if (first != nullptr && first->loan != nullptr) return;
  if (PyUnicode_CheckExact(value)) {
    const Text text(value);
    builder_.uncount_text(text.kind, text.length);
  } else {
    builder_.uncount_bytes(PyBytes_CheckExact(value) ? static_cast<std::uint64_t>(PyBytes_GET_SIZE(value))
                                                     : int_bytes(value));
  }
}

PyObject* BlockEncoder::elements_of(PyObject* value) noexcept {
  if (container_tag(value) != Tag::empty) return value;
  const Reduced* reduced = reduced_.find(value);
  return reduced != nullptr ? reduced->elements : queue_parts(state_, value);
}

bool BlockEncoder::raise_refusal() noexcept {
  if (status_ != Status::ok) {
    raise(state_, status_);
    return false;
  }
  const auto [item, container, position] = refused_;
  if (closed_endpoint_) {
    if (is_state_handle(item)) {
      usable_object(item);
    } else {
      raise_for(as_handle(item), Status::end_closed);
    }
    return false;
  }
  if (system_error_ != 0) {
    errno = system_error_;
    PyErr_SetFromErrno(PyExc_OSError);
    return false;
  }
  const bool is_movable_type = is_of_movable_type(state_, item);
  if (is_movable_type && moves(destination_)) {
    raise_immovable(as_movable(item));
    return false;
  }
  if (may_pickle(destination_)) return false;
  const Ref held(Py_NewRef(item));
  const Ref path = path_of(*this, item, container, position);
  if (!path) return false;
  if (PyObject* why = reduced_.refusal_of(item)) {
    raise_refused(state_, path, item, why);
  } else if (is_handle(state_, item) || is_state_handle(item) || queue_parts(state_, item) != nullptr) {
    raise_not_shareable(state_, path, item, "cannot leave its process");
  } else if (is_movable_type) {
    raise_not_shareable(state_, path, item, why_movable_is_refused(item));
  } else {
    raise_with_remedy(state_, path, item);
  }
  return false;
}

std::uint64_t BlockEncoder::int_bytes(PyObject* value) noexcept {
  const auto needed =
      static_cast<std::uint64_t>(PyLong_AsNativeBytes(value, nullptr, 0, Py_ASNATIVEBYTES_LITTLE_ENDIAN));
  constexpr std::uint64_t unit = BlockBuilder::payload_alignment;
  // Without a buffer, PyLong_AsNativeBytes returns one byte too many for the lowest int that fits in a length.
  return needed % unit == 1 && is_lowest(value, needed - 1) ? needed - 1 : align_up(needed, unit);
}

}  // namespace xichan::python
