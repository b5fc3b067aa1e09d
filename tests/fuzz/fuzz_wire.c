/* A message of trajectories of any bytes: refused in one line, or within its limits, and the same
 * again after another trip over the wire.
 *
 * An input that begins with 'e' is a list of edits (place, 2 bytes; new byte) of a good message; any
 * other input is the message itself. */
#include "tests/fuzz/fuzz.h"

#include "common/base/mem.h"
#include "common/wire/trajectory.h"
#include "tests/fuzz/file.h"

static const r1_wire_limits limits = {
    .max_prompt_len = 16, .max_tokens = 32, .max_samples = 4, .vocab_size = 300};

static void check_group(const r1_group *g) {
    R1_ASSERT(g->n >= 1 && g->n <= limits.max_samples && g->prompt_len <= limits.max_prompt_len);
    for (int i = 0; i < g->n; i++) {
        R1_ASSERT(g->t[i].n >= 0 && g->t[i].n <= limits.max_tokens);
        for (int k = 0; k < g->t[i].n; k++)
            R1_ASSERT(g->t[i].ids[k] >= 0 && g->t[i].ids[k] < limits.vocab_size);
    }
}

static void make_good(r1_buf *buf) {
    r1_err err = {0};
    r1_group g;

    R1_ASSERT(r1_group_alloc(&g, 3, 2, &err) == R1_OK);
    g.deal = 7;
    for (int i = 0; i < 3; i++)
        g.prompt[i] = 10 + i;
    for (int i = 0; i < 2; i++) {
        R1_ASSERT(r1_trajectory_alloc(&g.t[i], 4, &err) == R1_OK);
        for (int k = 0; k < 4; k++) {
            g.t[i].ids[k] = 20 * i + k;
            g.t[i].logp[k] = -0.5f * (float)(k + 1);
        }
        g.t[i].n_rewards = 1;
        g.t[i].score[0] = 1.0f;
        g.t[i].reward = 1;
        g.t[i].usable = 1;
    }
    R1_ASSERT(r1_group_encode(&g, buf, &err) == R1_OK);
    r1_group_done(&g);
}

static void decode(const void *data, size_t n) {
    r1_err err = {0};
    r1_group g, again;
    r1_buf buf, twice;
    r1_status st = r1_group_decode(data, n, &limits, &g, &err);

    if (st != R1_OK) {
        fuzz_check_refusal(st, &err);
        return;
    }
    check_group(&g);
    r1_buf_init(&buf, 1 << 20);
    r1_buf_init(&twice, 1 << 20);
    R1_ASSERT(r1_group_encode(&g, &buf, &err) == R1_OK);
    R1_ASSERT(r1_group_decode(buf.data, buf.len, &limits, &again, &err) == R1_OK);
    R1_ASSERT(r1_group_encode(&again, &twice, &err) == R1_OK);
    R1_ASSERT(buf.len == twice.len && memcmp(buf.data, twice.data, buf.len) == 0);
    r1_buf_done(&buf);
    r1_buf_done(&twice);
    r1_group_done(&g);
    r1_group_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    r1_buf buf;

    if (n == 0 || data[0] != 'e') {
        decode(data, n);
        return 0;
    }
    r1_buf_init(&buf, 1 << 20);
    make_good(&buf);
    for (size_t i = 1; i + 3 <= n; i += 3)
        buf.data[(size_t)(data[i] | data[i + 1] << 8) % buf.len] = (char)data[i + 2];
    decode(buf.data, buf.len);
    r1_buf_done(&buf);
    return 0;
}
