/* r1-tokenize: JSON lines with texts -> their ids and what those decode to. */
#include "common/base/cli.h"
#include "common/base/file.h"
#include "common/base/json.h"
#include "common/tokenizer/tokenizer.h"
#include "common/tokenizer/utf8.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct options {
    const char *model;
    int plain, skip_special, prefix;
} options;

/* A text as JSON; ill-formed bytes become U+FFFD. */
static r1_status to_json(const char *s, size_t n, json_t **ret, r1_err *err) {
    r1_buf clean;

    r1_buf_init(&clean, 4 * R1_TEXT_MAX);
    r1_status st = r1_utf8_replace(s, n, &clean, err);
    if (st == R1_OK && !(*ret = json_stringn(clean.data ? clean.data : "", clean.len)))
        st = R1_FAIL(err, R1_NOMEM, "out of memory: a text of %zu bytes", clean.len);
    r1_buf_done(&clean);
    return st;
}

static r1_status encode(const r1_tokenizer *t, const options *o, const json_t *text, r1_ids *ids,
                        r1_err *err) {
    r1_status st = R1_OK;

    ids->n = 0;
    if (o->prefix && r1_tokenizer_prefix(t) >= 0)
        st = r1_ids_add(ids, r1_tokenizer_prefix(t), err);
    return st == R1_OK ? r1_tokenizer_encode(t, json_string_value(text), json_string_length(text),
                                             !o->plain, ids, err)
                       : st;
}

/* One line in, one line out. */
static r1_status convert(const r1_tokenizer *t, const options *o, const json_t *text, r1_err *err) {
    json_t *row = json_object(), *list = json_array(), *decoded = NULL;
    r1_ids ids = {0};
    r1_buf out;
    r1_status st;

    r1_buf_init(&out, 64 * R1_TEXT_MAX);
    R1_TRY(encode(t, o, text, &ids, err));
    R1_TRY(r1_tokenizer_decode(t, ids.ids, ids.n, o->skip_special, &out, err));
    R1_TRY(to_json(out.data ? out.data : "", out.len, &decoded, err));
    int good = 1;
    for (size_t i = 0; i < ids.n; i++)
        good = good && json_array_append_new(list, json_integer(ids.ids[i])) == 0;
    good = good && json_object_set(row, "text", (json_t *)(uintptr_t)text) == 0 &&
           json_object_set(row, "ids", list) == 0 && json_object_set(row, "decoded", decoded) == 0;
    if (!good)
        st = R1_FAIL(err, R1_NOMEM, "out of memory: %zu ids", ids.n);
    else if (json_dumpf(row, stdout, JSON_ENSURE_ASCII) != 0 || putchar('\n') == EOF)
        st = R1_FAIL(err, R1_IO, "writing to stdout");
done:
    json_decref(row);
    json_decref(list);
    json_decref(decoded);
    r1_ids_done(&ids);
    r1_buf_done(&out);
    return st;
}

static r1_status convert_line(const r1_tokenizer *t, const options *o, const char *s, size_t n,
                              r1_err *err) {
    json_error_t e;
    json_t *row = NULL;
    r1_buf clean;
    r1_status st;

    r1_buf_init(&clean, 4 * R1_TEXT_MAX);
    R1_TRY(r1_utf8_replace(s, n, &clean, err));
    st = r1_json_parse(&row, clean.data, clean.len, JSON_ALLOW_NUL, &e);
    const json_t *text = json_object_get(row, "text");
    st = st != R1_OK             ? R1_FAIL(err, st, "%s", e.text)
         : !json_is_string(text) ? R1_FAIL(err, R1_DATA, "there is no string 'text'")
                                 : convert(t, o, text, err);
done:
    json_decref(row);
    r1_buf_done(&clean);
    return st;
}

static r1_status convert_file(const r1_tokenizer *t, const options *o, const char *path,
                              r1_err *err) {
    FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    char *line = NULL;
    size_t cap = 0, number = 0;
    ssize_t n;
    r1_status st = R1_OK;

    if (!in)
        return R1_FAIL(err, R1_IO, "open '%s': %m", path);
    while (st == R1_OK && (n = getline(&line, &cap, in)) >= 0) {
        number++;
        if (strspn(line, " \t\r\n") == (size_t)n)
            continue;
        st = (size_t)n > R1_TEXT_MAX
                 ? R1_FAIL(err, R1_DATA, "longer than %zu MiB", R1_TEXT_MAX >> 20)
                 : convert_line(t, o, line, (size_t)n, err);
        if (st != R1_OK)
            r1_err_prefix(err, "%s:%zu", path, number);
    }
    if (st == R1_OK && ferror(in))
        st = R1_FAIL(err, R1_IO, "read '%s': %m", path);
    if (st == R1_OK && fflush(stdout) != 0)
        st = R1_FAIL(err, R1_IO, "writing to stdout: %m");
    free(line);
    if (in != stdin)
        fclose(in);
    return st;
}

int main(int argc, char **argv) {
    options o = {0};
    const r1_cli_option table[] = {
        {"model", R1_CLI_STRING, &o.model, "M",
         "Hugging Face directory, tokenizer.json, .gguf file, or a directory that r1 saved"},
        {"plain", R1_CLI_FLAG, &o.plain, NULL,
         "texts are plain: \"<|im_end|>\" is eleven characters, not a token"},
        {"bos", R1_CLI_FLAG, &o.prefix, NULL,
         "begin with the id that the tokenizer puts before every text, if it has one"},
        {"skip-special", R1_CLI_FLAG, &o.skip_special, NULL,
         "leave special tokens out of `decoded`"},
        {0}};
    const r1_cli cli = {
        .program = "r1-tokenize",
        .usage = "--model M IN.jsonl > OUT.jsonl",
        .about = "Turns texts into token ids and back.  Every line of IN.jsonl (- is stdin) is an "
                 "object with\na string `text`; for each, in order, a line {\"text\", \"ids\", "
                 "\"decoded\"} goes to stdout.  The ids\nare those of Hugging Face's tokenizers "
                 "without its bos and eos.  Bytes that are not UTF-8 become\nU+FFFD.  Under mpirun "
                 "the first rank does the work.",
        .epilog = "Example\n  echo '{\"text\": \"2 + 2 = 4\"}' | r1-tokenize --model "
                  "SmolLM2-135M-Instruct.Q4_1.gguf -\n\nExit codes: 0, 64 wrong usage, 65 bad data "
                  "(a line, a tokenizer that is not known), 74 input/output.\n",
        .options = table,
        .min_positional = 1,
        .max_positional = 1};
    r1_tokenizer *t = NULL;
    r1_cli_result result;
    r1_err err = {0};
    int n;
    r1_status st;

    if (!r1_cli_is_first())
        return 0;
    st = r1_cli_parse(&cli, argc, argv, 1, &result, &n, &err);
    if (st != R1_OK || result == R1_CLI_EXIT_OK)
        return r1_cli_end(st, &err, 1);
    if (!o.model)
        st = R1_FAIL(&err, R1_USAGE, "--model is missing (see --help)");
    if (st == R1_OK)
        st = r1_tokenizer_open(&t, o.model, &err);
    if (st == R1_OK)
        st = convert_file(t, &o, argv[1], &err);
    r1_tokenizer_free(t);
    return r1_cli_end(st, &err, 1);
}
