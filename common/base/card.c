/* What this rank is doing; see card.h. */
#include "common/base/card.h"

#include "common/base/clock.h"

#include <stdio.h>
#include <string.h>

static r1_card private_card;
r1_card *_Atomic r1_my_card = &private_card;
void (*r1_tick_hook)(void);
static _Atomic int frozen;

void r1_card_put(r1_card_text *t, const char *s) {
    char text[R1_CARD_TEXT] = "";
    uint64_t words[R1_CARD_WORDS];

    snprintf(text, sizeof text, "%s", s);
    memcpy(words, text, sizeof words);
    for (int i = 0; i < R1_CARD_WORDS; i++)
        atomic_store_explicit(&t->word[i], words[i], memory_order_relaxed);
}

void r1_card_get(const r1_card_text *t, char out[R1_CARD_TEXT]) {
    for (int i = 0; i < R1_CARD_WORDS; i++) {
        uint64_t word = atomic_load_explicit(&t->word[i], memory_order_relaxed);
        memcpy(out + (size_t)8 * (size_t)i, &word, sizeof word);
    }
    out[R1_CARD_TEXT - 1] = '\0';
}

void r1_card_role(const char *role) {
    r1_card_put(&r1_my_card->role, role);
}

void r1_card_freeze(void) {
    frozen = 1;
}

void r1_card_step(const char *stage, int64_t step) {
    if (frozen)
        return;
    if (stage)
        r1_card_put(&r1_my_card->stage, stage);
    atomic_store_explicit(&r1_my_card->step, step, memory_order_relaxed);
    r1_fault_point();
}

void r1_card_phase(const char *phase) {
    if (frozen)
        return;
    r1_card_put(&r1_my_card->phase, phase);
    r1_fault_point();
}

void r1_card_describe(const r1_card *c, int rank, const char *host, char *buf, unsigned size) {
    char role[R1_CARD_TEXT], stage[R1_CARD_TEXT], phase[R1_CARD_TEXT], what[R1_CARD_TEXT];
    char doing[160] = "works", whom[32] = "all";
    int peer = atomic_load(&c->peer);

    r1_card_get(&c->role, role);
    r1_card_get(&c->stage, stage);
    r1_card_get(&c->phase, phase);
    if (atomic_load(&c->waiting)) {
        double since_s = r1_now_s() - 1e-3 * (double)atomic_load(&c->since_ms);
        r1_card_get(&c->what, what);
        if (peer >= 0)
            snprintf(whom, sizeof whom, "rank %d", peer);
        snprintf(doing, sizeof doing, "waits for %s (%s, %llu bytes) since %.0f s", whom, what,
                 (unsigned long long)atomic_load(&c->bytes), since_s);
    }
    snprintf(buf, size, "rank %d on %s (%s), stage '%s', step %lld, phase '%s': %s", rank, host,
             *role ? role : "starting", stage, (long long)atomic_load(&c->step),
             *phase ? phase : "start", doing);
}

/* Field by field: atomic words are no memory to memcpy. */
static void copy(r1_card *to, const r1_card *from) {
    char text[R1_CARD_TEXT];
    const r1_card_text *texts[] = {&from->role, &from->stage, &from->phase};
    r1_card_text *places[] = {&to->role, &to->stage, &to->phase};

    for (int i = 0; i < 3; i++) {
        r1_card_get(texts[i], text);
        r1_card_put(places[i], text);
    }
    atomic_store(&to->moves, atomic_load(&from->moves));
    atomic_store(&to->polls, atomic_load(&from->polls));
    atomic_store(&to->step, atomic_load(&from->step));
}

void r1_card_move(r1_card *to) {
    r1_card *from = r1_my_card;

    to = to ? to : &private_card;
    if (to == from)
        return;
    copy(to, from);
    r1_my_card = to;
}
