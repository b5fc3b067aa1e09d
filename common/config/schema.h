#ifndef R1_CONFIG_SCHEMA_H
#define R1_CONFIG_SCHEMA_H
/* The schema: every key once, with where it lives, what it may be and what it means. */
#include "common/config/config.h"

typedef enum r1_key_type {
    R1_KEY_INT,
    R1_KEY_UINT64,
    R1_KEY_FLOAT,
    R1_KEY_BOOL,
    R1_KEY_STRING,
    R1_KEY_ENUM,    /* int; choices */
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
};

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

#endif
