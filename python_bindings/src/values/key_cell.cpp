#include "values/key_cell.h"

#include "values/encode.h"
#include "values/encode_view.h"

namespace xichan::python {
namespace {

bool is_leaf(PyObject* key) noexcept {
  return PyUnicode_CheckExact(key) || PyBytes_CheckExact(key) || PyLong_CheckExact(key) || PyFloat_CheckExact(key);
}

bool compares_by_content(PyObject* key) noexcept {
  if (!PyTuple_CheckExact(key)) return is_leaf(key);
  const Py_ssize_t length = PyTuple_GET_SIZE(key);
  if (length > static_cast<Py_ssize_t>(largest_tuple_key)) return false;
  for (Py_ssize_t i = 0; i < length; ++i) {
    PyObject* item = PyTuple_GET_ITEM(key, i);
    if (!is_leaf(item) && !encode_short(item, nullptr)) return false;
  }
  return true;
}

}  // namespace

bool KeyCell::set(const ModuleState& state, PyObject* key) noexcept {
  if (encode_short(key, &owned_)) return true;
  if (key == Py_Ellipsis) {
    owned_ = Cell::of(Tag::ellipsis);
    return true;
  }
  if (!compares_by_content(key)) return set_view(state, key);
  if (!encode(state, key, owned_)) {
    owned_ = Cell::none();
    PyErr_Clear();
    return false;
  }
  if (owned_.owns_block()) {
    reader_ = BlockReader(owned_.as_block());
    cell_ = &reader_.root();
  }
  return true;
}

bool KeyCell::set_view(const ModuleState& state, PyObject* view) noexcept {
  const ViewEncoding encoding = encoding_of(state, view);
  switch (encoding.kind) {
    case ViewEncoding::ViewKind::complete: break;
    case ViewEncoding::ViewKind::reference:
    case ViewEncoding::ViewKind::window: reader_ = BlockReader(encoding.block); break;
    default: return false;
  }
  owned_ = encoding.cell;
  return true;
}

}  // namespace xichan::python
