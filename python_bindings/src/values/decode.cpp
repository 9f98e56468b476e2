#include "values/decode.h"

#include "base/handle.h"
#include "base/pointer_map.h"
#include "base/worklist.h"
#include "values/view.h"

namespace xichan::python {
namespace {

constexpr Py_UCS4 widest[] = {0x7f, 0xff, 0xffff, 0x10ffff};  // by TextKind

PyObject* make_text(TextKind kind, const void* data, std::uint64_t length) noexcept {
  PyObject* text = PyUnicode_New(static_cast<Py_ssize_t>(length), widest[static_cast<int>(kind)]);
  if (text != nullptr && length > 0) std::memcpy(PyUnicode_DATA(text), data, length * text_width(kind));
  return text;
}

PyObject* make_bytes(const void* data, std::uint64_t length) noexcept {
  return PyBytes_FromStringAndSize(static_cast<const char*>(data), static_cast<Py_ssize_t>(length));
}

/// A tuple whose elements are still to be made, and where their cells stand.
struct Unfilled {
  PyObject* tuple;
  BlockReader reader;
  const Cell* cells;
};

class Decoder {
 public:
  explicit Decoder(ModuleState& state) noexcept : state_(state) {}

  /// Makes the value at a resolved place. Top down: a nested tuple is put in its place first and filled later, so that
  /// no recursion is needed; nobody can see the unfilled ones, because no Python code runs meanwhile.
  PyObject* make(const CellRef& place) noexcept {
    PyObject* root = make_item(place);
    while (root != nullptr && !unfilled_.empty()) {
      const Unfilled next = unfilled_.pop();
      const Py_ssize_t length = PyTuple_GET_SIZE(next.tuple);
      for (Py_ssize_t i = 0; i < length; ++i) {
        PyObject* item = make_item(resolve(next.reader, next.cells[i]));
        if (item == nullptr) {
          Py_DECREF(root);  // takes with it all that hangs from it
          return nullptr;
        }
        PyTuple_SET_ITEM(next.tuple, i, item);
      }
    }
    return root;
  }

  /// A value that needs no block.
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
    PyErr_Format(PyExc_SystemError, "xichan: a cell of tag %d outside a block", static_cast<int>(cell.tag()));
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
      case Tag::big_int:
        return cell->is_repeated() ? make_repeated(reader, *cell) : make_payload(reader.payload(*cell), *cell);
      case Tag::tuple: return make_tuple(reader, *cell);
      case Tag::queue: return make_queue(reader, *cell);
      case Tag::reference: return make_handle(reader.reference(*cell));
      case Tag::shared: return new_shared(state_, static_cast<const Block*>(reader.reference(*cell).object));
      default: return make_short(*cell);
    }
  }

  static PyObject* make_payload(const void* data, const Cell& cell) noexcept {
    if (cell.tag() == Tag::bytes) return make_bytes(data, cell.length());
    if (cell.tag() != Tag::big_int) return make_text(text_kind(cell.tag()), data, cell.length());
    return PyLong_FromNativeBytes(data, cell.length(), Py_ASNATIVEBYTES_LITTLE_ENDIAN);
  }

  // One object for all that repeat a cell: as it was where the value came from, and a small block that repeats a large
  // payload again and again is no large value.
  PyObject* make_repeated(BlockReader reader, const Cell& cell) noexcept {
    PyObject** made = made_.insert(&cell);
    if (made == nullptr) return PyErr_NoMemory();
    if (*made != nullptr) return Py_NewRef(*made);
    PyObject* value = make_payload(reader.payload(cell), cell);
    *made = value;  // borrowed: it hangs from the root
    return value;
  }

  PyObject* make_tuple(BlockReader reader, const Cell& cell) noexcept {
    PyObject* tuple = PyTuple_New(static_cast<Py_ssize_t>(cell.length()));
    if (tuple == nullptr || cell.length() == 0) return tuple;
    if (unfilled_.push({tuple, reader, reader.elements(cell).data()})) return tuple;
    Py_DECREF(tuple);
    return PyErr_NoMemory();
  }

  // A queue whose parts are still to be made. Allocating it and setting its slot run no Python code.
  PyObject* make_queue(BlockReader reader, const Cell& cell) noexcept {
    if (state_.queue_type == nullptr) {
      PyErr_SetString(PyExc_SystemError, "xichan: a Queue before its type");
      return nullptr;
    }
    auto* type = reinterpret_cast<PyTypeObject*>(state_.queue_type);
    PyObject* parts = make_tuple(reader, cell);
    PyObject* queue = parts == nullptr ? nullptr : type->tp_alloc(type, 0);
    if (queue != nullptr && PyObject_SetAttr(queue, state_.parts_name, parts) < 0) Py_CLEAR(queue);
    // If that failed, the parts may wait in `unfilled_`: nothing of it is used any more, because the root goes too.
    Py_XDECREF(parts);
    return queue;
  }

  PyObject* make_handle(const Reference& reference) noexcept {
    const Side side = reference.type->kind == ReferenceKind::sender ? Side::sender : Side::receiver;
    auto* channel = static_cast<Channel*>(reference.object);
    channel->add_endpoint(side);  // of an inherited channel it is never given back, and the handle is closed
    return new_handle(state_, channel, side);
  }

  ModuleState& state_;
  Worklist<Unfilled> unfilled_;
  PointerMap<PyObject*> made_;  // by their cells
};

}  // namespace

PyObject* decode_at(ModuleState& state, BlockReader reader, const Cell& cell, bool copy) noexcept {
  const CellRef place = resolve(reader, cell);
  if (place.cell->is_complete()) return Decoder::make_short(*place.cell);
  if (!copy && deserves_view(*place.cell)) return new_view(state, place);
  return Decoder(state).make(place);
}

PyObject* decode_any(ModuleState& state, const Cell& cell, bool copy) noexcept {
  if (!cell.owns_block()) return Decoder::make_short(cell);
  const BlockReader reader(cell.as_block());
  return cell.tag() == Tag::shared_block ? new_shared(state, reader.block())
                                         : decode_at(state, reader, reader.root(), copy);
}

}  // namespace xichan::python
