// The endpoints of channels on servers, as inspection shows them. Each belongs to an interpreter, which lists it as a
// wait that it abandons when it ends.
//
// Thread safety: creating and destroying under the owner's lock; `for_each` on any thread. Progress: a short lock.
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

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

  /// Calls of the endpoint wait on this local channel, until they no longer do. Without memory their waits are shown,
  /// but not as those of the endpoint.
  void begin_wait_on(const ChannelId& channel) noexcept;
  void end_wait_on(const ChannelId& channel) noexcept;
  /// Returns these channels. Under the lock of the list.
  const std::vector<ChannelId>& local() const noexcept { return local_; }

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

  /// Does the same, but calls nothing if another thread has the lock: a fork takes it before it ends the thread that
  /// takes snapshots of the page, which must not wait for it.
  template <class Visit>
  static void try_for_each(Visit visit) {
    const Locked locked(std::try_to_lock);
    for (const RemoteEnd* end = locked.first(); end != nullptr; end = end->all_hook_.next) visit(*end);
  }

  ListHook<RemoteEnd> all_hook_;  // of the list of the process

 private:
  struct XICHAN_API Locked {
    Locked() noexcept;
    explicit Locked(std::try_to_lock_t) noexcept;
    ~Locked();
    Locked(const Locked&) = delete;
    Locked& operator=(const Locked&) = delete;
    const RemoteEnd* first() const noexcept;  // null without the lock

    bool is_held = true;
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
  std::vector<ChannelId> local_;  // guarded by the lock of the list
  const std::uint32_t generation_ = process_generation();
};

}  // namespace xichan::internal
