/* Chat templates; see template.h. */
#include "common/tokenizer/template.h"

#include "common/base/trace.h"
#include "common/tokenizer/impl.h"

#include <string.h>

#define MAX_PARTS 64
#define USER      "<｜User｜>" /* of DeepSeek */
#define ASSISTANT "<｜Assistant｜>"

static const struct {
    const char *name;
    const char *bos, *system, *body; /* system: the turn, left out without a system text */
    const char *end;                 /* behind an answer */
    const char *mark;                /* what only this kind's templates contain */
} kinds[] = {
    {"plain", "", "", "{prompt}", "", NULL},
    {"r1_zero", "", "",
     "A conversation between User and Assistant. The user asks a question, and the Assistant "
     "solves it. The assistant first thinks about the reasoning process in the mind and then "
     "provides the user with the answer. The reasoning process and answer are enclosed within "
     "<think> </think> and <answer> </answer> tags, respectively, i.e., <think> reasoning process "
     "here </think> <answer> answer here </answer>. User: {prompt}. Assistant:",
     "", NULL},
    {"chatml", "", "<|im_start|>system\n{system}<|im_end|>\n",
     "<|im_start|>user\n{prompt}<|im_end|>\n<|im_start|>assistant\n", "<|im_end|>\n",
     "<|im_start|>"},
    {"llama3", "<|begin_of_text|>",
     "<|start_header_id|>system<|end_header_id|>\n\n{system}<|eot_id|>",
     "<|start_header_id|>user<|end_header_id|>\n\n{prompt}<|eot_id|>"
     "<|start_header_id|>assistant<|end_header_id|>\n\n",
     "<|eot_id|>", "<|start_header_id|>"},
    {"deepseek", "<｜begin▁of▁sentence｜>", "{system}", USER "{prompt}" ASSISTANT,
     "<｜end▁of▁sentence｜>", USER},
};
enum {
    PLAIN,
    R1_ZERO,
    CHATML,
    LLAMA3,
    DEEPSEEK,
    KINDS,
    TEXT = KINDS
};

static int kind_of(const char *kind_or_text) {
    int k = 0;

    while (k < KINDS && strcmp(kinds[k].name, kind_or_text) != 0)
        k++;
    return k;
}

r1_status r1_template_check(const char *kind_or_text, r1_err *err) {
    if (kind_of(kind_or_text) == TEXT && !strstr(kind_or_text, "{prompt}"))
        return R1_FAIL(err, R1_USAGE,
                       "template '%.60s' is neither a known kind (plain, r1_zero, chatml, llama3, "
                       "deepseek) nor a text with {prompt}",
                       kind_or_text);
    return R1_OK;
}

const char *r1_template_of(const r1_tokenizer *t) {
    const char *own = r1_tokenizer_chat_template(t);

    for (int k = 0; k < KINDS && own; k++)
        if (kinds[k].mark && strstr(own, kinds[k].mark))
            return kinds[k].name;
    return kinds[PLAIN].name;
}

/* What a chat becomes before it is encoded: stretches of text, some of them the user's. */
typedef struct prompt_parts {
    r1_text_part parts[MAX_PARTS];
    int n;
    const char *system, *prompt, *answer; /* answer NULL: it is to come */
    size_t len_system, len_prompt, len_answer;
    int plain; /* the question's added tokens count */
} prompt_parts;

static r1_status add_part(prompt_parts *p, const char *s, size_t n, int special, r1_err *err) {
    if (p->n == MAX_PARTS)
        return R1_FAIL(err, R1_USAGE, "template: more than %d placeholders", MAX_PARTS / 2 - 1);
    if (n)
        p->parts[p->n++] = (r1_text_part){.text = s, .n = n, .special = special};
    return R1_OK;
}

/* A template's text, with {prompt} and {system} replaced. */
static r1_status add_template(prompt_parts *p, const char *text, r1_err *err) {
    r1_status st = R1_OK;

    while (*text && st == R1_OK) {
        const char *a = strstr(text, "{prompt}"), *b = strstr(text, "{system}");
        const char *stop = a && (!b || a < b) ? a : b;
        R1_TRY(add_part(p, text, stop ? (size_t)(stop - text) : strlen(text), 1, err));
        if (!stop)
            break;
        st = stop == a ? add_part(p, p->prompt, p->len_prompt, p->plain, err)
                       : add_part(p, p->system, p->len_system, 0, err);
        text = stop + 8; /* {prompt} and {system} have the same length */
    }
done:
    return st;
}

/* The system text that a ChatML template states for chats without one, with its escapes undone: the
 * literal between '<|im_start|>system\n' and '<|im_end|>'.  Nothing if there is no such literal. */
static r1_status default_system(const char *own, r1_buf *ret, r1_err *err) {
    static const char open[] = "<|im_start|>system", close[] = "<|im_end|>";
    r1_status st = R1_OK;

    for (const char *p = own; p && (p = strstr(p, open));) {
        p += sizeof open - 1;
        const char *from = *p == '\n' ? p + 1 : strncmp(p, "\\n", 2) == 0 ? p + 2 : NULL;
        const char *end = from ? strstr(from, close) : NULL;
        if (!end || memchr(from, '\'', (size_t)(end - from)) ||
            memchr(from, '{', (size_t)(end - from)) || memchr(from, '"', (size_t)(end - from)))
            continue;
        for (const char *c = from; c < end; c++) {
            int newline = c[0] == '\\' && c[1] == 'n';
            R1_TRY(r1_buf_add(ret, newline ? "\n" : c, 1, err));
            c += newline;
        }
        break;
    }
done:
    return st;
}

static int is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static int is_added(const r1_tokenizer *t, int32_t id) {
    for (int pass = 0; pass < 2; pass++) {
        const r1_added *a = pass ? &t->normalized : &t->raw;
        for (size_t i = 0; i < a->n; i++)
            if (a->tokens[i].id == id)
                return 1;
    }
    return 0;
}

r1_status r1_template_injected(const r1_tokenizer *t, const char *prompt, int *ret, r1_err *err) {
    r1_ids ids = {0};
    r1_status st = r1_tokenizer_encode(t, prompt, strlen(prompt), 1, &ids, err);

    if (st == R1_OK)
        *ret = 0;
    for (size_t i = 0; i < ids.n && st == R1_OK; i++)
        *ret += t->tokens[ids.ids[i]].control || is_added(t, ids.ids[i]);
    r1_ids_done(&ids);
    return st;
}

static r1_status collect(prompt_parts *p, int kind, const char *kind_or_text, const char *own,
                         r1_err *err) {
    r1_status st;

    if (kind == TEXT) {
        R1_TRY(add_template(p, kind_or_text, err));
        return add_part(p, p->answer, p->len_answer, 0, err);
    }
    R1_TRY(add_template(p, kinds[kind].bos, err));
    if (p->len_system)
        R1_TRY(add_template(p, kinds[kind].system, err));
    R1_TRY(add_template(p, kinds[kind].body, err));
    if (p->answer) {
        R1_TRY(add_part(p, p->answer, p->len_answer, 0, err));
        return add_template(p, kinds[kind].end, err);
    }
    /* Later templates of R1's models open the thought themselves. */
    if (kind == DEEPSEEK && own && strstr(own, ASSISTANT "<think>\\n"))
        st = add_part(p, "<think>\n", 8, 1, err);
done:
    return st;
}

static void trim(const char **s, size_t *n) {
    while (*n && is_blank((*s)[*n - 1]))
        --*n;
    while (*n && is_blank(**s))
        ++*s, --*n;
}

static r1_status encode(const r1_tokenizer *t, const char *kind_or_text, const char *system,
                        const char *prompt, const char *answer, r1_ids *ids, r1_err *err) {
    const char *own = r1_tokenizer_chat_template(t);
    int kind = kind_of(kind_or_text);
    prompt_parts p = {.prompt = prompt,
                      .len_prompt = strlen(prompt),
                      .answer = answer,
                      .len_answer = answer ? strlen(answer) : 0,
                      .plain = kind == PLAIN};
    r1_ids made = {0};
    r1_buf text;
    r1_status st;

    R1_TRACE();
    r1_buf_init(&text, R1_TEXT_MAX);
    R1_TRY(r1_template_check(kind_or_text, err));
    if (!system && kind == CHATML) {
        R1_TRY(default_system(own, &text, err));
        system = text.data;
    }
    p.system = system;
    p.len_system = system ? strlen(system) : 0;
    if (kind == LLAMA3) {
        trim(&p.prompt, &p.len_prompt);
        trim(&p.answer, &p.len_answer);
    }
    R1_TRY(collect(&p, kind, kind_or_text, own, err));
    R1_TRY(r1_tokenizer_encode_parts(t, p.parts, p.n, &made, err));
    int32_t bos = r1_tokenizer_prefix(t);
    int spelled = kind < KINDS && kinds[kind].mark;
    if (bos >= 0 && !spelled && !(made.n && made.ids[0] == bos))
        R1_TRY(r1_ids_add(ids, bos, err));
    for (size_t i = 0; i < made.n; i++)
        R1_TRY(r1_ids_add(ids, made.ids[i], err));
done:
    r1_ids_done(&made);
    r1_buf_done(&text);
    return st;
}

r1_status r1_template_encode(const r1_tokenizer *t, const char *kind_or_text, const char *system,
                             const char *prompt, r1_ids *ids, int *ret_injected, r1_err *err) {
    r1_status st = encode(t, kind_or_text, system, prompt, NULL, ids, err);

    if (st == R1_OK && ret_injected)
        st = r1_template_injected(t, prompt, ret_injected, err);
    return st;
}

r1_status r1_template_encode_answered(const r1_tokenizer *t, const char *kind_or_text,
                                      const char *system, const char *prompt, const char *answer,
                                      r1_ids *ids, r1_err *err) {
    return encode(t, kind_or_text, system, prompt, answer, ids, err);
}
