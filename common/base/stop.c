/* Requests from outside; see stop.h. */
#include "common/base/stop.h"

#include "common/base/clock.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

#define REPEAT_MS 2000 /* the same request, sent twice */
#define MARGIN    0.01 /* share of the hours that is left for the end itself */

static _Atomic long first_ms; /* of TERM or INT */
static _Atomic int wanted, insisted;
static _Atomic unsigned asked;
static double end_s, last_poll_s, longest_s;

static void on_stop(int sig) {
    long now_ms = (long)(1e3 * r1_now_s()); /* clock_gettime is safe in handlers */

    if (sig != SIGUSR1) {
        if (first_ms != 0 && now_ms - first_ms >= REPEAT_MS)
            insisted = 1;
        if (first_ms == 0)
            first_ms = now_ms;
    }
    wanted = 1;
}

static void on_ask(int sig) {
    (void)sig;
    asked++;
}

void r1_stop_install(void) {
    static const int stops[] = {SIGUSR1, SIGTERM, SIGINT};
    struct sigaction a = {.sa_handler = on_stop, .sa_flags = SA_RESTART};

    sigemptyset(&a.sa_mask);
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++)
        sigaction(stops[i], &a, NULL);
    a.sa_handler = on_ask;
    sigaction(SIGUSR2, &a, NULL);
}

void r1_stop_after(double hours) {
    last_poll_s = r1_now_s();
    end_s = last_poll_s + 3600 * hours * (1 - MARGIN);
}

int r1_stop_requested(void) {
    double now = r1_now_s();

    if (last_poll_s > 0 && now - last_poll_s > longest_s)
        longest_s = now - last_poll_s;
    last_poll_s = now;
    return wanted || (end_s > 0 && now + longest_s > end_s);
}

int r1_stop_insisted(void) {
    return insisted;
}

unsigned r1_stop_asked(void) {
    return asked;
}
