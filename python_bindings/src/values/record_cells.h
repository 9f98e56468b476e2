// The cells of a record: its type, then its fields.
#pragma once

#include <string_view>

#include "base/state.h"
#include "value/block_reader.h"

namespace xichan::python {

/// Returns the cell of the type of a record at a resolved place.
inline CellRef record_type(const CellRef& record) noexcept {
  return resolve(record.reader, record.reader.elements(*record.cell).front());
}

/// Returns true if the type of a record is named, not a standard type with a number.
inline bool has_type_name(const CellRef& record) noexcept { return record_type(record).cell->tag() == Tag::tuple; }

/// The type of a record that is named.
class NamedType {
 public:
  explicit NamedType(const CellRef& record) noexcept : type_(record_type(record)) {}

  /// The parts of the type, each a resolved cell.
  CellRef module() const noexcept { return part(0); }
  CellRef name() const noexcept { return part(1); }
  CellRef form() const noexcept { return part(2); }
  CellRef fields() const noexcept { return part(3); }
  /// Returns true if the record is a namedtuple, which compares and hashes as a tuple.
  bool is_tuple() const noexcept { return has_form("tuple"); }
  /// Returns true if the record stands for its class.
  bool is_class() const noexcept { return has_form("class"); }

 private:
  bool has_form(std::string_view form) const noexcept;  // of up to 14 characters
  CellRef part(std::size_t i) const noexcept { return resolve(type_.reader, type_.reader.elements(*type_.cell)[i]); }

  CellRef type_;
};

/// Returns the number of the field with this name (a str) in a record with a named type, or -1. O(1) for the name that
/// was looked up last, else O(fields).
Py_ssize_t field_number(FieldGuesses& guesses, const CellRef& record, PyObject* name) noexcept;

/// Returns a cell, valid in the body of the record, that shows its fields as a tuple.
inline Cell fields_as_tuple(const Cell& record) noexcept {
  const std::uint64_t length = record.length() - 1;
  return Cell::of(Tag::tuple, length, length == 0 ? 0 : record.word + sizeof(Cell));
}

/// Returns the name of the record's class, as module.name, or only the name for a builtin; of a standard type, its
/// number. Null with MemoryError set.
PyObject* record_type_name(ModuleState& state, const CellRef& record) noexcept;

}  // namespace xichan::python
