// Some tests ask for more memory than there is, and want the null that malloc answers then.

extern "C" __attribute__((used, visibility("default"))) const char* __asan_default_options() {
  return "allocator_may_return_null=1:detect_stack_use_after_return=1";
}

extern "C" __attribute__((used, visibility("default"))) const char* __tsan_default_options() {
  return "allocator_may_return_null=1:halt_on_error=1";
}
