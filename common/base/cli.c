/* Command lines; see cli.h. */
#include "common/base/cli.h"

#include "common/base/cpu.h"
#include "common/base/log.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_OPTIONS 64

static void print_help(const r1_cli *cli) {
    printf("Usage: %s %s\n\n%s\n\nOptions:\n", cli->program, cli->usage, cli->about);
    for (const r1_cli_option *o = cli->options; o->name; o++) {
        char left[64];

        snprintf(left, sizeof left, "--%s%s%s", o->name, o->arg ? " " : "", o->arg ? o->arg : "");
        printf("  %-28s %s\n", left, o->help);
    }
    printf("  %-28s %s\n  %-28s %s\n", "--help, -h", "this text", "--version", "build facts");
    if (cli->epilog)
        printf("\n%s\n", cli->epilog);
    printf("\nEnvironment:\n  %-28s %s\n  %-28s %s\n", "R1_CPU_MASK=N",
           "sum of the instruction sets that may be used: 1 AVX2, 2 AVX-512,", "",
           "4 AVX512-BF16, 8 AMX; 0 is plain C (default: all that the processor has)");
}

/* What is not in the option's range; numbers are printed as they were typed. */
static r1_status out_of_range(const r1_cli_option *o, const char *text, r1_err *err) {
    if (o->min == 0 && o->max == 0)
        return R1_FAIL(err, R1_USAGE, "--%s %s is not a finite number", o->name, text);
    return R1_FAIL(err, R1_USAGE, "--%s %s is not a number %s %.10g %s %.10g", o->name, text,
                   o->above ? "above" : "from", o->min, o->above ? "and up to" : "to", o->max);
}

static int in_range(const r1_cli_option *o, double v) {
    if (o->min == 0 && o->max == 0)
        return isfinite(v);
    return v >= o->min && v <= o->max && !(o->above && v == o->min);
}

static r1_status set_choice(const r1_cli_option *o, const char *text, r1_err *err) {
    size_t n = strlen(text);

    for (const char *word = o->arg; *word;) {
        size_t len = strcspn(word, "|");
        if (len == n && memcmp(word, text, n) == 0) {
            *(const char **)o->value = text;
            return R1_OK;
        }
        word += len + (word[len] == '|');
    }
    return R1_FAIL(err, R1_USAGE, "--%s %s: not one of %s", o->name, text, o->arg);
}

static r1_status set_value(const r1_cli_option *o, const char *text, r1_err *err) {
    char *end = NULL;

    errno = 0;
    switch (o->type) {
    case R1_CLI_FLAG:
        *(int *)o->value = 1;
        return R1_OK;
    case R1_CLI_STRING:
        *(const char **)o->value = text;
        return R1_OK;
    case R1_CLI_CHOICE:
        return set_choice(o, text, err);
    case R1_CLI_INT: {
        long v = strtol(text, &end, 10);
        if (*end || end == text)
            break;
        if (errno || v < INT32_MIN || v > INT32_MAX || !in_range(o, (double)v))
            return out_of_range(o, text, err);
        *(int *)o->value = (int)v;
        return R1_OK;
    }
    case R1_CLI_UINT64: {
        unsigned long long v = strtoull(text, &end, 10);
        if (errno || *end || end == text || *text == '-')
            break;
        *(uint64_t *)o->value = v;
        return R1_OK;
    }
    case R1_CLI_DOUBLE: {
        double v = strtod(text, &end);
        if (*end || end == text)
            break;
        if (!in_range(o, v))
            return out_of_range(o, text, err);
        *(double *)o->value = v;
        return R1_OK;
    }
    }
    return R1_FAIL(err, R1_USAGE, "--%s %s: '%s' is not a valid number", o->name, o->arg, text);
}

/* getopt's table: a value of its own for each option, beside those of --help and --version. */
enum {
    GOT_HELP = 1000,
    GOT_VERSION,
    GOT_OPTION
};

static void fill_table(const r1_cli *cli, struct option *table) {
    int n = 0;

    for (const r1_cli_option *o = cli->options; o->name; o++, n++) {
        R1_ASSERT(n < MAX_OPTIONS);
        table[n] = (struct option){o->name, o->type != R1_CLI_FLAG, NULL, GOT_OPTION + n};
    }
    table[n] = (struct option){"help", 0, NULL, GOT_HELP};
    table[n + 1] = (struct option){"version", 0, NULL, GOT_VERSION};
}

/* `word` is --name or --name=value; name may be cut short. */
static int is_whole(const char *word, const char *name) {
    return strcspn(word + 2, "=") == strlen(name);
}

static r1_status unknown_option(const struct option *table, const char *word, r1_err *err) {
    size_t n = strlen(word) > 2 ? strcspn(word + 2, "=") : 0;
    char hint[256] = "";

    for (; n > 0 && table->name; table++) {
        size_t at = strlen(hint);
        if (strncmp(table->name, word + 2, n) == 0)
            snprintf(hint + at, sizeof hint - at, "%s --%s", at ? " or" : " do you mean",
                     table->name);
    }
    return R1_FAIL(err, R1_USAGE, "unknown option '%s'%s%s%s (try --help)", word, *hint ? ":" : "",
                   hint, *hint ? "?" : "");
}

/* What getopt could not make sense of: an option that is unknown, or lacks its argument, or has one
 * that it does not take. */
static r1_status refuse(const struct option *table, int c, const char *word, r1_err *err) {
    if (c == ':')
        return R1_FAIL(err, R1_USAGE, "missing argument of '%s' (try --help)", word);
    if (optopt >= GOT_HELP)
        return R1_FAIL(err, R1_USAGE, "'%s': this option takes no argument", word);
    if (optopt)
        return R1_FAIL(err, R1_USAGE, "unknown option '-%c' (try --help)", optopt);
    return unknown_option(table, word, err);
}

static void serve(const r1_cli *cli, int c) {
    if (c == GOT_VERSION)
        printf("%s %s\n%s", cli->program, r1_version, r1_build_facts());
    else
        print_help(cli);
}

r1_status r1_cli_parse(const r1_cli *cli, int argc, char **argv, int print,
                       r1_cli_result *ret_result, int *ret_n_positional, r1_err *err) {
    struct option table[MAX_OPTIONS + 3] = {0};
    int c, index = 0;

    r1_log_name(cli->program);
    if (!r1_cpu_mask_is_good())
        return R1_FAIL(err, R1_USAGE, "R1_CPU_MASK=%s is not a number", getenv("R1_CPU_MASK"));
    fill_table(cli, table);
    *ret_result = R1_CLI_RUN;
    opterr = 0;
    optind = 0; /* restart glibc's scanner: tests call this more than once */
    while ((c = getopt_long(argc, argv, ":h", table, &index)) != -1) {
        /* The option: one word before its argument, if that is a word of its own. */
        const char *word = argv[optind - 1 - (c >= GOT_OPTION && optarg == argv[optind - 1])];
        if (c == '?' || c == ':')
            return refuse(table, c, word, err);
        if (c != 'h' && !is_whole(word, table[index].name))
            return unknown_option(table, word, err);
        if (c < GOT_OPTION) {
            if (print)
                serve(cli, c);
            *ret_result = R1_CLI_EXIT_OK;
            return R1_OK;
        }
        r1_status st = set_value(&cli->options[index], optarg, err);
        if (st != R1_OK)
            return st;
    }
    int n_positional = argc - optind;
    if (n_positional < cli->min_positional || n_positional > cli->max_positional)
        return R1_FAIL(err, R1_USAGE, "usage: %s %s (try --help)", cli->program, cli->usage);
    memmove(argv + 1, argv + optind, (size_t)n_positional * sizeof *argv);
    *ret_n_positional = n_positional;
    return R1_OK;
}

int r1_cli_is_first(void) {
    /* Open MPI; its launcher and others; MPICH's; srun without any of them. */
    static const char *const names[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK",
                                        "SLURM_PROCID"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *rank = getenv(names[i]);
        if (rank && *rank)
            return strtol(rank, NULL, 10) == 0;
    }
    return 1;
}

int r1_cli_end(r1_status st, r1_err *err, int speaks) {
    int lost = ferror(stdout);

    /* A stdout that was closed from the start is lost only if something was written. */
    if (fclose(stdout) != 0 && errno != EBADF)
        lost = 1;
    if (lost && st == R1_OK)
        st = R1_FAIL(err, R1_IO, "cannot write to stdout: what was written there is not complete");
    if (st != R1_OK && speaks)
        r1_error("%s", err->msg);
    return r1_exit_code(st);
}
