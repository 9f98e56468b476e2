#include "values/repr.h"

#include "base/ref.h"
#include "value/moved.h"
#include "values/compare.h"
#include "values/decode.h"

namespace xichan::python {
namespace {

class Writer {
 public:
  explicit Writer(ModuleState& state) noexcept : state_(state), pieces_(PyList_New(0)) {}

  PyObject* finish() noexcept {
    const Ref empty(PyUnicode_FromString(""));
    return pieces_ && empty ? PyUnicode_Join(empty.get(), pieces_.get()) : nullptr;
  }

  bool write(const char* text) noexcept { return append(PyUnicode_FromString(text)); }

  bool write(BlockReader from, const Cell& cell) noexcept {
    const CellRef place = resolve(from, cell);
    if (!interruption_.check(place.cell->has_payload() ? place.cell->length() : 0)) return false;
    if (const Moved* moved = moved_of(place)) {  // making the object would take it out
      return append(PyUnicode_FromFormat("<xichan.%s>", moved->type().name));
    }
    if (!is_container(place)) {
      const Ref leaf(decode_to_look(state_, place.reader, *place.cell));
      if (!leaf && PyErr_Occurred() == nullptr) return write("...");
      return leaf && append(PyObject_Repr(leaf.get()));
    }
    if (place.cell->length() == 0 || !may_recur(from, place)) return write_container(place);
    int* open = open_.insert(content_of(place.reader, *place.cell));
    if (open == nullptr) {
      PyErr_NoMemory();
      return false;
    }
    if (*open != 0) return write_again(*place.cell);
    *open = 1;
    const bool written = write_container(place);
    *open_.find(content_of(place.reader, *place.cell)) = 0;
    return written;
  }

  /// Writes the elements of a slice with a step.
  bool write_elements(const View* view) noexcept {
    const HeldElements elements(view);
    const bool is_list = view->slice.cell.tag() == Tag::list;
    bool written = write(is_list ? "[" : "(");
    for (Py_ssize_t i = 0; written && i < elements.length(); ++i) {
      written = (i == 0 || write(", ")) && write(elements.reader(), elements[i]);
    }
    return written && write(is_list ? "]" : ")");
  }

 private:
  static bool is_container(const CellRef& place) noexcept {
    switch (place.cell->tag()) {
      case Tag::tuple:
      case Tag::list:
      case Tag::dict:
      case Tag::frozendict:
      case Tag::set:
      case Tag::frozenset: return true;
      case Tag::record: return has_type_name(place);
      default: return false;
    }
  }

  bool append(PyObject* text) noexcept {
    const Ref owned(text);
    return owned && pieces_ && PyList_Append(pieces_.get(), text) == 0;
  }

  bool write_again(const Cell& cell) noexcept {
    switch (cell.tag()) {
      case Tag::tuple: return write("(...)");
      case Tag::list: return write("[...]");
      case Tag::dict:
      case Tag::frozendict: return write("{...}");
      default: return write("...");
    }
  }

  bool write_container(const CellRef& place) noexcept {
    if (Py_EnterRecursiveCall(" while getting the repr of a view") != 0) return false;
    bool written = false;
    const Cell& cell = *place.cell;
    const std::uint64_t length = cell.is_hashed() ? cell.entries() : cell.length();
    switch (cell.tag()) {
      case Tag::tuple: written = write_inside("(", place, length == 1 ? ",)" : ")"); break;
      case Tag::list: written = write_inside("[", place, "]"); break;
      case Tag::dict: written = write_inside("{", place, "}"); break;
      case Tag::frozendict: written = write_inside("frozendict({", place, "})"); break;
      case Tag::set: written = length == 0 ? write("set()") : write_inside("{", place, "}"); break;
      case Tag::frozenset:
        written = length == 0 ? write("frozenset()") : write_inside("frozenset({", place, "})");
        break;
      default: written = write_record(place);
    }
    Py_LeaveRecursiveCall();
    return written;
  }

  bool write_inside(const char* start, const CellRef& place, const char* end) noexcept {
    const Cell& cell = *place.cell;
    const bool is_dict = cell.is_hashed() && cell.entry_cells() == 2;
    const std::uint64_t length = cell.is_hashed() ? cell.entries() * cell.entry_cells() : cell.length();
    const Cell* const cells = place.reader.elements(cell).data();
    bool written = write(start);
    for (std::uint64_t i = 0; written && i < length; ++i) {
      written = (i == 0 || write(is_dict && i % 2 != 0 ? ": " : ", ")) && write(place.reader, cells[i]);
    }
    return written && write(end);
  }

  // In the form of the repr of a dataclass: name(field=value, ...).
  bool write_record(const CellRef& place) noexcept {
    const NamedType type(place);
    const CellRef name = type.name(), names = type.fields();
    if (!write_text(name) || !write("(")) return false;
    const auto fields = place.reader.elements(*place.cell).subspan(1);
    const auto field_names = names.reader.elements(*names.cell);
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (i != 0 && !write(", ")) return false;
      if (i < field_names.size() && !(write_text(resolve(names.reader, field_names[i])) && write("="))) return false;
      if (!write(place.reader, fields[i])) return false;
    }
    return write(")");
  }

  bool write_text(const CellRef& text) noexcept { return append(decode_at(state_, text.reader, *text.cell, true)); }

  ModuleState& state_;
  const Ref pieces_;
  ContentMap<int> open_;  // 1 for a content that is being written
  Interruption interruption_;
};

}  // namespace

PyObject* view_repr(PyObject* self) noexcept {
  const View* const view = as_view(self);
  Writer writer(*view->state);
  bool written = writer.write(Py_TYPE(self)->tp_name) && writer.write("(");
  if (written) {
    written = view->step == 1 ? writer.write(view->slice.reader(), view->slice.cell) : writer.write_elements(view);
  }
  return written && writer.write(")") ? writer.finish() : nullptr;
}

}  // namespace xichan::python
