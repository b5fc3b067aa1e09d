/* The watchdog thread and the order of an end; see watchdog.h. */
#include "common/comm/watchdog.h"

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/stop.h"
#include "common/base/thread.h"
#include "common/comm/board.h"
#include "common/comm/segments.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TICK_US    50000
#define GRACE_S    5.0  /* behind the deadline, so that a wait that polls reports first */
#define LIFE_S     10.0 /* after an end was begun */
#define OTHERS_MAX 16384
#define OUTPUT_US  200000
#define LEAP_S     1.0 /* a longer tick: this process was stopped */

static struct {
    pthread_t thread;
    int running;
    _Atomic int quit, armed;
    char exit_file[R1_PATH_MAX];
    /* of the thread */
    unsigned asked;
    uint64_t seen;   /* moves and polls of the main thread */
    double t_last_s; /* last tick */
    double idle_s, ending_s;
} wd;
static pthread_mutex_t ticking = PTHREAD_MUTEX_INITIALIZER;

static _Noreturn void leave(int exit_code) {
    r1_segments_drop();
    _exit(exit_code);
}

void r1_world_exit_file(const char *path) {
    snprintf(wd.exit_file, sizeof wd.exit_file, "%s", path);
}

/* A run that goes on has none: one that stands there belongs to an earlier attempt. */
static void write_exit_status(int exit_code) {
    char text[16];
    r1_err err;

    if (!*wd.exit_file || r1_path_exists(wd.exit_file))
        return;
    snprintf(text, sizeof text, "%d\n", exit_code);
    if (r1_file_write_atomic(wd.exit_file, text, strlen(text), &err) != R1_OK)
        r1_warn("no exit status: %s", err.msg);
}

/* Also where a thread is blocked in what it says: a pipe that mpirun no longer empties. */
static void limit_life(void) {
    signal(SIGALRM, SIG_DFL);
    alarm((unsigned)LIFE_S + 2);
}

int r1_watchdog_end(int exit_code, const char *cause) {
    char others[OTHERS_MAX];

    if (!r1_board_claim(exit_code, cause, others, sizeof others))
        return 0;
    limit_life();
    write_exit_status(exit_code);
    r1_sleep_us(OUTPUT_US); /* mpirun forwards each rank's stderr on its own */
    if (*others)
        r1_report("%s", others);
    r1_error("%s", cause);
    return 1;
}

_Noreturn void r1_watchdog_await_end(void) {
    r1_sleep_us((long)(1e6 * (LIFE_S + 1)));
    leave(r1_board_exit_code());
}

/* ---- what the thread looks for ---- */

static void answer_usr2(void) {
    char text[400];

    if (wd.asked == r1_stop_asked())
        return;
    wd.asked = r1_stop_asked();
    r1_board_describe_mine(text, sizeof text);
    r1_info("%s", text);
}

static void heed_insistence(void) {
    char phase[R1_CARD_TEXT];

    r1_card_get(&r1_my_card->phase, phase);
    if (!r1_stop_insisted() || strcmp(phase, "checkpoint") == 0)
        return;
    limit_life();
    write_exit_status(85);
    r1_error("stopped at once by a second signal; --resume auto goes on from the last checkpoint");
    leave(85);
}

static void end_for(int gone) {
    char text[500], what[400];

    r1_board_describe(gone, what, sizeof what);
    snprintf(text, sizeof text, "a process is gone, killed or crashed: %s", what);
    if (r1_watchdog_end(75, text))
        leave(75);
}

static void end_if_stuck(double since_s) {
    uint64_t now = atomic_load(&r1_my_card->moves) + atomic_load(&r1_my_card->polls);
    char text[500], what[400];

    wd.idle_s = now == wd.seen ? wd.idle_s + since_s : 0;
    wd.seen = now;
    if (!wd.armed || wd.idle_s < r1_comm_deadline() + GRACE_S)
        return;
    r1_board_describe_mine(what, sizeof what);
    snprintf(text, sizeof text, "%s, without any progress for %.0f s", what, wd.idle_s);
    if (r1_watchdog_end(75, text))
        leave(75);
}

/* The run ends; this rank's own log is to say where it was. */
static void follow(double since_s) {
    char text[400];

    if (wd.ending_s == 0 && !r1_board_end_is_mine()) {
        limit_life();
        r1_board_describe_mine(text, sizeof text);
        r1_debug("%s", text);
    }
    wd.ending_s += since_s;
    if (wd.ending_s > LIFE_S)
        leave(r1_board_exit_code());
}

static void tick(void) {
    double now = r1_now_s(), since = now - wd.t_last_s;
    int gone;

    wd.t_last_s = now;
    since = since < LEAP_S ? since : LEAP_S;
    atomic_fetch_add(&r1_my_card->beats, 1);
    answer_usr2();
    heed_insistence();
    if (r1_board_ending(NULL)) {
        follow(since);
        return;
    }
    if ((gone = r1_board_look()) >= 0)
        end_for(gone);
    end_if_stuck(since);
}

static void *run(void *unused) {
    while (!wd.quit) {
        pthread_mutex_lock(&ticking);
        tick();
        pthread_mutex_unlock(&ticking);
        r1_sleep_us(TICK_US);
    }
    return unused;
}

void r1_watchdog_start(void) {
    wd.t_last_s = r1_now_s();
    wd.running = r1_thread_start(&wd.thread, run, NULL) == 0;
}

void r1_watchdog_arm(int watch) {
    wd.armed = watch;
}

void r1_watchdog_sync(void) {
    pthread_mutex_lock(&ticking);
    pthread_mutex_unlock(&ticking);
}

void r1_watchdog_stop(void) {
    wd.quit = 1;
    if (wd.running)
        pthread_join(wd.thread, NULL);
    wd.running = 0;
}
