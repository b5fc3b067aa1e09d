/* Types: what of the two trees is compared with what.
 *
 * Rules kept here:
 *  - a name is a symbol, call, absolute value, tuple of names, or a product or ratio of names.  One
 *    leading "name =" is dropped from either side if the other side has no relation;
 *  - the last member of a chain counts; what follows an approximation sign does not, unless only a
 *    name or nothing stands before it.  A chain of unequal constants is wrong;
 *  - lists are unordered, with repetitions; sets without; tuples and matrices ordered.  A list of
 *    equations for several names keeps the names.  "1/2 or 50 %" is one value said twice;
 *  - a unit may be absent on one side; two units must measure the same and are converted. */
#include "reward/math/compare.h"
#include "reward/math/units.h"

#include <string.h>

#define MAX_ITEMS 64

#define END(kind, how) r1_compare_end(m, R1_MATH_##kind, R1_MATH_HOW_##how, R1_MATH_WHY_NOTHING)
#define UNKNOWN(why)   r1_compare_end(m, R1_MATH_UNKNOWN, R1_MATH_HOW_NONE, R1_MATH_WHY_##why)

/* ---- names and chains ---- */

static int is_name(const r1_node *a) {
    switch (a->kind) {
    case R1_N_SYM:
    case R1_N_TEXT:
        return 1;
    case R1_N_CONST:
        return a->op == 'e' || a->op == 'i'; /* letters of a longer name only: see below */
    case R1_N_FN:
        return a->op == R1_FN_CALL || (a->op == R1_FN_ABS && is_name(a->kid[0]));
    case R1_N_POW:
        return a->kid[1]->kind == R1_N_NUM && mpq_cmp_si(a->kid[1]->q, -1, 1) == 0 &&
               is_name(a->kid[0]);
    case R1_N_GROUP:
        if (a->open != '(')
            return 0;
        break;
    case R1_N_MUL:
    case R1_N_COLON:
        break;
    default:
        return 0;
    }
    for (int i = 0; i < a->n; i++)
        if (!is_name(a->kid[i]))
            return 0;
    return r1_node_has(a, R1_N_SYM, -1);
}

static int is_equation(const r1_node *a) {
    if (a->kind != R1_N_REL)
        return 0;
    for (size_t i = 0; i < a->text.n; i++)
        if (a->text.s[i] != '=')
            return 0;
    return 1;
}

/* name = value: the value; NULL if it is none. */
static const r1_node *value_of(const r1_node *a) {
    return is_equation(a) && a->n == 2 && is_name(a->kid[0]) && a->kid[0]->kind != R1_N_CONST
               ? a->kid[1]
               : NULL;
}

static int is_constant(const r1_node *a) {
    r1_text one[1];
    return r1_node_names(a, one, 0, 1) == 0 && !r1_node_has(a, R1_N_FN, R1_FN_CALL) &&
           !r1_node_has(a, R1_N_TEXT, -1) && a->kind != R1_N_GROUP && a->kind != R1_N_LIST &&
           a->kind != R1_N_MATRIX && a->kind != R1_N_SET && a->kind != R1_N_SETOP;
}

/* What is said beside a bare answer: the value of "name = value", of "5 = x", the set of "x in S",
 * the point of P(1, 2); NULL if it is more than that. */
static const r1_node *said_by(const r1_node *a) {
    if (a->kind == R1_N_MUL && a->n == 2 && a->kid[0]->kind == R1_N_SYM && a->kid[0]->text.n == 1 &&
        a->kid[0]->text.s[0] >= 'A' && a->kid[0]->text.s[0] <= 'Z' &&
        a->kid[1]->kind == R1_N_GROUP && a->kid[1]->open == '(' && a->kid[1]->close == ')')
        return a->kid[1];
    if (a->kind != R1_N_REL || a->n != 2)
        return NULL;
    if (a->text.s[0] == 'i')
        return a->kid[0]->kind == R1_N_SYM ? a->kid[1] : NULL;
    if (is_equation(a) && a->kid[1]->kind == R1_N_SYM && is_constant(a->kid[0]))
        return a->kid[0];
    return value_of(a);
}

/* A relation without what is only an approximation or a step; *ret_wrong: its constants differ. */
static const r1_node *shorten(r1_mcmp *m, const r1_node *a, int *ret_wrong) {
    int n = a->n, first = 0;

    *ret_wrong = 0;
    if (a->kind != R1_N_REL)
        return a;
    for (int i = 0; i + 1 < n; i++) {
        char op = a->text.s[i];
        if (op == '~' && !(i == 0 && is_name(a->kid[0]))) {
            n = i + 1;
            break;
        }
        if (op != '=' && op != '~')
            return a; /* an inequality or a congruence: nothing is a step */
    }
    if (n == 1)
        return a->kid[0];
    const r1_node *lhs = a->kid[0], *last = a->kid[n - 1];
    int named = is_name(lhs) && !is_constant(lhs), constants = 0;
    first = named;
    for (int i = first; i + 1 < n; i++)
        if (is_constant(a->kid[i]) && is_constant(a->kid[i + 1]) &&
            r1_compare(m, a->kid[i], a->kid[i + 1]) == R1_MATH_NOT_EQUAL)
            *ret_wrong = 1;
    for (int i = 1; i < n; i++)
        constants += is_constant(a->kid[i]);
    if (!named && n > 2 && constants == n - 1 && r1_node_has(lhs, R1_N_ADD, -1))
        return last; /* m + n = 3 + 4 = 7 */
    if (!named && is_constant(lhs))
        return n == 2 && !is_constant(last) ? a : last;
    if (n == 2 && a->text.s[0] == '=')
        return a;
    r1_node *r = r1_node_2(m->c, R1_N_REL, 0, lhs, last);
    r->text = r1_text_of("=");
    return r;
}

/* ---- units ---- */

static r1_text unit_name(const r1_node *u) {
    switch (u->op) {
    case '$':
        return r1_text_of("$");
    case 'E':
        return r1_text_of("euro");
    case 'L':
        return r1_text_of("sterling");
    case 'Y':
        return r1_text_of("yen");
    case 'R':
        return r1_text_of("rupee");
    case 'c':
        return r1_text_of("cent");
    case 'd':
        return r1_text_of("degree");
    default:
        return u->text;
    }
}

static int is_scalar(const r1_node *a) {
    return a->kind <= R1_N_FN || a->kind == R1_N_UNIT || a->kind == R1_N_BIG;
}

static int is_unit(const r1_node *a) {
    return a->kind == R1_N_UNIT && a->op != '%';
}

static r1_math_kind units(r1_mcmp *m, const r1_node *gold, const r1_node *pred) {
    long num, den;

    if (is_unit(gold) && is_unit(pred)) {
        if (!r1_unit_ratio(unit_name(gold), unit_name(pred), &num, &den))
            return END(NOT_EQUAL, TYPE);
        const r1_node *g = gold->kid[0];
        if (num != den) {
            r1_node *factor = r1_node_int(m->c, 0);
            mpq_set_si(factor->q, num, (unsigned long)den);
            mpq_canonicalize(factor->q);
            g = r1_node_2(m->c, R1_N_MUL, 0, factor, g);
        }
        return r1_compare(m, g, pred->kid[0]);
    }
    r1_math_kind k =
        is_unit(gold) ? r1_compare(m, gold->kid[0], pred) : r1_compare(m, gold, pred->kid[0]);
    const r1_node *other = is_unit(gold) ? pred : gold;
    int degrees = (is_unit(gold) ? gold : pred)->op == 'd';
    return k != R1_MATH_EQUAL && degrees && is_scalar(other) /* 90 degrees are pi/2 */
               ? r1_compare_scalars(m, gold, pred)
               : k;
}

/* ---- lists ---- */

typedef struct items {
    const r1_node *a[MAX_ITEMS];
    int n, set; /* set: repetitions do not count */
} items;

static int add(items *it, const r1_node *a) {
    if (it->n == MAX_ITEMS)
        return 0;
    it->a[it->n++] = a;
    return 1;
}

/* The tree with its k-th +- (in reading order) as this sign. */
static const r1_node *with_sign(r1_mctx *c, const r1_node *a, unsigned signs, int tied, int *io_k) {
    if (a->kind == R1_N_PM) {
        int bit = tied ? 0 : (*io_k)++;
        int minus = ((signs >> bit) & 1) ^ (a->op == '-');
        const r1_node *inner = with_sign(c, a->kid[0], signs, tied, io_k);
        return minus ? r1_node_negate(c, inner) : inner;
    }
    if (!r1_node_has(a, R1_N_PM, -1))
        return a;
    r1_node *r = r1_node_new(c, a->kind, a->op, a->n);
    const r1_node **kid = r->kid;
    *r = *a;
    r->kid = kid;
    for (int i = 0; i < a->n; i++)
        kid[i] = with_sign(c, a->kid[i], signs, tied, io_k);
    return r;
}

static int count_signs(const r1_node *a) {
    int n = a->kind == R1_N_PM;

    for (int i = 0; i < a->n; i++)
        n += count_signs(a->kid[i]);
    return n;
}

/* +- means two values; with a -+ beside it the signs are tied, else each is free. */
static int add_signs(r1_mcmp *m, items *it, const r1_node *a) {
    int n = count_signs(a), tied = r1_node_has(a, R1_N_PM, '-');

    n = tied && n ? 1 : n;
    if (n > 4)
        return 0;
    for (unsigned s = 0; s < 1u << n; s++) {
        int k = 0;
        if (!add(it, n ? with_sign(m->c, a, s, tied, &k) : a))
            return 0;
    }
    return 1;
}

/* Equations for several names, as a list or in brackets. */
static int is_system(const r1_node *a) {
    if (a->kind != R1_N_LIST && a->kind != R1_N_GROUP)
        return 0;
    for (int i = 0; i < a->n; i++)
        if (!value_of(a->kid[i]))
            return 0;
    return a->n > 1;
}

static int collect(r1_mcmp *m, items *it, const r1_node *a) {
    if (a->kind == R1_N_LIST || (a->kind == R1_N_GROUP && a->open == '{') || is_system(a)) {
        it->set |= a->kind == R1_N_GROUP && a->open == '{';
        for (int i = 0; i < a->n; i++) {
            if (a->kid[i]->kind == R1_N_LIST ? !add(it, a->kid[i]) : !add_signs(m, it, a->kid[i]))
                return 0;
        }
        return 1;
    }
    return add_signs(m, it, a);
}

static int is_several(const r1_node *a) {
    return a->kind == R1_N_LIST || (a->kind == R1_N_GROUP && a->open == '{') ||
           r1_node_has(a, R1_N_PM, -1);
}

/* How many different names the equations of a list are about; 0 if one is no equation. */
static int names_of(const items *it) {
    int different = 0;

    for (int i = 0; i < it->n; i++) {
        int known = 0;
        if (!value_of(it->a[i]))
            return 0;
        for (int j = 0; j < i; j++)
            known |= r1_node_same(it->a[i]->kid[0], it->a[j]->kid[0]);
        different += !known;
    }
    return different;
}

/* x_1 = 2, x_2 = 3 beside bare values or one name: the roots of one x. */
static int only_numbered(const items *it) {
    r1_text first = {0};

    for (int i = 0; i < it->n; i++) {
        const r1_node *a = it->a[i];
        const char *sub = value_of(a) && a->kid[0]->kind == R1_N_SYM
                              ? memchr(a->kid[0]->text.s, '_', a->kid[0]->text.n)
                              : NULL;
        if (!sub || sub[1] < '0' || sub[1] > '9')
            return 0;
        r1_text base = {a->kid[0]->text.s, (size_t)(sub - a->kid[0]->text.s)};
        if (i && !r1_text_same(first, base))
            return 0;
        first = base;
    }
    return it->n > 1;
}

/* x = 2, 3 and x = 2 or x = 3: one name that says nothing against bare values. */
static void drop_names(items *it) {
    int named = 0;

    for (int i = 0; i < it->n; i++)
        named |= value_of(it->a[i]) != NULL;
    if (!named || (names_of(it) > 1 && !only_numbered(it)))
        return;
    for (int i = 0; i < it->n; i++)
        if (value_of(it->a[i]))
            it->a[i] = value_of(it->a[i]);
}

typedef struct match {
    signed char edge[MAX_ITEMS][MAX_ITEMS]; /* 1 equal, 0 not, -1 unknown, 2 not asked yet */
    int of[MAX_ITEMS];                      /* the reference that a prediction is matched with */
    char seen[MAX_ITEMS];
    const items *g, *p;
    int unknown;
} match;

static int equal_items(r1_mcmp *m, match *x, int i, int j) {
    if (x->edge[i][j] == 2) {
        m->element = i;
        r1_math_kind k = r1_compare(m, x->g->a[i], x->p->a[j]);
        x->edge[i][j] = k == R1_MATH_EQUAL ? 1 : k == R1_MATH_NOT_EQUAL ? 0 : -1;
    }
    x->unknown |= x->edge[i][j] < 0;
    return x->edge[i][j] == 1;
}

static int augment(r1_mcmp *m, match *x, int i) {
    for (int j = 0; j < x->p->n; j++) {
        if (x->seen[j] || !equal_items(m, x, i, j))
            continue;
        x->seen[j] = 1;
        if (x->of[j] < 0 || augment(m, x, x->of[j])) {
            x->of[j] = i;
            return 1;
        }
    }
    return 0;
}

/* Each has a partner: one of its own in lists, any in sets. */
static int covers(r1_mcmp *m, match *x, int set) {
    for (int i = 0; i < x->g->n; i++) {
        int any = 0;
        memset(x->seen, 0, sizeof x->seen);
        for (int j = 0; set && j < x->p->n && !any; j++)
            any = equal_items(m, x, i, j);
        if (!(set ? any : augment(m, x, i)))
            return 0;
    }
    for (int j = 0; set && j < x->p->n; j++) {
        int any = 0;
        for (int i = 0; i < x->g->n && !any; i++)
            any = equal_items(m, x, i, j);
        if (!any)
            return 0;
    }
    return 1;
}

r1_math_kind r1_compare_ordered(r1_mcmp *m, const r1_node *const *g, const r1_node *const *p,
                                int n) {
    r1_math_kind all = R1_MATH_EQUAL;

    for (int i = 0; i < n; i++) {
        m->element = i;
        r1_math_kind k = r1_compare(m, g[i], p[i]);
        if (k == R1_MATH_NOT_EQUAL)
            return k;
        all = k == R1_MATH_UNKNOWN ? k : all;
    }
    return all == R1_MATH_EQUAL ? END(EQUAL, SET) : UNKNOWN(FUEL);
}

/* "9/20 or 45 %": one value in several forms. */
static int says_again(r1_mcmp *m, const r1_node *gold, const r1_node *pred) {
    if (is_several(gold) || pred->kind != R1_N_LIST || pred->op != 'o')
        return 0;
    for (int i = 0; i < pred->n; i++)
        if (r1_compare(m, gold, pred->kid[i]) != R1_MATH_EQUAL)
            return 0;
    return 1;
}

static r1_math_kind lists(r1_mcmp *m, const r1_node *gold, const r1_node *pred) {
    if (says_again(m, gold, pred))
        return END(EQUAL, SET);
    items *g = r1_mctx_take(m->c, sizeof *g), *p = r1_mctx_take(m->c, sizeof *p);
    match *x = r1_mctx_take(m->c, sizeof *x);

    if (!collect(m, g, gold) || !collect(m, p, pred))
        return UNKNOWN(FUEL);
    if (names_of(g) > 1 ||
        (names_of(p) > 1 && !only_numbered(p))) { /* bare values must stand in the names' order */
        int bare = !names_of(g) || !names_of(p);
        if (bare && g->n != p->n)
            return END(NOT_EQUAL, SET);
        if (bare)
            return r1_compare_ordered(m, g->a, p->a, g->n);
    } else {
        drop_names(g);
        drop_names(p);
    }
    int set = g->set || p->set;
    if (!set && g->n != p->n)
        return END(NOT_EQUAL, SET);
    x->g = g;
    x->p = p;
    memset(x->edge, 2, sizeof x->edge);
    memset(x->of, -1, sizeof x->of);
    if (covers(m, x, set))
        return END(EQUAL, SET);
    return x->unknown ? UNKNOWN(FUEL) : END(NOT_EQUAL, SET);
}

/* ---- the rest ---- */

/* Rows and columns are the tuples of their entries. */
static int as_tuple(const r1_node *a) {
    return (a->kind == R1_N_GROUP && a->open == '(' && a->close == ')') ||
           (a->kind == R1_N_MATRIX && (a->cols == 1 || a->cols == a->n));
}

static r1_math_kind matrices(r1_mcmp *m, const r1_node *gold, const r1_node *pred) {
    if (gold->n != pred->n || gold->cols != pred->cols)
        return END(NOT_EQUAL, TYPE);
    return r1_compare_ordered(m, gold->kid, pred->kid, gold->n);
}

/* a:b against c:d: the same numbers, or for ratios the same quotient; 7:30 is a time. */
static r1_math_kind colons(r1_mcmp *m, const r1_node *gold, const r1_node *pred) {
    if (gold->n != pred->n)
        return END(NOT_EQUAL, TYPE);
    r1_math_kind k = r1_compare_ordered(m, gold->kid, pred->kid, gold->n);
    const r1_node *minutes = gold->kid[gold->n - 1];
    int is_time =
        minutes->kind == R1_N_NUM && minutes->text.n == 2 && mpq_cmp_si(minutes->q, 60, 1) < 0;
    if (k != R1_MATH_NOT_EQUAL || (is_time && gold->n == 2) || r1_node_has(gold, R1_N_UNIT, -1) ||
        r1_node_has(pred, R1_N_UNIT, -1))
        return k;
    for (int i = 0; i + 1 < gold->n; i++) {
        k = r1_compare_scalars(m, r1_node_quotient(m->c, gold->kid[i], gold->kid[i + 1]),
                               r1_node_quotient(m->c, pred->kid[i], pred->kid[i + 1]));
        if (k != R1_MATH_EQUAL)
            return k;
    }
    return k;
}

static r1_math_kind relations(r1_mcmp *m, const r1_node *gold, const r1_node *pred) {
    if (r1_node_alike(m->c, gold, pred))
        return END(EQUAL, STRING);
    if (is_equation(gold) && is_equation(pred) && gold->n == 2 && pred->n == 2) {
        const r1_node *g = value_of(gold), *p = value_of(pred);
        if (g && p && r1_node_same(gold->kid[0], pred->kid[0]))
            return r1_compare(m, g, p);
        return r1_compare_equations(m, gold, pred);
    }
    if (gold->text.s[0] == 'i' && pred->text.s[0] == 'i')
        return r1_node_same(gold->kid[0], pred->kid[0]) ? r1_compare(m, gold->kid[1], pred->kid[1])
                                                        : END(NOT_EQUAL, TYPE);
    r1_math_kind k = r1_compare_regions(m, gold, pred);
    if (k == R1_MATH_EQUAL || (k == R1_MATH_NOT_EQUAL && m->how == R1_MATH_HOW_SET))
        return k;
    return gold->n == pred->n ? r1_compare_equations(m, gold, pred) : END(NOT_EQUAL, TYPE);
}

static int is_region(const r1_node *a) {
    return a->kind == R1_N_SETOP || a->kind == R1_N_SET ||
           (a->kind == R1_N_REL && !is_equation(a)) ||
           (a->kind == R1_N_GROUP && a->open != '{' && a->n == 2) ||
           (a->kind == R1_N_LIST && a->n && a->kid[0]->kind == R1_N_REL && !is_equation(a->kid[0]));
}

static r1_math_kind groups(r1_mcmp *m, const r1_node *gold, const r1_node *pred) {
    if (gold->open == pred->open && gold->close == pred->close && gold->n == pred->n) {
        r1_math_kind k = r1_compare_ordered(m, gold->kid, pred->kid, gold->n);
        if (k != R1_MATH_UNKNOWN || gold->n != 2)
            return k;
    }
    if (gold->n != 2 || pred->n != 2)
        return END(NOT_EQUAL, TYPE);
    r1_math_kind k = r1_compare_regions(m, gold, pred);
    if (k == R1_MATH_EQUAL || m->why == R1_MATH_WHY_FUEL)
        return k;
    return END(NOT_EQUAL, TYPE);
}

static r1_math_kind by_type(r1_mcmp *m, const r1_node *gold, const r1_node *pred) {
    if (gold->kind == R1_N_BASE || pred->kind == R1_N_BASE)
        return gold->kind == pred->kind && mpq_equal(gold->q, pred->q) &&
                       r1_text_same(gold->text, pred->text)
                   ? END(EQUAL, STRING)
                   : END(NOT_EQUAL, TYPE);
    if (gold->kind == R1_N_TEXT || pred->kind == R1_N_TEXT)
        return r1_text_agrees(m->c, gold->text, pred->text) ? END(EQUAL, TEXT)
                                                            : END(NOT_EQUAL, TEXT);
    if (gold->kind == R1_N_GROUP && pred->kind == R1_N_GROUP && gold->open != '{' &&
        pred->open != '{')
        return groups(m, gold, pred);
    if (is_system(gold) && is_system(pred))
        return lists(m, gold, pred);
    if (is_region(gold) && (is_region(pred) || pred->kind == R1_N_GROUP))
        return gold->kind == R1_N_REL && pred->kind == R1_N_REL ? relations(m, gold, pred)
                                                                : r1_compare_regions(m, gold, pred);
    if (gold->kind == R1_N_SETOP && pred->kind == R1_N_LIST && pred->op == 'o')
        return r1_compare_regions(m, gold, pred); /* (0, 1) or (2, 3) */
    if (gold->kind == R1_N_GROUP && is_region(pred) && gold->open == '{')
        return r1_compare_regions(m, gold, pred);
    if (pred->kind == R1_N_GROUP && pred->open == '{' && !is_several(gold))
        return END(NOT_EQUAL, TYPE); /* a set is no number */
    if (is_several(gold) || is_several(pred))
        return lists(m, gold, pred);
    const r1_node *g = r1_compare_matrix(m->c, gold), *p = g && g->n == 2 && g->cols == 1
                                                               ? r1_compare_column(m->c, pred)
                                                               : r1_compare_matrix(m->c, pred);
    if (g && p)
        return matrices(m, g, p);
    gold = g ? g : gold;
    pred = p ? p : pred;
    if (as_tuple(gold) && as_tuple(pred))
        return gold->n == pred->n ? r1_compare_ordered(m, gold->kid, pred->kid, gold->n)
                                  : END(NOT_EQUAL, TYPE);
    if (gold->kind == R1_N_COLON && pred->kind == R1_N_COLON)
        return colons(m, gold, pred);
    if (gold->kind == R1_N_REL && pred->kind == R1_N_REL)
        return relations(m, gold, pred);
    if (is_scalar(gold) && is_scalar(pred))
        return r1_compare_scalars(m, gold, pred);
    return END(NOT_EQUAL, TYPE);
}

r1_math_kind r1_compare(r1_mcmp *m, const r1_node *gold, const r1_node *pred) {
    int wrong;
    r1_math_kind k;

    r1_mctx_burn(m->c, 2);
    if (++m->depth > R1_MATH_DEPTH) {
        m->depth--;
        return UNKNOWN(FUEL);
    }
    gold = shorten(m, gold, &wrong);
    pred = shorten(m, pred, &wrong);
    const r1_node *g = said_by(gold), *p = said_by(pred);
    if (wrong)
        k = END(NOT_EQUAL, EQUATION);
    else if (r1_node_same(gold, pred))
        k = END(EQUAL, STRING);
    else if (r1_compare_systems(m, gold, pred, &k) || r1_compare_congruences(m, gold, pred, &k))
        ; /* decided */
    else if (g && pred->kind != R1_N_REL)
        k = r1_compare(m, g, pred);
    else if (p && gold->kind != R1_N_REL)
        k = r1_compare(m, gold, p);
    else if (is_unit(gold) || is_unit(pred))
        k = units(m, gold, pred);
    else
        k = by_type(m, gold, pred);
    m->depth--;
    return k;
}
