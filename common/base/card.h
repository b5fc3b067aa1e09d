#ifndef R1_BASE_CARD_H
#define R1_BASE_CARD_H
/* What this rank is doing, written where others can read it.
 *
 * Each rank has one card.  It lies in private memory until common/comm moves it to memory that the
 * node shares; from then on the ranks that wait for this one, its own watchdog thread and reports
 * read it at any time.  All words are atomic; texts are cut to what their words hold, so a reader may
 * see one that is half changed but never one without an end.
 *
 * `moves` is what "healthy" means in r1: whoever works ticks (a decode step, a micro-batch, a piece of
 * a file, a message that arrived).  A wait expires only when nothing moves. */
#include "common/base/fault.h"

#include <stdatomic.h>
#include <stdint.h>

#define R1_CARD_WORDS 5
#define R1_CARD_TEXT  (8 * R1_CARD_WORDS)

typedef struct r1_card_text {
    _Atomic uint64_t word[R1_CARD_WORDS];
} r1_card_text;

typedef struct r1_card {
    _Atomic uint64_t moves; /* pieces of work done */
    _Atomic uint64_t polls; /* rounds of wait loops */
    _Atomic uint64_t beats; /* of the watchdog thread: the process is not stopped */
    r1_card_text role, stage, phase;
    _Atomic int64_t step;
    _Atomic int waiting; /* in a wait that has lasted a while, described by: */
    _Atomic int peer;    /* rank in the world; -1: all or any */
    _Atomic uint64_t bytes;
    _Atomic int64_t since_ms;
    r1_card_text what;
    _Atomic int pid;
    _Atomic uint64_t pid_space; /* where that number means anything: containers have their own */
    _Atomic int leaving;        /* in MPI_Finalize or behind it: its death is no accident */
} r1_card;

/* This rank's card; never NULL. */
extern r1_card *_Atomic r1_my_card;

/* Called at every tick, by any thread; NULL: nothing. */
extern void (*r1_tick_hook)(void);

/* One piece of work is done.  A few nanoseconds; any thread. */
static inline void r1_tick(void) {
    atomic_fetch_add_explicit(&r1_my_card->moves, 1, memory_order_relaxed);
    r1_fault_tick();
    if (r1_tick_hook)
        r1_tick_hook();
}

void r1_card_put(r1_card_text *t, const char *s);
void r1_card_get(const r1_card_text *t, char out[R1_CARD_TEXT]);

void r1_card_role(const char *role);
/* Where the run stands; NULL leaves the stage's name as it is. */
void r1_card_step(const char *stage, int64_t step);
void r1_card_phase(const char *phase);

/* What stage, step and phase it shows is this rank's last word, whatever it leaves on its way out. */
void r1_card_freeze(void);

/* "rank 2 on HOST (actor), stage 'rl', step 12, phase 'rollout': waits for rank 0 (prompts, 16 bytes)
 * since 3 s". */
void r1_card_describe(const r1_card *c, int rank, const char *host, char *buf, unsigned size);

/* The card moves to `to` (NULL: back to private memory), with what it says. */
void r1_card_move(r1_card *to);

#endif
