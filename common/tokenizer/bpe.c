/* Byte-pair merges; see bpe.h. */
#include "common/tokenizer/bpe.h"

typedef struct r1_bpe_symbol {
    int32_t id; /* -1: merged into the one before */
    int32_t prev, next;
} symbol;

typedef struct r1_bpe_entry {
    uint32_t rank;
    int32_t at; /* the left symbol */
    int32_t id; /* what the pair becomes: says whether the pair is still this one */
} entry;

static uint64_t mix(uint64_t x) {
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdu;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53u;
    return x ^ x >> 33;
}

static uint64_t pair_of(int32_t left, int32_t right) {
    return (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
}

r1_status r1_bpe_reserve(r1_bpe *b, size_t n, r1_err *err) {
    size_t cap = 64;

    while (cap < 2 * n)
        cap *= 2;
    r1_status st = R1_NEW(b->merges, cap, err);
    for (size_t i = 0; i < cap && st == R1_OK; i++)
        b->merges[i].pair = R1_NO_PAIR;
    b->mask = cap - 1;
    return st;
}

void r1_bpe_add(r1_bpe *b, int32_t left, int32_t right, uint32_t rank, int32_t id) {
    uint64_t pair = pair_of(left, right), i = mix(pair) & b->mask;

    while (b->merges[i].pair != R1_NO_PAIR && b->merges[i].pair != pair)
        i = (i + 1) & b->mask;
    b->merges[i] = (r1_merge){.pair = pair, .rank = rank, .id = id};
}

static const r1_merge *find(const r1_bpe *b, int32_t left, int32_t right) {
    uint64_t pair = pair_of(left, right), i = mix(pair) & b->mask;

    for (; b->merges[i].pair != R1_NO_PAIR; i = (i + 1) & b->mask)
        if (b->merges[i].pair == pair)
            return &b->merges[i];
    return NULL;
}

void r1_bpe_done(r1_bpe *b) {
    r1_free(b->merges);
    *b = (r1_bpe){0};
}

void r1_bpe_work_done(r1_bpe_work *w) {
    r1_free(w->symbols);
    r1_free(w->heap);
    *w = (r1_bpe_work){0};
}

static int before(const entry *a, const entry *b) {
    return a->rank != b->rank ? a->rank < b->rank : a->at < b->at;
}

static r1_status push(r1_bpe_work *w, entry e, r1_err *err) {
    if (w->n_heap == w->cap_heap) {
        size_t cap = w->cap_heap ? 2 * w->cap_heap : 64;
        entry *grown = r1_realloc(w->heap, cap, sizeof *grown);
        if (!grown)
            return R1_FAIL(err, R1_NOMEM, "out of memory: %zu pairs to merge", cap);
        w->heap = grown;
        w->cap_heap = cap;
    }
    size_t i = w->n_heap++;
    for (; i && before(&e, &w->heap[(i - 1) / 2]); i = (i - 1) / 2)
        w->heap[i] = w->heap[(i - 1) / 2];
    w->heap[i] = e;
    return R1_OK;
}

static entry pop(r1_bpe_work *w) {
    entry top = w->heap[0], last = w->heap[--w->n_heap];
    size_t i = 0;

    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= w->n_heap)
            break;
        child += child + 1 < w->n_heap && before(&w->heap[child + 1], &w->heap[child]);
        if (!before(&w->heap[child], &last))
            break;
        w->heap[i] = w->heap[child];
        i = child;
    }
    w->heap[i] = last;
    return top;
}

/* Let the pair that begins at symbol `at` wait, if it has a rank. */
static r1_status offer(const r1_bpe *b, r1_bpe_work *w, int32_t at, r1_err *err) {
    if (at < 0 || w->symbols[at].next < 0)
        return R1_OK;
    const r1_merge *m = find(b, w->symbols[at].id, w->symbols[w->symbols[at].next].id);
    return m ? push(w, (entry){.rank = m->rank, .at = at, .id = m->id}, err) : R1_OK;
}

/* One symbol a byte; returns their number. */
static int32_t spell(const r1_bpe *b, symbol *symbols, const char *piece, size_t n) {
    int32_t count = 0;
    int after_unk = 0;

    for (size_t i = 0; i < n; i++) {
        int32_t id = b->byte_id[(uint8_t)piece[i]];
        int unknown = id < 0;
        if (unknown)
            id = b->fuse_unk && after_unk ? -1 : b->unk;
        after_unk = unknown;
        if (id < 0)
            continue;
        symbols[count] = (symbol){.id = id, .prev = count - 1, .next = count + 1};
        count++;
    }
    if (count)
        symbols[count - 1].next = -1;
    return count;
}

static r1_status merge_all(const r1_bpe *b, r1_bpe_work *w, int32_t count, r1_err *err) {
    symbol *s = w->symbols;
    r1_status st = R1_OK;

    w->n_heap = 0;
    for (int32_t i = 0; i + 1 < count; i++)
        R1_TRY(offer(b, w, i, err));
    while (w->n_heap) {
        entry e = pop(w);
        int32_t right = s[e.at].next;
        if (s[e.at].id < 0 || right < 0)
            continue;
        const r1_merge *m = find(b, s[e.at].id, s[right].id);
        if (!m || m->id != e.id)
            continue; /* one of the two has been merged since */
        s[e.at].id = e.id;
        s[e.at].next = s[right].next;
        s[right].id = -1;
        if (s[e.at].next >= 0)
            s[s[e.at].next].prev = e.at;
        R1_TRY(offer(b, w, s[e.at].prev, err));
        R1_TRY(offer(b, w, e.at, err));
    }
done:
    return st;
}

r1_status r1_bpe_encode(const r1_bpe *b, r1_bpe_work *w, const char *piece, size_t n, r1_ids *ids,
                        r1_err *err) {
    r1_status st;

    R1_ASSERT(n <= INT32_MAX / 2);
    if (n > w->cap_symbols) {
        size_t cap = n < 256 ? 256 : n;
        symbol *grown = r1_realloc(w->symbols, cap, sizeof *grown);
        if (!grown)
            return R1_FAIL(err, R1_NOMEM, "out of memory: %zu symbols to merge", cap);
        w->symbols = grown;
        w->cap_symbols = cap;
    }
    int32_t count = spell(b, w->symbols, piece, n);
    R1_TRY(merge_all(b, w, count, err));
    for (int32_t i = 0; i >= 0 && i < count; i = w->symbols[i].next)
        R1_TRY(r1_ids_add(ids, w->symbols[i].id, err));
done:
    return st;
}
