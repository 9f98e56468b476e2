// The endpoints of channels on servers, as inspection shows them. Each belongs to an interpreter, which lists it as a
// wait that it abandons when it ends.
//
// Thread safety: creating and destroying under the owner's lock; `for_each` on any thread. Progress: a short lock.
#pragma once

#include <string>
#include <string_view>

#include "endpoint/endpoint.h"

namespace xichan::internal {

class XICHAN_API RemoteEnd final : public OwnedWait {
 public:
  /// Lists an endpoint. Returns null without memory.
  static RemoteEnd* open(EndpointOwner& owner, std::string_view name, std::string_view server, Side side,
                         EndpointOrigin origin) noexcept;
  /// Takes it off the list. Idempotent.
  void close() noexcept;
  static void destroy(RemoteEnd* end) noexcept;
  void abandon() noexcept override { close(); }

  const std::string& name() const noexcept { return name_; }
  const std::string& server() const noexcept { return server_; }
  Side side() const noexcept { return side_; }
  const EndpointOrigin& origin() const noexcept { return origin_; }
  std::int64_t interpreter() const noexcept { return interpreter_; }

  /// Calls `visit(end)` for all that are listed, under the lock of the list: `visit` takes no lock and runs no other
  /// code.
  template <class Visit>
  static void for_each(Visit visit) {
    const Locked locked;
    for (const RemoteEnd* end = locked.first(); end != nullptr; end = end->all_hook_.next) visit(*end);
  }

  ListHook<RemoteEnd> all_hook_;  // of the list of the process

 private:
  struct XICHAN_API Locked {
    Locked() noexcept;
    ~Locked();
    Locked(const Locked&) = delete;
    Locked& operator=(const Locked&) = delete;
    const RemoteEnd* first() const noexcept;
  };

  RemoteEnd(EndpointOwner& owner, std::string_view name, std::string_view server, Side side, EndpointOrigin origin)
      : owner_(&owner),
        interpreter_(owner.interpreter.load(memory_order_relaxed)),
        name_(name),
        server_(server),
        side_(side),
        origin_(origin) {}
  ~RemoteEnd() = default;

  EndpointOwner* owner_;  // null once it is closed
  const std::int64_t interpreter_;
  const std::string name_;
  const std::string server_;
  const Side side_;
  const EndpointOrigin origin_;
  const std::uint32_t generation_ = process_generation();
};

}  // namespace xichan::internal
