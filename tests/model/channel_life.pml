/* The life of a channel: counting endpoints and pins, closing, waiting for a side that closes, the registry. In
   Promela, for SPIN, which visits every order of events: sequentially consistent, each access of shared memory a step.

   Two interpreters, a Sender and a Receiver in each, every handle with a thread that uses it; capacity 2. After
   src/{channel/{channel,select},endpoint/endpoint,directory/registry}.cpp, whose names it uses; the ring is that of
   tests/model/wait_protocol.py.

   What must hold: no thread touches the channel once it is freed; each endpoint is released once; with no receivers
   left, nothing stays queued (H3); no thread sleeps indefinitely (an invalid end state); at the end both counts are
   zero, the memory is free, the registry empty, and accepted = received + discarded. An id finds only the channel that
   it was made for.

   -D CALLS=n      calls of each thread, each of which it may make or not
   -D CALLS_1=n    as many in the second interpreter
   -D QUEUED       one item is queued at the beginning
   -D SHUTDOWN     threads may also shut the channel down
   -D CLOSER       another thread of the first interpreter may close a handle under a call, and end it under all
   -D REGISTRY     a thread opens endpoints by id, another iterates over the registry, the slot is reused
   -D ONLY_NOWAIT  no call waits
   -D M_...        the protocol with one thing wrong, or left out. See test_channel_life.py. */

#define CAPACITY 2
#ifndef CALLS
#define CALLS 1
#endif
#ifndef CALLS_1
#define CALLS_1 CALLS
#endif

#define SENDER 0
#define RECEIVER 1
#define SIDE(h) ((h) & 1)
#define INTERP(h) ((h) >> 1)

mtype = { ok, is_empty, is_full, is_closed, end_closed };
#define PENDING(s) ((s) == is_empty || (s) == is_full)

#define FREE 0
#define CLAIMED 1
#define READY 2
#define EMPTYING 3

/* the channel */
bool freed;
byte ends[2] = 2;
byte pins = 2;
bool closed;     /* in the word of tail */
bool attention;  /* in the word of not_empty_'s count */
#ifdef QUEUED
byte head, tail = 1, accepted = 1, received, discarded;
byte slot[CAPACITY] = { READY, FREE };
#else
byte head, tail, accepted, received, discarded;
byte slot[CAPACITY];
#endif

/* waiters, one node a handle: those of odd handles are in not_empty_, the others in not_full_ */
bool linked[4];
#define NOTIFIED 1
#define CANCELLED 2
byte decided[4];
bool asleep[4];
#define WAITING(side) (linked[side] + linked[2 + side])

/* handles, guarded by the lock of their interpreter */
bool owns[4] = true;
bool flag[4]; /* Endpoint::closed_, read without that lock too */
byte calls[4];
bool gil[2];
bool ended[2];

/* the registry */
bool registry_lock;
byte registered = 1; /* the channel in the slot: 0 none, 1 ours, 2 the next one */
byte generation = 1;

/* for what must hold */
byte sending;      /* calls between their claim and their last look at the channel */
bool no_receivers; /* the last receiver has discarded what there was */
byte finished;     /* processes */

#define TOUCH assert(!freed)

inline lock_registry() { atomic { !registry_lock -> registry_lock = true } }
inline unlock_registry() { registry_lock = false }

/* decide_first(&Waiter::notify); which of two waiters came first is left open */
inline notify_first(side) {
  atomic {
    TOUCH;
    if
    :: linked[side] -> linked[side] = false; decided[side] = NOTIFIED
    :: linked[2 + side] -> linked[2 + side] = false; decided[2 + side] = NOTIFIED
    :: !linked[side] && !linked[2 + side] -> skip
    fi
  }
}

inline notify_one(side) {
  if
  :: atomic { WAITING(side) != 0 -> TOUCH }; notify_first(side)
  :: atomic { WAITING(side) == 0 -> TOUCH }
  fi
}

inline notify_all(side) {
  atomic { TOUCH; n = WAITING(side) };
  do
  :: n > 0 -> notify_first(side); n--
  :: n == 0 -> break
  od
}

inline discard_queued() {
  do
  :: atomic { slot[head % CAPACITY] == READY -> TOUCH; item = head; slot[item % CAPACITY] = EMPTYING; head++ };
     atomic { slot[item % CAPACITY] = FREE; discarded++; item = 0 }
  :: atomic { slot[head % CAPACITY] != READY -> TOUCH; break }
  od
}

/* Channel::unpin */
inline unpin() {
  atomic { TOUCH; assert(pins > 0); pins--; last = (pins == 0) };
  if
  :: last -> last = false;
#ifdef M_FREE_BEFORE_REMOVE
     discard_queued();
     freed = true;
     lock_registry();
     registered = 0;
     unlock_registry()
#else
     lock_registry();
     atomic { TOUCH; registered = 0 };
     unlock_registry();
#ifndef M_NO_LAST_DISCARD
     discard_queued();
#endif
     atomic { TOUCH; freed = true }
#endif
  :: else
  fi
}

inline close_ring() { atomic { TOUCH; closed = true } }

/* Channel::drop_endpoint */
inline drop_endpoint(side) {
  atomic { TOUCH; assert(ends[side] > 0); ends[side]--; last = (ends[side] == 0) };
  if
  :: last -> last = false;
#ifdef M_WAKE_BEFORE_CLOSE
     notify_all(1 - side);
     close_ring();
#else
     close_ring();
#endif
     if
     :: side == RECEIVER ->
#ifdef M_DISCARD_BEFORE_ATTENTION
        discard_queued();
        attention = true;
#elif !defined(M_NO_ATTENTION)
        attention = true;
        discard_queued();
#else
        discard_queued();
#endif
        no_receivers = true
     :: else
     fi;
#if !defined(M_WAKE_BEFORE_CLOSE) && !defined(M_NO_WAKE)
     notify_all(1 - side);
#endif
     unpin()
  :: else
  fi
}

#ifdef M_ADD_FROM_ZERO
#define MAY_ADD true
#else
#define MAY_ADD (ends[which] != 0) /* H1 */
#endif

#ifdef M_PIN_FROM_ZERO
#define MAY_PIN true
#else
#define MAY_PIN (pins != 0)
#endif

#ifdef M_NO_GENERATION
#define IS_OURS(id) (registered != 0)
#else
#define IS_OURS(id) (registered != 0 && generation == (id))
#endif

inline try_send() {
  atomic {
    TOUCH;
    if
    :: closed -> status = is_closed
    :: !closed && slot[tail % CAPACITY] != FREE -> status = is_full
    :: !closed && slot[tail % CAPACITY] == FREE ->
       status = ok; item = tail; slot[item % CAPACITY] = CLAIMED; tail++; sending++
    fi
  };
  if
  :: status == ok ->
     atomic { TOUCH; slot[item % CAPACITY] = READY; accepted++; item = 0 };
     if
     :: atomic { (attention || WAITING(RECEIVER) != 0) -> TOUCH };
        if
        :: attention -> discard_queued()
        :: !attention
        fi;
        notify_one(RECEIVER)
     :: atomic { !attention && WAITING(RECEIVER) == 0 -> TOUCH }
     fi;
     if
     :: atomic { WAITING(SENDER) != 0 && slot[tail % CAPACITY] == FREE -> TOUCH }; notify_one(SENDER)
     :: atomic { !(WAITING(SENDER) != 0 && slot[tail % CAPACITY] == FREE) -> TOUCH }
     fi;
     atomic { sending--; assert(!no_receivers || sending > 0 || slot[head % CAPACITY] != READY) } /* H3 */
  :: else
  fi
}

inline try_recv() {
  atomic {
    TOUCH;
    if
    :: slot[head % CAPACITY] == READY -> status = ok; item = head; slot[item % CAPACITY] = EMPTYING; head++
    :: slot[head % CAPACITY] != READY && closed && head == tail -> status = is_closed
    :: slot[head % CAPACITY] != READY && !(closed && head == tail) -> status = is_empty
    fi
  };
  if
  :: status == ok ->
     atomic { TOUCH; slot[item % CAPACITY] = FREE; received++; item = 0 };
     notify_one(SENDER);
     if
     :: atomic { WAITING(RECEIVER) != 0 && (slot[head % CAPACITY] == READY || closed) -> TOUCH }; notify_one(RECEIVER)
     :: atomic { !(WAITING(RECEIVER) != 0 && (slot[head % CAPACITY] == READY || closed)) -> TOUCH }
     fi
  :: else
  fi
}

inline attempt() {
  if
  :: SIDE(h) == SENDER -> try_send()
  :: SIDE(h) == RECEIVER -> try_recv()
  fi
}

/* Endpoint::release */
inline release(handle) {
#ifdef M_RELEASE_TWICE
  drop_endpoint(SIDE(handle))
#else
  if
  :: owns[handle] -> owns[handle] = false; drop_endpoint(SIDE(handle))
  :: else
  fi
#endif
}

/* Endpoint::close */
inline close(handle) {
  if
  :: !flag[handle] ->
     flag[handle] = true;
     if
     :: calls[handle] == 0 -> release(handle)
     :: else ->
#ifndef M_CLOSE_WITHOUT_CANCEL
        atomic {
          TOUCH;
          if
          :: linked[handle] -> linked[handle] = false; decided[handle] = CANCELLED
          :: else
          fi
        };
#else
        skip;
#endif
        assert(!asleep[handle] || decided[handle] != 0) /* its call wakes */
     fi
  :: else
  fi
}

/* Or away, if the interpreter has ended. */
inline take_gil(i) {
  atomic { (!gil[i] || ended[i]) -> if :: ended[i] -> goto gone :: else -> gil[i] = true fi }
}
inline let_gil(i) { gil[i] = false }

/* wait_any for one case, entered detached and left detached */
inline wait_for_it() {
  do
  :: atomic { TOUCH; linked[h] = true };
     if
     :: atomic {
#ifdef M_NO_SECOND_LOOK
          false
#else
          (SIDE(h) == SENDER && (closed || slot[tail % CAPACITY] == FREE)) ||
          (SIDE(h) == RECEIVER && (slot[head % CAPACITY] == READY || (closed && head == tail)))
#endif
          -> TOUCH
        }
     :: atomic {
#ifndef M_NO_SECOND_LOOK
          !((SIDE(h) == SENDER && (closed || slot[tail % CAPACITY] == FREE)) ||
            (SIDE(h) == RECEIVER && (slot[head % CAPACITY] == READY || (closed && head == tail))))
          ->
#endif
          TOUCH
        };
        if
        :: flag[h]
        :: atomic { !flag[h] -> asleep[h] = true }; (decided[h] != 0)
        fi
     fi;
     atomic { TOUCH; linked[h] = false; asleep[h] = false; token = (decided[h] == NOTIFIED); decided[h] = 0 };
     if
     :: flag[h] -> status = end_closed
     :: !flag[h] -> attempt()
     fi;
     if
     :: (status == is_closed || (status == end_closed && token)) -> notify_one(SIDE(h)) /* rule (b) */
     :: else
     fi;
     if
     :: !PENDING(status) -> break
     :: else
     fi
  od
}

proctype User(byte h) {
  byte made, n, item;
  bool last, token;
  mtype status;

  do
  :: made == (INTERP(h) == 0 -> CALLS : CALLS_1) -> break
  :: else ->
     made++;
     take_gil(INTERP(h));
     if
     :: flag[h] -> let_gil(INTERP(h)); break
     :: !flag[h] ->
        if
        :: skip
#ifdef SHUTDOWN
        :: close_ring(); notify_all(RECEIVER); notify_all(SENDER)
        :: close_ring(); attention = true; discard_queued(); notify_all(RECEIVER); notify_all(SENDER)
#endif
        :: attempt();
#ifndef ONLY_NOWAIT
           if
           :: PENDING(status) ->
#ifndef M_NO_PIN
              atomic { calls[h]++; TOUCH; pins++ };
#else
              calls[h]++;
#endif
              let_gil(INTERP(h));
              wait_for_it();
#ifndef M_NO_PIN
              unpin();
#endif
              take_gil(INTERP(h));
              calls[h]--;
              if
              :: calls[h] == 0 && flag[h] -> release(h)
              :: else
              fi
           :: else
           fi
#endif
        fi
     fi;
     atomic { status = 0; token = false; let_gil(INTERP(h)) }
  od;
  take_gil(INTERP(h));
  close(h);
  let_gil(INTERP(h));
gone:
  finished++
}

#ifdef CLOSER
/* A thread of the interpreter that closes a handle, or whose interpreter ends. */
proctype Closer(byte i) {
  byte n, item;
  bool last;

  if
  :: skip
  :: take_gil(i); close(2 * i); let_gil(i)
  :: take_gil(i); close(2 * i + 1); let_gil(i)
  fi;
  if
  :: skip
  :: take_gil(i); /* EndpointOwner::release_all; the lock is never released: no thread enters the interpreter again */
     ended[i] = true;
     close(2 * i);
     release(2 * i);
     close(2 * i + 1);
     release(2 * i + 1)
  fi;
gone:
  finished++
}
#endif

#ifdef REGISTRY
/* Registry::open, by the id of our channel, and the new endpoint released; at the end by an id that must be stale. */
proctype Opener(byte which) {
  byte n, item;
  bool last, found;

  lock_registry();
  found = false;
  if
  :: IS_OURS(1) ->
     assert(registered == 1);
     atomic { TOUCH; if :: MAY_ADD -> ends[which]++; found = true :: else fi }
  :: else
  fi;
  unlock_registry();
  if
  :: found -> drop_endpoint(which)
  :: else
  fi;
  finished++
}

/* Registry::next, and a look at what it pins; then the slot is used by a channel made anew. */
proctype Walker() {
  byte n, item;
  bool last, found;

  lock_registry();
  found = false;
  if
  :: registered == 1 -> atomic { TOUCH; if :: MAY_PIN -> pins++; found = true :: else fi }
  :: else
  fi;
  unlock_registry();
  if
  :: found -> notify_all(RECEIVER); notify_all(SENDER); unpin()
  :: else
  fi;
  finished++
}

/* The slot of a destroyed channel is reused while a thread still knows the old id. */
proctype Successor() {
  (registered == 0);
  lock_registry();
  atomic { registered = 2; generation = 2 };
  unlock_registry()
}
#endif

init {
  byte all = 4;
  atomic {
    run User(0); run User(1); run User(2); run User(3);
#ifdef CLOSER
    run Closer(0);
    all = all + 1;
#endif
#ifdef REGISTRY
    run Opener(SENDER); run Opener(RECEIVER); run Walker(); run Successor();
    all = all + 3;
#endif
  };
  (finished == all);
  assert(ends[SENDER] == 0 && ends[RECEIVER] == 0 && pins == 0);
  assert(freed && registered != 1);
  assert(accepted == received + discarded)
}
