#include "state/map_key.h"

#include "values/encode.h"
#include "values/text.h"

namespace xichan::python {
namespace {

// Payloads outside any block are described by their distance from the body of this one, modulo 2**64.
alignas(Block::alignment) constinit std::byte origin[sizeof(Block)]{};

BlockReader origin_reader() noexcept { return BlockReader(reinterpret_cast<const Block*>(origin)); }

std::uint64_t distance_to(const void* data) noexcept {
  return reinterpret_cast<std::uintptr_t>(data) - reinterpret_cast<std::uintptr_t>(origin + sizeof(Block));
}

}  // namespace

bool MapKeyArgument::finish(PyObject* key) noexcept {
  const Status status = hash_content(key_.reader, *key_.cell, key_.hash);
  if (status == Status::ok) [[likely]]
    return true;
  if (status == Status::too_large) {
    PyErr_Format(PyExc_ValueError,
                 "a key of a Map must have at most %u parts, each counted as often as it occurs: got %T with more; use "
                 "a shorter key, such as a digest of it",
                 most_key_parts, key);
  } else {
    PyErr_Format(PyExc_TypeError, "a key of a Map must be hashable, and compare by its content: got %T", key);
  }
  return false;
}

bool MapKeyArgument::read(const ModuleState& state, PyObject* key) noexcept {
  if (encode_short(key, &owned_)) [[likely]] {
    key_ = {{}, &owned_, 0};
    return finish(key);
  }
  if (PyUnicode_CheckExact(key)) {
    const Text text(key);
    borrowed_ = Cell::of(text_tag(text.kind), text.length, distance_to(text.data));
  } else if (PyBytes_CheckExact(key)) {
    borrowed_ =
        Cell::of(Tag::bytes, static_cast<std::uint64_t>(PyBytes_GET_SIZE(key)), distance_to(PyBytes_AS_STRING(key)));
  } else {
    return read_to_store(state, key);
  }
  key_ = {origin_reader(), &borrowed_, 0};
  return finish(key);
}

bool MapKeyArgument::read_to_store(const ModuleState& state, PyObject* key) noexcept {
  if (Py_TYPE(key)->tp_hash == PyObject_HashNotImplemented) {
    PyErr_Format(PyExc_TypeError, "unhashable type: '%T'", key);
    return false;
  }
  if (!encode(state, key, owned_)) {
    owned_ = Cell::none();
    return false;
  }
  key_ = MapKey::of(owned_, 0);
  // Afterwards: Python hashes shared parts on each path, of which `finish` bounds the number.
  return finish(key) && (is_content_leaf(key_.cell->tag()) || PyObject_Hash(key) != -1);
}

}  // namespace xichan::python
