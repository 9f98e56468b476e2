// The other side of a Pickler: the file that it writes to, its reducer_override and its buffer_callback.
#pragma once

#include "base/ref.h"
#include "base/state.h"

namespace xichan::python {

/// The object of _PickleSink.
///
/// Endpoints and Queues leave the pickle as buffers do: `reduce` reduces one to a call of _core._external with
/// `marker`, a PickleBuffer, which the buffer callback then keeps out of the pickle. The memo of the Pickler makes that
/// one call for each object.
struct PickleSink {
  PyObject_HEAD
  ModuleState* state;
  PyObject* parts;        // a list of the pickle (a list of its pieces if it is large), then what lies outside it
  PyObject* override;     // a reducer_override for other objects, or null
  bool takes_movable;     // Buffers and Descriptors leave the pickle, too
  PyObject* marker;       // the PickleBuffer that stands for an object outside
  PyObject* external;     // _core._external
  PyObject* reduce_name;  // these two names, and the functions that `object` has under them
  PyObject* reduce_ex_name;
  PyObject* object_reduce;
  PyObject* object_reduce_ex;

  /// Prepares for a pickle. False with an exception set.
  bool begin(PyObject* reducer, bool with_movable) noexcept;
  /// Returns the list (pickle, ...). Null with an exception set.
  Ref finish() noexcept;
};

extern PyType_Spec pickle_sink_spec;

inline PickleSink* as_sink(PyObject* object) noexcept { return reinterpret_cast<PickleSink*>(object); }

}  // namespace xichan::python
