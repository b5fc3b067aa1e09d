/* `key.path=value` from the command line, put into the tree of the file; see reader.h.
 *
 * The first part is a key of the top level or a stage's name; a reward in a list is addressed by
 * its name too (rewards.number.weight=0.5).  Unknown keys are found later, with the file's. */
#include "common/config/reader.h"

#include <stdio.h>
#include <string.h>

/* Is a list's member called so, by its name or, as rewards are, by name@source? */
static int is_called(const r1_node *member, const char *name) {
    const r1_node *own = r1_node_get(member, "name"), *source = r1_node_get(member, "source");

    if (!own || own->kind != R1_NODE_SCALAR)
        return 0;
    if (!source || source->kind != R1_NODE_SCALAR || r1_node_is_null(source))
        return strcmp(own->text, name) == 0;
    size_t n = strlen(own->text);
    return strncmp(own->text, name, n) == 0 && name[n] == '@' &&
           strcmp(name + n + 1, source->text) == 0;
}

/* The mapping in a list whose `name` is given; NULL if there is none. */
static r1_node *named(const r1_node *list, const char *name) {
    for (r1_node *n = list && list->kind == R1_NODE_LIST ? list->child : NULL; n; n = n->next)
        if (is_called(n, name))
            return n;
    return NULL;
}

/* The mapping in which `part` of the path leads on; made if it is absent. */
static r1_status descend(const r1_reader *r, const char *text, const char *part, r1_node **at) {
    r1_node *next = (*at)->kind == R1_NODE_LIST ? named(*at, part) : r1_node_get(*at, part);

    if (next && next->kind == R1_NODE_SCALAR && !r1_node_is_null(next))
        return R1_FAIL(r->err, R1_USAGE, "command line: %.100s: %s is a value, not a section", text,
                       part);
    if (!next && (*at)->kind == R1_NODE_LIST) {
        char hint[R1_KEY_TEXT];
        return R1_FAIL(r->err, R1_USAGE,
                       "command line: %.100s: the list has no member named '%s'%s", text, part,
                       r1_suggest_member(*at, part, hint));
    }
    if (!next || next->kind == R1_NODE_SCALAR) {
        r1_node *made = r1_config_pool_take(r->cfg->pool, sizeof *made);
        char *key = r1_config_pool_text(r->cfg->pool, part, strlen(part));
        if (!made || !key)
            return R1_FAIL(r->err, R1_NOMEM, "command line: out of memory");
        made->kind = R1_NODE_MAP;
        made->text = "";
        r1_node_set(*at, made, key);
        next = made;
    }
    *at = next;
    return R1_OK;
}

static r1_status unknown_root(const r1_reader *r, const char *text, const char *part) {
    char hint[R1_KEY_TEXT];
    const r1_node *stages = r1_node_get(r->root, "stages");
    int dotted = text[strlen(part)] == '.';

    if (named(stages, part))
        return R1_FAIL(r->err, R1_USAGE,
                       "command line: %.100s: '%s' is a stage; one of its keys is set by "
                       "%s.KEY=value",
                       text, part, part);
    if (dotted && *r1_suggest_member(stages, part, hint))
        return R1_FAIL(r->err, R1_USAGE, "command line: %.100s: there is no stage '%s'%s", text,
                       part, hint);
    return R1_FAIL(r->err, R1_USAGE,
                   "command line: %.100s: '%s' is neither a key of the top level nor the name of a "
                   "stage%s",
                   text, part, r1_suggest(r1_schema_root, part, hint));
}

static r1_status parse_value(const r1_reader *r, const char *text, const char *value,
                             r1_node **ret) {
    char where[160];

    snprintf(where, sizeof where, "command line: %.100s", text);
    r1_status st = r1_tree_parse(r->cfg->pool, value, strlen(value), where, -1, ret, r->err);
    if (st == R1_USAGE)
        r1_err_suffix(r->err, " (a text with : # { } stands in quotes: %.*s='\"...\"')",
                      (int)(value - 1 - text), text);
    return st;
}

r1_status r1_override_apply(const r1_reader *r, const char *text) {
    const char *eq = strchr(text, '='), *key = text;
    char part[R1_KEY_TEXT];
    r1_status st = R1_OK;
    r1_node *at = r->root, *value = NULL;

    if (!eq || eq == text || eq - text >= (long)sizeof part)
        return R1_FAIL(r->err, R1_USAGE, "command line: '%.100s' is not of the form key.path=value",
                       text);
    R1_TRY(parse_value(r, text, eq + 1, &value));
    if (value->kind == R1_NODE_MAP && !value->child && !strchr(eq, '{'))
        value->kind = R1_NODE_SCALAR; /* `key=` is null */
    for (size_t n;; key += n + 1) {
        n = strcspn(key, ".=");
        snprintf(part, sizeof part, "%.*s", (int)n, key);
        if (!n)
            return R1_FAIL(r->err, R1_USAGE, "command line: %.100s: a part of the key is empty",
                           text);
        if (key == text && !r1_key_find(r1_schema_root, part, 0)) {
            at = named(r1_node_get(r->root, "stages"), part);
            if (!at || key[n] == '=')
                return unknown_root(r, text, part);
            continue;
        }
        if (key[n] == '=')
            break;
        if (key == text && strcmp(part, "stages") == 0)
            return R1_FAIL(
                r->err, R1_USAGE,
                "command line: %.100s: a stage is addressed by its name (NAME.key=value)", text);
        R1_TRY(descend(r, text, part, &at));
    }
    if (at->kind != R1_NODE_MAP)
        return R1_FAIL(r->err, R1_USAGE,
                       "command line: %.100s: a member of the list is needed (%s)", text,
                       "LIST.NAME.key=value");
    char *copy = r1_config_pool_text(r->cfg->pool, part, strlen(part));
    if (!copy)
        return R1_FAIL(r->err, R1_NOMEM, "command line: out of memory");
    r1_node_set(at, value, copy);
done:
    return st;
}
