// Some tests request more memory than exists, and expect malloc to return null.

extern "C" __attribute__((used, visibility("default"))) const char* __asan_default_options() {
  return "allocator_may_return_null=1:detect_stack_use_after_return=1";
}

extern "C" __attribute__((used, visibility("default"))) const char* __tsan_default_options() {
  return "allocator_may_return_null=1:halt_on_error=1";
}
