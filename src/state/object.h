// What all objects have in common that interpreters share: a count of references, a number, a name, and the way they
// travel.
//
// An object belongs to no interpreter. It exists as long as a handle, a message or a thread in one of its calls refers
// to it; its name does not keep it alive. All objects of the process are listed, so that they can be shown, and so that
// the end of an interpreter reaches the waiters and the locks that it leaves behind.
//
// Invariants
//   O1  references > 0 while a thread may use the object; the thread that takes it to 0 removes the name, unlists the
//       object and destroys it.
//   O2  a thread that finds the object by its name or in the list adds a reference only if the count is not 0.
//   O3  in the child of a fork no function of an inherited object changes it, and none waits: a thread that held one of
//       its locks does not exist there.
//
// Progress: references are wait-free; creating, listing and destroying take a short lock.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "arena/block.h"
#include "arena/slabs.h"
#include "base/intrusive_list.h"
#include "sync/process_words.h"
#include "trace/event.h"
#include "xichan/export.h"
#include "xichan/state_kind.h"

namespace xichan::internal {

inline constexpr std::size_t state_kind_count = static_cast<std::size_t>(StateKind::broadcast_receiver) + 1;

/// Thread safety: any thread that holds a reference.
class XICHAN_API StateObject : public InSlab {
 public:
  StateObject(const StateObject&) = delete;
  StateObject& operator=(const StateObject&) = delete;

  // relaxed: the caller holds a reference already
  void retain() noexcept { references_.fetch_add(1, memory_order_relaxed); }
  /// Adds a reference unless the object is being destroyed.
  bool try_retain() noexcept;
  /// The caller must hold no lock of the core: the object may own messages.
  void release() noexcept;

  StateKind kind() const noexcept { return kind_; }
  /// Returns a number that no other object of the process has or had; 0 until the object is listed.
  std::uint64_t number() const noexcept { return number_; }
  std::string_view name() const noexcept { return name_; }
  bool is_inherited() const noexcept { return generation_ != process_generation(); }
  /// Returns what the events of a trace call this object, which it names there.
  TraceSubject trace_subject() const noexcept;

  /// Gives the object a name that was registered; `forget` removes it again, before the object is destroyed. Called
  /// before the object is listed, or other threads know it otherwise.
  void set_name(std::string name, void (*forget)(StateObject&) noexcept) noexcept {
    name_ = std::move(name);
    forget_name_ = forget;
  }

  /// Returns the number of calls that wait for the object. Other threads may change it at any moment.
  virtual std::uint32_t waiting() const noexcept;
  /// Makes every waiter, or those that wait on behalf of `owner`, re-check all conditions.
  virtual void nudge(const void* owner) noexcept;
  /// The owner with this number has ended, and none of its threads will run again.
  virtual void owner_ended(std::uint32_t owner) noexcept;

 protected:
  explicit StateObject(StateKind kind) noexcept;
  virtual ~StateObject() = default;

 private:
  friend class StateObjects;

  atomic<std::uint64_t> references_;
  const StateKind kind_;
  const std::uint32_t generation_ = process_generation();
  std::uint64_t number_ = 0;
  std::string name_;
  void (*forget_name_)(StateObject&) noexcept = nullptr;
  ListHook<StateObject> hook_;

 public:
  using List = IntrusiveList<StateObject, &StateObject::hook_>;
};

/// The objects of the process.
class XICHAN_API StateObjects {
 public:
  /// Lists a new object, and gives it its number.
  static void add(StateObject& object) noexcept;

  /// Calls `visit(object)` for all objects, which are retained meanwhile. No lock is held during a call.
  template <class Visit>
  static void for_each(Visit visit) noexcept {
    for (StateObject* object = next(nullptr); object != nullptr;) {
      visit(*object);
      StateObject* const after = next(object);
      object->release();
      object = after;
    }
  }
  static std::uint64_t count() noexcept;
  /// Returns the object with a number, retained, or null.
  static StateObject* find(std::uint64_t number) noexcept;

  static void nudge_all() noexcept;
  static void nudge_owner(const void* owner) noexcept;
  static void owner_ended(std::uint32_t owner) noexcept;

  // Called around a fork by directory/process.cpp.
  static void lock_for_fork() noexcept;
  static void unlock_after_fork(bool in_child) noexcept;

 private:
  friend class StateObject;

  static StateObject* next(StateObject* after) noexcept;
  static void remove(StateObject& object) noexcept;
};

/// The type of references of blocks to objects.
XICHAN_API extern const ReferenceType state_reference;

}  // namespace xichan::internal
