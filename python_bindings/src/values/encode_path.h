// Error messages that name the path to a part that cannot be shared. Runs only after an encode has failed.
#pragma once

#include "base/ref.h"
#include "base/state.h"
#include "base/worklist.h"

namespace xichan::python {

class BlockEncoder;

/// The indices that lead to a part of a value, the innermost first; empty for the value itself.
using Steps = Worklist<std::uint64_t>;

/// Returns the path to the item at `position` of the `container`-th container of `encoder`, or to the root if that is
/// `item`. Example: "value[3]['when']". Runs no Python code. Null with MemoryError set.
Ref path_of(BlockEncoder& encoder, PyObject* item, std::size_t container, std::uint64_t position) noexcept;

/// Raises NotShareableError for `item`, which is at `path`. `why` follows the name of its type.
void raise_not_shareable(const ModuleState& state, const Ref& path, PyObject* item, const char* why) noexcept;

/// Does the same for a refused class, whose plan names a remedy. Runs Python code, so the caller holds a reference.
void raise_with_remedy(const ModuleState& state, const Ref& path, PyObject* item) noexcept;

/// Raises NotShareableError with the message of `error`, which the function that reduces `item` raised.
void raise_refused(const ModuleState& state, const Ref& path, PyObject* item, PyObject* error) noexcept;

/// Does the same for steps; `what` is the fully qualified name of a type.
void raise_not_shareable(const ModuleState& state, const Steps& steps, const char* what, const char* why) noexcept;

}  // namespace xichan::python
