// Preloaded into a program: lets libnats' thread for callbacks go on late after it has told that a connection is
// closed, and lets threads that have closed a connection end late. Aborts if a TLS context is then freed in libnats'
// thread, or if such a thread is left when the handlers of exit() have run: OpenSSL is cleaned up.
#include <dlfcn.h>
#include <time.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace {

using Callback = void (*)(void* connection, void* closure);

std::atomic<Callback> closed{nullptr};
std::atomic<bool> has_exited{false};
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

struct LateEnd {
  ~LateEnd() {
    wait(300);
    if (!has_exited) return;
    std::fputs("a thread that used OpenSSL ends when it is cleaned up\n", stderr);
    std::abort();
  }
};

// The end of the process waits for what those threads do.
[[gnu::destructor]] void wait_at_exit() {
  has_exited = true;
  wait(400);
}

}  // namespace

extern "C" int natsOptions_SetClosedCB(void* options, Callback callback, void* closure) {
  closed = callback;
  return next<int(void*, Callback, void*)>("natsOptions_SetClosedCB")(options, tell_and_wait, closure);
}

extern "C" void natsConnection_Close(void* connection) {
  thread_local const LateEnd end;
  (void)end;
  next<void(void*)>("natsConnection_Close")(connection);
}

extern "C" void SSL_CTX_free(void* context) {
  if (has_told) {
    std::fputs("a TLS context is freed in the thread of libnats\n", stderr);
    std::abort();
  }
  next<void(void*)>("SSL_CTX_free")(context);
}
