/* Trees; see node.h. */
#include "reward/math/node.h"

#include <string.h>

r1_node *r1_node_new(r1_mctx *c, r1_node_kind kind, int op, int n) {
    r1_node *a = r1_mctx_take(c, sizeof *a);

    r1_mctx_burn(c, 1 + n / 8);
    a->kind = kind;
    a->op = op;
    a->n = n;
    a->places = -1;
    a->kid = n ? r1_mctx_take(c, (size_t)n * sizeof *a->kid) : NULL;
    return a;
}

r1_node *r1_node_1(r1_mctx *c, r1_node_kind kind, int op, const r1_node *a) {
    r1_node *r = r1_node_new(c, kind, op, 1);
    r->kid[0] = a;
    return r;
}

r1_node *r1_node_2(r1_mctx *c, r1_node_kind kind, int op, const r1_node *a, const r1_node *b) {
    r1_node *r = r1_node_new(c, kind, op, 2);
    r->kid[0] = a;
    r->kid[1] = b;
    return r;
}

r1_node *r1_node_int(r1_mctx *c, long v) {
    r1_node *a = r1_node_new(c, R1_N_NUM, 0, 0);
    a->q = r1_mctx_number(c);
    mpq_set_si(a->q, v, 1);
    return a;
}

r1_node *r1_node_negate(r1_mctx *c, const r1_node *a) {
    if (a->kind == R1_N_NUM) {
        r1_node *r = r1_node_new(c, R1_N_NUM, 0, 0);
        r->places = a->places;
        r->q = r1_mctx_number(c);
        mpq_neg(r->q, a->q);
        return r;
    }
    if (a->kind == R1_N_UNIT) { /* -5 cm has a unit, too */
        r1_node *r = r1_node_1(c, R1_N_UNIT, a->op, r1_node_negate(c, a->kid[0]));
        r->text = a->text;
        return r;
    }
    return r1_node_2(c, R1_N_MUL, 0, r1_node_int(c, -1), a);
}

r1_node *r1_node_quotient(r1_mctx *c, const r1_node *a, const r1_node *b) {
    return r1_node_2(c, R1_N_MUL, '/', a, r1_node_2(c, R1_N_POW, 0, b, r1_node_int(c, -1)));
}

r1_node *r1_node_minus(r1_mctx *c, const r1_node *a, const r1_node *b) {
    return r1_node_2(c, R1_N_ADD, 0, a, r1_node_2(c, R1_N_MUL, 0, r1_node_int(c, -1), b));
}

int r1_node_count(const r1_node *a) {
    int n = 1;

    for (int i = 0; i < a->n; i++)
        n += r1_node_count(a->kid[i]);
    return n;
}

int r1_node_has(const r1_node *a, r1_node_kind kind, int op) {
    if (a->kind == kind && (op < 0 || a->op == op))
        return 1;
    for (int i = 0; i < a->n; i++)
        if (r1_node_has(a->kid[i], kind, op))
            return 1;
    return 0;
}

int r1_node_same(const r1_node *a, const r1_node *b) {
    if (a->kind != b->kind || a->op != b->op || a->n != b->n || a->open != b->open ||
        a->close != b->close || a->cols != b->cols || !a->q != !b->q ||
        (a->q && !mpq_equal(a->q, b->q)) ||
        (a->kind != R1_N_NUM && !r1_text_same(a->text, b->text)))
        return 0;
    for (int i = 0; i < a->n; i++)
        if (!r1_node_same(a->kid[i], b->kid[i]))
            return 0;
    return 1;
}

static int commutes(const r1_node *a) {
    return a->kind == R1_N_ADD || a->kind == R1_N_MUL ||
           (a->kind == R1_N_GROUP && a->open == '{') ||
           (a->kind == R1_N_FN &&
            (a->op == R1_FN_GCD || a->op == R1_FN_LCM || a->op == R1_FN_MAX || a->op == R1_FN_MIN));
}

/* Kids of nested sums (products) as one row; NULL if there are too many. */
static const r1_node **flat(r1_mctx *c, const r1_node *a, int *ret_n) {
    const r1_node **row = r1_mctx_take(c, 64 * sizeof *row);
    int n = 0, deep = a->kind == R1_N_ADD || a->kind == R1_N_MUL;

    row[n++] = a;
    for (int i = 0; i < n;) {
        const r1_node *k = row[i];
        if (!(k == a || (deep && k->kind == a->kind))) {
            i++;
            continue;
        }
        if (n - 1 + k->n > 64 || k->n == 0)
            return NULL;
        row[i] = k->kid[0];
        for (int j = 1; j < k->n; j++)
            row[n++] = k->kid[j];
    }
    *ret_n = n;
    return row;
}

static int alike_rows(r1_mctx *c, const r1_node *a, const r1_node *b) {
    const r1_node **x, **y;
    int n, m;

    if (!(x = flat(c, a, &n)) || !(y = flat(c, b, &m)) || n != m)
        return 0;
    for (int i = 0; i < n; i++) {
        int j = i;
        while (j < n && !r1_node_alike(c, x[i], y[j]))
            j++;
        if (j == n)
            return 0;
        const r1_node *t = y[i];
        y[i] = y[j];
        y[j] = t;
    }
    return 1;
}

int r1_node_alike(r1_mctx *c, const r1_node *a, const r1_node *b) {
    r1_mctx_burn(c, 1);
    if (a->kind != b->kind || a->op != b->op || a->open != b->open || a->close != b->close ||
        a->cols != b->cols || !a->q != !b->q || (a->q && !mpq_equal(a->q, b->q)))
        return 0;
    if (commutes(a) && a->n > 0)
        return alike_rows(c, a, b);
    if (a->n != b->n || (a->kind != R1_N_NUM && !r1_text_same(a->text, b->text)))
        return 0;
    for (int i = 0; i < a->n; i++)
        if (!r1_node_alike(c, a->kid[i], b->kid[i]))
            return 0;
    return 1;
}

int r1_node_names(const r1_node *a, r1_text *ret, int n, int most) {
    if (a->kind == R1_N_SYM) {
        for (int i = 0; i < n; i++)
            if (r1_text_same(ret[i], a->text))
                return n;
        if (n == most)
            return -1;
        ret[n] = a->text;
        return n + 1;
    }
    int bound = a->kind == R1_N_BIG && a->op != 'd' && a->n > 2;
    for (int i = 0; i < a->n && n >= 0; i++)
        if (!(bound && i < 2))
            n = r1_node_names(a->kid[i], ret, n, most);
    if (bound && n >= 0) { /* what the body names besides the bound one */
        r1_text inner[16];
        int m = r1_node_names(a->kid[0], inner, 0, 16);
        for (int i = 0; i < m && n >= 0; i++)
            if (!r1_text_same(inner[i], a->kid[1]->text)) {
                r1_node name = {.kind = R1_N_SYM, .text = inner[i]};
                n = r1_node_names(&name, ret, n, most);
            }
        n = m < 0 ? -1 : n;
    }
    return n;
}

const r1_node *r1_node_replace(r1_mctx *c, const r1_node *a, r1_text name, const r1_node *by) {
    if (a->kind == R1_N_SYM)
        return r1_text_same(a->text, name) ? by : a;
    if (a->n == 0)
        return a;
    r1_node *r = r1_node_new(c, a->kind, a->op, a->n);
    const r1_node **kid = r->kid;
    *r = *a;
    r->kid = kid;
    for (int i = 0; i < a->n; i++)
        kid[i] = r1_node_replace(c, a->kid[i], name, by);
    return r;
}
