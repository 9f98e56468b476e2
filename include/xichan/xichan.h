// The whole public interface of the core. Only xichan/python.h, which is not included here, knows of Python.
#pragma once

#include "xichan/channel.h"
#include "xichan/export.h"
#include "xichan/memory.h"
#include "xichan/status.h"
#include "xichan/value.h"
#include "xichan/version.h"
