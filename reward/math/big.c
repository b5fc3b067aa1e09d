/* Sums, products, limits and integrals; matrices, cases and aligned lines. */
#include "reward/math/parse.h"

#include <string.h>

#define TRY(x)           \
    do {                 \
        if (!(x))        \
            return NULL; \
    } while (0)

/* _{k=1} or _{x \to a}: the name and the value. */
static int lower(r1_parse *p, int rel, r1_node *ret_name, const r1_node **ret_value) {
    int braced = r1_parse_eat(p, R1_T_OP, '{');
    const r1_tok *k = r1_parse_peek(p);

    if (k->kind != R1_T_SYM && k->kind != R1_T_CONST)
        return 0;
    ret_name->text = k->text;
    p->i++;
    if (!r1_parse_eat(p, R1_T_REL, rel))
        return 0;
    *ret_value = r1_parse_sum(p);
    return *ret_value && (!braced || r1_parse_eat(p, R1_T_OP, '}'));
}

/* 3^{+}: a side does not matter for a value. */
static void drop_side(r1_parse *p) {
    if (r1_parse_is(p, R1_T_OP, '^') && p->t[p->i + 1].kind == R1_T_OP &&
        p->t[p->i + 1].code == '{' && p->t[p->i + 2].kind == R1_T_OP &&
        strchr("+-", p->t[p->i + 2].code) && p->t[p->i + 3].kind == R1_T_OP &&
        p->t[p->i + 3].code == '}')
        p->i += 4;
}

static const r1_node *limit(r1_parse *p) {
    r1_node *name = r1_node_new(p->c, R1_N_SYM, 0, 0);
    const r1_node *to;

    TRY(r1_parse_eat(p, R1_T_OP, '_') && r1_parse_eat(p, R1_T_OP, '{'));
    const r1_tok *k = r1_parse_peek(p);
    TRY(k->kind == R1_T_SYM);
    name->text = k->text;
    p->i++;
    TRY(r1_parse_eat(p, R1_T_REL, 't'));
    int minus = r1_parse_eat(p, R1_T_OP, '-');
    TRY(to = r1_parse_operand(p));
    to = minus ? r1_node_negate(p->c, to) : to;
    drop_side(p);
    TRY(r1_parse_eat(p, R1_T_OP, '}'));
    const r1_node *body = r1_parse_product(p);
    TRY(body);
    r1_node *a = r1_node_new(p->c, R1_N_BIG, 'l', 3);
    a->kid[0] = body, a->kid[1] = name, a->kid[2] = to;
    return a;
}

static int empty_braces(r1_parse *p) {
    if (!r1_parse_is(p, R1_T_OP, '{') || p->t[p->i + 1].kind != R1_T_OP ||
        p->t[p->i + 1].code != '}')
        return 0;
    p->i += 2;
    return 1;
}

/* The differential is a factor somewhere in the integrand: x dx, (x dx), \frac{3 dz}{z}. */
static const r1_node *integral(r1_parse *p) {
    const r1_node *from = NULL, *to = NULL, *body = NULL;
    r1_text outer = p->differential;
    int saved = p->integral;

    for (int k = 0; k < 2; k++) {
        if (r1_parse_eat(p, R1_T_OP, '_') && !empty_braces(p))
            TRY(from = r1_parse_script(p));
        if (r1_parse_eat(p, R1_T_OP, '^') && !empty_braces(p))
            TRY(to = r1_parse_script(p));
    }
    TRY(!from == !to);
    p->integral = 1;
    p->differential = (r1_text){0};
    body = r1_parse_sum(p);
    p->integral = saved;
    TRY(body && p->differential.n);
    r1_node *name = r1_node_new(p->c, R1_N_SYM, 0, 0);
    name->text = p->differential;
    p->differential = outer;
    r1_node *a = r1_node_new(p->c, R1_N_BIG, 'i', from ? 4 : 2);
    a->kid[0] = body, a->kid[1] = name;
    if (from)
        a->kid[2] = from, a->kid[3] = to;
    return a;
}

const r1_node *r1_parse_big(r1_parse *p) {
    int op = p->t[p->i - 1].code;
    r1_node *name = r1_node_new(p->c, R1_N_SYM, 0, 0);
    const r1_node *from = NULL, *to = NULL;

    if (op == 'l')
        return limit(p);
    if (op == 'i')
        return integral(p);
    for (int k = 0; k < 2; k++) {
        if (r1_parse_eat(p, R1_T_OP, '_'))
            TRY(lower(p, '=', name, &from));
        if (r1_parse_eat(p, R1_T_OP, '^'))
            TRY(to = r1_parse_script(p));
    }
    TRY(from && to);
    r1_text outer = p->bound;
    p->bound = name->text;
    const r1_node *body = r1_parse_product(p);
    p->bound = outer;
    TRY(body);
    r1_node *a = r1_node_new(p->c, R1_N_BIG, op, 4);
    a->kid[0] = body, a->kid[1] = name, a->kid[2] = from, a->kid[3] = to;
    return a;
}

/* ---- environments ---- */

static int is_matrix(r1_text name) {
    static const char *const names[] = {"matrix",   "pmatrix", "bmatrix", "Bmatrix",
                                        "vmatrix",  "Vmatrix", "array",   "smallmatrix",
                                        "pmatrix*", "bmatrix*"};

    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        if (r1_text_is(name, names[k]))
            return 1;
    return 0;
}

static int is_lines(r1_text name) {
    static const char *const names[] = {"aligned", "align",   "align*", "gathered",
                                        "cases",   "gather*", "split",  "equation*"};

    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        if (r1_text_is(name, names[k]))
            return 1;
    return 0;
}

static int skip_columns(r1_parse *p) {
    if (!r1_parse_eat(p, R1_T_OP, '{'))
        return 0;
    while (!r1_parse_is(p, R1_T_OP, '}'))
        if (r1_parse_peek(p)->kind == R1_T_END)
            return 0;
        else
            p->i++;
    p->i++;
    return 1;
}

/* "x & if x > 0": the pair of value and condition; a line without a condition is itself. */
static const r1_node *case_line(r1_parse *p) {
    const r1_node *value = r1_parse_rel(p), *when;
    r1_node *pair;

    TRY(value);
    r1_parse_eat(p, R1_T_OP, ',');
    r1_parse_eat(p, R1_T_OP, '&');
    const r1_tok *k = r1_parse_peek(p);
    if (k->kind == R1_T_ROW || k->kind == R1_T_ENDENV)
        return value;
    int word = k->kind == R1_T_JOIN && (k->code == 'i' || k->code == 'e');
    p->i += word;
    if (word && k->code == 'e') {
        pair = r1_node_new(p->c, R1_N_TEXT, 0, 0);
        pair->text = r1_text_of("otherwise");
        when = pair;
    } else {
        TRY(when = r1_parse_items(p));
    }
    pair = r1_node_2(p->c, R1_N_GROUP, 0, value, when);
    pair->open = '(', pair->close = ')';
    return pair;
}

static const r1_node *lines(r1_parse *p, r1_text name) {
    const r1_node *kid[64];
    int n = 0, cases = r1_text_is(name, "cases"), pairs = 0;

    do {
        if (r1_parse_peek(p)->kind == R1_T_ENDENV)
            break;
        r1_parse_eat(p, R1_T_OP, '&');
        TRY(n < 64 && (kid[n] = cases ? case_line(p) : r1_parse_rel(p)));
        pairs += cases && kid[n]->kind == R1_N_GROUP;
        n++;
        r1_parse_eat(p, R1_T_OP, ',');
    } while (r1_parse_eat(p, R1_T_ROW, 0));
    TRY(n && r1_parse_peek(p)->kind == R1_T_ENDENV && r1_text_same(r1_parse_peek(p)->text, name));
    p->i++;
    if (n == 1)
        return kid[0];
    TRY(pairs == 0 || pairs == n);
    r1_node *a = r1_node_new(p->c, pairs ? R1_N_GROUP : R1_N_LIST, pairs ? 0 : 'a', n);
    memcpy(a->kid, kid, (size_t)n * sizeof *kid);
    a->open = pairs ? '{' : '\0', a->close = pairs ? '}' : '\0';
    return a;
}

const r1_node *r1_parse_environment(r1_parse *p) {
    const r1_node **kid;
    r1_text name = p->t[p->i - 1].text;
    int n = 0, cols = 0, in_row = 0, bars = p->bars;

    if (is_lines(name))
        return lines(p, name);
    TRY(is_matrix(name));
    if (r1_text_is(name, "array"))
        TRY(skip_columns(p));
    kid = r1_mctx_take(p->c, 1024 * sizeof *kid);
    p->bars = 0;
    while (r1_parse_peek(p)->kind != R1_T_ENDENV) {
        TRY(n < 1024 && (kid[n] = r1_parse_rel(p)));
        n++, in_row++;
        if (r1_parse_eat(p, R1_T_OP, '&'))
            continue;
        TRY(cols == 0 || in_row == cols);
        cols = in_row, in_row = 0;
        if (!r1_parse_eat(p, R1_T_ROW, 0))
            break;
    }
    p->bars = bars;
    TRY(n && cols && in_row == 0 && r1_parse_peek(p)->kind == R1_T_ENDENV &&
        r1_text_same(r1_parse_peek(p)->text, name));
    p->i++;
    r1_node *a = r1_node_new(p->c, R1_N_MATRIX, 0, n);
    memcpy(a->kid, kid, (size_t)n * sizeof *kid);
    a->cols = cols;
    return r1_text_is(name, "vmatrix") ? r1_node_1(p->c, R1_N_FN, R1_FN_DET, a) : a;
}
