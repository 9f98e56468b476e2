// Visits a value by its type.
#pragma once

#include <concepts>
#include <cstdint>
#include <utility>

#include "xichan/containers.h"
#include "xichan/value.h"

namespace xichan {

/// Combines several functions into one overload set: `overloaded{[](std::int64_t n) { ... }, [](auto) { ... }}`.
template <class... Functions>
struct overloaded : Functions... {
  using Functions::operator()...;
};
template <class... Functions>
overloaded(Functions...) -> overloaded<Functions...>;

/// The argument of a visitor for None.
struct None {
  friend bool operator==(None, None) = default;
};
/// The argument of a visitor for Ellipsis.
struct Ellipsis {
  friend bool operator==(Ellipsis, Ellipsis) = default;
};
/// The argument of a visitor for a kind without a C++ type: read the value through `view`.
template <ValueKind kind>
struct View {
  ValueView view;
};
using TextView = View<ValueKind::text>;
using BytesView = View<ValueKind::bytes>;
using BigIntegerView = View<ValueKind::big_integer>;
using TupleView = View<ValueKind::tuple>;
using ListView = View<ValueKind::list>;
using RangeView = View<ValueKind::range>;
using SliceView = View<ValueKind::slice>;
using ByteArrayView = View<ValueKind::byte_array>;
using QueueView = View<ValueKind::queue>;
using BufferView = View<ValueKind::buffer>;
using DescriptorView = View<ValueKind::descriptor>;
using StateView = View<ValueKind::state>;
using SenderView = View<ValueKind::sender>;
using ReceiverView = View<ValueKind::receiver>;

namespace internal {
// Calls a visitor that was written before there was a kind of `argument` with None instead.
template <class Visitor, class T>
decltype(auto) visit_if_known(Visitor&& visitor, T argument) {
  if constexpr (std::invocable<Visitor, T>) {
    return std::forward<Visitor>(visitor)(std::move(argument));
  } else {
    return std::forward<Visitor>(visitor)(None{});
  }
}
}  // namespace internal

/// Calls `visitor` with the value as None, bool, std::int64_t, double or one of the View types, and returns its result,
/// which must have the same type for all of them. Ellipsis, std::complex<double>, ListView, RangeView, SliceView,
/// ByteArrayView, DictView, SetView, RecordView, ArrayView, BufferView, DescriptorView and StateView are passed to a
/// visitor that takes them, and to any other as None. The argument is valid as long as `view`. Throws only what the
/// visitor throws.
template <class Visitor>
decltype(auto) visit(ValueView view, Visitor&& visitor) {
  switch (view.kind()) {
    case ValueKind::none: break;
    case ValueKind::boolean: return std::forward<Visitor>(visitor)(view.as_bool());
    case ValueKind::integer: return std::forward<Visitor>(visitor)(view.as_integer());
    case ValueKind::big_integer: return std::forward<Visitor>(visitor)(BigIntegerView{view});
    case ValueKind::real: return std::forward<Visitor>(visitor)(view.as_real());
    case ValueKind::text: return std::forward<Visitor>(visitor)(TextView{view});
    case ValueKind::bytes: return std::forward<Visitor>(visitor)(BytesView{view});
    case ValueKind::tuple: return std::forward<Visitor>(visitor)(TupleView{view});
    case ValueKind::sender: return std::forward<Visitor>(visitor)(SenderView{view});
    case ValueKind::receiver: return std::forward<Visitor>(visitor)(ReceiverView{view});
    case ValueKind::queue: return std::forward<Visitor>(visitor)(QueueView{view});
    case ValueKind::ellipsis: return internal::visit_if_known(std::forward<Visitor>(visitor), Ellipsis{});
    case ValueKind::list: return internal::visit_if_known(std::forward<Visitor>(visitor), ListView{view});
    case ValueKind::dict:
    case ValueKind::frozen_dict: return internal::visit_if_known(std::forward<Visitor>(visitor), DictView(view));
    case ValueKind::set:
    case ValueKind::frozen_set: return internal::visit_if_known(std::forward<Visitor>(visitor), SetView(view));
    case ValueKind::range: return internal::visit_if_known(std::forward<Visitor>(visitor), RangeView{view});
    case ValueKind::slice: return internal::visit_if_known(std::forward<Visitor>(visitor), SliceView{view});
    case ValueKind::complex: return internal::visit_if_known(std::forward<Visitor>(visitor), view.as_complex());
    case ValueKind::byte_array: return internal::visit_if_known(std::forward<Visitor>(visitor), ByteArrayView{view});
    case ValueKind::array: return internal::visit_if_known(std::forward<Visitor>(visitor), ArrayView(view));
    case ValueKind::record: return internal::visit_if_known(std::forward<Visitor>(visitor), RecordView(view));
    case ValueKind::state: return internal::visit_if_known(std::forward<Visitor>(visitor), StateView{view});
    case ValueKind::buffer: return internal::visit_if_known(std::forward<Visitor>(visitor), BufferView{view});
    case ValueKind::descriptor: return internal::visit_if_known(std::forward<Visitor>(visitor), DescriptorView{view});
  }
  return std::forward<Visitor>(visitor)(None{});
}

}  // namespace xichan
