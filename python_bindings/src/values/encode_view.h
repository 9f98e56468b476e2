// How views and Shared stand in a message: as what they read, without a copy.
#pragma once

#include "values/view.h"

namespace xichan::python {

/// How a value that reads a block stands in the body of another.
struct ViewEncoding {
  enum class ViewKind {
    none,       // it reads no block
    complete,   // `cell` says all
    reference,  // it is the root of `block`
    shared,     // as that, and a Shared
    window,     // it is `cell`, in `block`
    strided,    // a Tuple with a step: to be made contiguous first, after which it is a `reference`
  };
  ViewKind kind = ViewKind::none;
  Block* block = nullptr;
  Cell cell;
};

ViewEncoding part_of(const ModuleState& state, PyObject* value) noexcept;

/// Encodes a Shared, or a view that is a block's root or small, in O(1) and without an allocation. False, with nothing
/// done, for everything else.
bool encode_whole(const ModuleState& state, PyObject* value, Cell& cell) noexcept;

}  // namespace xichan::python
