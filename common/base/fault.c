/* Faults on demand; see fault.h. */
#include "common/base/fault.h"

#include "common/base/card.h"
#include "common/base/clock.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef R1_FAULT_INJECTION
#define STARVED_US 20000

static _Atomic int done, starving, garbling;
static _Atomic int64_t starved_step;

static int is_me(const char *rank) {
    const char *mine = getenv("OMPI_COMM_WORLD_RANK");

    return strcmp(rank, "*") == 0 || strcmp(rank, mine ? mine : "0") == 0;
}

static void act(const char *action) {
    if (strcmp(action, "kill") == 0)
        raise(SIGKILL);
    if (strcmp(action, "abort") == 0)
        abort();
    if (strncmp(action, "exit=", 5) == 0)
        _exit(atoi(action + 5));
    if (strcmp(action, "stop") == 0)
        raise(SIGSTOP);
    while (strcmp(action, "hang") == 0)
        r1_sleep_us(1000000);
    for (volatile int spin = strcmp(action, "spin") == 0; spin;)
        ;
    if (strncmp(action, "delay=", 6) == 0)
        r1_sleep_us((long)(1e6 * strtod(action + 6, NULL)));
    if (strcmp(action, "starve") == 0) {
        starved_step = r1_my_card->step;
        starving = 1;
    }
    if (strcmp(action, "garble") == 0)
        garbling = 1;
}

void r1_fault_point(void) {
    const char *spec = getenv("R1_FAULT");
    char rank[16], phase[32], step[16], action[32], now[R1_CARD_TEXT];

    if (!spec || done ||
        sscanf(spec, "%15[^:]:%31[^:]:%15[^:]:%31s", rank, phase, step, action) != 4 ||
        !is_me(rank))
        return;
    r1_card_get(&r1_my_card->phase, now);
    if (strcmp(phase, now) != 0 ||
        (strcmp(step, "*") != 0 && atoll(step) != (long long)atomic_load(&r1_my_card->step)))
        return;
    done = 1;
    fprintf(stderr, "fault %s\n", spec);
    act(action);
}

void r1_fault_tick(void) {
    if (starving && r1_my_card->step == starved_step)
        r1_sleep_us(STARVED_US);
}

int r1_fault_garbles(void) {
    return atomic_exchange(&garbling, 0);
}
#endif
