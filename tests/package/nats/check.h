// A check that ends the program.
#pragma once

#include <xichan/nats.h>

#include <cstdio>
#include <cstdlib>

#define CHECK(condition)                                                                                               \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      std::fprintf(stderr, "line %d: not %s; %s\n", __LINE__, #condition, xichan::nats::last_error().message.c_str()); \
      std::_Exit(1);                                                                                                   \
    }                                                                                                                  \
  } while (false)
