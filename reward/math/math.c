/* References, gradings; see math.h. */
#include "reward/math/math.h"

#include "common/base/mem.h"
#include "reward/extract.h"
#include "reward/math/compare.h"
#include "reward/math/find.h"

#include <string.h>

#define GOLD_BYTES  ((size_t)256 << 10) /* for each reference */
#define GRADE_BYTES ((size_t)4 << 20)
#define MAX_GOLDS   64

const r1_math_opts r1_math_defaults = {.precision = -1};

/* One way to read a reference. */
typedef struct reference {
    r1_text raw;
    const r1_node *tree, *other; /* other: by the other reading of a slash; NULL if there is none */
    int text;                    /* compared as words */
    int usable;
    char letter; /* of a choice */
    char calls[16];
} reference;

struct r1_math_gold {
    r1_math_opts o;
    r1_mctx c; /* what the trees live in */
    reference *ref;
    int n;
};

const char *r1_math_how_name(r1_math_how how) {
    static const char *const names[] = {
#define X(name, text) text,
        R1_MATH_HOW_LIST(X)
#undef X
    };
    return names[how];
}

const char *r1_math_why_name(r1_math_why why) {
    static const char *const names[] = {
#define X(name, text) text,
        R1_MATH_WHY_LIST(X)
#undef X
    };
    return names[why];
}

/* ---- references ---- */

/* Letters that a reference uses as functions. */
static void collect_calls(const r1_node *a, char *calls, size_t size) {
    size_t n = strlen(calls);

    if (a->kind == R1_N_FN && a->op == R1_FN_CALL && a->text.n == 1 && n + 1 < size) {
        calls[n] = a->text.s[0];
        calls[n + 1] = '\0';
    }
    for (int i = 0; i < a->n; i++)
        collect_calls(a->kid[i], calls, size);
}

/* The answer in a reference that is a text.  In training a reference is an answer or a solution
 * with a box, a tag or ####; nothing is guessed from its prose. */
static r1_text answer_of(r1_math_gold *g, const r1_math_opts *lenient, r1_text gold) {
    r1_math_opts strict = *lenient;
    r1_text found;

    if (!g->o.strict)
        return r1_math_find(&g->c, lenient, r1_text_of(""), gold, &found) ? found : gold;
    strict.strict = 1;
    if (r1_math_find(&g->c, &strict, r1_text_of(""), gold, &found) ||
        r1_extract_hash(gold, &found) == R1_PLACE_HASH)
        return found;
    return gold;
}

static void read_reference(r1_math_gold *g, reference *ref, r1_text gold) {
    r1_math_opts lenient = r1_math_defaults;
    r1_reading reading = {0}, second = {.other_slash = 1};

    lenient.choice = g->o.choice;
    memcpy(lenient.choices, g->o.choices, sizeof lenient.choices);
    lenient.n_choices = g->o.n_choices;
    gold = r1_text_trim(gold);
    if (g->o.choice)
        ref->letter = r1_math_find_choice(&g->c, &lenient, r1_text_of(""), gold);
    if (!g->o.whole)
        gold = answer_of(g, &lenient, gold);
    gold = r1_math_find_whole(&g->c, gold);
    ref->raw = r1_text_trim(gold);
    ref->usable = ref->raw.n > 0 && (!g->o.choice || ref->letter);
    if (ref->raw.n == 0 || ref->raw.n > R1_MATH_ANSWER_BYTES) {
        ref->usable = 0;
        return;
    }
    ref->tree = r1_math_read(&g->c, ref->raw, &reading);
    if (ref->tree && reading.ambiguous)
        ref->other = r1_math_read(&g->c, ref->raw, &second);
    ref->text =
        !ref->tree || ref->tree->kind == R1_N_TEXT || r1_text_is_wordy(ref->raw, reading.words);
    if (!ref->tree && !r1_text_is_words(ref->raw))
        ref->usable = 0;
    if (ref->tree)
        collect_calls(ref->tree, ref->calls, sizeof ref->calls);
}

r1_status r1_math_gold_open(r1_math_gold **ret, const r1_text *golds, int n,
                            const r1_math_opts *opts, r1_err *err) {
    r1_math_gold *g = NULL;
    r1_status st;

    R1_ASSERT(n >= 0 && n <= MAX_GOLDS);
    if ((st = R1_NEW(g, 1, err)) != R1_OK)
        return st;
    g->o = *opts;
    r1_mctx_init(&g->c, GOLD_BYTES * (size_t)(n + 1));
    if ((st = R1_NEW(g->ref, (size_t)n + 1, err)) != R1_OK)
        goto done;
    g->n = n;
    g->c.fuel *= n + 1;
    if (r1_mctx_guard(&g->c) == 0)
        for (int i = 0; i < n; i++)
            read_reference(g, &g->ref[i], golds[i]);
    if (g->c.no_memory)
        st = R1_FAIL(err, R1_NOMEM, "out of memory: a reference");
done:
    if (st == R1_OK)
        *ret = g;
    else
        r1_math_gold_close(g);
    return st;
}

void r1_math_gold_close(r1_math_gold *g) {
    if (!g)
        return;
    r1_mctx_done(&g->c);
    r1_free(g->ref);
    r1_free(g);
}

r1_status r1_math_gold_lint(const r1_math_gold *g, r1_err *err) {
    for (int i = 0; i < g->n; i++)
        if (g->ref[i].usable)
            return R1_OK;
    return R1_FAIL(err, R1_DATA, "the reference is %s",
                   g->n && g->ref[0].raw.n ? "no mathematics that can be read" : "empty");
}

/* ---- gradings ---- */

/* C, as of a choice among several. */
static int is_choice_letter(const reference *ref) {
    return ref->raw.n == 1 && ref->raw.s[0] >= 'A' && ref->raw.s[0] <= 'J';
}

typedef struct grading {
    r1_mctx c;
    r1_mcmp m;
    r1_text answer;
    r1_reading reading;
    const r1_node *tree, *list, *other;
} grading;

static void read_answer(grading *x, const reference *ref) {
    r1_reading list = {.no_groups = 1, .calls = ref->calls},
               other = {.other_slash = 1, .calls = ref->calls};

    list.units = other.units = ref->tree && ref->tree->kind == R1_N_UNIT;
    x->reading = (r1_reading){.calls = ref->calls, .units = list.units};
    x->list = x->other = NULL;
    x->tree = r1_math_read(&x->c, x->answer, &x->reading);
    if (x->tree && x->reading.grouped && ref->tree && ref->tree->kind == R1_N_LIST)
        x->list = r1_math_read(&x->c, x->answer, &list);
    if (x->tree && x->reading.ambiguous)
        x->other = r1_math_read(&x->c, x->answer, &other);
}

static r1_math_kind better(r1_mcmp *m, r1_math_kind have, const r1_node *gold,
                           const r1_node *pred) {
    r1_math_how how = m->how;
    r1_math_why why = m->why;

    if (have == R1_MATH_EQUAL || !gold || !pred)
        return have;
    if (r1_compare(m, gold, pred) == R1_MATH_EQUAL)
        return R1_MATH_EQUAL;
    m->how = how;
    m->why = why;
    return have;
}

static r1_math_kind against(grading *x, const reference *ref) {
    r1_mcmp *m = &x->m;

    if (!ref->usable)
        return ref->raw.n && r1_text_same(ref->raw, x->answer)
                   ? r1_compare_end(m, R1_MATH_EQUAL, R1_MATH_HOW_STRING, 0)
                   : r1_compare_end(m, R1_MATH_UNKNOWN, R1_MATH_HOW_NONE, R1_MATH_WHY_GOLD);
    if (x->answer.n > R1_MATH_ANSWER_BYTES)
        return r1_compare_end(m, R1_MATH_UNKNOWN, R1_MATH_HOW_NONE, R1_MATH_WHY_TOO_LONG);
    int none = (ref->tree && ref->tree->kind == R1_N_SET && ref->tree->op == 0) ||
               (ref->text && r1_text_says_none(&x->c, ref->raw));
    if (none && r1_text_says_none(&x->c, x->answer))
        return r1_compare_end(m, R1_MATH_EQUAL, R1_MATH_HOW_TEXT, 0);
    if (ref->text || is_choice_letter(ref)) {
        if (r1_text_agrees(&x->c, ref->raw, x->answer))
            return r1_compare_end(m, R1_MATH_EQUAL, R1_MATH_HOW_TEXT, 0);
        int product = ref->tree && ref->raw.n <= 3; /* C, xyz may be a product after all */
        if (!product)
            return r1_compare_end(m, R1_MATH_NOT_EQUAL, R1_MATH_HOW_TEXT, 0);
    }
    read_answer(x, ref);
    if (!x->tree)
        return r1_text_same(ref->raw, x->answer)
                   ? r1_compare_end(m, R1_MATH_EQUAL, R1_MATH_HOW_STRING, 0)
                   : r1_compare_end(m, R1_MATH_UNKNOWN, R1_MATH_HOW_NONE, R1_MATH_WHY_NO_PARSE);
    r1_math_kind k = r1_compare(m, ref->tree, x->tree);
    k = better(m, k, ref->tree, x->list);
    k = better(m, k, ref->tree, x->other);
    k = better(m, k, ref->other, x->tree);
    return better(m, k, ref->other, x->other);
}

static r1_math_kind grade_choice(grading *x, const r1_math_gold *g, r1_text question,
                                 r1_text response) {
    char letter = r1_math_find_choice(&x->c, &g->o, question, response);

    if (r1_math_gold_lint(g, NULL) != R1_OK)
        return r1_compare_end(&x->m, R1_MATH_UNKNOWN, R1_MATH_HOW_NONE, R1_MATH_WHY_GOLD);
    if (!letter)
        return r1_compare_end(&x->m, R1_MATH_UNKNOWN, R1_MATH_HOW_NONE, R1_MATH_WHY_NO_ANSWER);
    for (int i = 0; i < g->n; i++)
        if (g->ref[i].letter == letter)
            return r1_compare_end(&x->m, R1_MATH_EQUAL, R1_MATH_HOW_CHOICE, 0);
    return r1_compare_end(&x->m, R1_MATH_NOT_EQUAL, R1_MATH_HOW_CHOICE, 0);
}

/* The best over all references: equal, else different, else the first that is unknown. */
static r1_math_kind grade(grading *x, const r1_math_gold *g, r1_text question, r1_text response) {
    r1_math_kind best = R1_MATH_UNKNOWN;
    r1_math_how how = R1_MATH_HOW_NONE;
    r1_math_why why = R1_MATH_WHY_GOLD;

    if (g->o.choice)
        return grade_choice(x, g, question, response);
    if (g->o.whole)
        x->answer = r1_math_find_whole(&x->c, response);
    else if (!r1_math_find(&x->c, &g->o, question, response, &x->answer))
        x->answer = (r1_text){0};
    x->answer = r1_text_trim(x->answer);
    if (x->answer.n == 0 && r1_math_gold_lint(g, NULL) == R1_OK)
        return r1_compare_end(&x->m, R1_MATH_UNKNOWN, R1_MATH_HOW_NONE, R1_MATH_WHY_NO_ANSWER);
    for (int i = 0; i < g->n; i++) {
        r1_math_kind k = against(x, &g->ref[i]);
        if (i && k >= best)
            continue;
        best = k;
        how = x->m.how;
        why = x->m.why;
        if (k == R1_MATH_EQUAL)
            break;
    }
    return r1_compare_end(&x->m, best, how, why);
}

r1_status r1_math_grade(const r1_math_gold *g, r1_text question, r1_text response,
                        r1_math_result *ret, r1_err *err) {
    grading *x = NULL;
    r1_status st;

    if ((st = R1_NEW(x, 1, err)) != R1_OK)
        return st;
    r1_mctx_init(&x->c, GRADE_BYTES);
    x->m = (r1_mcmp){.c = &x->c, .o = &g->o};
    if (r1_mctx_guard(&x->c) == 0)
        ret->kind = grade(x, g, question, response);
    else
        ret->kind = r1_compare_end(&x->m, R1_MATH_UNKNOWN, R1_MATH_HOW_NONE, R1_MATH_WHY_FUEL);
    ret->how = x->m.how;
    ret->why = x->m.why;
    ret->fuel = R1_MATH_FUEL - x->c.fuel;
    if (x->c.no_memory)
        st = R1_FAIL(err, R1_NOMEM, "out of memory: a grading");
    r1_mctx_done(&x->c);
    r1_free(x);
    return st;
}

r1_status r1_math_parses(r1_text answer, r1_math_result *ret, r1_err *err) {
    r1_reading reading = {0};
    r1_mctx *c = NULL;
    r1_status st;

    if ((st = R1_NEW(c, 1, err)) != R1_OK)
        return st;
    r1_mctx_init(c, GRADE_BYTES);
    *ret = (r1_math_result){R1_MATH_UNKNOWN, R1_MATH_HOW_NONE, R1_MATH_WHY_NO_PARSE, 0};
    if (r1_mctx_guard(c) == 0 && answer.n <= R1_MATH_ANSWER_BYTES &&
        r1_math_read(c, r1_math_find_whole(c, answer), &reading))
        *ret = (r1_math_result){R1_MATH_EQUAL, R1_MATH_HOW_NONE, R1_MATH_WHY_NOTHING, 0};
    ret->fuel = R1_MATH_FUEL - c->fuel;
    if (c->no_memory)
        st = R1_FAIL(err, R1_NOMEM, "out of memory: a reading");
    r1_mctx_done(c);
    r1_free(c);
    return st;
}
