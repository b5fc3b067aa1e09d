#ifndef R1_CONFIG_READER_H
#define R1_CONFIG_READER_H
/* Inside common/config: what parsing, values, overrides and resolving share. */
#include "common/config/schema.h"
#include "common/config/tree.h"

#define R1_KEY_TEXT 256 /* a full key path, cut if longer */

typedef struct r1_reader {
    r1_config *cfg;
    const char *path; /* of the file, for messages */
    r1_node *root;    /* file and overrides */
    r1_err *err;
} r1_reader;

/* "FILE:LINE: KEY: " + text, or "command line: KEY: " + text, with R1_USAGE. */
r1_status r1_reader_fail(const r1_reader *r, const r1_node *at, const char *key, const char *fmt,
                         ...) R1_PRINTF(4, 5);
/* The same for a key by its path: finds its node in the stage, else at the top level; a key that
 * was not given is reported as FILE: KEY: ... (default). */
r1_status r1_reader_fail_key(const r1_reader *r, const char *key, const char *fmt, ...)
    R1_PRINTF(3, 4);

/* What a node holds, cut to fit: the text, "a list" or "a mapping". */
const char *r1_node_shown(const r1_node *n, char buf[static 80]);

/* One value into its place.  `key` is the full key path. */
R1_MUST_USE r1_status r1_value_read(const r1_reader *r, const r1_key *k, void *at, const r1_node *n,
                                    const char *key);
/* The default of a row: its preset, else null, nothing or zero.  Not for sections. */
R1_MUST_USE r1_status r1_value_preset(const r1_reader *r, const r1_key *k, void *at);

/* Put `key.path=value` into r->root; r->root must have its stages already. */
R1_MUST_USE r1_status r1_override_apply(const r1_reader *r, const char *text);

/* "; did you mean 'clip_low'?" or the closest there is to say; empty if nothing is close. */
const char *r1_suggest(const r1_key *keys, const char *name, char buf[static R1_KEY_TEXT]);
/* The same among the names of a list's members (stages, rewards). */
const char *r1_suggest_member(const r1_node *list, const char *name, char buf[static R1_KEY_TEXT]);
const char *r1_suggest_word(const char *const *choices, const char *word,
                            char buf[static R1_KEY_TEXT]);

/* Do two paths name one file? */
int r1_same_file(const char *a, const char *b);
/* Is a stage evaluated, during it or at its end? */
int r1_stage_evaluates(const r1_config *c, const r1_stage_config *s);
/* Refuse stages that train on what another one evaluates as held out. */
R1_MUST_USE r1_status r1_config_check_sides(const r1_reader *r);

/* Fill what follows from other keys and refuse contradictions. */
R1_MUST_USE r1_status r1_config_resolve(const r1_reader *r);

#endif
