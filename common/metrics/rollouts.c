/* Samples as JSON lines; see rollouts.h. */
#include "common/metrics/rollouts.h"

#include "common/base/file.h"
#include "common/metrics/json.h"

#include <string.h>

static r1_status put_text(r1_buf *out, const char *key, const char *bytes, size_t n, r1_err *err) {
    r1_status st = R1_OK;

    R1_TRY(r1_buf_addf(out, err, ", \"%s\": ", key));
    if (bytes)
        R1_TRY(r1_json_text(out, bytes, n, err));
    else
        R1_TRY(r1_buf_add(out, "null", 4, err));
done:
    return st;
}

static r1_status put_number(r1_buf *out, const char *key, double x, r1_err *err) {
    r1_status st = r1_buf_addf(out, err, ", \"%s\": ", key);

    return st == R1_OK ? r1_json_number(out, x, err) : st;
}

static r1_status put_verdicts(r1_buf *out, const r1_rollout_row *row, r1_err *err) {
    r1_status st = R1_OK;

    R1_TRY(r1_buf_addf(out, err, ", \"verdicts\": {"));
    for (int i = 0; i < row->n_verdicts; i++) {
        const r1_rollout_verdict *v = &row->verdicts[i];
        if (i)
            R1_TRY(r1_buf_add(out, ", ", 2, err));
        R1_TRY(r1_json_text(out, v->reward, strlen(v->reward), err));
        R1_TRY(r1_buf_addf(
            out, err, ": {\"verdict\": \"%s\", \"score\": ", r1_verdict_name(v->verdict.kind)));
        if (r1_verdict_scorable(v->verdict.kind))
            R1_TRY(r1_json_number(out, (double)v->verdict.score, err));
        else
            R1_TRY(r1_buf_add(out, "null", 4, err));
        R1_TRY(put_text(out, "note", v->verdict.note,
                        strnlen(v->verdict.note, sizeof v->verdict.note), err));
        R1_TRY(r1_buf_add(out, "}", 1, err));
    }
    R1_TRY(r1_buf_add(out, "}", 1, err));
done:
    return st;
}

r1_status r1_rollout_add(r1_buf *out, const r1_rollout_row *row, r1_err *err) {
    r1_status st = R1_OK;

    R1_TRY(r1_buf_addf(out, err, "{\"step\": %lld, \"deal\": %llu, \"sample\": %d",
                       (long long)row->step, (unsigned long long)row->deal, row->sample));
    R1_TRY(put_text(out, "stage", row->stage, strlen(row->stage), err));
    if (row->mode)
        R1_TRY(put_text(out, "mode", row->mode, strlen(row->mode), err));
    R1_TRY(r1_buf_addf(out, err, ", \"weights_version\": %lld", (long long)row->weights_version));
    R1_TRY(put_text(out, "prompt", row->prompt, row->len_prompt, err));
    R1_TRY(put_text(out, "completion", row->completion, row->len_completion, err));
    R1_TRY(put_text(out, "reference", row->reference, row->len_reference, err));
    R1_TRY(r1_buf_addf(out, err, ", \"prompt_tokens\": %d, \"tokens\": %d", row->n_prompt_tokens,
                       row->n_tokens));
    R1_TRY(put_text(out, "finish_reason", row->finish_reason, strlen(row->finish_reason), err));
    R1_TRY(put_number(out, "reward", row->reward, err));
    R1_TRY(put_number(out, "advantage", row->advantage, err));
    R1_TRY(put_verdicts(out, row, err));
    R1_TRY(r1_buf_add(out, "}\n", 2, err));
done:
    return st;
}

static r1_status write_file(const char *dir, const char *prefix, int64_t step, const r1_buf *out,
                            r1_err *err) {
    char path[R1_PATH_MAX];
    r1_status st;

    R1_TRY(r1_path_format(path, sizeof path, err, "%s/%sstep_%06lld.jsonl", dir, prefix,
                          (long long)step));
    st = r1_file_write_atomic(path, out->data ? out->data : "", out->len, err);
done:
    return st;
}

r1_status r1_rollouts_write(const char *dir, int64_t step, const r1_buf *out, r1_err *err) {
    return write_file(dir, "", step, out, err);
}

r1_status r1_rollouts_write_eval(const char *dir, int64_t step, const r1_buf *out, r1_err *err) {
    return write_file(dir, "eval_", step, out, err);
}
