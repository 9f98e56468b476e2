// Preloaded into a program: lets libnats' thread for callbacks go on late after it has told that a connection is
// closed, and aborts if a TLS context is then freed in that thread. The process may exit at that moment, and OpenSSL is
// cleaned up.
#include <dlfcn.h>
#include <time.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace {

using Callback = void (*)(void* connection, void* closure);

std::atomic<Callback> closed{nullptr};
thread_local bool has_told = false;

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

void wait(long milliseconds) {
  const timespec time{.tv_sec = 0, .tv_nsec = milliseconds * 1'000'000};
  nanosleep(&time, nullptr);
}

void tell_and_wait(void* connection, void* closure) {
  closed.load()(connection, closure);
  has_told = true;
  wait(50);
}

// The end of the process waits for what that thread does.
[[gnu::destructor]] void wait_at_exit() { wait(200); }

}  // namespace

extern "C" int natsOptions_SetClosedCB(void* options, Callback callback, void* closure) {
  closed = callback;
  return next<int(void*, Callback, void*)>("natsOptions_SetClosedCB")(options, tell_and_wait, closure);
}

extern "C" void SSL_CTX_free(void* context) {
  if (has_told) {
    std::fputs("a TLS context is freed in the thread of libnats\n", stderr);
    std::abort();
  }
  next<void(void*)>("SSL_CTX_free")(context);
}
