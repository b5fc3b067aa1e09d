/* The cards of all ranks; see board.h. */
#include "common/comm/board.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/comm/beats.h"
#include "common/comm/wait.h"
#include "common/comm/watchdog.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SILENT_S 2.0 /* a watchdog thread beats many times a second */

typedef struct board_head {
    _Atomic int owner; /* rank + 1 that ends the run; 0: none */
    _Atomic int ready, exit_code;
    _Atomic int told;           /* the cause is out: nobody speaks after it */
    char cause[R1_ERR_MSG_MAX]; /* written before ready */
} board_head;

static struct {
    _Atomic int open;
    int rank, size;
    char host[64];
    MPI_Win win;
    board_head *head;
    r1_card *cards; /* [size] by rank in the world */
    int *local;     /* [n_local] ranks of this node */
    int n_local;
    uint64_t *beats;          /* [n_local] last seen */
    _Atomic int64_t *beat_ms; /* [n_local] when that was */
} bd;

static int64_t now_ms(void) {
    return (int64_t)(1e3 * r1_now_s());
}

static uint64_t pid_space(void) {
    struct stat sb;

    return stat("/proc/self/ns/pid", &sb) == 0 ? (uint64_t)sb.st_ino : 0;
}

static r1_status map_window(const r1_world *w, r1_err *err) {
    size_t bytes = sizeof(board_head) + (size_t)w->all.size * sizeof(r1_card);
    MPI_Aint mine = w->node.rank == 0 ? (MPI_Aint)bytes : 0, got;
    int unit;
    void *base;
    r1_status st;

    R1_TRY(r1_mpi_check(
        MPI_Win_allocate_shared(mine, 1, MPI_INFO_NULL, r1_mpi(&w->node), &base, &bd.win),
        "MPI_Win_allocate_shared", err));
    R1_TRY(r1_mpi_check(MPI_Win_shared_query(bd.win, 0, &got, &unit, &base), "MPI_Win_shared_query",
                        err));
    if (w->node.rank == 0)
        memset(base, 0, bytes);
    bd.head = base;
    bd.cards = (r1_card *)(void *)((char *)base + sizeof(board_head));
    st = r1_mpi_check(MPI_Barrier(r1_mpi(&w->node)), "MPI_Barrier", err);
done:
    return st;
}

r1_status r1_board_open(const r1_world *w, r1_err *err) {
    r1_status st;

    bd.rank = w->all.rank;
    bd.size = w->all.size;
    bd.n_local = w->node.size;
    memcpy(bd.host, w->host, sizeof bd.host);
    R1_TRY(R1_NEW(bd.local, (size_t)bd.n_local, err));
    R1_TRY(R1_NEW(bd.beats, (size_t)bd.n_local, err));
    R1_TRY(R1_NEW(bd.beat_ms, (size_t)bd.n_local, err));
    for (int i = 0; i < bd.n_local; i++)
        atomic_store(&bd.beat_ms[i], now_ms());
    R1_TRY(r1_mpi_check(MPI_Allgather(&bd.rank, 1, MPI_INT, bd.local, 1, MPI_INT, r1_mpi(&w->node)),
                        "MPI_Allgather", err));
    R1_TRY(map_window(w, err));
    r1_card_move(&bd.cards[bd.rank]);
    atomic_store(&r1_my_card->pid_space, pid_space());
    atomic_store(&r1_my_card->pid, (int)getpid());
    R1_TRY(r1_beats_open(w, bd.cards, err));
    bd.open = 1;
done:
    return st;
}

void r1_board_leave(void) {
    atomic_store(&r1_my_card->leaving, 1);
}

void r1_board_close(void) {
    if (!bd.open)
        return;
    r1_beats_close();
    bd.open = 0;
    r1_card_move(NULL);
    r1_watchdog_sync(); /* it may be reading */
    MPI_Win_free(&bd.win);
    r1_free(bd.local);
    r1_free(bd.beats);
    r1_free(bd.beat_ms);
}

static uint64_t moves_of(int rank) {
    return atomic_load_explicit(&bd.cards[rank].moves, memory_order_relaxed);
}

uint64_t r1_board_moves(int peer) {
    uint64_t sum = 0;

    if (!bd.open)
        return 0;
    for (int n = 0; n < bd.size && peer >= 0; n++) { /* a longer chain is a circle */
        const r1_card *c = &bd.cards[peer];
        sum += moves_of(peer);
        if (!atomic_load(&c->waiting))
            return sum;
        peer = atomic_load(&c->peer);
    }
    for (int r = 0; peer < 0 && r < bd.size; r++)
        sum += moves_of(r);
    return sum;
}

/* ---- reports ---- */

void r1_board_describe(int rank, char *buf, unsigned size) {
    r1_card_describe(&bd.cards[rank], rank, bd.host, buf, size);
}

void r1_board_describe_mine(char *buf, unsigned size) {
    r1_card_describe(r1_my_card, bd.rank, bd.host, buf, size);
}

static double silent_s(int i) {
    return 1e-3 * (double)(now_ms() - atomic_load(&bd.beat_ms[i]));
}

void r1_board_describe_silent(char *buf, unsigned size) {
    unsigned at = 0;

    *buf = '\0';
    for (int i = 0; bd.open && i < bd.n_local && at + 1 < size; i++) {
        char phase[R1_CARD_TEXT];
        int r = bd.local[i];
        if (r == bd.rank || silent_s(i) < SILENT_S)
            continue;
        r1_card_get(&bd.cards[r].phase, phase);
        int n = snprintf(buf + at, size - at,
                         "; rank %d (pid %d) does not run since %.0f s, in phase '%s'", r,
                         atomic_load(&bd.cards[r].pid), silent_s(i), phase);
        at += n > 0 ? (unsigned)n : 0;
    }
}

/* ---- the watchdog thread's view ---- */

static int is_gone(const r1_card *c) {
    int pid = atomic_load(&c->pid);

    return pid > 0 && !atomic_load(&c->leaving) &&
           atomic_load(&c->pid_space) == atomic_load(&r1_my_card->pid_space) && kill(pid, 0) != 0 &&
           errno == ESRCH;
}

int r1_board_look(void) {
    int gone = -1;

    if (!bd.open)
        return -1;
    for (int i = 0; i < bd.n_local; i++) {
        const r1_card *c = &bd.cards[bd.local[i]];
        uint64_t beats = atomic_load(&c->beats);
        if (beats != bd.beats[i])
            atomic_store(&bd.beat_ms[i], now_ms());
        bd.beats[i] = beats;
        if (is_gone(c))
            gone = bd.local[i];
    }
    return gone;
}

/* ---- the end ---- */

/* One line for each other rank of the node. */
static void describe_others(char *buf, unsigned size) {
    unsigned at = 0;

    for (int i = 0; i < bd.n_local && at + 1 < size; i++) {
        char text[400];
        if (bd.local[i] == bd.rank)
            continue;
        r1_board_describe(bd.local[i], text, sizeof text);
        int n = snprintf(buf + at, size - at, "%sr1: %s", at ? "\n" : "", text);
        at += n > 0 ? (unsigned)n : 0;
    }
}

int r1_board_claim(int exit_code, const char *cause, char *others, unsigned size) {
    static _Atomic int begun;
    int nobody = 0;

    *others = '\0';
    if (atomic_exchange(&begun, 1))
        return 0;
    if (!bd.open)
        return 1;
    if (!atomic_compare_exchange_strong(&bd.head->owner, &nobody, bd.rank + 1))
        return 0;
    describe_others(others, size);
    snprintf(bd.head->cause, sizeof bd.head->cause, "%s", cause);
    atomic_store(&bd.head->exit_code, exit_code);
    atomic_store(&bd.head->ready, 1);
    return 1;
}

int r1_board_ending(r1_err *err) {
    if (!bd.open || !atomic_load(&bd.head->ready))
        return 0;
    r1_err_set(err, R1_PEER, "rank %d ends the run: %.900s", atomic_load(&bd.head->owner) - 1,
               bd.head->cause);
    return 1;
}

int r1_board_end_is_mine(void) {
    return bd.open && atomic_load(&bd.head->owner) == bd.rank + 1;
}

int r1_board_exit_code(void) {
    return bd.open ? atomic_load(&bd.head->exit_code) : 0;
}
