// Ends blocking calls from another thread, by std::stop_token.
#pragma once

#include <version>
#ifdef __cpp_lib_jthread
#include <stop_token>
#endif

namespace xichan {

/// Refers to a stop token for the duration of a call. Pass a std::stop_token where a function takes a StopRef: once a
/// stop is requested the call returns `cancelled`, and has sent or received nothing.
///
/// Thread safety: a plain value; valid as long as the token.
class StopRef {
 public:
#ifdef __cpp_lib_jthread
  StopRef(const std::stop_token& token) noexcept : token_(&token), run_(run_with) {}
#endif

  using Function = void (*)(void* context) noexcept;

  /// Returns false, and calls nothing, if a stop was requested. Otherwise calls `body(context)`; `request(context)` is
  /// called once, on any thread, if a stop is requested meanwhile, and has returned when `run` returns.
  bool run(Function body, Function request, void* context) const noexcept {
    return run_(token_, body, request, context);
  }

 private:
#ifdef __cpp_lib_jthread
  static bool run_with(const void* token, Function body, Function request, void* context) noexcept {
    const auto& stop = *static_cast<const std::stop_token*>(token);
    if (stop.stop_requested()) return false;
    const auto on_stop = [request, context]() noexcept { request(context); };
    const std::stop_callback callback(stop, on_stop);
    body(context);
    return true;
  }
#endif

  const void* token_;
  bool (*run_)(const void* token, Function body, Function request, void* context) noexcept;
};

}  // namespace xichan
