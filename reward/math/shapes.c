/* Answers of several values in other clothes: systems as tuples, matrices with a factor, moduli.
 *
 * Rules kept here:
 *  - x = 1, y = 2 and (x, y) = (1, 2) say the same; a bare tuple stands in the order of the names;
 *  - a factor of a matrix multiplies its entries, ^T transposes; [[1, 2], [3, 4]] is a matrix,
 *    \binom{a}{b} a column where the reference has one;
 *  - congruences with the same modulus agree if their sides differ by a multiple of it. */
#include "reward/math/compare.h"

#include <string.h>

#define MAX_NAMES 16

#define END(kind, how) r1_compare_end(m, R1_MATH_##kind, R1_MATH_HOW_##how, R1_MATH_WHY_NOTHING)

/* ---- systems ---- */

typedef struct system {
    r1_text name[MAX_NAMES];
    const r1_node *value[MAX_NAMES];
    int n;
} system;

/* 0 if the name is there already or there is no room. */
static int assign(system *s, const r1_node *name, const r1_node *value) {
    for (int i = 0; i < s->n; i++)
        if (r1_text_same(s->name[i], name->text))
            return 0;
    if (s->n == MAX_NAMES || name->kind != R1_N_SYM)
        return 0;
    s->name[s->n] = name->text;
    s->value[s->n++] = value;
    return 1;
}

static int is_tuple(const r1_node *a) {
    return a->kind == R1_N_GROUP && a->open == '(' && a->close == ')';
}

/* One equation "name = value" each, or (x, y) = (1, 2); 0 if it is no such thing. */
static int read_system(const r1_node *a, system *s) {
    s->n = 0;
    if (a->kind == R1_N_REL && a->n == 2 && a->text.s[0] == '=' && is_tuple(a->kid[0]) &&
        is_tuple(a->kid[1]) && a->kid[0]->n == a->kid[1]->n) {
        for (int i = 0; i < a->kid[0]->n; i++)
            if (!assign(s, a->kid[0]->kid[i], a->kid[1]->kid[i]))
                return 0;
        return 1;
    }
    if (a->kind != R1_N_LIST && a->kind != R1_N_GROUP)
        return 0;
    for (int i = 0; i < a->n; i++) {
        const r1_node *k = a->kid[i];
        if (k->kind != R1_N_REL || k->n != 2 || k->text.s[0] != '=' ||
            !assign(s, k->kid[0], k->kid[1]))
            return 0;
    }
    return s->n > 1;
}

static int before(r1_text a, r1_text b) {
    int d = memcmp(a.s, b.s, a.n < b.n ? a.n : b.n);
    return d ? d < 0 : a.n < b.n;
}

static void sort_names(system *s) {
    for (int i = 1; i < s->n; i++)
        for (int j = i; j > 0 && before(s->name[j], s->name[j - 1]); j--) {
            r1_text name = s->name[j];
            const r1_node *value = s->value[j];
            s->name[j] = s->name[j - 1], s->value[j] = s->value[j - 1];
            s->name[j - 1] = name, s->value[j - 1] = value;
        }
}

int r1_compare_systems(r1_mcmp *m, const r1_node *gold, const r1_node *pred, r1_math_kind *ret) {
    system g, p;
    int is_g = read_system(gold, &g), is_p = read_system(pred, &p);

    if (is_g && is_p && g.n == p.n) {
        sort_names(&g);
        sort_names(&p);
        for (int i = 0; i < g.n; i++)
            if (!r1_text_same(g.name[i], p.name[i]))
                return 0;
        *ret = r1_compare_ordered(m, g.value, p.value, g.n);
        return 1;
    }
    if (is_g && is_tuple(pred) && pred->n == g.n) {
        sort_names(&g);
        *ret = r1_compare_ordered(m, g.value, pred->kid, g.n);
        return 1;
    }
    if (is_p && is_tuple(gold) && gold->n == p.n) {
        sort_names(&p);
        *ret = r1_compare_ordered(m, gold->kid, p.value, p.n);
        return 1;
    }
    return 0;
}

/* ---- matrices ---- */

/* [[1, 2], [3, 4]] */
static const r1_node *nested_rows(r1_mctx *c, const r1_node *a) {
    if (a->kind != R1_N_GROUP || a->open != '[' || a->close != ']' || a->n < 1)
        return NULL;
    int cols = a->kid[0]->n;
    for (int i = 0; i < a->n; i++)
        if (a->kid[i]->kind != R1_N_GROUP || a->kid[i]->open != '[' || a->kid[i]->close != ']' ||
            a->kid[i]->n != cols)
            return NULL;
    r1_node *r = r1_node_new(c, R1_N_MATRIX, 0, a->n * cols);
    r->cols = cols;
    for (int i = 0; i < r->n; i++)
        r->kid[i] = a->kid[i / cols]->kid[i % cols];
    return r;
}

/* ^T of a matrix; of a tuple: a column. */
static const r1_node *transposed(r1_mctx *c, const r1_node *a) {
    const r1_node *b = a->kid[0];

    if (a->kid[1]->kind != R1_N_SYM || !r1_text_is(a->kid[1]->text, "T") ||
        !(b->kind == R1_N_MATRIX || is_tuple(b)))
        return NULL;
    int cols = b->kind == R1_N_MATRIX ? b->cols : b->n, rows = b->n / cols;
    r1_node *r = r1_node_new(c, R1_N_MATRIX, 0, b->n);
    r->cols = rows;
    for (int i = 0; i < b->n; i++)
        r->kid[i] = b->kid[i % rows * cols + i / rows];
    return r;
}

const r1_node *r1_compare_matrix(r1_mctx *c, const r1_node *a) {
    if (a->kind == R1_N_MATRIX)
        return a;
    if (a->kind == R1_N_POW)
        return transposed(c, a);
    if (a->kind != R1_N_MUL || a->n != 2)
        return nested_rows(c, a);
    int at = r1_compare_matrix(c, a->kid[1]) ? 1 : 0;
    const r1_node *b = r1_compare_matrix(c, a->kid[at]), *factor = a->kid[1 - at];
    if (!b || factor->kind > R1_N_FN || r1_node_has(factor, R1_N_MATRIX, -1))
        return NULL;
    r1_node *r = r1_node_new(c, R1_N_MATRIX, 0, b->n);
    r->cols = b->cols;
    for (int i = 0; i < b->n; i++)
        r->kid[i] = r1_node_2(c, R1_N_MUL, 0, factor, b->kid[i]);
    return r;
}

const r1_node *r1_compare_column(r1_mctx *c, const r1_node *a) {
    if (a->kind != R1_N_FN || a->op != R1_FN_BINOM)
        return r1_compare_matrix(c, a);
    r1_node *r = r1_node_2(c, R1_N_MATRIX, 0, a->kid[0], a->kid[1]);
    r->cols = 1;
    return r;
}

/* ---- congruences ---- */

/* x = a (mod n), a (mod n): a and n; 0 if it is none. */
static int congruence(const r1_node *a, const r1_node **ret_value, const r1_node **ret_modulus) {
    if (a->kind != R1_N_REL || a->text.s[a->text.n - 1] != 'm' || a->n < 2 || a->n > 3 ||
        (a->n == 3 && (a->kid[0]->kind != R1_N_SYM || !strchr("c=", a->text.s[0]))))
        return 0;
    *ret_value = a->kid[a->n - 2];
    *ret_modulus = a->kid[a->n - 1];
    return 1;
}

int r1_compare_congruences(r1_mcmp *m, const r1_node *gold, const r1_node *pred,
                           r1_math_kind *ret) {
    const r1_node *a, *b, *n, *o;
    mpq_ptr x = r1_mctx_number(m->c), y = r1_mctx_number(m->c), z = r1_mctx_number(m->c);

    if (!congruence(gold, &a, &n) || !congruence(pred, &b, &o) ||
        (gold->n == 3 && pred->n == 3 && !r1_node_same(gold->kid[0], pred->kid[0])) ||
        !r1_value_rational(m->c, a, x) || !r1_value_rational(m->c, b, y) ||
        !r1_value_rational(m->c, n, z) || r1_compare(m, n, o) != R1_MATH_EQUAL || !mpq_sgn(z))
        return 0;
    mpq_sub(x, x, y);
    mpq_div(x, x, z);
    *ret = mpz_cmp_ui(mpq_denref(x), 1) == 0 ? END(EQUAL, RATIONAL) : END(NOT_EQUAL, RATIONAL);
    return 1;
}
