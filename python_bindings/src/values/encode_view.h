// Encoding of views and Shared: a message refers to the block that they read, without a copy.
#pragma once

#include "values/view.h"

namespace xichan::python {

/// How a value that reads a block is encoded in the body of another block.
struct ViewEncoding {
  enum class ViewKind {
    none,       // not a view or Shared
    complete,   // `cell` is self-contained
    reference,  // the root of `block`
    shared,     // the root of `block`, received as a Shared
    window,     // `cell`, in `block`
    strided,    // a TupleView or ListView with a step: make_contiguous turns it into a `reference`
  };
  ViewKind kind = ViewKind::none;
  Block* block = nullptr;
  Cell cell;
};

ViewEncoding encoding_of(const ModuleState& state, PyObject* value) noexcept;

/// Encodes a Shared, or a view that is small or the root of its block, in O(1) and without an allocation. Returns
/// false, and does nothing, for any other value.
bool encode_whole(const ModuleState& state, PyObject* value, Cell& cell) noexcept;

/// Copies the elements of a TupleView or ListView with a step to a block of their own, where the step is one.
Status make_contiguous(View* view) noexcept;

}  // namespace xichan::python
