/* Waiting for other ranks; see wait.h. */
#include "common/comm/wait.h"

#include "common/base/card.h"
#include "common/base/clock.h"
#include "common/comm/beats.h"
#include "common/comm/board.h"

#include <sched.h>

#define SPINS  200  /* rounds before the first nap; from then on the card tells of the wait */
#define LOOK_S 0.02 /* between two looks at the others */
#define LEAP_S 1.0  /* a longer time between two looks: this process was stopped */

static double deadline_s = 600;
static int gave_up;

void r1_comm_set_deadline(double seconds) {
    deadline_s = seconds;
}

double r1_comm_deadline(void) {
    return deadline_s;
}

r1_status r1_mpi_check(int rc, const char *call, r1_err *err) {
    char text[MPI_MAX_ERROR_STRING];
    int n;

    if (rc == MPI_SUCCESS)
        return R1_OK;
    MPI_Error_string(rc, text, &n);
    return R1_FAIL(err, R1_PEER, "%s: %s", call, text);
}

static void nap(int round) {
    if (round < SPINS)
        sched_yield();
    else
        r1_sleep_us(round < 2 * SPINS ? 20 : round < 5 * SPINS ? 50 : 200);
}

void r1_wait_begin(r1_waiter *w, const char *what, int peer, size_t bytes) {
    double now = r1_now_s();

    *w = (r1_waiter){.what = what, .peer = peer, .bytes = bytes, .t_last_s = now, .t0_s = now};
}

static void tell(r1_waiter *w) {
    w->said = 1;
    w->moves = r1_board_moves(w->peer);
    if (gave_up)
        return;
    atomic_store(&r1_my_card->peer, w->peer);
    atomic_store(&r1_my_card->bytes, w->bytes);
    atomic_store(&r1_my_card->since_ms, (int64_t)(1e3 * w->t0_s));
    r1_card_put(&r1_my_card->what, w->what);
    atomic_store(&r1_my_card->waiting, 1);
}

static r1_status expired(const r1_waiter *w, r1_err *err) {
    char mine[320], silent[256];

    r1_board_describe_mine(mine, sizeof mine);
    r1_board_describe_silent(silent, sizeof silent);
    return R1_FAIL(err, R1_PEER, "%s; nothing has moved for %.0f s%s", mine, w->idle_s, silent);
}

/* Ranks give up at the same time, and one of them reports where all are: this one's card keeps
 * telling of the wait while it leaves its phases. */
static r1_status give_up(r1_status st) {
    gave_up = 1;
    r1_card_freeze();
    return st;
}

r1_status r1_wait_round(r1_waiter *w, r1_err *err) {
    nap(w->rounds);
    atomic_fetch_add_explicit(&r1_my_card->polls, 1, memory_order_relaxed);
    if (++w->rounds < SPINS)
        return R1_OK;
    double now = r1_now_s(), since = now - w->t_last_s;
    if (!w->said)
        tell(w);
    else if (since < LOOK_S)
        return R1_OK;
    w->t_last_s = now;
    if (r1_board_ending(err))
        return give_up(R1_PEER);
    r1_beats_exchange();
    uint64_t moves = r1_board_moves(w->peer);
    w->idle_s = moves != w->moves ? 0 : w->idle_s + (since < LEAP_S ? since : LEAP_S);
    w->moves = moves;
    return w->idle_s > deadline_s ? give_up(expired(w, err)) : R1_OK;
}

void r1_wait_end(r1_waiter *w) {
    if (w->said && !gave_up)
        atomic_store(&r1_my_card->waiting, 0);
    r1_tick();
}

r1_status r1_wait(MPI_Request *request, const char *what, int peer, size_t bytes, r1_err *err) {
    r1_waiter w;
    int done = 0;
    r1_status st;

    r1_wait_begin(&w, what, peer, bytes);
    for (;;) {
        st = r1_mpi_check(MPI_Test(request, &done, MPI_STATUS_IGNORE), what, err);
        if (st != R1_OK || done)
            break;
        if ((st = r1_wait_round(&w, err)) != R1_OK)
            break;
    }
    r1_wait_end(&w);
    return st;
}
