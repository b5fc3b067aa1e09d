/* What reads and writes files survives the failure of each of its allocations: a status that says so,
 * nothing leaked, nothing half made handed out; and where it succeeds all the same, the result is the
 * one that it always has. */
#include "tests/unit/fail_alloc.h"
#include "tests/unit/unit.h"

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/comm/leaks.h"
#include "common/config/config.h"
#include "common/data/dataset.h"
#include "common/formats/safetensors_write.h"
#include "common/formats/tensors.h"
#include "common/metrics/metrics.h"
#include "common/metrics/rollouts.h"
#include "common/metrics/summary.h"
#include "common/model/arch.h"
#include "common/model/export.h"
#include "common/store/checkpoint.h"
#include "common/tokenizer/tokenizer.h"
#include "common/wire/trajectory.h"
#include "learner/convert.h"
#include "reward/grade.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TAKEN_MAX ((size_t)16 << 20)

enum {
    OURS = 1 << FAIL_OURS,
    ALL = 1 << FAIL_ALL,
    ONCE = 1 << FAIL_ONCE,
    CACHES = 8 /* a library below keeps blocks for later: only the leak checker can tell */
};

typedef struct scene {
    const char *name;
    int flags;
    r1_status (*run)(r1_err *err);
    void (*take)(r1_buf *out); /* what came out, as bytes; frees it */
    void (*clean)(void);       /* what an attempt may leave on the disk; NULL: nothing */
    void *ret;                 /* untouched where it fails; NULL: the header says otherwise */
    size_t n_ret;
} scene;

static char work[64];

/* A path below the directory of this test, or below the sources; several may be in use at once. */
typedef struct path {
    char s[R1_PATH_MAX];
} path;
#define AT(leaf)     below(work, leaf).s
#define SOURCE(leaf) below(getenv("R1_SOURCE"), leaf).s

static path below(const char *dir, const char *leaf) {
    path p;

    if (snprintf(p.s, sizeof p.s, "%s/%s", dir, leaf) >= (int)sizeof p.s)
        fail_msg("a path is too long");
    return p;
}

/* ---- one scene ---- */

static void check_failure(const scene *s, r1_status st, const r1_err *err) {
    /* Where the C library or the kernel ran out, the message is theirs. */
    int out_of_memory =
        st == R1_NOMEM || (st == R1_IO && strstr(err->msg, "Cannot allocate memory"));

    if (!out_of_memory || st != err->status || !*err->msg || strchr(err->msg, '\n'))
        fail_msg("status %d (%d), message '%s'", st, err->status, err->msg);
    for (size_t i = 0; i < s->n_ret; i++)
        if (((uint8_t *)s->ret)[i] != 0xa5)
            fail_msg("the result was touched, though: %s", err->msg);
}

static void take(const scene *s, r1_buf *out) {
    r1_buf_init(out, TAKEN_MAX);
    s->take(out);
    assert_true(out->len > 0);
}

/* The n-th allocation fails; is that beyond the last? */
static int attempt(const scene *s, fail_kind kind, long n, const r1_buf *want) {
    long before = fail_live();
    r1_err err = {0};
    r1_buf got;

    if (s->n_ret)
        memset(s->ret, 0xa5, s->n_ret);
    fail_arm(kind, n);
    r1_status st = s->run(&err);
    int failed = fail_disarm();
    if (st != R1_OK) {
        check_failure(s, st, &err);
    } else {
        take(s, &got);
        if (got.len != want->len || memcmp(got.data, want->data, got.len) != 0)
            fail_msg("allocation %ld failed, and the result is another one", n);
        r1_buf_done(&got);
    }
    if (s->clean)
        s->clean();
    if (fail_live() != before && !(s->flags & CACHES))
        fail_msg("allocation %ld failed, and %ld blocks are left (status %d: %s)", n,
                 fail_live() - before, st, err.msg);
    return st == R1_OK && !failed;
}

static void torture(void **state) {
    static const char *const kinds[] = {"ours", "all", "once"};
    const scene *s = *state;
    r1_buf want;
    r1_err err;

    for (int i = 0; i < 2; i++) { /* twice: what libraries set up at their first use is no leak */
        if (i)
            r1_buf_done(&want);
        ASSERT_OK(s->run(&err), &err);
        take(s, &want);
        if (s->clean)
            s->clean();
    }
    for (int kind = FAIL_OURS; kind <= FAIL_ONCE; kind++) {
        long n = 0;
        if (!(s->flags & 1 << kind) || !fail_can((fail_kind)kind))
            continue;
        while (!attempt(s, (fail_kind)kind, n, &want))
            n++;
        print_message("%s: %ld failures of %s\n", s->name, n, kinds[kind]);
        assert_true(n > 0);
    }
    r1_buf_done(&want);
}

/* ---- results as bytes ---- */

static void put(r1_buf *out, const void *bytes, size_t n) {
    r1_err err;

    ASSERT_OK(r1_buf_add(out, bytes, n, &err), &err);
}

static void put_text(r1_buf *out, const char *s) {
    put(out, s ? s : "(null)", s ? strlen(s) + 1 : 7);
}

static void put_file(r1_buf *out, const char *file) {
    char *data;
    size_t n;
    r1_err err;

    ASSERT_OK(r1_file_slurp(file, TAKEN_MAX, &data, &n, &err), &err);
    put(out, data, n);
    r1_free(data);
}

/* ---- configurations ---- */

static r1_config *config, *sample;
static char *text;

static r1_status config_load(r1_err *err) {
    static char o[3][64] = {"seed=7", "rl.kl={coef: 0.1, estimator: k2}",
                            "rewards=[{name: exact, weight: 2}]"};

    char *const overrides[] = {o[0], o[1], o[2]};

    return r1_config_load(&config, SOURCE("configs/quickstart.yaml"), 3, overrides, err);
}

static void config_take(r1_buf *out) {
    r1_err err;
    char *yaml;

    ASSERT_OK(r1_config_dump(config, 0, &yaml, &err), &err);
    put_text(out, yaml);
    r1_free(yaml);
    r1_config_free(config);
}

static r1_status config_write(r1_err *err) {
    return r1_config_dump(sample, 0, &text, err);
}

static r1_status config_help(r1_err *err) {
    return r1_config_help("kl", &text, err);
}

static void text_take(r1_buf *out) {
    put_text(out, text);
    r1_free(text);
}

/* ---- weights ---- */

static r1_tensors *tensors;

static r1_status tensors_dir(r1_err *err) {
    return r1_tensors_open(&tensors, SOURCE("tests/golden/models/llama_tied"), err);
}

static r1_status tensors_shards(r1_err *err) {
    return r1_tensors_open(&tensors, AT("shards"), err);
}

static r1_status tensors_gguf(r1_err *err) {
    return r1_tensors_open(&tensors, SOURCE("tests/golden/gguf/qwen3.gguf"), err);
}

static void tensors_take(r1_buf *out) {
    for (size_t i = 0; i < r1_tensors_count(tensors); i++) {
        const r1_tensor_entry *e = r1_tensors_at(tensors, i);
        float x[2];
        put_text(out, e->name);
        put_text(out, e->file);
        put(out, e->dims, (size_t)e->n_dims * sizeof *e->dims);
        r1_tensors_read(e, e->n - 2, 2, x);
        put(out, x, sizeof x);
    }
    r1_tensors_close(tensors);
}

static r1_status elements(void *ctx, size_t tensor, size_t first, size_t n, float *out,
                          r1_err *err) {
    for (size_t i = 0; i < n; i++)
        out[i] = (float)(1000 * tensor + first + i);
    return R1_OK;
}

/* Two tensors a file. */
static r1_status write_shards(const char *dir, r1_err *err) {
    static const r1_write_tensor list[] = {
        {.name = "a", .dtype = R1_F32, .n_dims = 2, .dims = {8, 5}, .n = 40, .grain = 5},
        {.name = "b", .dtype = R1_BF16, .n_dims = 1, .dims = {40}, .n = 40, .grain = 40},
        {.name = "c", .dtype = R1_F32, .n_dims = 2, .dims = {4, 10}, .n = 40, .grain = 10},
        {.name = "d", .dtype = R1_F16, .n_dims = 2, .dims = {4, 10}, .n = 40, .grain = 10},
        {.name = "e", .dtype = R1_F32, .n_dims = 1, .dims = {40}, .n = 40, .grain = 40}};
    const r1_write_job job = {
        .tensors = list, .n_tensors = 5, .shard_bytes = 240, .read = elements};

    return r1_safetensors_write(&job, dir, err);
}

static r1_status shards_write(r1_err *err) {
    return write_shards(AT("written"), err);
}

static void shards_take(r1_buf *out) {
    put_file(out, AT("written/model-00001-of-00003.safetensors"));
    put_file(out, AT("written/model-00003-of-00003.safetensors"));
    put_file(out, AT("written/model.safetensors.index.json"));
}

/* ---- descriptors ---- */

static r1_arch arch, sample_arch;

static r1_status arch_dir(r1_err *err) {
    return r1_arch_open(&arch, SOURCE("tests/golden/models/qwen2"), err);
}

static r1_status arch_gguf(r1_err *err) {
    return r1_arch_open(&arch, SOURCE("tests/golden/gguf/llama3_untied.gguf"), err);
}

static void arch_take(r1_buf *out) {
    put(out, &arch, sizeof arch);
}

static r1_status arch_write(r1_err *err) {
    return r1_arch_to_json(&sample_arch, "bfloat16", &text, err);
}

static r1_status export_config(r1_err *err) {
    return r1_export_config(&sample_arch, R1_BF16, AT("written"), err);
}

static void export_take(r1_buf *out) {
    put_file(out, AT("written/config.json"));
    put_file(out, AT("written/generation_config.json"));
}

/* ---- tokenizers ---- */

static r1_tokenizer *tokenizer, *sample_tokenizer;
static r1_ids ids;

static r1_status tokenizer_bpe(r1_err *err) {
    return r1_tokenizer_open(&tokenizer, SOURCE("tests/golden/tokenizer/llama3.json"), err);
}

static r1_status tokenizer_dir(r1_err *err) {
    return r1_tokenizer_open(&tokenizer, AT("tokenizer"), err);
}

static r1_status tokenizer_gguf(r1_err *err) {
    return r1_tokenizer_open(&tokenizer, SOURCE("tests/fuzz/seeds/tensors/vocabulary"), err);
}

static r1_status tokenizer_bytes(r1_err *err) {
    static const char *const added[] = {"<think>", "</think>", "<answer>", "</answer>"};
    return r1_tokenizer_new_bytes(&tokenizer, added, 4, err);
}

static void tokenizer_take(r1_buf *out) {
    r1_tokenizer_file files[R1_TOKENIZER_FILES_MAX];
    int n = r1_tokenizer_files(tokenizer, files);

    for (int i = 0; i < n; i++)
        put(out, files[i].data, files[i].n);
    for (int32_t id = 0; id < r1_tokenizer_vocab_size(tokenizer); id++) {
        size_t len;
        const char *piece = r1_tokenizer_piece(tokenizer, id, 1, &len);
        put(out, piece, len);
    }
    r1_tokenizer_free(tokenizer);
}

static r1_status tokenizer_encode(r1_err *err) {
    static const char sentence[] = "Two words, \xc3\xa9 and 1234 <|eot_id|> e\xcc\x81\n\n";

    ids = (r1_ids){0};
    r1_status st =
        r1_tokenizer_encode(sample_tokenizer, sentence, sizeof sentence - 1, 1, &ids, err);
    if (st != R1_OK)
        r1_ids_done(&ids);
    return st;
}

static void ids_take(r1_buf *out) {
    put(out, ids.ids, ids.n * sizeof *ids.ids);
    r1_ids_done(&ids);
}

/* ---- problems ---- */

static const r1_data_spec file_spec = {.file = "rows.jsonl",
                                       .prompt_key = "question",
                                       .answer_key = "answer",
                                       .question = "Q: {prompt}",
                                       .held_out_mod = 0,
                                       .split = R1_SPLIT_ALL,
                                       .n = R1_AUTO};
static const r1_data_spec task_specs[] = {
    {.task = R1_TASK_ARITHMETIC, .terms = 3, .min = 1, .max = 9, .ops = "+-", .n = 4},
    {.task = R1_TASK_MULTIPLICATION, .digits = 2, .max = 9, .n = 4},
    {.task = R1_TASK_COUNTDOWN,
     .count = 4,
     .min = 1,
     .max = 25,
     .target_max = 100,
     .ops = "+-*/",
     .n = 4},
    {.task = R1_TASK_SORT, .count = 5, .max = 30, .n = 4},
    {.task = R1_TASK_PARENTHESES, .count = 12, .max = 9, .n = 4}};
static r1_problem problems[16];
static int n_problems;

/* The first of a data set. */
static r1_status first_problems(const r1_dataset_options *o, int n, r1_err *err) {
    r1_dataset *d = NULL;
    r1_status st;

    R1_TRY(r1_dataset_open(&d, o, err));
    for (int i = 0; i < n; i++) {
        R1_TRY(r1_dataset_get(d, (uint64_t)i, &problems[n_problems], err));
        n_problems++;
    }
done:
    r1_dataset_close(d);
    return st;
}

static void problems_done(void) {
    while (n_problems > 0)
        r1_problem_done(&problems[--n_problems]);
}

static r1_status problems_file(r1_err *err) {
    r1_data_spec spec = file_spec;
    r1_dataset_options o = {.spec = &spec, .error_rate = 0};
    path rows = below(work, spec.file);

    spec.file = rows.s;
    return first_problems(&o, 3, err);
}

static r1_status problems_tasks(r1_err *err) {
    r1_status st = R1_OK;

    for (size_t i = 0; i < sizeof task_specs / sizeof *task_specs && st == R1_OK; i++) {
        r1_dataset_options o = {.spec = &task_specs[i], .evaluation = i % 2, .error_rate = 0.5};
        st = first_problems(&o, 3, err);
    }
    return st;
}

static void problems_take(r1_buf *out) {
    for (int i = 0; i < n_problems; i++) {
        put_text(out, problems[i].prompt);
        put_text(out, problems[i].reference);
        put_text(out, problems[i].extra);
        put_text(out, problems[i].completion);
    }
}

/* ---- messages ---- */

static r1_group group, sample_group;
static r1_buf message, sample_message;
static const r1_wire_limits limits = {
    .max_prompt_len = 8, .max_tokens = 600, .max_samples = 4, .vocab_size = 1000};

static r1_status group_make(r1_err *err) {
    r1_status st;

    R1_TRY(r1_group_alloc(&sample_group, 3, 4, err));
    for (int i = 0; i < 4; i++) {
        r1_trajectory *t = &sample_group.t[i];
        R1_TRY(r1_trajectory_alloc(t, 600, err));
        t->n_rewards = 2;
        for (int k = 0; k < t->n; k++)
            t->ids[k] = (i + k) % limits.vocab_size;
    }
    r1_buf_init(&sample_message, 1 << 20);
    st = r1_group_encode(&sample_group, &sample_message, err);
done:
    return st;
}

static r1_status group_encode(r1_err *err) {
    r1_buf_init(&message, 1 << 20);
    r1_status st = r1_group_encode(&sample_group, &message, err);
    if (st != R1_OK)
        r1_buf_done(&message);
    return st;
}

static void message_take(r1_buf *out) {
    put(out, message.data, message.len);
    r1_buf_done(&message);
}

static r1_status group_decode(r1_err *err) {
    return r1_group_decode(sample_message.data, sample_message.len, &limits, &group, err);
}

static void group_take(r1_buf *out) {
    r1_err err;

    ASSERT_OK(r1_group_encode(&group, out, &err), &err);
    r1_group_done(&group);
}

/* ---- records ---- */

static r1_record record;
static r1_summary summary;

static r1_status metrics_append(r1_err *err) {
    r1_metrics m = {.fd = -1};
    r1_status st;

    R1_TRY(r1_metrics_open(&m, AT("metrics.jsonl"), 0, 0, err));
    st = r1_metrics_append(&m, &record, err);
done:
    r1_metrics_close(&m);
    return st;
}

static void metrics_take(r1_buf *out) {
    put_file(out, AT("metrics.jsonl"));
}

static r1_status rollouts_write(r1_err *err) {
    static const r1_rollout_verdict verdict = {"number", {.kind = R1_VERDICT_WRONG}};
    const r1_rollout_row row = {.stage = "rl",
                                .prompt = "1+1=\n",
                                .completion = "\xff 3",
                                .reference = "2",
                                .len_prompt = 5,
                                .len_completion = 3,
                                .len_reference = 1,
                                .finish_reason = "stop",
                                .verdicts = &verdict,
                                .n_verdicts = 1};
    r1_buf lines;
    r1_status st = R1_OK;

    r1_buf_init(&lines, 1 << 20);
    for (int i = 0; i < 10 && st == R1_OK; i++)
        st = r1_rollout_add(&lines, &row, err);
    if (st == R1_OK)
        st = r1_rollouts_write(AT("written"), 12, &lines, err);
    r1_buf_done(&lines);
    return st;
}

static void rollouts_take(r1_buf *out) {
    put_file(out, AT("written/step_000012.jsonl"));
}

static r1_status summary_write(r1_err *err) {
    return r1_summary_write(&summary, AT("written/summary.json"), err);
}

static void summary_file_take(r1_buf *out) {
    put_file(out, AT("written/summary.json"));
}

static r1_status summary_read(r1_err *err) {
    static r1_summary back;
    r1_status st = r1_summary_read(&back, AT("summary.json"), err);

    if (st == R1_OK)
        st = r1_summary_write(&back, AT("written/summary.json"), err);
    return st;
}

/* ---- rewards ---- */

static r1_status grade(const char *name, const char *row, r1_err *err) {
    const r1_grade_options o = {.kind = name, .jobs = 1};
    const r1_grade_kind *kind;
    const char *verdict;
    void *ctx = NULL;
    r1_status st;

    r1_buf_init(&message, 1 << 20);
    R1_TRY(r1_grade_kind_find(name, &kind, err));
    R1_TRY(kind->open(&o, &ctx, err));
    st = r1_grade_line(kind, ctx, r1_text_of(row), 7, 0, &message, &verdict, err);
    kind->close(ctx);
    if (st == R1_OK)
        message.len = (size_t)(strstr(message.data, ", \"us\"") - message.data); /* a time */
done:
    if (st != R1_OK)
        r1_buf_done(&message);
    return st;
}

static r1_status grade_exact(r1_err *err) {
    return grade("exact",
                 "{\"id\": [1, 0.1], \"pred\": \"so \\\\boxed{x}\", \"gold\": [\"y\", 2.5]}", err);
}

/* GMP ends the process where there is no memory, so only ours fail here. */
static r1_status grade_countdown(r1_err *err) {
    return grade("countdown", "{\"answer\": \"(2+4)*4\", \"nums\": [2, 4, 4], \"target\": 24}",
                 err);
}

static r1_status rewards_open(r1_err *err) {
    const r1_reward_options o[] = {{.name = "number", .weight = 1, .require_format = 1},
                                   {.name = "format", .weight = 0.5}};
    r1_rewards rewards;
    r1_status st = r1_rewards_open(&rewards, o, 2, err);

    if (st == R1_OK) {
        r1_buf_init(&message, 64);
        st = r1_buf_addf(&message, err, "%d", rewards.n);
        r1_rewards_close(&rewards);
    }
    return st;
}

/* ---- checkpoints and conversions ---- */

static r1_layout layout;
static r1_ops *ops;
static float *weights; /* [2 * layout.n_params], to write and to read */

static r1_status checkpoint_save(const char *dir, r1_err *err) {
    r1_ckpt_numbers numbers = {.step = 1};
    r1_ckpt_texts texts = {
        .config = "name: x\n", .numeric_path = "ref", .reference = "", .stage = "rl"};
    char tmp[R1_PATH_MAX], *json = NULL;
    r1_ckpt_shard shard;
    r1_status st;

    R1_TRY(r1_arch_to_json(&sample_arch, "float32", &json, err));
    texts.model = json;
    R1_TRY(r1_ckpt_begin(dir, 1, tmp, sizeof tmp, err));
    R1_TRY(
        r1_ckpt_write_shard(tmp, 0, &layout, 0, layout.n_units, weights, NULL, NULL, &shard, err));
    st = r1_ckpt_finish(dir, tmp, &layout, &shard, 1, &numbers, &texts, err);
done:
    r1_free(json);
    return st;
}

static r1_status checkpoint_write(r1_err *err) {
    return checkpoint_save(AT("written"), err);
}

static void checkpoint_take(r1_buf *out) {
    r1_err err;

    ASSERT_OK(r1_ckpt_verify(AT("written/step_000001"), &err), &err);
    put_file(out, AT("written/step_000001/config.json"));
}

static r1_status checkpoint_read(r1_err *err) {
    static r1_ckpt c;
    char found[R1_PATH_MAX];
    int64_t step;
    r1_status st;

    memset(weights + layout.n_params, 0, layout.n_params * sizeof *weights);
    R1_TRY(r1_ckpt_newest(AT("saved"), INT64_MAX, found, sizeof found, &step, err));
    R1_TRY(r1_ckpt_open(&c, found, err));
    st = r1_ckpt_read(&c, &layout, ops, 0, layout.n_units, weights + layout.n_params, NULL, NULL,
                      err);
    r1_ckpt_close(&c);
done:
    return st;
}

static void weights_take(r1_buf *out) {
    put(out, weights + layout.n_params, layout.n_params * sizeof *weights);
}

static r1_status convert(const char *in, const char *to, r1_err *err) {
    const path out = below(work, "written/out");
    const r1_convert_options o = {.in = in, .out = out.s, .to = to, .shard_mb = 5000};
    r1_status st = r1_convert_run(&o, err);

    if (st != R1_OK && r1_path_exists(out.s))
        return R1_FAIL(err, R1_BUG, "a failed conversion left something");
    return st;
}

static r1_status convert_gguf(r1_err *err) {
    return convert(SOURCE("tests/golden/gguf/llama_tied.gguf"), "hf", err);
}

static r1_status convert_hf(r1_err *err) {
    return convert(SOURCE("tests/golden/models/qwen2"), "hf", err);
}

static r1_status convert_checkpoint(r1_err *err) {
    return convert(SOURCE("tests/golden/models/qwen2"), "checkpoint", err);
}

static void convert_take(r1_buf *out) {
    put_file(out, AT("written/out/config.json"));
}

/* ---- the table ---- */

static void empty_written(void) {
    r1_err err;

    ASSERT_OK(r1_dir_remove(AT("written"), &err), &err);
    ASSERT_OK(r1_dir_make(AT("written"), &err), &err);
}

#define RET(x) &(x), sizeof(x)
/* A file that jansson parses must not lose one block alone: it overlooks the failure of one of its
 * own and reads on behind the end.  HDF5 and GMP are not asked to survive either. */
static const scene scenes[] = {
    {"configuration", OURS | ALL | ONCE, config_load, config_take, NULL, RET(config)},
    {"configuration to text", OURS | ALL | ONCE, config_write, text_take, NULL, RET(text)},
    {"help", OURS | ALL | ONCE, config_help, text_take, NULL, RET(text)},
    {"safetensors", OURS | ALL, tensors_dir, tensors_take, NULL, RET(tensors)},
    {"sharded safetensors", OURS | ALL, tensors_shards, tensors_take, NULL, RET(tensors)},
    {"GGUF", OURS | ALL | ONCE, tensors_gguf, tensors_take, NULL, RET(tensors)},
    {"writing safetensors", OURS | ALL, shards_write, shards_take, empty_written, NULL, 0},
    {"config.json", OURS | ALL, arch_dir, arch_take, NULL, RET(arch)},
    {"descriptor in GGUF", OURS | ALL | ONCE, arch_gguf, arch_take, NULL, RET(arch)},
    {"descriptor to text", OURS | ALL, arch_write, text_take, NULL, RET(text)},
    {"writing config.json", OURS | ALL, export_config, export_take, empty_written, NULL, 0},
    {"tokenizer.json", OURS | ALL, tokenizer_bpe, tokenizer_take, NULL, RET(tokenizer)},
    {"tokenizer's directory", OURS | ALL, tokenizer_dir, tokenizer_take, NULL, RET(tokenizer)},
    {"vocabulary in GGUF", OURS | ALL, tokenizer_gguf, tokenizer_take, NULL, RET(tokenizer)},
    {"byte tokenizer", OURS | ALL | ONCE, tokenizer_bytes, tokenizer_take, NULL, RET(tokenizer)},
    {"text to ids", OURS | ALL | ONCE, tokenizer_encode, ids_take, NULL, NULL, 0},
    {"JSON lines", OURS | ALL, problems_file, problems_take, problems_done, NULL, 0},
    {"tasks", OURS | ALL | ONCE, problems_tasks, problems_take, problems_done, NULL, 0},
    {"group to message", OURS | ALL | ONCE, group_encode, message_take, NULL, NULL, 0},
    {"message to group", OURS | ALL | ONCE, group_decode, group_take, NULL, RET(group)},
    {"metrics", OURS | ALL | ONCE, metrics_append, metrics_take, NULL, NULL, 0},
    {"rollouts", OURS | ALL | ONCE, rollouts_write, rollouts_take, empty_written, NULL, 0},
    {"writing summary.json", ALL | ONCE, summary_write, summary_file_take, empty_written, NULL, 0},
    {"reading summary.json", OURS | ALL, summary_read, summary_file_take, empty_written, NULL, 0},
    {"opening rewards", OURS | ALL | ONCE, rewards_open, message_take, NULL, NULL, 0},
    {"grading a row", OURS | ALL, grade_exact, message_take, NULL, NULL, 0},
    {"grading countdown", OURS, grade_countdown, message_take, NULL, NULL, 0},
    {"writing a checkpoint", OURS | CACHES, checkpoint_write, checkpoint_take, empty_written, NULL,
     0},
    {"reading a checkpoint", OURS | CACHES, checkpoint_read, weights_take, NULL, NULL, 0},
    {"GGUF to directory", OURS | ALL | CACHES, convert_gguf, convert_take, empty_written, NULL, 0},
    {"directory to directory", OURS | ALL | CACHES, convert_hf, convert_take, empty_written, NULL,
     0},
    {"directory to checkpoint", OURS | CACHES, convert_checkpoint, convert_take, empty_written,
     NULL, 0},
};
enum {
    N_SCENES = sizeof scenes / sizeof *scenes
};

static const char rows[] = "{\"question\": \"1+1\", \"answer\": 2, \"nums\": [1, 1]}\n"
                           "{\"question\": \"2+2\", \"answer\": \"4\"}\n"
                           "{\"question\": \"3+3\", \"answer\": 6.5}\n";

static r1_status make_samples(r1_err *err) {
    r1_status st;

    R1_TRY(r1_dir_make(AT("written"), err));
    R1_TRY(r1_dir_make(AT("shards"), err));
    R1_TRY(r1_dir_make(AT("tokenizer"), err));
    R1_TRY(r1_dir_make(AT("saved"), err));
    R1_TRY(write_shards(AT("shards"), err));
    R1_TRY(r1_file_write_atomic(AT("rows.jsonl"), rows, sizeof rows - 1, err));
    R1_TRY(r1_config_load(&sample, SOURCE("configs/quickstart.yaml"), 0, NULL, err));
    R1_TRY(tokenizer_gguf(err));
    R1_TRY(r1_tokenizer_save(tokenizer, AT("tokenizer"), err));
    r1_tokenizer_free(tokenizer);
    R1_TRY(r1_tokenizer_open(&sample_tokenizer, SOURCE("tests/golden/tokenizer/llama3.json"), err));
    R1_TRY(group_make(err));
    R1_TRY(r1_arch_open(&sample_arch, SOURCE("tests/golden/models/llama3_untied"), err));
    sample_arch.bos_id = 0;
    sample_arch.n_eos = 2;
    sample_arch.eos_ids[0] = 1;
    sample_arch.eos_ids[1] = 2;
    R1_TRY(r1_layout_open(&layout, &sample_arch, R1_F32, err));
    R1_TRY(r1_ops_open(&ops, R1_F32, "ref", 1, err));
    R1_TRY(R1_NEW(weights, 2 * layout.n_params, err));
    for (size_t i = 0; i < layout.n_params; i++)
        weights[i] = (float)i;
    R1_TRY(checkpoint_save(AT("saved"), err));
    for (int i = 0; i < 40; i++)
        r1_record_real(&record, 0.1 * i, "actor/number_%d", i);
    r1_summary_init(&summary);
    for (int i = 0; i < 9; i++) {
        char name[16];
        snprintf(name, sizeof name, "s%d", i);
        r1_summary_stage_of(&summary, name, "grpo")->has_eval = i % 2;
    }
    summary.has_phases = 1;
    for (int p = 0; p < R1_PHASE_COUNT; p++)
        summary.phases[p].ranks = 1;
    st = r1_summary_write(&summary, AT("summary.json"), err);
done:
    return st;
}

static int setup(void **state) {
    r1_err err;

    r1_log_init(-1, R1_LOG_ERROR);
    snprintf(work, sizeof work, "/tmp/r1-test-torture-XXXXXX");
    if (!mkdtemp(work))
        return -1;
    r1_status st = make_samples(&err);
    if (st != R1_OK)
        print_error("%s\n", err.msg);
    return st != R1_OK;
}

static int teardown(void **state) {
    r1_config_free(sample);
    r1_tokenizer_free(sample_tokenizer);
    r1_group_done(&sample_group);
    r1_buf_done(&sample_message);
    r1_layout_close(&layout);
    r1_ops_close(ops);
    r1_free(weights);
    return r1_dir_remove(work, NULL) != R1_OK;
}

int main(void) {
    struct CMUnitTest tests[N_SCENES];

    for (int i = 0; i < N_SCENES; i++)
        tests[i] = (struct CMUnitTest){.name = scenes[i].name,
                                       .test_func = torture,
                                       .initial_state = (void *)(uintptr_t)&scenes[i]};
    int failed = cmocka_run_group_tests(tests, setup, teardown);
    r1_leaks_check();
    return failed;
}
