/* "Did you mean ...?" for keys and words; see reader.h. */
#include "common/config/reader.h"

#include <stdio.h>
#include <string.h>

#define WORD_MAX 40

/* Edit distance with transpositions of neighbours (Damerau-Levenshtein, restricted); words beyond
 * WORD_MAX are as far as can be. */
static int distance(const char *a, const char *b) {
    int na = (int)strlen(a), nb = (int)strlen(b), d[WORD_MAX + 1][WORD_MAX + 1];

    if (na > WORD_MAX || nb > WORD_MAX)
        return WORD_MAX;
    for (int i = 0; i <= na; i++) {
        for (int j = 0; j <= nb; j++) {
            if (!i || !j) {
                d[i][j] = i + j;
                continue;
            }
            int best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            best = d[i - 1][j] + 1 < best ? d[i - 1][j] + 1 : best;
            best = d[i][j - 1] + 1 < best ? d[i][j - 1] + 1 : best;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                d[i - 2][j - 2] + 1 < best)
                best = d[i - 2][j - 2] + 1;
            d[i][j] = best;
        }
    }
    return d[na][nb];
}

/* A third of the word may be wrong. */
static int near(const char *a, const char *b, int *best) {
    int d = distance(a, b), longest = (int)(strlen(a) > strlen(b) ? strlen(a) : strlen(b));

    if (d > (longest + 2) / 3 || d >= *best)
        return 0;
    *best = d;
    return 1;
}

/* What TRL and verl users write.  A name of ours with a dot is a path. */
static const char *const foreign[][2] = {{"num_generations", "group_size"},
                                         {"beta", "kl.coef"},
                                         {"learning_rate", "lr"},
                                         {"lr_scheduler_type", "schedule"},
                                         {"warmup_steps", "warmup"},
                                         {"epsilon", "clip_low"},
                                         {"epsilon_high", "clip_high"},
                                         {"max_completion_length", "max_response_len"},
                                         {"max_response_length", "max_response_len"},
                                         {"max_prompt_length", "limits.max_prompt_len"},
                                         {"train_batch_size", "prompts_per_step"},
                                         {"ppo_mini_batch_size", "minibatch"},
                                         {"ppo_epochs", "inner_epochs"},
                                         {"num_iterations", "inner_epochs"},
                                         {"max_steps", "total_updates"},
                                         {"max_grad_norm", "optimizer.grad_clip"},
                                         {"loss_agg_mode", "loss_aggregation"},
                                         {"loss_type", "loss_aggregation"},
                                         {"kl_coef", "kl.coef"},
                                         {"kl_loss_coef", "kl.coef"},
                                         {"num_layers", "layers"},
                                         {"num_hidden_layers", "layers"},
                                         {"num_attention_heads", "heads"},
                                         {"num_key_value_heads", "kv_heads"},
                                         {"tie_word_embeddings", "tied"},
                                         {"rms_norm_eps", "norm_eps"}};

const char *r1_suggest(const r1_key *keys, const char *name, char buf[static R1_KEY_TEXT]) {
    const char *found = NULL;
    int best = WORD_MAX;

    buf[0] = 0;
    for (const r1_key *k = keys; k->name; k++)
        if (near(name, k->name, &best))
            found = k->name;
    for (size_t i = 0; !found && i < sizeof foreign / sizeof *foreign; i++)
        if (strcmp(name, foreign[i][0]) == 0)
            found = foreign[i][1];
    if (found) {
        snprintf(buf, R1_KEY_TEXT, "; did you mean %s?", found);
        return buf;
    }
    for (const r1_key *k = keys; k->name; k++) /* the right name in a wrong place */
        for (const r1_key *s = k->sub; s && s->name; s++)
            if (strcmp(name, s->name) == 0) {
                if (k->type == R1_KEY_STAGES)
                    snprintf(buf, R1_KEY_TEXT, "; it is a key of a stage");
                else
                    snprintf(buf, R1_KEY_TEXT, "; did you mean %s.%s?", k->name, name);
                return buf;
            }
    for (const r1_key *k = r1_schema_root; k->name && keys != r1_schema_root; k++)
        if (strcmp(name, k->name) == 0) {
            snprintf(buf, R1_KEY_TEXT, "; it is a key of the top level");
            return buf;
        }
    if (keys != r1_schema_stage && r1_key_find(r1_schema_stage, name, 0))
        snprintf(buf, R1_KEY_TEXT, "; it is a key of a stage: STAGE.%.100s", name);
    return buf;
}

const char *r1_suggest_word(const char *const *choices, const char *word,
                            char buf[static R1_KEY_TEXT]) {
    int best = WORD_MAX;

    buf[0] = 0;
    for (; *choices; choices++)
        if (near(word, *choices, &best))
            snprintf(buf, R1_KEY_TEXT, "; did you mean %s?", *choices);
    return buf;
}

const char *r1_suggest_member(const r1_node *list, const char *name, char buf[static R1_KEY_TEXT]) {
    int best = WORD_MAX;

    buf[0] = 0;
    for (const r1_node *n = list ? list->child : NULL; n; n = n->next) {
        const r1_node *own = r1_node_get(n, "name");
        if (own && own->kind == R1_NODE_SCALAR && near(name, own->text, &best))
            snprintf(buf, R1_KEY_TEXT, "; did you mean %.100s?", own->text);
    }
    return buf;
}
