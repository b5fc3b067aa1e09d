/* Pre-tokenizers; see pretokenize.h. */
#include "common/tokenizer/pretokenize.h"

#include "common/base/mem.h"
#include "common/tokenizer/utf8.h"

#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#define MAX_STEPS 8

/* One cut: an expression whose matches, and what lies between them, become pieces. */
typedef struct step {
    pcre2_code *re;   /* NULL: leaves the pieces whole */
    int prefix_space; /* ByteLevel's add_prefix_space: a piece without a space in front gets one */
} step;

struct r1_pretok {
    step steps[MAX_STEPS];
    int n;
    int lines_cut; /* no piece holds a line end and something else */
};

/* The expressions as the files have them, with line ends written \r and \n and characters beyond
 * ASCII \x{hex}: as characters, some would not survive an editor that normalizes. */
enum {
    GPT2,
    QWEN2,
    LLAMA3,
    COVERING, /* those before match every text as a whole */
    DIGIT = COVERING,
    DIGITS3,
    DEEPSEEK3_CJK, /* DeepSeek-V3 and R1: three cuts, after one another */
    DEEPSEEK3_TEXT,
    LINE_END, /* DeepSeek LLM, V2 and Coder */
    WORD,
    PUNCTUATION,
    DEEPSEEK_LETTERS,
    DEEPSEEK_SIGNS,
    TRAILING_SPACE,
    DEEPSEEK_CJK,
    EXPRESSIONS,
    /* Cuts that are no Split in a file. */
    SINGLE_DIGITS,
    BYTES,      /* ByteLevel on pieces that are cut already */
    BYTES_GPT2, /* ByteLevel that cuts by GPT-2's expression */
};

static const char *const expressions[EXPRESSIONS] = {
    [GPT2] = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
    [QWEN2] = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}"
              "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
    [LLAMA3] = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"
               "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
    [DIGIT] = "\\p{N}",
    [DIGITS3] = "\\p{N}{1,3}",
    [DEEPSEEK3_CJK] = "[\\x{4e00}-\\x{9fa5}\\x{3040}-\\x{309f}\\x{30a0}-\\x{30ff}]+",
    [DEEPSEEK3_TEXT] = "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+"
                       "|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*"
                       "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
    [LINE_END] = "[\\r\\n]",
    [WORD] = "\\s?\\p{L}+",
    [PUNCTUATION] = "\\s?\\p{P}+",
    [DEEPSEEK_LETTERS] = "\\s?[A-Za-z\\x{b5}\\x{c0}-\\x{d6}\\x{d8}-\\x{f6}\\x{f8}-\\x{1ba}"
                         "\\x{1bc}-\\x{1bf}\\x{1c4}-\\x{293}\\x{295}-\\x{2af}\\x{370}-\\x{373}"
                         "\\x{376}\\x{377}\\x{37b}-\\x{37d}\\x{37f}\\x{386}\\x{388}-\\x{38a}"
                         "\\x{38c}\\x{38e}-\\x{3a1}\\x{3a3}-\\x{3f5}\\x{3f7}-\\x{481}"
                         "\\x{48a}-\\x{52f}\\x{531}-\\x{556}\\x{10a0}-\\x{10c5}\\x{13a0}-\\x{13f5}"
                         "\\x{13f8}-\\x{13fd}\\x{1c90}-\\x{1cba}\\x{1cbd}-\\x{1cbf}"
                         "\\x{1d00}-\\x{1d2b}\\x{1d6b}-\\x{1d77}\\x{1d79}-\\x{1d9a}"
                         "\\x{1e00}-\\x{1f15}\\x{1f18}-\\x{1f1d}\\x{1f20}-\\x{1f45}"
                         "\\x{1f48}-\\x{1f4d}\\x{1f50}-\\x{1f57}\\x{1f59}\\x{1f5b}\\x{1f5d}"
                         "\\x{1f5f}-\\x{1f7d}\\x{1f80}-\\x{1fb4}\\x{1fb6}-\\x{1fbc}\\x{1fbe}"
                         "\\x{1fc2}-\\x{1fc4}\\x{1fc6}-\\x{1fcc}\\x{1fd0}-\\x{1fd3}"
                         "\\x{1fd6}-\\x{1fdb}\\x{1fe0}-\\x{1fec}\\x{1ff2}-\\x{1ff4}"
                         "\\x{1ff6}-\\x{1ffc}\\x{2102}\\x{2107}\\x{210a}-\\x{2113}\\x{2115}"
                         "\\x{2119}-\\x{211d}\\x{2124}\\x{2126}\\x{2128}\\x{212a}-\\x{212d}"
                         "\\x{212f}-\\x{2134}\\x{2139}\\x{213c}-\\x{213f}\\x{2145}-\\x{2149}"
                         "\\x{214e}\\x{2183}\\x{2184}\\x{2c00}-\\x{2c7b}\\x{2c7e}-\\x{2ce4}"
                         "\\x{2ceb}-\\x{2cee}\\x{2cf2}\\x{2cf3}\\x{a640}-\\x{a66d}"
                         "\\x{a680}-\\x{a69b}\\x{a722}-\\x{a76f}\\x{a771}-\\x{a787}"
                         "\\x{a78b}-\\x{a78e}\\x{ab70}-\\x{abbf}\\x{fb00}-\\x{fb06}"
                         "\\x{fb13}-\\x{fb17}\\x{ff21}-\\x{ff3a}\\x{ff41}-\\x{ff5a}"
                         "\\x{10400}-\\x{1044f}\\x{104b0}-\\x{104d3}\\x{104d8}-\\x{104fb}"
                         "\\x{10c80}-\\x{10cb2}\\x{10cc0}-\\x{10cf2}\\x{118a0}-\\x{118df}"
                         "\\x{1e900}-\\x{1e943}]+",
    [DEEPSEEK_SIGNS] = "\\s?[!-/:-~\\x{ff01}-\\x{ff0f}\\x{ff1a}-\\x{ff5e}\\x{2018}-\\x{201f}"
                       "\\x{3000}-\\x{3002}]+",
    [TRAILING_SPACE] = "\\s+$",
    [DEEPSEEK_CJK] = "[\\x{4e00}-\\x{9fa5}\\x{800}-\\x{4e00}\\x{ac00}-\\x{d7ff}]+",
};

/* What is run for TRAILING_SPACE: the same matches in pieces without line ends, but not in
 * quadratic time (\s+$ would be tried from every blank of a run). */
static const char trailing_space[] = "(?<!\\s)\\s++$";

/* Names in GGUF files, and the cuts they stand for. */
static const struct {
    const char *names; /* between blanks */
    int nfc, ignore_merges;
    int cuts[8]; /* up to one of BYTES and BYTES_GPT2 */
} named[] = {
    {" gpt-2 gpt2 ", 0, 0, {BYTES_GPT2}},
    {" smollm ", 0, 0, {SINGLE_DIGITS, BYTES_GPT2}},
    {" qwen2 ", 1, 0, {QWEN2, BYTES}},
    {" deepseek-r1-qwen ", 0, 0, {QWEN2, BYTES}},
    {" llama-bpe llama3 llama-v3 ", 0, 1, {LLAMA3, BYTES}},
    {" deepseek-v3 ", 0, 0, {DIGITS3, DEEPSEEK3_CJK, DEEPSEEK3_TEXT, BYTES}},
    {" deepseek-llm ",
     0,
     0,
     {LINE_END, DEEPSEEK_LETTERS, DEEPSEEK_SIGNS, TRAILING_SPACE, DEEPSEEK_CJK, SINGLE_DIGITS,
      BYTES}},
    {" deepseek-coder ", 0, 0, {LINE_END, WORD, PUNCTUATION, DEEPSEEK_CJK, SINGLE_DIGITS, BYTES}},
};

/* White_Space of Unicode, which \s is for Oniguruma; PCRE2 counts U+180E and, without UCP, knows
 * ASCII only. */
#define BLANKS                                                                                    \
    "\\x{09}-\\x{0d}\\x{20}\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}" \
    "\\x{205f}\\x{3000}"

static r1_status rewrite(const char *pattern, r1_buf *out, r1_err *err) {
    int in_class = 0;
    r1_status st = R1_OK;

    for (const char *p = pattern; *p && st == R1_OK; p++) {
        if (*p == '\\' && (p[1] == 's' || p[1] == 'S')) {
            R1_ASSERT(!in_class || p[1] == 's');
            st = in_class ? r1_buf_add(out, BLANKS, sizeof BLANKS - 1, err)
                          : r1_buf_addf(out, err, "[%s%s]", p[1] == 'S' ? "^" : "", BLANKS);
            p++;
        } else if (*p == '\\') {
            st = r1_buf_add(out, p++, 2, err);
        } else {
            in_class = *p == '[' ? 1 : *p == ']' ? 0 : in_class;
            st = r1_buf_add(out, p, 1, err);
        }
    }
    return st;
}

static r1_status compile(const char *pattern, pcre2_code **ret, r1_err *err) {
    r1_buf text;
    int code;
    PCRE2_SIZE at;
    r1_status st;

    r1_buf_init(&text, 1 << 16);
    R1_TRY(rewrite(pattern, &text, err));
    *ret = pcre2_compile((PCRE2_SPTR)text.data, text.len, PCRE2_UTF, &code, &at, NULL);
    if (!*ret)
        st = R1_FAIL(err, code == PCRE2_ERROR_HEAP_FAILED ? R1_NOMEM : R1_BUG,
                     "expression '%.60s' does not compile (PCRE2 %d at %zu)", pattern, code,
                     (size_t)at);
    else
        pcre2_jit_compile(*ret, PCRE2_JIT_COMPLETE); /* without it, the interpreter runs it */
done:
    r1_buf_done(&text);
    return st;
}

static r1_status add_step(r1_pretok *p, const char *pattern, int prefix_space, r1_err *err) {
    if (p->n == MAX_STEPS)
        return R1_FAIL(err, R1_DATA, "pre_tokenizer: more than %d steps", MAX_STEPS);
    step *s = &p->steps[p->n];
    s->prefix_space = prefix_space;
    r1_status st = pattern ? compile(pattern, &s->re, err) : R1_OK;
    p->n += st == R1_OK;
    return st;
}

static int flag(const json_t *o, const char *key, int fallback) {
    const json_t *v = json_object_get(o, key);
    return json_is_boolean(v) ? json_is_true(v) : fallback;
}

/* A file's expression as the table spells it. */
static r1_status spell(const char *pattern, r1_buf *out, r1_err *err) {
    size_t n = strlen(pattern);
    r1_status st = R1_OK;

    for (size_t i = 0, width; i < n && st == R1_OK; i += width) {
        int32_t c = 0;
        width = r1_utf8_next(pattern + i, n - i, &c);
        st = c == '\r'   ? r1_buf_add(out, "\\r", 2, err)
             : c == '\n' ? r1_buf_add(out, "\\n", 2, err)
             : c < 128   ? r1_buf_add(out, pattern + i, 1, err)
                         : r1_buf_addf(out, err, "\\x{%x}", (unsigned)c);
    }
    return st;
}

/* The way back, as far as \x{hex} goes. */
static r1_status unspell(const char *expression, r1_buf *out, r1_err *err) {
    r1_status st = R1_OK;

    for (const char *c = expression; *c && st == R1_OK; c++) {
        char utf8[4];
        if (strncmp(c, "\\x{", 3) != 0) {
            st = r1_buf_add(out, c, 1, err);
            continue;
        }
        size_t n = r1_utf8_put((int32_t)strtol(c + 3, NULL, 16), utf8);
        st = r1_buf_add(out, utf8, n, err);
        c = strchr(c, '}');
    }
    return st;
}

static r1_status add_split(r1_pretok *p, const json_t *pre, r1_err *err) {
    const char *pattern =
        json_string_value(json_object_get(json_object_get(pre, "pattern"), "Regex"));
    const char *behavior = json_string_value(json_object_get(pre, "behavior"));
    int invert = flag(pre, "invert", 0);
    r1_buf text;
    r1_status st = R1_OK;

    if (!pattern)
        return R1_FAIL(err, R1_DATA, "pre_tokenizer: a Split without pattern.Regex");
    /* "Removed" of what does not match keeps the matches; the expressions that are used this way
     * match everything. */
    int isolated = behavior && strcmp(behavior, "Isolated") == 0 && !invert;
    int removed = behavior && strcmp(behavior, "Removed") == 0 && invert;
    r1_buf_init(&text, 1 << 16);
    R1_TRY(spell(pattern, &text, err));
    int k = 0;
    while (k < EXPRESSIONS && (!text.data || strcmp(text.data, expressions[k]) != 0))
        k++;
    if (k == EXPRESSIONS)
        st = R1_FAIL(err, R1_DATA, "pre_tokenizer: unknown expression '%.300s'", pattern);
    else if (!isolated && !(removed && k < COVERING))
        st = R1_FAIL(err, R1_DATA, "pre_tokenizer: Split with behavior '%s', invert %s is unknown",
                     behavior ? behavior : "(none)", invert ? "true" : "false");
    else if (k == TRAILING_SPACE && !p->lines_cut)
        st = R1_FAIL(err, R1_DATA, "pre_tokenizer: '%s' is known only after [\\r\\n]", pattern);
    else
        st = add_step(p, k == TRAILING_SPACE ? trailing_space : expressions[k], 0, err);
    p->lines_cut |= k == LINE_END;
done:
    r1_buf_done(&text);
    return st;
}

static r1_status add_json(r1_pretok *p, const json_t *pre, int depth, r1_err *err) {
    const char *type = json_string_value(json_object_get(pre, "type"));
    const json_t *list = json_object_get(pre, "pretokenizers"), *item;
    size_t i;
    r1_status st = R1_OK;

    if (!type)
        return R1_FAIL(err, R1_DATA, "pre_tokenizer: no type");
    if (strcmp(type, "Sequence") == 0 && json_is_array(list) && depth == 0) {
        json_array_foreach(list, i, item) {
            const char *t = json_string_value(json_object_get(item, "type"));
            int last = i + 1 == json_array_size(list);
            /* What follows ByteLevel would see its alphabet instead of the text. */
            if (t && (strcmp(t, "ByteLevel") == 0) != last)
                return R1_FAIL(err, R1_DATA,
                               "pre_tokenizer: ByteLevel has to be the last of the sequence, "
                               "'%s' is at %zu of %zu",
                               t, i + 1, json_array_size(list));
            R1_TRY(add_json(p, item, 1, err));
        }
        if (!json_array_size(list))
            return R1_FAIL(err, R1_DATA, "pre_tokenizer: an empty Sequence");
    } else if (strcmp(type, "ByteLevel") == 0) {
        st = add_step(p, flag(pre, "use_regex", 1) ? expressions[GPT2] : NULL,
                      flag(pre, "add_prefix_space", 1), err);
    } else if (strcmp(type, "Digits") == 0 && depth == 1) {
        st = add_step(p, flag(pre, "individual_digits", 0) ? "\\p{N}" : "\\p{N}+", 0, err);
    } else if (strcmp(type, "Split") == 0 && depth == 1) {
        st = add_split(p, pre, err);
    } else {
        st = R1_FAIL(err, R1_DATA, "pre_tokenizer: unknown type '%.60s'%s", type,
                     depth ? " in a Sequence" : "");
    }
done:
    return st;
}

r1_status r1_pretok_new(r1_pretok **ret, const json_t *pre, r1_err *err) {
    r1_pretok *p = NULL;
    r1_status st;

    R1_TRY(R1_NEW(p, 1, err));
    R1_TRY(add_json(p, pre, 0, err));
    *ret = p;
    return R1_OK;
done:
    r1_pretok_free(p);
    return st;
}

void r1_pretok_free(r1_pretok *p) {
    if (!p)
        return;
    for (int i = 0; i < p->n; i++)
        pcre2_code_free(p->steps[i].re);
    r1_free(p);
}

static json_t *cut_json(int cut) {
    if (cut == SINGLE_DIGITS)
        return json_pack("{s:s, s:b}", "type", "Digits", "individual_digits", 1);
    if (cut == BYTES || cut == BYTES_GPT2)
        return json_pack("{s:s, s:b, s:b, s:b}", "type", "ByteLevel", "add_prefix_space", 0,
                         "trim_offsets", 1, "use_regex", cut == BYTES_GPT2);
    r1_buf text;
    json_t *split = NULL;
    r1_buf_init(&text, 1 << 16);
    if (unspell(expressions[cut], &text, NULL) == R1_OK)
        split = json_pack("{s:s, s:{s:s}, s:s, s:b}", "type", "Split", "pattern", "Regex",
                          text.data, "behavior", "Isolated", "invert", 0);
    r1_buf_done(&text);
    return split;
}

r1_status r1_pretok_named(const char *name, json_t **ret_pre, int *ret_nfc, int *ret_ignore_merges,
                          r1_err *err) {
    char key[64];

    snprintf(key, sizeof key, " %s ", name);
    for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
        if (strlen(name) + 3 > sizeof key || strchr(name, ' ') || !strstr(named[i].names, key))
            continue;
        json_t *list = json_array(), *pre = NULL;
        const int *cut = named[i].cuts;
        int good = json_array_append_new(list, cut_json(*cut)) == 0;
        while (good && *cut < BYTES)
            good = json_array_append_new(list, cut_json(*++cut)) == 0;
        if (good)
            pre = json_pack("{s:s, s:O}", "type", "Sequence", "pretokenizers", list);
        json_decref(list);
        if (!pre)
            return R1_FAIL(err, R1_NOMEM, "out of memory: pre_tokenizer");
        *ret_pre = pre;
        *ret_nfc = named[i].nfc;
        *ret_ignore_merges = named[i].ignore_merges;
        return R1_OK;
    }
    return R1_FAIL(err, R1_DATA, "tokenizer.ggml.pre: unknown pre-tokenizer '%.60s'", name);
}

/* ---------------------------------------------------------------- running */

typedef struct run {
    const r1_pretok *p;
    pcre2_match_data *match[MAX_STEPS];
    r1_piece_sink *sink;
    void *ctx;
} run;

static r1_status run_step(run *r, int k, const char *s, size_t n, r1_err *err);

/* Cut s by the expression of step k and give the pieces to step k + 1. */
static r1_status cut(run *r, int k, const char *s, size_t n, r1_err *err) {
    r1_status st = R1_OK;

    for (size_t at = 0; at < n;) {
        int rc = pcre2_match(r->p->steps[k].re, (PCRE2_SPTR)s, n, at, PCRE2_NO_UTF_CHECK,
                             r->match[k], NULL);
        size_t from = n, to = n;
        if (rc > 0) {
            const PCRE2_SIZE *ov = pcre2_get_ovector_pointer(r->match[k]);
            from = ov[0], to = ov[1];
            R1_ASSERT(from >= at && to > from && to <= n);
        } else if (rc != PCRE2_ERROR_NOMATCH) {
            return R1_FAIL(err, R1_DATA, "cutting text of %zu bytes: PCRE2 error %d", n, rc);
        }
        if (from > at)
            R1_TRY(run_step(r, k + 1, s + at, from - at, err));
        if (to > from)
            R1_TRY(run_step(r, k + 1, s + from, to - from, err));
        at = to;
    }
done:
    return st;
}

static r1_status run_step(run *r, int k, const char *s, size_t n, r1_err *err) {
    char *spaced = NULL;
    r1_status st;

    if (k == r->p->n)
        return r->sink(r->ctx, s, n, err);
    if (r->p->steps[k].prefix_space && *s != ' ') {
        R1_TRY(R1_NEW(spaced, n + 1, err));
        spaced[0] = ' ';
        memcpy(spaced + 1, s, n);
        s = spaced;
        n++;
    }
    st = r->p->steps[k].re ? cut(r, k, s, n, err) : run_step(r, k + 1, s, n, err);
done:
    r1_free(spaced);
    return st;
}

r1_status r1_pretok_run(const r1_pretok *p, const char *text, size_t n, r1_piece_sink *sink,
                        void *ctx, r1_err *err) {
    run r = {.p = p, .sink = sink, .ctx = ctx};
    r1_status st = R1_OK;

    for (int i = 0; i < p->n && st == R1_OK; i++)
        if (p->steps[i].re && !(r.match[i] = pcre2_match_data_create(1, NULL)))
            st = R1_FAIL(err, R1_NOMEM, "out of memory: cutting text");
    if (st == R1_OK && n)
        st = run_step(&r, 0, text, n, err);
    for (int i = 0; i < p->n; i++)
        pcre2_match_data_free(r.match[i]);
    return st;
}
