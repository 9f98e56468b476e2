#include "values/record_cells.h"

#include <algorithm>
#include <cstring>

#include "base/ref.h"
#include "value/value_access.h"
#include "values/encode_short.h"

namespace xichan::python {
namespace {

// A name to find among the names of fields. Equal names have the same representation (invariant C3 in cell.h).
class Name {
 public:
  explicit Name(PyObject* name) noexcept : text_(name), is_short_(encode_short(name, &cell_)) {}

  bool matches(BlockReader reader, const Cell& cell) const noexcept {
    if (is_short_) return cell.head == cell_.head && cell.word == cell_.word;
    const CellRef place = resolve(reader, cell);
    return place.cell->tag() == text_tag(text_.kind) && place.cell->length() == text_.length &&
           std::memcmp(place.reader.payload(*place.cell), text_.data, text_.length * text_width(text_.kind)) == 0;
  }

 private:
  const Text text_;
  Cell cell_;
  const bool is_short_;
};

}  // namespace

bool NamedType::has_form(std::string_view wanted) const noexcept {
  const Cell name = Cell::of_short(Tag::short_ascii, wanted.data(), wanted.size());
  const CellRef found = form();
  return found.cell->head == name.head && found.cell->word == name.word;
}

Py_ssize_t field_number(FieldGuesses& guesses, const CellRef& record, PyObject* name) noexcept {
  const CellRef names = NamedType(record).fields();
  const auto cells = names.reader.elements(*names.cell);
  const std::size_t count = std::min<std::size_t>(cells.size(), record.cell->length() - 1);
  const Name wanted(name);
  std::uint16_t& guess = guesses.of(name);
  if (guess < count && wanted.matches(names.reader, cells[guess])) return guess;
  for (std::size_t i = 0; i < count; ++i) {
    if (!wanted.matches(names.reader, cells[i])) continue;
    guess = static_cast<std::uint16_t>(i);
    return static_cast<Py_ssize_t>(i);
  }
  return -1;
}

PyObject* record_type_name(ModuleState&, const CellRef& record) noexcept {
  if (!has_type_name(record)) {
    return PyUnicode_FromFormat("standard type %lld", static_cast<long long>(record_type(record).cell->as_integer()));
  }
  const NamedType type(record);
  const CellRef parts[] = {type.module(), type.name()};
  Ref texts[2];
  for (int i = 0; i < 2; ++i) {
    const TextParts text = text_parts(parts[i].reader, *parts[i].cell);
    texts[i] = Ref(make_text(text.kind, text.data, text.length));
    if (!texts[i]) return nullptr;
  }
  if (PyUnicode_EqualToUTF8(texts[0].get(), "builtins")) return texts[1].release();
  return PyUnicode_FromFormat("%S.%S", texts[0].get(), texts[1].get());
}

}  // namespace xichan::python
