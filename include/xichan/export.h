// Marks the symbols that libxichan exports; everything else is hidden.
#pragma once

#define XICHAN_API __attribute__((visibility("default")))
