#include "values/decode.h"

#include "base/content_map.h"
#include "base/handle.h"
#include "base/ref.h"
#include "base/worklist.h"
#include "values/elements.h"
#include "values/pickling.h"
#include "values/str_view.h"
#include "values/text.h"
#include "values/view.h"

namespace xichan::python {
namespace {

PyObject* make_bytes(const void* data, std::uint64_t length) noexcept {
  return PyBytes_FromStringAndSize(static_cast<const char*>(data), static_cast<Py_ssize_t>(length));
}

/// A tuple whose elements are not decoded yet, and their cells.
struct Unfilled {
  PyObject* tuple;
  BlockReader reader;
  const Cell* cells;
};

class Decoder {
 public:
  explicit Decoder(ModuleState& state) noexcept : state_(state) {}

  /// Returns the value at a resolved place. Works top down, to avoid recursion: a nested tuple is stored in its parent
  /// first and filled later. No Python code runs meanwhile, so none can see an unfilled tuple.
  PyObject* make(const CellRef& place) noexcept {
    PyObject* root = make_item(place);
    while (root != nullptr && !unfilled_.empty()) {
      const Unfilled next = unfilled_.pop();
      const Py_ssize_t length = PyTuple_GET_SIZE(next.tuple);
      for (Py_ssize_t i = 0; i < length; ++i) {
        const CellRef place = resolve(next.reader, next.cells[i]);
        PyObject* item = may_recur(next.reader, place) ? make_once(place) : make_item(place);
        if (item == nullptr) {
          Py_DECREF(root);  // releases everything made so far
          return nullptr;
        }
        PyTuple_SET_ITEM(next.tuple, i, item);
      }
    }
    return root;
  }

  /// Returns the value of a cell that needs no block.
  static PyObject* make_short(const Cell& cell) noexcept {
    switch (cell.tag()) {
      case Tag::none: return Py_NewRef(Py_None);
      case Tag::false_: return Py_NewRef(Py_False);
      case Tag::true_: return Py_NewRef(Py_True);
      case Tag::integer: return PyLong_FromLongLong(cell.as_integer());
      case Tag::real: return PyFloat_FromDouble(cell.as_real());
      case Tag::short_ascii:
      case Tag::short_latin1:
      case Tag::short_ucs2:
      case Tag::short_ucs4: return make_text(text_kind(cell.tag()), cell.payload(), cell.short_length());
      case Tag::short_bytes: return make_bytes(cell.payload(), cell.short_length());
      case Tag::tuple: return PyTuple_New(0);
      default: break;
    }
    PyErr_Format(PyExc_SystemError, "xichan: expected a self-contained cell, got one with tag %d",
                 static_cast<int>(cell.tag()));
    return nullptr;
  }

 private:
  PyObject* make_item(const CellRef& place) noexcept {
    const auto [reader, cell] = place;
    switch (cell->tag()) {
      case Tag::ascii:
      case Tag::latin1:
      case Tag::ucs2:
      case Tag::ucs4:
      case Tag::bytes:
      case Tag::big_int: return make_payload(reader.payload(*cell), *cell);
      case Tag::tuple: return make_tuple(reader, *cell);
      case Tag::queue: return make_queue(reader, *cell);
      case Tag::record: return unpickle(state_, reader, *cell, true);
      case Tag::reference: return make_handle(reader.reference(*cell));
      case Tag::shared: return make_shared(static_cast<const Block*>(reader.reference(*cell).object));
      default: return make_short(*cell);
    }
  }

  static PyObject* make_payload(const void* data, const Cell& cell) noexcept {
    if (cell.tag() == Tag::bytes) return make_bytes(data, cell.length());
    if (cell.tag() != Tag::big_int) return make_text(text_kind(cell.tag()), data, cell.length());
    return PyLong_FromNativeBytes(data, cell.length(), Py_ASNATIVEBYTES_LITTLE_ENDIAN);
  }

  // Makes one object for all cells that show the same content. This matches the original value where a payload occurs
  // more than once. It keeps a small block that repeats a large payload from becoming a large value, and likewise a
  // value that refers to another block many times.
  PyObject* make_once(const CellRef& place) noexcept {
    const bool is_large = place.cell->has_payload() || (place.cell->tag() == Tag::tuple && place.cell->length() != 0);
    if (!is_large) return make_item(place);
    PyObject** made = made_.insert(content_of(place.reader, *place.cell));
    if (made == nullptr) return PyErr_NoMemory();
    if (*made != nullptr) return Py_NewRef(*made);
    PyObject* value = make_item(place);
    *made = value;  // borrowed from the root
    return value;
  }

  // Makes one object for each shared value, which pickle and copy then copy once.
  PyObject* make_shared(const Block* block) noexcept {
    if (first_shared_ == nullptr) return first_shared_ = new_shared(state_, block);
    if (as_view(first_shared_)->slice.block == block) return Py_NewRef(first_shared_);
    PyObject** made = made_.insert({block, 0});
    if (made == nullptr) return PyErr_NoMemory();
    if (*made != nullptr) return Py_NewRef(*made);
    return *made = new_shared(state_, block);
  }

  PyObject* make_tuple(BlockReader reader, const Cell& cell) noexcept {
    PyObject* tuple = PyTuple_New(static_cast<Py_ssize_t>(cell.length()));
    if (tuple == nullptr || cell.length() == 0) return tuple;
    if (unfilled_.push({tuple, reader, reader.elements(cell).data()})) return tuple;
    Py_DECREF(tuple);
    return PyErr_NoMemory();
  }

  // Makes a Queue whose parts are filled later. Allocating it and setting its slot run no Python code.
  PyObject* make_queue(BlockReader reader, const Cell& cell) noexcept {
    if (state_.queue_type == nullptr) {
      PyErr_SetString(PyExc_SystemError, "xichan: received a Queue before xichan._queue registered its type");
      return nullptr;
    }
    Ref parts(make_tuple(reader, cell));
    if (!parts) return nullptr;
    // On failure `unfilled_` keeps a dangling reference to the parts. It is not used: the whole decode fails.
    PyObject* queue = state_.queue_type->tp_alloc(state_.queue_type, 0);
    if (queue != nullptr) queue_slot(state_, queue) = parts.release();
    return queue;
  }

  PyObject* make_handle(const Reference& reference) noexcept {
    const Side side = reference.type->kind == ReferenceKind::sender ? Side::sender : Side::receiver;
    auto* channel = static_cast<Channel*>(reference.object);
    // If the channel was inherited by a fork, the endpoint is never released and the handle is closed.
    channel->add_endpoint(side);
    return new_handle(state_, channel, side);
  }

  ModuleState& state_;
  Worklist<Unfilled> unfilled_;
  PyObject* first_shared_ = nullptr;  // most values have one; borrowed from the root
  ContentMap<PyObject*> made_;
};

PyObject* new_view_at(ModuleState& state, const CellRef& place) noexcept {
  switch (place.cell->tag()) {
    case Tag::tuple: return new_view(state, ValueType::tuple, place.reader.block(), *place.cell);
    case Tag::bytes: return new_view(state, ValueType::bytes, place.reader.block(), *place.cell);
    default: return new_str_view(state, place);
  }
}

}  // namespace

PyObject* decode_at(ModuleState& state, BlockReader reader, const Cell& cell, bool copy) noexcept {
  const CellRef place = resolve(reader, cell);
  if (place.cell->is_complete()) return Decoder::make_short(*place.cell);
  if (!copy && deserves_view(*place.cell)) return new_view_at(state, place);
  if (is_pickled(place.reader, *place.cell)) return unpickle(state, place.reader, *place.cell, copy);
  return Decoder(state).make(place);
}

PyObject* decode_any(ModuleState& state, const Cell& cell, bool copy) noexcept {
  if (!cell.owns_block()) return Decoder::make_short(cell);
  const BlockReader reader(cell.as_block());
  return cell.tag() == Tag::shared_block ? new_shared(state, reader.block())
                                         : decode_at(state, reader, reader.root(), copy);
}

}  // namespace xichan::python
