// Visiting a value by its type.
#pragma once

#include <cstdint>
#include <utility>

#include "xichan/value.h"

namespace xichan {

/// Several functions as one: `overloaded{[](std::int64_t n) { ... }, [](auto) { ... }}`.
template <class... Functions>
struct overloaded : Functions... {
  using Functions::operator()...;
};
template <class... Functions>
overloaded(Functions...) -> overloaded<Functions...>;

/// What a visitor is called with for None.
struct None {
  friend bool operator==(None, None) = default;
};
/// A value of a kind that C++ has no type for, known by the kind: read it by `view`.
template <Kind kind>
struct View {
  ValueView view;
};
using TextView = View<Kind::text>;
using BytesView = View<Kind::bytes>;
using BigIntegerView = View<Kind::big_integer>;
using TupleView = View<Kind::tuple>;
using QueueView = View<Kind::queue>;
using SenderView = View<Kind::sender>;
using ReceiverView = View<Kind::receiver>;

/// Calls `visitor` with the value as what it is: None, bool, std::int64_t, double, or one of the View types, and
/// returns what that returns, which has to be of one type. Valid as long as `view`. Throws only what the visitor does.
template <class Visitor>
decltype(auto) visit(ValueView view, Visitor&& visitor) {
  switch (view.kind()) {
    case Kind::none: break;
    case Kind::boolean: return std::forward<Visitor>(visitor)(view.as_bool());
    case Kind::integer: return std::forward<Visitor>(visitor)(view.as_integer());
    case Kind::big_integer: return std::forward<Visitor>(visitor)(BigIntegerView{view});
    case Kind::real: return std::forward<Visitor>(visitor)(view.as_real());
    case Kind::text: return std::forward<Visitor>(visitor)(TextView{view});
    case Kind::bytes: return std::forward<Visitor>(visitor)(BytesView{view});
    case Kind::tuple: return std::forward<Visitor>(visitor)(TupleView{view});
    case Kind::sender: return std::forward<Visitor>(visitor)(SenderView{view});
    case Kind::receiver: return std::forward<Visitor>(visitor)(ReceiverView{view});
    case Kind::queue: return std::forward<Visitor>(visitor)(QueueView{view});
  }
  return std::forward<Visitor>(visitor)(None{});
}

}  // namespace xichan
