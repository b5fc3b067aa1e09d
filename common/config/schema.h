#ifndef R1_CONFIG_SCHEMA_H
#define R1_CONFIG_SCHEMA_H
/* The schema: every key once, with where it lives, what it may be and what it means. */
#include "common/config/config.h"

#define R1_HEAD_DIM_MAX 256

typedef enum r1_key_type {
    R1_KEY_INT,
    R1_KEY_UINT64,
    R1_KEY_FLOAT,
    R1_KEY_BOOL,
    R1_KEY_STRING,
    R1_KEY_BYTES,   /* double; 512 or 64KiB, MiB, GiB */
    R1_KEY_ENUM,    /* int; choices */
    R1_KEY_WORD,    /* const char * that equals one of choices */
    R1_KEY_STRINGS, /* r1_string_list */
    R1_KEY_FLOAT2,  /* double[2] */
    R1_KEY_SECTION, /* nested mapping; sub */
    R1_KEY_REWARDS, /* sequence of mappings; the int count stands at offset, the array behind it */
    R1_KEY_STAGES,  /* sequence of mappings */
} r1_key_type;

enum {
    R1_KEY_NULLABLE = 1, /* null or auto allowed */
    R1_KEY_RUNTIME = 2,  /* may change on resume */
    R1_KEY_REQUIRED = 4,
    R1_KEY_AUTO = 8,  /* nullable, and called auto rather than null */
    R1_KEY_PATH = 16, /* ${NAME} is taken from the environment */
    /* From here one bit for each kind (of stage, task or reward) that has the key; none: all have it.
     * Two rows may share a name when their kinds differ: other defaults for other kinds. */
    R1_KEY_KIND0 = 256,
};
#define R1_KEY_KIND(k) (R1_KEY_KIND0 << (k))

typedef struct r1_key r1_key;
struct r1_key {
    const char *name;
    r1_key_type type;
    size_t offset;
    int flags;
    double lo, hi;
    const char *const *choices; /* NULL-terminated */
    const char *preset;         /* default, as YAML; NULL: zero, empty or null */
    const r1_key *sub;          /* ends with a key without name */
    const char *help;
};

extern const r1_key r1_schema_root[];
extern const r1_key r1_schema_stage[];
extern const r1_key r1_schema_reward[];
extern const r1_key r1_schema_data[];      /* train and eval */
extern const r1_key r1_schema_data_spec[]; /* each of them */

/* Has a section of this kind (r1_section_kind) the key? */
int r1_key_fits(const r1_key *key, int kind);
/* The row of that name that fits the kind, else any of that name, else NULL. */
const r1_key *r1_key_find(const r1_key *keys, const char *name, int kind);
/* What distinguishes sections of one type: a stage's kind, a data section's task, a reward's name;
 * else 0.  And the key that says so. */
const char *r1_section_kind_key(const r1_key *keys);
int r1_section_kind(const r1_key *keys, const void *base);

#endif
