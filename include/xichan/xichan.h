// The whole public interface of the core, except xichan/async.h, for coroutines, and xichan/python.h, which needs
// Python.h.
#pragma once

#include "xichan/buffer.h"
#include "xichan/channel.h"
#include "xichan/containers.h"
#include "xichan/descriptor.h"
#include "xichan/export.h"
#include "xichan/flavor.h"
#include "xichan/memory.h"
#include "xichan/names.h"
#include "xichan/options.h"
#include "xichan/select.h"
#include "xichan/state.h"
#include "xichan/status.h"
#include "xichan/stop.h"
#include "xichan/time_limit.h"
#include "xichan/value.h"
#include "xichan/version.h"
#include "xichan/visit.h"
