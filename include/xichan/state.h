// The objects that interpreters and threads of the process read and change together: counters, values, maps, locks, and
// a channel to many subscribers. docs/reference/shared-state.md has their rules.
#pragma once

#include "xichan/atomic_int.h"
#include "xichan/barrier.h"
#include "xichan/broadcast.h"
#include "xichan/cell.h"
#include "xichan/condition.h"
#include "xichan/event.h"
#include "xichan/lock.h"
#include "xichan/map.h"
#include "xichan/semaphore.h"
#include "xichan/state_kind.h"
#include "xichan/state_object.h"
