// The one place that names the version; the build files read it from here.
#pragma once

#define XICHAN_VERSION "0.1.0"
