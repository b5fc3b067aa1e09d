/* Chat templates; see template.h. */
#include "common/tokenizer/template.h"

#include <string.h>

static const struct {
    const char *name, *text;
} kinds[] = {
    {"plain", "{prompt}"},
    {"r1_zero",
     "A conversation between User and Assistant. The user asks a question, and the Assistant "
     "solves "
     "it. The assistant first thinks about the reasoning process in the mind and then provides the "
     "user with the answer. The reasoning process and answer are enclosed within <think> </think> "
     "and <answer> </answer> tags, respectively, i.e., <think> reasoning process here </think> "
     "<answer> answer here </answer>. User: {prompt}. Assistant:"},
    {"chatml", "<|im_start|>system\n{system}<|im_end|>\n<|im_start|>user\n{prompt}<|im_end|>\n"
               "<|im_start|>assistant\n"},
};

static const char *text_of(const char *kind_or_text) {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, kind_or_text) == 0)
            return kinds[i].text;
    return kind_or_text;
}

r1_status r1_template_check(const char *kind_or_text, r1_err *err) {
    if (!strstr(text_of(kind_or_text), "{prompt}"))
        return R1_FAIL(err, R1_USAGE,
                       "template '%.60s' is neither a known kind (plain, r1_zero, chatml) nor a "
                       "text with {prompt}",
                       kind_or_text);
    return R1_OK;
}

r1_status r1_template_encode(const r1_tokenizer *t, const char *kind_or_text, const char *system,
                             const char *prompt, r1_ids *ids, int *ret_injected, r1_err *err) {
    const char *text = text_of(kind_or_text);
    int plain = strcmp(kind_or_text, "plain") == 0;
    r1_ids parsed = {0};
    r1_status st = r1_template_check(kind_or_text, err);

    while (st == R1_OK && *text) {
        const char *p = strstr(text, "{prompt}"), *s = strstr(text, "{system}");
        const char *stop = p && (!s || p < s) ? p : s;
        size_t n = stop ? (size_t)(stop - text) : strlen(text);
        R1_TRY(r1_tokenizer_encode(t, text, n, 1, ids, err));
        text += n;
        if (!stop)
            break;
        const char *insert = stop == p ? prompt : system ? system : "";
        R1_TRY(r1_tokenizer_encode(t, insert, strlen(insert), plain, ids, err));
        text += 8; /* {prompt} and {system} have the same length */
    }
    if (st == R1_OK && ret_injected) {
        R1_TRY(r1_tokenizer_encode(t, prompt, strlen(prompt), 1, &parsed, err));
        *ret_injected = 0;
        for (size_t i = 0; i < parsed.n; i++) {
            size_t len;
            r1_tokenizer_piece(t, parsed.ids[i], 1, &len);
            *ret_injected += len == 0;
        }
    }
done:
    r1_ids_done(&parsed);
    return st;
}
