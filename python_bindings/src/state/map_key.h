// The key of a Map, as a cell.
#pragma once

#include "base/state.h"
#include "state/map_entry.h"

namespace xichan::python {

/// Thread safety: one thread at a time, attached. The key must outlive it.
class MapKeyArgument {
 public:
  MapKeyArgument() noexcept = default;
  MapKeyArgument(const MapKeyArgument&) = delete;
  MapKeyArgument& operator=(const MapKeyArgument&) = delete;
  ~MapKeyArgument() { internal::release(owned_); }

  /// Reads a key. False with an exception set: TypeError if it is not hashable, or as send() raises. Text and bytes are
  /// not copied. May run Python code if the key is an object of a class.
  bool read(const ModuleState& state, PyObject* key) noexcept;
  /// Does the same, and makes a cell that can be stored.
  bool read_to_store(const ModuleState& state, PyObject* key) noexcept;

  const MapKey& key() const noexcept { return key_; }
  std::uint64_t hash() const noexcept { return key_.hash; }
  /// After `read_to_store`: the cell, which still belongs to this object.
  const Cell& owned() const noexcept { return owned_; }
  /// The map has taken over the cell.
  void disown() noexcept { owned_ = Cell::none(); }

 private:
  bool finish(PyObject* key) noexcept;

  Cell owned_ = Cell::none();
  Cell borrowed_;
  MapKey key_{};
};

}  // namespace xichan::python
