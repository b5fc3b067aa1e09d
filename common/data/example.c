/* Training examples; see example.h. */
#include "common/data/example.h"

#include <string.h>

r1_status r1_example_encode(const r1_prompting *how, const r1_problem *p, r1_example *ret,
                            int *ret_injected, r1_err *err) {
    const r1_tokenizer *t = how->tokenizer;
    r1_ids *ids = &ret->ids;
    int32_t eos[1];
    r1_status st;

    ids->n = 0;
    if (ret_injected)
        *ret_injected = 0;
    if (p->text) {
        R1_TRY(r1_tokenizer_encode(t, p->text, strlen(p->text), 1, ids, err));
        ret->prompt_len = 1;
    } else {
        R1_TRY(r1_template_encode(t, how->template_kind, how->system, p->prompt, ids, ret_injected,
                                  err));
        ret->prompt_len = (int)ids->n;
        if (!p->completion)
            return R1_FAIL(err, R1_DATA, "the row has no answer to train on");
        R1_TRY(r1_tokenizer_encode(t, p->completion, strlen(p->completion), 1, ids, err));
    }
    if (r1_tokenizer_eos(t, eos, 1) > 0)
        R1_TRY(r1_ids_add(ids, eos[0], err));
    if ((int)ids->n <= ret->prompt_len || ret->prompt_len < 1)
        st = R1_FAIL(err, R1_DATA, "the example has no tokens to learn");
done:
    return st;
}
