#ifndef R1_CONFIG_TREE_H
#define R1_CONFIG_TREE_H
/* A YAML document as a tree of nodes that know their lines.
 *
 * Built from libyaml's events, so that depth, size, duplicate keys, anchors, aliases and tags are
 * refused while reading: a hostile file costs at most its own size.  Overrides from the command line
 * are put into the same tree, so that everything behind it sees one document; their nodes carry line
 * 0, which messages print as "command line".
 *
 * Nodes and texts live in a pool of blocks that only grows and goes away as a whole. */
#include "common/base/err.h"

#include <stddef.h>

#define R1_TREE_BYTES_MAX (1 << 20)
#define R1_TREE_DEPTH_MAX 16
#define R1_TREE_KEYS_MAX  1000

typedef struct r1_config_pool r1_config_pool;

/* NULL without memory. */
r1_config_pool *r1_config_pool_new(void) R1_MUST_USE;
void r1_config_pool_free(r1_config_pool *pool);
/* Zeroed, 16-byte aligned, NULL without memory. */
void *r1_config_pool_take(r1_config_pool *pool, size_t bytes) R1_MUST_USE;
char *r1_config_pool_text(r1_config_pool *pool, const char *s, size_t n) R1_MUST_USE;

typedef enum r1_node_kind {
    R1_NODE_SCALAR,
    R1_NODE_MAP,
    R1_NODE_LIST
} r1_node_kind;

typedef struct r1_node r1_node;
struct r1_node {
    r1_node_kind kind;
    int line;         /* 1-based; 0: from the command line */
    const char *key;  /* in a map */
    const char *text; /* scalar; without NUL bytes */
    int quoted;       /* 'x', "x" or a block: never null, a number or a truth value */
    r1_node *child;   /* first of a map or list */
    r1_node *next;    /* in the parent */
};

/* The document in text[0..len-1]; an empty one gives an empty map.  `path` is for messages; line0 is
 * added to the line numbers, and line0 < 0 gives all nodes line 0. */
R1_MUST_USE r1_status r1_tree_parse(r1_config_pool *pool, const char *text, size_t len,
                                    const char *path, int line0, r1_node **ret_root, r1_err *err);

/* NULL if map is NULL, no map, or has no such key. */
r1_node *r1_node_get(const r1_node *map, const char *key);
/* A plain null, ~ or nothing. */
int r1_node_is_null(const r1_node *n);
/* Put value under key, in the place of an older one. */
void r1_node_set(r1_node *map, r1_node *value, const char *key);

#endif
