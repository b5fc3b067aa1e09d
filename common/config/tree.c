/* YAML text -> tree of nodes; see tree.h. */
#include "common/config/tree.h"

#include "common/base/mem.h"

#include <string.h>
#include <yaml.h>

typedef struct block block;
struct block {
    block *next;
    size_t used, cap;
    _Alignas(16) char bytes[];
};

struct r1_config_pool {
    block *head;
};

r1_config_pool *r1_config_pool_new(void) {
    return r1_calloc(1, sizeof(r1_config_pool));
}

void r1_config_pool_free(r1_config_pool *pool) {
    if (!pool)
        return;
    for (block *b = pool->head, *next; b; b = next) {
        next = b->next;
        r1_free(b);
    }
    r1_free(pool);
}

void *r1_config_pool_take(r1_config_pool *pool, size_t bytes) {
    size_t need = r1_align_up(bytes ? bytes : 1, 16);
    block *b = pool->head;

    if (!b || b->cap - b->used < need) {
        size_t cap = need > 16384 ? need : 16384;
        if (!(b = r1_calloc(1, sizeof *b + cap)))
            return NULL;
        b->cap = cap;
        b->next = pool->head;
        pool->head = b;
    }
    void *p = b->bytes + b->used;
    b->used += need;
    return p;
}

char *r1_config_pool_text(r1_config_pool *pool, const char *s, size_t n) {
    char *p = r1_config_pool_take(pool, n + 1);

    if (p && n)
        memcpy(p, s, n);
    return p;
}

r1_node *r1_node_get(const r1_node *map, const char *key) {
    if (!map || map->kind != R1_NODE_MAP)
        return NULL;
    for (r1_node *n = map->child; n; n = n->next)
        if (strcmp(n->key, key) == 0)
            return n;
    return NULL;
}

int r1_node_is_null(const r1_node *n) {
    return n->kind == R1_NODE_SCALAR && !n->quoted &&
           (!*n->text || strcmp(n->text, "~") == 0 || strcmp(n->text, "null") == 0);
}

void r1_node_set(r1_node *map, r1_node *value, const char *key) {
    r1_node **at = &map->child;

    value->key = key;
    while (*at && strcmp((*at)->key, key) != 0)
        at = &(*at)->next;
    value->next = *at ? (*at)->next : NULL;
    *at = value;
}

/* ---- reading ---- */

typedef struct loader {
    yaml_parser_t parser;
    r1_config_pool *pool;
    const char *path;
    int line0;
    r1_err *err;
} loader;

static int line_of(const loader *l, const yaml_mark_t *mark) {
    return l->line0 < 0 ? 0 : (int)mark->line + 1 + l->line0;
}

/* "FILE:LINE" or "command line". */
static const char *place(const loader *l, const yaml_mark_t *mark, char buf[static 512]) {
    if (l->line0 < 0)
        snprintf(buf, 512, "%s", l->path);
    else
        snprintf(buf, 512, "%s:%d", l->path, line_of(l, mark));
    return buf;
}

static r1_status refuse(const loader *l, const yaml_mark_t *mark, const char *what) {
    char at[512];
    return R1_FAIL(l->err, R1_USAGE, "%s: %s", place(l, mark, at), what);
}

static r1_status next_event(loader *l, yaml_event_t *ev) {
    char at[512];

    if (yaml_parser_parse(&l->parser, ev))
        return R1_OK;
    const yaml_parser_t *p = &l->parser;
    if (p->error == YAML_MEMORY_ERROR)
        return R1_FAIL(l->err, R1_NOMEM, "%s: out of memory while reading YAML", l->path);
    yaml_mark_t mark = p->problem_mark;
    if (p->error == YAML_READER_ERROR)
        return R1_FAIL(l->err, R1_USAGE, "%s: byte %zu: %s (is it UTF-8 text?)", l->path,
                       p->problem_offset, p->problem ? p->problem : "cannot be read");
    return R1_FAIL(l->err, R1_USAGE, "%s: not valid YAML: %s%s%s", place(l, &mark, at),
                   p->problem ? p->problem : "syntax error", p->context ? ", " : "",
                   p->context ? p->context : "");
}

static r1_status new_node(loader *l, r1_node_kind kind, const yaml_mark_t *mark, r1_node **ret) {
    r1_node *n = r1_config_pool_take(l->pool, sizeof *n);

    if (!n)
        return R1_FAIL(l->err, R1_NOMEM, "%s: out of memory", l->path);
    n->kind = kind;
    n->line = line_of(l, mark);
    n->text = "";
    *ret = n;
    return R1_OK;
}

static r1_status read_scalar(loader *l, const yaml_event_t *ev, r1_node **ret) {
    const char *text = (const char *)ev->data.scalar.value;
    size_t len = ev->data.scalar.length;
    r1_status st = R1_OK;

    if (ev->data.scalar.tag || ev->data.scalar.anchor)
        return refuse(l, &ev->start_mark, "tags and anchors are not supported");
    if (memchr(text, 0, len))
        return refuse(l, &ev->start_mark, "a value contains a NUL byte");
    R1_TRY(new_node(l, R1_NODE_SCALAR, &ev->start_mark, ret));
    (*ret)->quoted = ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    if (!((*ret)->text = r1_config_pool_text(l->pool, text, len)))
        st = R1_FAIL(l->err, R1_NOMEM, "%s: out of memory", l->path);
done:
    return st;
}

static r1_status read_node(loader *l, const yaml_event_t *ev, int depth, r1_node **ret);

static r1_status read_list(loader *l, int depth, r1_node *list) {
    r1_status st = R1_OK;

    for (r1_node **at = &list->child;; at = &(*at)->next) {
        yaml_event_t ev;
        R1_TRY(next_event(l, &ev));
        int end = ev.type == YAML_SEQUENCE_END_EVENT;
        if (!end)
            st = read_node(l, &ev, depth, at);
        yaml_event_delete(&ev);
        if (end || st != R1_OK)
            break;
    }
done:
    return st;
}

static r1_status read_key(loader *l, const yaml_event_t *ev, const r1_node *map, r1_node **ret) {
    char at[512];
    r1_status st = R1_OK;

    if (ev->type != YAML_SCALAR_EVENT)
        return refuse(l, &ev->start_mark, "a key must be a plain text");
    R1_TRY(read_scalar(l, ev, ret));
    if (!*(*ret)->text)
        return refuse(l, &ev->start_mark, "a key is empty");
    const r1_node *twin = r1_node_get(map, (*ret)->text);
    if (twin)
        return R1_FAIL(l->err, R1_USAGE, "%s: %.60s: the key is given twice (first in line %d)",
                       place(l, &ev->start_mark, at), (*ret)->text, twin->line);
done:
    return st;
}

static r1_status read_map(loader *l, int depth, r1_node *map) {
    r1_status st = R1_OK;
    r1_node **at = &map->child;

    for (int n = 0;; n++) {
        yaml_event_t ev;
        r1_node *key = NULL, *value = NULL;
        R1_TRY(next_event(l, &ev));
        int end = ev.type == YAML_MAPPING_END_EVENT;
        if (!end && n == R1_TREE_KEYS_MAX) /* the search for twins is quadratic */
            st = refuse(l, &ev.start_mark, "more than 1000 keys in one mapping");
        else if (!end)
            st = read_key(l, &ev, map, &key);
        yaml_event_delete(&ev);
        if (end || st != R1_OK)
            break;
        R1_TRY(next_event(l, &ev));
        st = read_node(l, &ev, depth, &value);
        yaml_event_delete(&ev);
        if (st != R1_OK)
            break;
        value->key = key->text;
        value->line = key->line; /* where the user looks for it */
        *at = value;
        at = &value->next;
    }
done:
    return st;
}

static r1_status read_node(loader *l, const yaml_event_t *ev, int depth, r1_node **ret) {
    r1_status st = R1_OK;
    r1_node *n = NULL;

    if (ev->type == YAML_ALIAS_EVENT)
        return refuse(l, &ev->start_mark, "aliases are not supported");
    if (ev->type == YAML_SCALAR_EVENT)
        return read_scalar(l, ev, ret);
    int map = ev->type == YAML_MAPPING_START_EVENT;
    if (!map && ev->type != YAML_SEQUENCE_START_EVENT)
        return refuse(l, &ev->start_mark, "unexpected end of the document");
    if (depth >= R1_TREE_DEPTH_MAX)
        return refuse(l, &ev->start_mark, "nested more than 16 levels deep");
    if (map ? ev->data.mapping_start.tag || ev->data.mapping_start.anchor
            : ev->data.sequence_start.tag || ev->data.sequence_start.anchor)
        return refuse(l, &ev->start_mark, "tags and anchors are not supported");
    R1_TRY(new_node(l, map ? R1_NODE_MAP : R1_NODE_LIST, &ev->start_mark, &n));
    R1_TRY(map ? read_map(l, depth + 1, n) : read_list(l, depth + 1, n));
    *ret = n;
done:
    return st;
}

/* Stream start, one document, stream end. */
static r1_status read_stream(loader *l, r1_node **ret_root) {
    r1_status st = R1_OK;
    int documents = 0;

    for (;;) {
        yaml_event_t ev;
        R1_TRY(next_event(l, &ev));
        yaml_event_type_t type = ev.type;
        if (type == YAML_DOCUMENT_START_EVENT && documents++)
            st = refuse(l, &ev.start_mark, "a second document starts here, one is expected");
        else if (type != YAML_STREAM_START_EVENT && type != YAML_DOCUMENT_START_EVENT &&
                 type != YAML_DOCUMENT_END_EVENT && type != YAML_STREAM_END_EVENT)
            st = read_node(l, &ev, 0, ret_root);
        yaml_event_delete(&ev);
        if (st != R1_OK || type == YAML_STREAM_END_EVENT)
            break;
    }
done:
    return st;
}

r1_status r1_tree_parse(r1_config_pool *pool, const char *text, size_t len, const char *path,
                        int line0, r1_node **ret_root, r1_err *err) {
    r1_status st = R1_OK;
    loader l = {.pool = pool, .path = path, .line0 = line0, .err = err};
    r1_node *root = NULL;

    if (len > R1_TREE_BYTES_MAX)
        return R1_FAIL(err, R1_USAGE, "%s: %zu bytes, at most %d are read", path, len,
                       R1_TREE_BYTES_MAX);
    if (!yaml_parser_initialize(&l.parser))
        return R1_FAIL(err, R1_NOMEM, "%s: out of memory", path);
    yaml_parser_set_input_string(&l.parser, (const unsigned char *)text, len);
    R1_TRY(read_stream(&l, &root));
    if (!root)
        R1_TRY(new_node(&l, R1_NODE_MAP, &(yaml_mark_t){0}, &root));
    *ret_root = root;
done:
    yaml_parser_delete(&l.parser);
    return st;
}
