// How objects of each class are sent: the cache of what xichan._records decides, once per class and interpreter.
#pragma once

#include <Python.h>

#include "base/pointer_map.h"
#include "base/worklist.h"

namespace xichan::python {

/// How objects of a class are sent. The numbers are those of xichan/_records/__init__.py.
enum class PlanKind : std::uint8_t { attributes, items, reduce, refused };

struct Plan {
  PyTypeObject* type;  // borrowed: valid while `cls`, a weak reference to it, is alive
  PyObject* cls;
  PyObject* reference;   // the type of the record, a tuple; None if `detail` chooses it
  PyObject* detail;      // attributes: their names; reduce, refused: a function of the object
  PyObject* path;        // where the class is found: the name of its module, and the parts of its name; or null
  Py_ssize_t* slots;     // attributes: the offsets of the slots that hold them; null if they are in a __dict__
  PyObject* enum_names;  // of an enum: ("_name_", "_member_map_"), so that no function is needed; else null
  PlanKind kind;

  void release() noexcept;
  /// Returns false if the module no longer has the class under its name. Runs no Python code.
  bool is_current() const noexcept;
};

/// The plans of an interpreter. A plan does not keep its class alive; those of classes that are gone are dropped as the
/// number of plans grows.
///
/// Thread safety: one thread at a time, attached.
class Plans {
 public:
  Plans() noexcept = default;
  ~Plans() { clear(); }

  /// Returns the plan of a class, or null if it is not made yet. Runs no Python code. Valid until Python code runs.
  const Plan* find(PyTypeObject* type) noexcept;
  /// Does the same, and discards the plan of a class that was replaced. `is_first`: false if objects of other classes,
  /// or of this one, precede the object in the message.
  const Plan* find_current(PyTypeObject* type, bool is_first) noexcept;
  /// Makes the plan of a class if it is not made yet, and returns it likewise. Runs Python code: it imports
  /// xichan._records. Null with an exception set, or without one if Python code has discarded the plan again.
  const Plan* make(PyTypeObject* type) noexcept;
  /// Discards the plan of a class, so that the next object makes a new one.
  void forget(PyTypeObject* type) noexcept;

  int traverse(visitproc visit, void* arg) noexcept;
  void clear() noexcept;

 private:
  const Plan* add(PyTypeObject* type, const Plan& plan) noexcept;
  void drop_dead() noexcept;

  internal::Worklist<Plan, 1> plans_;
  internal::PointerMap<std::size_t> numbers_;  // of a plan by the address of its class, plus one
  std::size_t next_drop_ = 64;                 // the number of plans
  PyTypeObject* checked_ = nullptr;            // the class that was found last; used as an address only
};

}  // namespace xichan::python
