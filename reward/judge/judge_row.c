/* Rows as jobs; see judge_row.h. */
#include "reward/judge/judge_row.h"

#include "common/base/clock.h"
#include "common/base/cpu.h"
#include "common/base/file.h"
#include "reward/extract.h"
#include "reward/grade.h"
#include "reward/judge/code_block.h"

#include <math.h>
#include <string.h>

#define PROBLEMS_BYTES_MAX ((size_t)1 << 30)
#define SOURCE_BYTES_MAX   ((size_t)1 << 20)

struct r1_problems {
    json_t *rows; /* array */
};

static r1_status parse(r1_text line, json_t **ret, r1_err *err) {
    json_error_t je;
    json_t *row = json_loadb(line.s, line.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &je);

    if (!row)
        return R1_FAIL(err, R1_DATA, "column %d: %s", je.column, je.text);
    if (!json_is_object(row)) {
        json_decref(row);
        return R1_FAIL(err, R1_DATA, "not a JSON object");
    }
    *ret = row;
    return R1_OK;
}

r1_status r1_problems_read(const char *path, r1_problems **ret, r1_err *err) {
    r1_problems *p = NULL;
    char *data = NULL;
    size_t n = 0;
    int number = 1;
    r1_status st;

    R1_TRY(r1_file_slurp(path, PROBLEMS_BYTES_MAX, &data, &n, err));
    R1_TRY(R1_NEW(p, 1, err));
    p->rows = json_array();
    for (size_t at = 0; at < n; number++) {
        const char *nl = memchr(data + at, '\n', n - at);
        r1_text line = r1_text_trim((r1_text){data + at, (nl ? (size_t)(nl - data) : n) - at});
        json_t *row = NULL;
        at = nl ? (size_t)(nl - data) + 1 : n;
        if (line.n == 0)
            continue;
        if ((st = parse(line, &row, err)) == R1_OK && json_array_append_new(p->rows, row) != 0)
            st = R1_FAIL(err, R1_NOMEM, "out of memory");
        if (st == R1_OK && !json_is_string(json_object_get(row, "problem_id")))
            st = R1_FAIL(err, R1_DATA, "key 'problem_id' is missing");
        if (st != R1_OK) {
            r1_err_prefix(err, "%s:%d", path, number);
            goto done;
        }
    }
    *ret = p;
    p = NULL;
done:
    r1_problems_free(p);
    r1_free(data);
    return st;
}

void r1_problems_free(r1_problems *p) {
    if (p)
        json_decref(p->rows);
    r1_free(p);
}

static r1_text text_of(const json_t *v) {
    return (r1_text){json_string_value(v), json_string_length(v)};
}

/* A string, if the key is there. */
static r1_status optional(const json_t *row, const char *key, r1_text *ret, r1_err *err) {
    const json_t *v = json_object_get(row, key);

    *ret = (r1_text){NULL, 0};
    if (!v || json_is_null(v))
        return R1_OK;
    if (!json_is_string(v))
        return R1_FAIL(err, R1_DATA, "key '%s' is no string", key);
    *ret = text_of(v);
    return R1_OK;
}

static r1_status number_of(const json_t *object, const char *key, double least, double *ret,
                           r1_err *err) {
    const json_t *v = json_object_get(object, key);

    if (!v || json_is_null(v))
        return R1_OK;
    if (!json_is_number(v) || json_number_value(v) < least || json_number_value(v) > 1e6)
        return R1_FAIL(err, R1_DATA, "key '%s' is no number from %g to 1e6", key, least);
    *ret = json_number_value(v);
    return R1_OK;
}

static r1_status read_limits(const json_t *row, r1_judge_limits *l, r1_err *err) {
    const json_t *o = json_object_get(row, "limits");
    double procs = 0, open_files = 0;
    r1_status st;

    R1_TRY(number_of(row, "time_limit_s", 0.01, &l->cpu_s, err));
    R1_TRY(number_of(row, "memory_limit_mb", 1, &l->memory_mb, err));
    if (o && !json_is_object(o))
        return R1_FAIL(err, R1_DATA, "key 'limits' is no object");
    R1_TRY(number_of(o, "cpu_s", 0.01, &l->cpu_s, err));
    R1_TRY(number_of(o, "wall_s", 0.01, &l->wall_s, err));
    R1_TRY(number_of(o, "mem_mb", 1, &l->memory_mb, err));
    R1_TRY(number_of(o, "output_kb", 0.001, &l->output_kb, err));
    R1_TRY(number_of(o, "file_kb", 0.001, &l->file_kb, err));
    R1_TRY(number_of(o, "procs", 1, &procs, err));
    R1_TRY(number_of(o, "open_files", 8, &open_files, err));
    if (procs > 0)
        l->procs = (int)procs;
    if (open_files > 0)
        l->open_files = (int)open_files;
done:
    return st;
}

static r1_status read_language(const json_t *row, const char *key, r1_language *ret, r1_err *err) {
    r1_text t;
    r1_status st = optional(row, key, &t, err);

    *ret = R1_LANGUAGE_PYTHON;
    if (st == R1_OK && t.s && !r1_language_parse(t.s, t.n, ret))
        st = R1_FAIL(err, R1_DATA, "key '%s': '%.40s' is unknown (c, cpp, python)", key, t.s);
    return st;
}

/* [{stdin, stdout}], also named input and output. */
static r1_status read_tests(const json_t *tests, r1_row_job *j, r1_err *err) {
    size_t n = json_array_size(tests);
    r1_status st;

    if (n == 0 || n > 100000)
        return R1_FAIL(err, R1_DATA, "key 'tests' is no list of tests");
    R1_TRY(R1_NEW(j->tests, n, err));
    for (size_t i = 0; i < n; i++) {
        const json_t *t = json_array_get(tests, i), *in = json_object_get(t, "stdin"),
                     *out = json_object_get(t, "stdout");
        in = in ? in : json_object_get(t, "input");
        out = out ? out : json_object_get(t, "output");
        if (!json_is_string(in) || !json_is_string(out))
            return R1_FAIL(err, R1_DATA, "key 'tests': number %zu has no stdin and stdout", i + 1);
        j->tests[i] = (r1_judge_test){text_of(in), text_of(out)};
    }
    j->job.tests = j->tests;
    j->job.n_tests = (int)n;
done:
    return st;
}

static r1_status read_stdio(const json_t *row, const json_t *problem, r1_row_job *j, r1_err *err) {
    const json_t *tests = json_object_get(problem ? problem : row, "tests");
    r1_judge_job *job = &j->job;
    r1_text in, out, compare, program;
    r1_status st;

    j->how = "stdio";
    if (tests) {
        R1_TRY(read_tests(tests, j, err));
    } else {
        R1_TRY(optional(row, "stdin", &in, err));
        R1_TRY(optional(row, "expected_stdout", &out, err));
        if (!out.s)
            return R1_FAIL(err, R1_DATA, "key 'tests' (or 'expected_stdout') is missing");
        R1_TRY(R1_NEW(j->tests, 1, err));
        j->tests[0] = (r1_judge_test){in.s ? in : r1_text_of(""), out};
        job->tests = j->tests;
        job->n_tests = 1;
    }
    R1_TRY(optional(row, "compare", &compare, err));
    if (!compare.s && problem)
        R1_TRY(optional(problem, "compare", &compare, err));
    if (!r1_compare_parse(compare.s, &job->compare))
        return R1_FAIL(err, R1_DATA,
                       "key 'compare': '%.40s' is unknown (tokens, tokens+floatE, lines, exact, "
                       "checker)",
                       compare.s);
    if (job->compare.mode != R1_COMPARE_CHECKER)
        return R1_OK;
    const json_t *with = json_object_get(row, "checker") ? row : problem;
    R1_TRY(optional(with, "checker", &program, err));
    R1_TRY(read_language(with, "checker_language", &job->checker_language, err));
    if (!program.s)
        return R1_FAIL(err, R1_DATA, "key 'checker' is missing: compare is 'checker'");
    job->checker_source = program;
done:
    return st;
}

/* The end of an expression: a comma outside of brackets and strings, or the end of the text. */
static size_t expression_end(r1_text t, size_t at) {
    char quote = 0;
    int depth = 0;

    for (; at < t.n; at++) {
        char c = t.s[at];
        if (quote) {
            if (c == '\\')
                at++;
            else if (c == quote)
                quote = 0;
        } else if (c == '\'' || c == '"') {
            quote = c;
        } else if (c && strchr("([{", c)) {
            depth++;
        } else if (c && strchr(")]}", c)) {
            depth--;
        } else if (c == ',' && depth == 0) {
            break;
        }
    }
    return at < t.n ? at : t.n;
}

/* "NAME: EXPR, EXPR": each expression becomes an assertion. */
static r1_status read_function(r1_text mode, r1_row_job *j, r1_err *err) {
    long colon = r1_text_find(mode, 0, ":");
    size_t *ends = NULL, n = 0;
    r1_status st;

    j->how = "function";
    j->name = r1_text_trim((r1_text){mode.s, colon < 0 ? 0 : (size_t)colon});
    if (j->name.n == 0)
        return R1_FAIL(err, R1_DATA, "key 'mode': no 'function NAME: EXPRESSION, ...'");
    r1_text rest = {mode.s + colon + 1, mode.n - (size_t)colon - 1};
    R1_TRY(R1_NEW(ends, rest.n + 1, err));
    for (size_t at = 0; at < rest.n;) {
        size_t end = expression_end(rest, at);
        r1_text e = r1_text_trim((r1_text){rest.s + at, end - at});
        at = end + 1;
        if (e.n == 0)
            continue;
        R1_TRY(r1_buf_addf(&j->text, err, "assert ("));
        R1_TRY(r1_buf_add(&j->text, e.s, e.n, err));
        R1_TRY(r1_buf_addf(&j->text, err, ")\n"));
        ends[n++] = j->text.len;
    }
    if (n == 0) {
        st = R1_FAIL(err, R1_DATA, "key 'mode': no expression after 'function NAME:'");
        goto done;
    }
    R1_TRY(R1_NEW(j->cases, n, err));
    for (size_t i = 0, first = 0; i < n; first = ends[i++])
        j->cases[i] = (r1_text){j->text.data + first, ends[i] - first};
    j->job.cases = j->cases;
    j->job.n_cases = (int)n;
    j->job.names = &j->name;
    j->job.n_names = 1;
done:
    r1_free(ends);
    return st;
}

/* The prompt for the helpers in it, the tests, and one case. */
static r1_status read_humaneval(const json_t *row, r1_row_job *j, r1_err *err) {
    r1_text prompt, test;
    r1_status st;

    j->how = "function";
    R1_TRY(optional(row, "prompt", &prompt, err));
    R1_TRY(optional(row, "test", &test, err));
    R1_TRY(optional(row, "entry_point", &j->name, err));
    if (!prompt.s || !test.s || j->name.n == 0)
        return R1_FAIL(err, R1_DATA, "keys 'prompt', 'entry_point' and 'test' belong together");
    R1_TRY(r1_buf_add(&j->setup, prompt.s, prompt.n, err));
    R1_TRY(r1_buf_addf(&j->setup, err, "\n"));
    R1_TRY(r1_buf_add(&j->setup, test.s, test.n, err));
    R1_TRY(r1_buf_addf(&j->text, err, "check(%.*s)\n", (int)j->name.n, j->name.s));
    R1_TRY(R1_NEW(j->cases, 1, err));
    j->cases[0] = (r1_text){j->text.data, j->text.len};
    j->job.setup = (r1_text){j->setup.data, j->setup.len};
    j->job.cases = j->cases;
    j->job.n_cases = 1;
    j->job.names = &j->name;
    j->job.n_names = 1;
done:
    return st;
}

static r1_status read_mbpp(const json_t *row, const json_t *list, r1_row_job *j, r1_err *err) {
    size_t n = json_array_size(list);
    r1_status st;

    j->how = "function";
    if (n == 0 || n > 10000)
        return R1_FAIL(err, R1_DATA, "key 'test_list' is no list of tests");
    R1_TRY(optional(row, "test_setup_code", &j->job.setup, err));
    if (!j->job.setup.s)
        j->job.setup = r1_text_of("");
    R1_TRY(R1_NEW(j->cases, n, err));
    for (size_t i = 0; i < n; i++) {
        const json_t *t = json_array_get(list, i);
        if (!json_is_string(t))
            return R1_FAIL(err, R1_DATA, "key 'test_list': number %zu is no string", i + 1);
        j->cases[i] = text_of(t);
    }
    j->job.cases = j->cases;
    j->job.n_cases = (int)n;
done:
    return st;
}

static r1_status find_problem(const json_t *row, const r1_problems *problems, const json_t **ret,
                              r1_err *err) {
    r1_text id;
    r1_status st = optional(row, "problem_id", &id, err);

    *ret = NULL;
    if (st != R1_OK || !id.s || json_object_get(row, "tests"))
        return st;
    for (size_t i = 0; problems && i < json_array_size(problems->rows); i++) {
        json_t *p = json_array_get(problems->rows, i);
        if (strcmp(json_string_value(json_object_get(p, "problem_id")), id.s) == 0) {
            *ret = p;
            return R1_OK;
        }
    }
    return R1_FAIL(err, R1_DATA, "problem_id '%.60s' is in no file of problems (--problems)", id.s);
}

r1_status r1_row_tests(const json_t *row, const r1_problems *problems, r1_row_job *j, r1_err *err) {
    static const char function[] = "function ";
    const json_t *list = json_object_get(row, "test_list"), *problem;
    r1_text mode;
    r1_status st;

    *j = (r1_row_job){.how = ""};
    r1_buf_init(&j->source, SOURCE_BYTES_MAX);
    r1_buf_init(&j->setup, SOURCE_BYTES_MAX);
    r1_buf_init(&j->text, SOURCE_BYTES_MAX);
    R1_TRY(find_problem(row, problems, &problem, err));
    if (problem)
        R1_TRY(read_limits(problem, &j->job.limits, err));
    R1_TRY(read_limits(row, &j->job.limits, err));
    R1_TRY(read_language(row, "language", &j->job.language, err));
    R1_TRY(optional(row, "mode", &mode, err));
    if (mode.n > sizeof function && strncmp(mode.s, function, sizeof function - 1) == 0)
        st = read_function((r1_text){mode.s + sizeof function - 1, mode.n - sizeof function + 1}, j,
                           err);
    else if (mode.s && strcmp(mode.s, "stdio") != 0)
        st = R1_FAIL(err, R1_DATA, "key 'mode': '%.40s' is neither stdio nor function NAME: ...",
                     mode.s);
    else if (json_object_get(row, "entry_point"))
        st = read_humaneval(row, j, err);
    else if (list)
        st = read_mbpp(row, list, j, err);
    else
        st = read_stdio(row, problem, j, err);
    if (st == R1_OK && j->job.n_cases && j->job.language != R1_LANGUAGE_PYTHON)
        st = R1_FAIL(err, R1_DATA, "key 'language': functions are tested in Python only");
done:
    return st;
}

/* Is a name defined at the left margin? */
static int defines(r1_text source, r1_text name) {
    static const char *const heads[] = {"def ", "async def ", "class ", ""};

    for (size_t at = 0; at < source.n;) {
        const char *nl = memchr(source.s + at, '\n', source.n - at);
        size_t end = nl ? (size_t)(nl - source.s) : source.n;
        for (int i = 0; i < 4; i++) {
            size_t n = strlen(heads[i]), behind = at + n + name.n;
            if (behind >= end || memcmp(source.s + at, heads[i], n) != 0 ||
                memcmp(source.s + at + n, name.s, name.n) != 0)
                continue;
            while (behind < end && source.s[behind] == ' ')
                behind++;
            if (behind < end && strchr(n ? "(:" : "=", source.s[behind]) && source.s[behind])
                return 1;
        }
        at = end + 1;
    }
    return 0;
}

r1_status r1_row_source(const json_t *row, r1_text source, r1_row_job *j, r1_err *err) {
    r1_text front = {NULL, 0};
    r1_status st = R1_OK;

    if (!source.s)
        return R1_OK;
    if (json_object_get(row, "entry_point") && !defines(source, j->name))
        st = optional(row, "prompt", &front, err);
    else if (json_object_get(row, "test_list"))
        front = j->job.setup;
    if (st != R1_OK)
        return st;
    R1_TRY(r1_buf_add(&j->source, front.s, front.n, err));
    if (front.n && front.s[front.n - 1] != '\n')
        R1_TRY(r1_buf_addf(&j->source, err, "\n"));
    R1_TRY(r1_buf_add(&j->source, source.s, source.n, err));
    j->job.source = (r1_text){j->source.data, j->source.len};
done:
    return st;
}

void r1_row_job_done(r1_row_job *j) {
    r1_free(j->tests);
    r1_free(j->cases);
    r1_buf_done(&j->source);
    r1_buf_done(&j->setup);
    r1_buf_done(&j->text);
}

r1_status r1_row_program(const json_t *row, r1_language language, r1_text *ret, r1_err *err) {
    static const char *const programs[] = {"source_code", "canonical_solution", "code"};
    static const char *const completions[] = {"completion", "pred", "response"};
    r1_text t;
    r1_status st;

    R1_TRY(optional(row, programs[0], ret, err));
    if (ret->s)
        return R1_OK;
    for (int i = 0; i < 3; i++) {
        R1_TRY(optional(row, completions[i], &t, err));
        if (t.s) {
            r1_text segment = r1_extract_segment((r1_text){"", 0}, t);
            *ret = (r1_text){NULL, 0};
            r1_code_block(segment, language, ret);
            return R1_OK;
        }
    }
    for (int i = 1; i < 3; i++) {
        R1_TRY(optional(row, programs[i], ret, err));
        if (ret->s)
            return R1_OK;
    }
    st = R1_FAIL(err, R1_DATA, "key 'source_code' (or 'completion') is missing");
done:
    return st;
}

typedef struct grader {
    r1_judge *judge;
    r1_problems *problems;
    int fraction, cores; /* cores: that judge at a time */
    double t0_s;
    _Atomic uint64_t n_tests; /* that were run */
} grader;

static void close_grader(void *ctx) {
    grader *g = ctx;

    if (!g)
        return;
    if (g->n_tests)
        fprintf(stderr, "r1-grade: %llu tests, %.1f a second and core\n",
                (unsigned long long)g->n_tests,
                (double)g->n_tests / (r1_now_s() - g->t0_s) / g->cores);
    r1_judge_close(g->judge);
    r1_problems_free(g->problems);
    r1_free(g);
}

static r1_status open_grader(const r1_grade_options *o, void **ret_ctx, r1_err *err) {
    r1_judge_options judge = {.boxes = o->jobs};
    grader *g = NULL;
    r1_status st;

    R1_TRY(R1_NEW(g, 1, err));
    g->fraction = o->score && strcmp(o->score, "fraction") == 0;
    if (o->problems)
        R1_TRY(r1_problems_read(o->problems, &g->problems, err));
    R1_TRY(r1_judge_open(&g->judge, &judge, err));
    fprintf(stderr, "r1-grade: sandbox: %s\n", r1_judge_layers(g->judge));
    g->cores = o->jobs < r1_cpu_cores() ? o->jobs : r1_cpu_cores();
    g->t0_s = r1_now_s();
done:
    if (st == R1_OK)
        *ret_ctx = g;
    else
        close_grader(g);
    return st;
}

static int tests_run(const r1_judge_job *job) {
    const r1_judge_result *r = &job->result;

    if (r->verdict == R1_JUDGE_CE || r->verdict == R1_JUDGE_IE)
        return r->n_passed;
    return r->verdict == R1_JUDGE_AC || job->fraction ? r->n_tests : r->n_passed + 1;
}

static r1_status grade_row(void *ctx, const r1_grade_row *row, r1_row_verdict *ret, r1_err *err) {
    const r1_judge_result *r;
    r1_text source = {NULL, 0};
    grader *g = ctx;
    r1_row_job j;
    r1_status st;

    R1_TRY(r1_row_tests(row->json, g->problems, &j, err));
    R1_TRY(r1_row_program(row->json, j.job.language, &source, err));
    R1_TRY(r1_row_source(row->json, source, &j, err));
    j.job.fraction = g->fraction;
    r1_judge_submit(g->judge, &j.job);
    r1_judge_wait(g->judge, &j.job);
    r = &j.job.result;
    g->n_tests += (uint64_t)tests_run(&j.job);
    ret->verdict = r1_judge_verdict_name(r->verdict);
    ret->score = r->verdict == R1_JUDGE_IE ? (double)NAN : r->score;
    snprintf(ret->how, sizeof ret->how, "%s", j.how);
    snprintf(ret->why, sizeof ret->why, "%s", r->why);
done:
    r1_row_job_done(&j);
    return st;
}

const r1_grade_kind r1_grade_code = {
    .name = "code",
    .help = "source_code (or completion: its last fenced block), language\n"
            "(default python), and one of: tests [{stdin, stdout}]; stdin,\n"
            "expected_stdout; problem_id; mode function NAME: EXPR, ...;\n"
            "a row of HumanEval or MBPP (without source_code its own\n"
            "solution is judged).  compare, limits {cpu_s, wall_s, mem_mb,\n"
            "...}.  Verdicts: AC, WA, TLE, MLE, OLE, RTE, CE; IE: score null",
    .options = "problems score",
    .open = open_grader,
    .row = grade_row,
    .close = close_grader,
};
