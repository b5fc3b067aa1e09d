#ifndef R1_WIRE_TRAJECTORY_H
#define R1_WIRE_TRAJECTORY_H
/* What an actor sends a learner: one group of trajectories, as a msgpack map.
 *
 * Token ids cross the wire, never text, with the log-probabilities of the distribution that each
 * token was really drawn from.  Arrays of ids and floats travel as little-endian `bin`, so a float
 * arrives with its bits.  The schema has a version; unknown keys are ignored; every field's type and
 * length is checked against limits before it is used, and a bad message is a status that names the
 * field.  A message has at most 1 GiB and 64 keys and values a sample, counted before msgpack-c
 * allocates anything. */
#include "common/base/mem.h"
#include "common/base/verdict.h"

#include <stdint.h>

#define R1_WIRE_VERSION     2
#define R1_WIRE_REWARDS_MAX 8

/* What an answer's text shows, beside its rewards; only the actor has the text. */
typedef enum r1_wire_text {
    R1_TEXT_REFLECTIONS,    /* words of reconsidering */
    R1_TEXT_ANSWER_CHANGED, /* 1: different answers one after the other */
    R1_TEXT_THINK_CHARS,    /* characters of the thinking */
    R1_TEXT_LANGUAGE,       /* share of words in the question's language */
    R1_TEXT_COUNT
} r1_wire_text;

typedef struct r1_trajectory {
    int n; /* tokens, the stop token included */
    int32_t *ids;
    float *logp; /* [n] behaviour log-probs */
    int finish;  /* 0 stop, 1 length */
    int n_rewards;
    int verdict[R1_WIRE_REWARDS_MAX]; /* r1_verdict_kind */
    float score[R1_WIRE_REWARDS_MAX];
    char note[R1_WIRE_REWARDS_MAX][R1_VERDICT_NOTE_MAX]; /* why; may be empty */
    double reward;                                       /* weighted sum */
    int usable;                                          /* 0: could not be scored */
    int correct;
    float text[R1_TEXT_COUNT];
} r1_trajectory;

typedef struct r1_group {
    uint64_t deal;    /* explicit, never positional */
    uint64_t version; /* of the weights that made it */
    int stage;
    int prompt_len;
    int32_t *prompt;
    int n;
    r1_trajectory *t; /* [n] */
    int injected;     /* added tokens that the question held as text */
    double gen_s, reward_s;
} r1_group;

typedef struct r1_wire_limits {
    int max_prompt_len, max_tokens, max_samples, vocab_size;
} r1_wire_limits;

R1_MUST_USE r1_status r1_group_alloc(r1_group *g, int prompt_len, int n, r1_err *err);
R1_MUST_USE r1_status r1_trajectory_alloc(r1_trajectory *t, int n, r1_err *err);
void r1_group_done(r1_group *g);

/* Append the message to buf. */
R1_MUST_USE r1_status r1_group_encode(const r1_group *g, r1_buf *buf, r1_err *err);
/* Decode one message of exactly len bytes; R1_DATA names the field that is wrong. */
R1_MUST_USE r1_status r1_group_decode(const void *data, size_t len, const r1_wire_limits *limits,
                                      r1_group *ret, r1_err *err);

#endif
