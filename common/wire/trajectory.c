/* Trajectories on the wire; see trajectory.h. */
#include "common/wire/trajectory.h"

#include "common/base/trace.h"
#include "common/wire/walk.h"

#include <math.h>
#include <msgpack.h>
#include <string.h>

#define MESSAGE_MAX ((size_t)1 << 30)
/* Keys and values of a sample, and of a group beside its samples; those of later versions too. */
#define OBJECTS_MAX 64

r1_status r1_trajectory_alloc(r1_trajectory *t, int n, r1_err *err) {
    r1_status st;

    t->n = n;
    R1_TRY(R1_NEW(t->ids, (size_t)n, err));
    R1_TRY(R1_NEW(t->logp, (size_t)n, err));
done:
    return st;
}

r1_status r1_group_alloc(r1_group *g, int prompt_len, int n, r1_err *err) {
    r1_status st;

    *g = (r1_group){.prompt_len = prompt_len};
    R1_TRY(R1_NEW(g->prompt, (size_t)prompt_len, err));
    R1_TRY(R1_NEW(g->t, (size_t)n, err));
    g->n = n;
    return R1_OK;
done:
    r1_group_done(g);
    return st;
}

void r1_group_done(r1_group *g) {
    for (int i = 0; i < g->n && g->t; i++) {
        r1_free(g->t[i].ids);
        r1_free(g->t[i].logp);
    }
    r1_free(g->t);
    r1_free(g->prompt);
    *g = (r1_group){0};
}

/* ---- encode ---- */

/* Where packed bytes go.  The first failure is remembered, so that the calls that pack need not be
 * asked one by one. */
typedef struct sink {
    r1_buf *buf;
    r1_err *err;
    r1_status st;
} sink;

static int write_sink(void *to, const char *bytes, size_t n) {
    sink *s = to;

    if (s->st == R1_OK)
        s->st = r1_buf_add(s->buf, bytes, n, s->err);
    return s->st == R1_OK ? 0 : -1;
}

static void pack_key(msgpack_packer *pk, const char *key) {
    msgpack_pack_str_with_body(pk, key, strlen(key));
}

static void pack_int(msgpack_packer *pk, const char *key, int64_t v) {
    pack_key(pk, key);
    msgpack_pack_int64(pk, v);
}

static void pack_double(msgpack_packer *pk, const char *key, double v) {
    pack_key(pk, key);
    msgpack_pack_double(pk, v);
}

static void pack_words(msgpack_packer *pk, const char *key, const void *words, int n) {
    pack_key(pk, key);
    msgpack_pack_bin_with_body(pk, words, (size_t)n * 4);
}

static void pack_sample(msgpack_packer *pk, const r1_trajectory *t) {
    int32_t verdict[R1_WIRE_REWARDS_MAX];

    for (int i = 0; i < t->n_rewards; i++)
        verdict[i] = t->verdict[i];
    msgpack_pack_map(pk, 10);
    pack_words(pk, "ids", t->ids, t->n);
    pack_words(pk, "logp", t->logp, t->n);
    pack_int(pk, "finish", t->finish);
    pack_words(pk, "verdict", verdict, t->n_rewards);
    pack_words(pk, "score", t->score, t->n_rewards);
    pack_key(pk, "note");
    msgpack_pack_array(pk, (size_t)t->n_rewards);
    for (int i = 0; i < t->n_rewards; i++)
        msgpack_pack_str_with_body(pk, t->note[i], strnlen(t->note[i], sizeof t->note[i] - 1));
    pack_double(pk, "reward", t->reward);
    pack_int(pk, "usable", t->usable);
    pack_int(pk, "correct", t->correct);
    pack_words(pk, "text", t->text, R1_TEXT_COUNT);
}

r1_status r1_group_encode(const r1_group *g, r1_buf *buf, r1_err *err) {
    sink to = {.buf = buf, .err = err};
    size_t before = buf->len;
    msgpack_packer pk;

    R1_TRACE();
    msgpack_packer_init(&pk, &to, write_sink);
    msgpack_pack_map(&pk, 9);
    pack_int(&pk, "schema", R1_WIRE_VERSION);
    pack_int(&pk, "deal", (int64_t)g->deal);
    pack_int(&pk, "version", (int64_t)g->version);
    pack_int(&pk, "stage", g->stage);
    pack_words(&pk, "prompt", g->prompt, g->prompt_len);
    pack_int(&pk, "injected", g->injected);
    pack_double(&pk, "gen_s", g->gen_s);
    pack_double(&pk, "reward_s", g->reward_s);
    pack_key(&pk, "samples");
    msgpack_pack_array(&pk, (size_t)g->n);
    for (int i = 0; i < g->n; i++)
        pack_sample(&pk, &g->t[i]);
    if (to.st != R1_OK && buf->data) { /* all of it or nothing */
        buf->len = before;
        buf->data[before] = '\0';
    }
    return to.st;
}

/* ---- decode ---- */

typedef struct field {
    const msgpack_object_map *map;
    const char *where;
    r1_err *err;
    r1_status st;
} field;

static void refuse(field *f, const char *key, const char *why) {
    if (f->st == R1_OK)
        f->st = R1_FAIL(f->err, R1_DATA, "trajectory message: %s '%s' %s", f->where, key, why);
}

static const msgpack_object *find(field *f, const char *key) {
    for (uint32_t i = 0; i < f->map->size; i++) {
        const msgpack_object *k = &f->map->ptr[i].key;
        if (k->type == MSGPACK_OBJECT_STR && k->via.str.size == strlen(key) &&
            memcmp(k->via.str.ptr, key, k->via.str.size) == 0)
            return &f->map->ptr[i].val;
    }
    refuse(f, key, "is missing");
    return NULL;
}

static int64_t get_int(field *f, const char *key, int64_t lo, int64_t hi) {
    const msgpack_object *o = find(f, key);
    int64_t v = lo;

    if (!o)
        return lo;
    if (o->type == MSGPACK_OBJECT_POSITIVE_INTEGER && o->via.u64 <= INT64_MAX)
        v = (int64_t)o->via.u64;
    else if (o->type == MSGPACK_OBJECT_NEGATIVE_INTEGER)
        v = o->via.i64;
    else
        refuse(f, key, "is not an integer");
    if (v < lo || v > hi) {
        refuse(f, key, "is out of range");
        return lo;
    }
    return v;
}

static double get_double(field *f, const char *key) {
    const msgpack_object *o = find(f, key);

    if (o && o->type != MSGPACK_OBJECT_FLOAT64 && o->type != MSGPACK_OBJECT_FLOAT32) {
        refuse(f, key, "is not a float");
        return 0;
    }
    if (o && !isfinite(o->via.f64))
        refuse(f, key, "is not a finite number");
    return o ? o->via.f64 : 0;
}

static void check_finite(field *f, const char *key, const float *x, int n) {
    for (int i = 0; i < n; i++)
        if (!isfinite(x[i])) {
            refuse(f, key, "holds a number that is not finite");
            return;
        }
}

/* A bin of whole 32-bit words, at most max of them; *ret_n = -1 when it is bad. */
static const char *get_words(field *f, const char *key, int max, int *ret_n) {
    const msgpack_object *o = find(f, key);

    *ret_n = -1;
    if (!o)
        return NULL;
    if (o->type != MSGPACK_OBJECT_BIN || o->via.bin.size % 4) {
        refuse(f, key, "is not a bin of 32-bit words");
        return NULL;
    }
    if (o->via.bin.size / 4 > (uint32_t)max) {
        refuse(f, key, "is longer than allowed");
        return NULL;
    }
    *ret_n = (int)(o->via.bin.size / 4);
    return o->via.bin.ptr;
}

static void check_ids(field *f, const char *key, const int32_t *ids, int n, int vocab) {
    for (int i = 0; i < n; i++)
        if (ids[i] < 0 || ids[i] >= vocab)
            refuse(f, key, "holds an id outside of the vocabulary");
}

/* One text a reward, each short enough for its place. */
static void get_notes(field *f, r1_trajectory *t) {
    const msgpack_object *o = find(f, "note");

    if (!o)
        return;
    if (o->type != MSGPACK_OBJECT_ARRAY || o->via.array.size != (uint32_t)t->n_rewards) {
        refuse(f, "note", "is not one text for each reward");
        return;
    }
    for (int i = 0; i < t->n_rewards; i++) {
        const msgpack_object *s = &o->via.array.ptr[i];
        if (s->type != MSGPACK_OBJECT_STR || s->via.str.size >= sizeof t->note[i]) {
            refuse(f, "note", "holds something that is no short text");
            return;
        }
        memcpy(t->note[i], s->via.str.ptr, s->via.str.size);
    }
}

static r1_status decode_sample(const msgpack_object *o, const r1_wire_limits *l, r1_trajectory *t,
                               r1_err *err) {
    field f = {.map = &o->via.map, .where = "sample field", .err = err};
    int n, n_logp, n_verdict, n_score, n_text;
    int32_t verdict[R1_WIRE_REWARDS_MAX];

    if (o->type != MSGPACK_OBJECT_MAP)
        return R1_FAIL(err, R1_DATA, "trajectory message: a sample is not a map");
    const char *ids = get_words(&f, "ids", l->max_tokens, &n);
    const char *logp = get_words(&f, "logp", l->max_tokens, &n_logp);
    const char *kinds = get_words(&f, "verdict", R1_WIRE_REWARDS_MAX, &n_verdict);
    const char *scores = get_words(&f, "score", R1_WIRE_REWARDS_MAX, &n_score);
    const char *text = get_words(&f, "text", R1_TEXT_COUNT, &n_text);
    t->finish = (int)get_int(&f, "finish", 0, 1);
    t->reward = get_double(&f, "reward");
    t->usable = (int)get_int(&f, "usable", 0, 1);
    t->correct = (int)get_int(&f, "correct", 0, 1);
    if (f.st == R1_OK && (n < 1 || n_logp != n || n_score != n_verdict))
        refuse(&f, "ids", "and the other arrays disagree in length");
    if (f.st == R1_OK && n_text != R1_TEXT_COUNT)
        refuse(&f, "text", "is shorter than allowed");
    if (f.st != R1_OK)
        return f.st;
    if ((f.st = r1_trajectory_alloc(t, n, err)) != R1_OK)
        return f.st;
    memcpy(t->ids, ids, (size_t)n * 4);
    memcpy(t->logp, logp, (size_t)n * 4);
    memcpy(verdict, kinds, (size_t)n_verdict * 4);
    memcpy(t->score, scores, (size_t)n_score * 4);
    memcpy(t->text, text, sizeof t->text);
    t->n_rewards = n_verdict;
    for (int i = 0; i < n_verdict; i++) {
        if (verdict[i] < 0 || verdict[i] >= R1_VERDICT_COUNT)
            refuse(&f, "verdict", "is unknown");
        t->verdict[i] = verdict[i];
    }
    get_notes(&f, t);
    check_ids(&f, "ids", t->ids, n, l->vocab_size);
    check_finite(&f, "logp", t->logp, n);
    check_finite(&f, "score", t->score, n_score);
    check_finite(&f, "text", t->text, R1_TEXT_COUNT);
    return f.st;
}

static r1_status decode_map(const msgpack_object *root, const r1_wire_limits *l, r1_group *g,
                            r1_err *err) {
    field f = {.map = &root->via.map, .where = "field", .err = err};
    int prompt_len;
    r1_status st;

    if (root->type != MSGPACK_OBJECT_MAP)
        return R1_FAIL(err, R1_DATA, "trajectory message: not a map");
    get_int(&f, "schema", R1_WIRE_VERSION, R1_WIRE_VERSION);
    int64_t deal = get_int(&f, "deal", 0, INT64_MAX);
    int64_t version = get_int(&f, "version", 0, INT64_MAX);
    int stage = (int)get_int(&f, "stage", 0, 255);
    int injected = (int)get_int(&f, "injected", 0, INT32_MAX);
    double gen_s = get_double(&f, "gen_s"), reward_s = get_double(&f, "reward_s");
    const char *prompt = get_words(&f, "prompt", l->max_prompt_len, &prompt_len);
    const msgpack_object *samples = find(&f, "samples");
    if (f.st == R1_OK && (samples->type != MSGPACK_OBJECT_ARRAY || samples->via.array.size == 0 ||
                          samples->via.array.size > (uint32_t)l->max_samples))
        refuse(&f, "samples", "is not an array of an allowed length");
    if (f.st == R1_OK && prompt_len < 1)
        refuse(&f, "prompt", "is empty");
    if (f.st != R1_OK)
        return f.st;
    if ((st = r1_group_alloc(g, prompt_len, (int)samples->via.array.size, err)) != R1_OK)
        return st;
    memcpy(g->prompt, prompt, (size_t)prompt_len * 4);
    g->deal = (uint64_t)deal;
    g->version = (uint64_t)version;
    g->stage = stage;
    g->injected = injected;
    g->gen_s = gen_s;
    g->reward_s = reward_s;
    check_ids(&f, "prompt", g->prompt, prompt_len, l->vocab_size);
    st = f.st;
    for (int i = 0; i < g->n && st == R1_OK; i++)
        st = decode_sample(&samples->via.array.ptr[i], l, &g->t[i], err);
    if (st != R1_OK)
        r1_group_done(g);
    return st;
}

r1_status r1_group_decode(const void *data, size_t len, const r1_wire_limits *limits, r1_group *ret,
                          r1_err *err) {
    msgpack_unpacked un;
    size_t off = 0;
    r1_group g;
    r1_status st;

    if (len > MESSAGE_MAX)
        return R1_FAIL(err, R1_DATA, "trajectory message: %zu bytes, at most %zu", len,
                       MESSAGE_MAX);
    if (!r1_msgpack_is_whole(data, len, OBJECTS_MAX * ((size_t)limits->max_samples + 1)))
        return R1_FAIL(err, R1_DATA, "trajectory message: not one whole msgpack object");
    msgpack_unpacked_init(&un);
    msgpack_unpack_return r = msgpack_unpack_next(&un, data, len, &off);
    if (r == MSGPACK_UNPACK_NOMEM_ERROR)
        st = R1_FAIL(err, R1_NOMEM, "out of memory: trajectory message of %zu bytes", len);
    else if (r != MSGPACK_UNPACK_SUCCESS || off != len)
        st = R1_FAIL(err, R1_DATA, "trajectory message: not one whole msgpack object");
    else
        st = decode_map(&un.data, limits, &g, err);
    msgpack_unpacked_destroy(&un);
    if (st == R1_OK)
        *ret = g;
    return st;
}
