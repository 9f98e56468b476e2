// The state of one module instance: one per interpreter that imports it. No PyObject lives in a global.
#pragma once

#include <Python.h>

#include "base/place_cache.h"
#include "endpoint/endpoint.h"
#include "state/object.h"

namespace xichan::python {

using namespace internal;

/// The classes of xichan._errors, in the order of `error_names` in errors.cpp.
enum class ErrorClass {
  error,
  closed,
  full,
  empty,
  timeout,
  not_shareable,
  arena_full,
  not_found,
  failed,
  decode,
  owner_died,
  lagged,
  interrupted,
  count
};

/// The classes of xichan._stats, in the order of `record_names` in stats.cpp.
enum class RecordType { channel, memory, memory_class, map, count };

/// The types of values that read or fill a block in place, in the order of `specs` in values/types.cpp.
enum class ValueType { tuple, list, dict, set, record, array, bytes, str, shared, buffer, descriptor, elements, count };

/// The position of a field of this name in the record that was read last; verified before use, so any number is valid.
struct FieldGuesses {
  std::uint16_t numbers[256];

  std::uint16_t& of(PyObject* name) noexcept { return numbers[reinterpret_cast<std::uintptr_t>(name) / 16 % 256]; }
};

/// The str objects of the short texts that were decoded last: equal text of one message after the other, like the keys
/// of dicts, becomes one str, whose hash is computed once. Zeroed memory is empty.
///
/// Algorithm: direct mapped. The cell of a short text is its own description: equal text has equal cells.
struct ShortTexts {
  struct Entry {
    Cell cell;
    PyObject* text;  // an exact str, which the collector need not know and which runs no Python code when it is freed
  };

  Entry& of(const Cell& cell) noexcept {
    return entries[((cell.head ^ cell.word * 31) * 0x9e3779b97f4a7c15u) >> (64 - size_bits)];
  }
  void clear() noexcept {
    for (Entry& entry : entries) {
      entry.cell = {};
      Py_CLEAR(entry.text);
    }
  }

  static constexpr unsigned size_bits = 9;
  Entry entries[std::size_t{1} << size_bits];
};

/// Where the next select over the same Receivers begins: after the one that the last of these selects chose, so that
/// Receivers that stay ready take turns. The turns of 64 sets of Receivers are kept.
class SelectTurns {
 public:
  /// Returns the turn of a select over some Receivers, or null if it is not known. `receivers` identifies them and is
  /// evenly distributed.
  std::uint32_t* of(std::uint64_t receivers) noexcept {
    Turn& turn = turns_[receivers >> 58];
    return turn.receivers == receivers ? &turn.next : nullptr;
  }
  /// Sets the turn.
  void set(std::uint64_t receivers, std::size_t next) noexcept {
    turns_[receivers >> 58] = {receivers, static_cast<std::uint32_t>(next)};
  }

 private:
  struct Turn {
    std::uint64_t receivers;
    std::uint32_t next;
  };

  Turn turns_[64];
};

/// The endpoints of an interpreter, released when it is finalized. Shared by the module and the exit callback of the
/// interpreter: the module is usually freed first, but never if a thread is stuck in a call. Guarded by the GIL.
struct InterpreterEndpoints {
  EndpointOwner owner;
  PyInterpreterState* interpreter = nullptr;
  const std::uint32_t generation = process_generation();
  InterpreterEndpoints* next = nullptr;  // in the list of the interpreter, see exit.cpp
  bool exit_begun = false;
  int users = 1;

  static void drop(InterpreterEndpoints* endpoints) noexcept {
    // A call that never returned from a finalized interpreter may still read it; then it is leaked.
    if (endpoints != nullptr && --endpoints->users == 0 && !endpoints->owner.has_calls()) delete endpoints;
  }
};

class Plans;
class Transfer;  // values/transfer.h

/// Objects of the standard library that values/standard_types.cpp uses; null until they are needed.
struct StandardLibrary {
  enum Object { capsule, decimal, uuid, unknown, safe, unsafe, count };  // the last three are members of uuid.SafeUUID

  PyObject* objects[count];
  const void* datetime;    // its C API, which the capsule owns
  Py_ssize_t uuid_number;  // offsets of the slots of a UUID
  Py_ssize_t uuid_safety;

  PyObject*& of(Object which) noexcept { return objects[which]; }
  PyObject* of(Object which) const noexcept { return objects[which]; }
};

struct ModuleState {
  PyTypeObject* sender_type;
  PyTypeObject* receiver_type;
  PyTypeObject* views_type;  // the iterator of Receiver.views()
  PyTypeObject* watch_type;
  PyTypeObject* ticket_type;
  PyTypeObject* state_watch_type;
  PyTypeObject* state_record_type;
  PyTypeObject* state_types[state_kind_count];  // null where a kind has no class
  PyTypeObject* value_types[static_cast<int>(ValueType::count)];
  PyObject* records[static_cast<int>(RecordType::count)];  // null until the first of the kind is made
  PyTypeObject* queue_type;                                // xichan._queue.Queue, once that module is imported
  Py_ssize_t queue_slot;                                   // where a Queue holds its parts: an offset in the object
  PyObject* errors[static_cast<int>(ErrorClass::count)];
  PyObject* unpickle;        // the function that rebuilds a pickled endpoint
  PyObject* unpickle_state;  // the function that rebuilds a pickled state object
  PyObject* share;           // the function that rebuilds a pickled Shared
  PyObject* make_pickler;    // these two of xichan._pickling, or null
  PyObject* pickle_loads;
  PyObject* idle_pickler;   // see pickling.cpp; null while it is in use
  Plans* plans;             // how objects of each class are sent
  PyObject* dict_parts[3];  // the classes of xichan._dict_parts; null until the first is used
  FieldGuesses field_guesses;
  SelectTurns select_turns;
  InterpreterEndpoints* endpoints;
  mutable ShortTexts short_texts;
  PlaceCache places;       // where endpoints were opened
  PyObject* record_types;  // dict of resolved types, see values/record_types.h; null until the first record is decoded
  mutable StandardLibrary library;
  bool numpy_missing;          // its import has failed
  bool importing_numpy;        // for a value that is being decoded, which does without it
  mutable Transfer* transfer;  // of a value that is being encoded; or was, until the caller takes it. Else null

  PyTypeObject* type_of(Side side) const noexcept { return side == Side::sender ? sender_type : receiver_type; }
  PyTypeObject* type_of(StateKind kind) const noexcept { return state_types[static_cast<int>(kind)]; }
  PyTypeObject* type_of(ValueType which) const noexcept { return value_types[static_cast<int>(which)]; }
  PyObject* error(ErrorClass which) const noexcept { return errors[static_cast<int>(which)]; }

  int traverse(visitproc visit, void* arg) const noexcept;
  /// Breaks the cycles through the module. Handles may outlive this call, and the types keep the state's memory.
  void clear() noexcept;
  /// Releases everything.
  void free() noexcept;
};

/// Defined in module.cpp, which lists what the module consists of.
extern PyModuleDef module_definition;

inline ModuleState* state_of(PyObject* module) noexcept { return static_cast<ModuleState*>(PyModule_GetState(module)); }

/// Returns the state in the attached interpreter, importing the package if needed. Null with an exception set.
ModuleState* import_state() noexcept;

}  // namespace xichan::python
