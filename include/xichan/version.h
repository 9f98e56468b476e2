// Defines the version; the build files read it from here.
#pragma once

#include "xichan/export.h"

#define XICHAN_VERSION "0.1.0"

namespace xichan {

/// Returns the version of the loaded library; XICHAN_VERSION is that of the headers. Any thread; never blocks.
XICHAN_API const char* version() noexcept;

}  // namespace xichan
