/* Numbers and names. */
#include "reward/math/parse.h"

#include <string.h>

#define TRY(x)           \
    do {                 \
        if (!(x))        \
            return NULL; \
    } while (0)

/* ---- numbers ---- */

/* digits with separators and a point, as digits * 10^-places. */
static int decimal(r1_mctx *c, r1_text t, mpq_ptr ret, int *ret_places) {
    char *digits = r1_mctx_take(c, t.n + 1);
    size_t n = 0;
    int places = -1;

    for (size_t i = 0; i < t.n; i++) {
        if (t.s[i] == '.')
            places = 0;
        if (t.s[i] < '0' || t.s[i] > '9')
            continue;
        digits[n++] = t.s[i];
        places += places >= 0;
    }
    if (n == 0 && places < 0)
        return 0;
    if (n > 0)
        mpz_set_str(mpq_numref(ret), digits, 10);
    mpz_ui_pow_ui(mpq_denref(ret), 10, places > 0 ? (unsigned long)places : 0);
    mpq_canonicalize(ret);
    *ret_places = places;
    return 1;
}

static void scale(mpq_ptr q, int exponent) {
    mpq_t power;

    mpq_init(power);
    mpz_ui_pow_ui(mpq_numref(power), 10, (unsigned long)(exponent < 0 ? -exponent : exponent));
    if (exponent < 0)
        mpq_div(q, q, power);
    else
        mpq_mul(q, q, power);
    mpq_clear(power);
}

const r1_node *r1_parse_number(r1_parse *p, const r1_tok *k) {
    r1_node *a = r1_node_new(p->c, R1_N_NUM, 'd', 0);

    r1_mctx_burn(p->c, (long)(k->text.n / 32) + (k->code < 0 ? -k->code : k->code) / 32);
    a->q = r1_mctx_number(p->c);
    TRY(decimal(p->c, k->text, a->q, &a->places));
    a->text = k->text;
    if (k->rep.n) { /* 0.1(6) = 0.1 + 6 / (10^1 (10^1 - 1)) */
        mpq_ptr rep = r1_mctx_number(p->c), nines = r1_mctx_number(p->c);
        int none;
        TRY(decimal(p->c, k->rep, rep, &none));
        mpz_ui_pow_ui(mpq_numref(nines), 10, k->rep.n);
        mpz_sub_ui(mpq_numref(nines), mpq_numref(nines), 1);
        mpq_div(rep, rep, nines);
        scale(rep, a->places > 0 ? -a->places : 0);
        mpq_add(a->q, a->q, rep);
        a->places = -1;
        a->op = 0;
    }
    if (k->code) {
        scale(a->q, k->code);
        a->op = 0;
        a->places = a->places > k->code ? a->places - k->code : -1;
    }
    return a;
}

/* 101_{2}, 101_{\text{two}} */
const r1_node *r1_parse_based(r1_parse *p, const r1_node *digits) {
    static const char *const words[] = {"two",   "three", "four", "five", "six",
                                        "seven", "eight", "nine", "ten"};
    r1_text sub;

    TRY(r1_parse_subscript(p, &sub));
    if (sub.n > 4 && memcmp(sub.s, "base", 4) == 0)
        sub = (r1_text){sub.s + 4, sub.n - 4};
    for (int k = 0; k < 9; k++)
        if (r1_text_is(sub, words[k]))
            sub = r1_mctx_format(p->c, "%d", k + 2);
    r1_node *a = r1_node_new(p->c, R1_N_BASE, 0, 0);
    a->q = r1_mctx_number(p->c);
    a->text = digits->text;
    int none;
    TRY(decimal(p->c, sub, a->q, &none));
    for (size_t i = 0; i < sub.n; i++)
        TRY(sub.s[i] >= '0' && sub.s[i] <= '9');
    for (size_t i = 0; i < a->text.n; i++)
        TRY(a->text.s[i] >= '0' && a->text.s[i] <= '9' &&
            mpq_cmp_si(a->q, a->text.s[i] - '0', 1) > 0);
    while (a->text.n > 1 && a->text.s[0] == '0')
        a->text = (r1_text){a->text.s + 1, a->text.n - 1};
    return a;
}

/* ---- names ---- */

static int token_text(r1_parse *p, const r1_tok *k, r1_text *io) {
    r1_text t = k->text;

    if (k->kind == R1_T_OP || k->kind == R1_T_REL)
        t = r1_mctx_format(p->c, "%c", k->code);
    else if (k->kind != R1_T_NUM && k->kind != R1_T_SYM && k->kind != R1_T_CONST &&
             k->kind != R1_T_WORD && k->kind != R1_T_FN)
        return 0;
    *io = r1_mctx_format(p->c, "%.*s%.*s", (int)io->n, io->s, (int)t.n, t.s);
    return 1;
}

int r1_parse_subscript(r1_parse *p, r1_text *ret) {
    int depth = 0;

    *ret = r1_text_of("");
    do {
        const r1_tok *k = r1_parse_peek(p);
        if (k->kind == R1_T_END || ret->n > 64)
            return 0;
        p->i++;
        if (k->kind == R1_T_OP && (k->code == '{' || k->code == '}'))
            depth += k->code == '{' ? 1 : -1;
        else if (!token_text(p, k, ret))
            return 0;
    } while (depth > 0);
    return depth == 0 && ret->n > 0;
}

static int is_call(const r1_parse *p, const r1_tok *k, r1_text name) {
    const r1_tok *next = r1_parse_peek(p);

    if (next->kind != R1_T_OP || next->code != '(' || next->space)
        return 0;
    if (name.n == 1 && strchr("fgh", name.s[0]))
        return 1;
    if (p->reading->calls && name.n == 1 && strchr(p->reading->calls, name.s[0]))
        return 1;
    if (k != p->t)
        return 0;
    int depth = 0, i = p->i; /* a name (...) = at the very beginning */
    for (; p->t[i].kind != R1_T_END; i++)
        if (p->t[i].kind == R1_T_OP) {
            depth += p->t[i].code == '(' ? 1 : p->t[i].code == ')' ? -1 : 0;
            if (depth == 0)
                return p->t[i + 1].kind == R1_T_REL;
        }
    return 0;
}

static const r1_node *call(r1_parse *p, r1_text name) {
    p->i++;
    const r1_node *args = r1_parse_list(p);
    TRY(args && r1_parse_eat(p, R1_T_OP, ')'));
    r1_node *a = r1_node_new(p->c, R1_N_FN, R1_FN_CALL, args->kind == R1_N_LIST ? args->n : 1);
    if (args->kind == R1_N_LIST)
        memcpy(a->kid, args->kid, (size_t)args->n * sizeof *a->kid);
    else
        a->kid[0] = args;
    a->text = name;
    return a;
}

/* A name with its subscript, which may stand behind its exponent, and primes. */
const r1_node *r1_parse_named(r1_parse *p, const r1_tok *k, r1_text name) {
    const r1_node *exponent = NULL;
    r1_text sub;

    if (r1_parse_is(p, R1_T_OP, '^')) {
        int at = p->i++;
        exponent = r1_parse_script(p);
        if (!exponent || !r1_parse_is(p, R1_T_OP, '_')) {
            p->i = at;
            exponent = NULL;
        }
    }
    if (r1_parse_eat(p, R1_T_OP, '_')) {
        TRY(r1_parse_subscript(p, &sub));
        name = r1_mctx_format(p->c, "%.*s_%.*s", (int)name.n, name.s, (int)sub.n, sub.s);
    }
    while (r1_parse_is(p, R1_T_OP, '\'') || r1_parse_is(p, R1_T_OP, '"')) {
        name = r1_mctx_format(p->c, "%.*s%s", (int)name.n, name.s,
                              r1_parse_peek(p)->code == '"' ? "''" : "'");
        p->i++;
    }
    if (is_call(p, k, name))
        return call(p, name);
    r1_node *a = r1_node_new(p->c, R1_N_SYM, 0, 0);
    a->text = name;
    return exponent ? r1_node_2(p->c, R1_N_POW, 0, a, exponent) : a;
}

/* \overline{3+4i}, \bar{x}_i, \overline{AB} */
const r1_node *r1_parse_barred(r1_parse *p, const r1_tok *k) {
    static const char *const names[] = {"bar", "hat", "vec", "tilde", "dot"};
    int at = p->i;
    r1_text sub;

    if (k->code == 'o' || k->code == 'b') {
        const r1_node *a = r1_parse_operand(p);
        if (a && r1_node_has(a, R1_N_CONST, 'i'))
            return r1_node_1(p->c, R1_N_FN, R1_FN_CONJ, a);
        p->i = at;
    }
    TRY(r1_parse_subscript(p, &sub));
    for (int n = 0; n < 5; n++)
        if (k->code == names[n][0] || (k->code == 'o' && n == 0))
            return r1_parse_named(p, k,
                                  r1_mctx_format(p->c, "%s(%.*s)", names[n], (int)sub.n, sub.s));
    return NULL;
}
