/* Pre-tokenizers; see pretokenize.h. */
#include "common/tokenizer/pretokenize.h"

#include "common/base/mem.h"

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

/* The expressions as the files have them, with line ends written \r and \n. */
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
    [DEEPSEEK3_CJK] = "[一-龥぀-ゟ゠-ヿ]+",
    [DEEPSEEK3_TEXT] = "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+"
                       "|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*"
                       "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
    [LINE_END] = "[\\r\\n]",
    [WORD] = "\\s?\\p{L}+",
    [PUNCTUATION] = "\\s?\\p{P}+",
    [DEEPSEEK_LETTERS] = "\\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ"
                         "-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-"
                         "ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώᾀ-ᾴᾶ"
                         "-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕ"
                         "ℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ"
                         "-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-"
                         "Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-"
                         "𞥃]+",
    [DEEPSEEK_SIGNS] = "\\s?[!-/:-~！-／：-～‘-‟　-。]+",
    [TRAILING_SPACE] = "\\s+$",
    [DEEPSEEK_CJK] = "[一-龥ࠀ-一가-퟿]+",
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
    /* Patterns are constants of this file: only memory can be short. */
    if (!*ret)
        st = R1_FAIL(err, R1_NOMEM, "out of memory: expression '%.60s' (PCRE2 %d at %zu)", pattern,
                     code, (size_t)at);
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
    for (const char *c = pattern; *c; c++) {
        R1_TRY(*c == '\r'   ? r1_buf_add(&text, "\\r", 2, err)
               : *c == '\n' ? r1_buf_add(&text, "\\n", 2, err)
                            : r1_buf_add(&text, c, 1, err));
    }
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
    return json_pack("{s:s, s:{s:s}, s:s, s:b}", "type", "Split", "pattern", "Regex",
                     expressions[cut], "behavior", "Isolated", "invert", 0);
}

r1_status r1_pretok_named(const char *name, json_t **ret_pre, int *ret_nfc, int *ret_ignore_merges,
                          r1_err *err) {
    char key[64];

    snprintf(key, sizeof key, " %s ", name);
    for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
        if (strlen(name) + 3 > sizeof key || strchr(name, ' ') || !strstr(named[i].names, key))
            continue;
        json_t *list = json_array();
        for (const int *cut = named[i].cuts;; cut++) {
            json_array_append_new(list, cut_json(*cut));
            if (*cut >= BYTES)
                break;
        }
        *ret_pre = json_pack("{s:s, s:o}", "type", "Sequence", "pretokenizers", list);
        if (!*ret_pre)
            return R1_FAIL(err, R1_NOMEM, "out of memory: pre_tokenizer");
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
