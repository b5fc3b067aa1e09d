/* Command lines; see cli.h. */
#include "common/base/cli.h"

#include "common/base/mem.h"
#include "version.h"

#include <errno.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_OPTIONS 64

const char r1_version[] = R1_VERSION;

const char *r1_build_facts(void) {
    return "version   " R1_VERSION "\n"
           "commit    " R1_COMMIT "\n"
           "compiler  " R1_COMPILER "\n"
           "build     " R1_BUILD "\n";
}

static void print_help(const r1_cli *cli) {
    printf("Usage: %s %s\n\n%s\n\nOptions:\n", cli->program, cli->usage, cli->about);
    for (const r1_cli_option *o = cli->options; o->name; o++) {
        char left[64];

        snprintf(left, sizeof left, "--%s%s%s", o->name, o->arg ? " " : "", o->arg ? o->arg : "");
        printf("  %-28s %s\n", left, o->help);
    }
    printf("  %-28s %s\n  %-28s %s\n", "--help", "this text", "--version", "build facts");
    if (cli->epilog)
        printf("\n%s\n", cli->epilog);
}

static r1_status set_value(const r1_cli *cli, const r1_cli_option *o, const char *text,
                           r1_err *err) {
    char *end = NULL;

    errno = 0;
    switch (o->type) {
    case R1_CLI_FLAG:
        *(int *)o->value = 1;
        return R1_OK;
    case R1_CLI_STRING:
        *(const char **)o->value = text;
        return R1_OK;
    case R1_CLI_INT: {
        long v = strtol(text, &end, 10);
        if (errno || *end || end == text || v < INT32_MIN || v > INT32_MAX)
            break;
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
        if (errno || *end || end == text)
            break;
        *(double *)o->value = v;
        return R1_OK;
    }
    }
    return R1_FAIL(err, R1_USAGE, "%s: --%s %s: '%s' is not a valid number", cli->program, o->name,
                   o->arg, text);
}

r1_status r1_cli_parse(const r1_cli *cli, int argc, char **argv, int print,
                       r1_cli_result *ret_result, int *ret_n_positional, r1_err *err) {
    struct option table[MAX_OPTIONS + 3] = {0};
    int n = 0, c, index;

    for (const r1_cli_option *o = cli->options; o->name; o++, n++) {
        R1_ASSERT(n < MAX_OPTIONS);
        table[n] = (struct option){o->name, o->type == R1_CLI_FLAG ? 0 : 1, NULL, 'o'};
    }
    table[n] = (struct option){"help", 0, NULL, 'h'};
    table[n + 1] = (struct option){"version", 0, NULL, 'v'};
    *ret_result = R1_CLI_RUN;
    opterr = 0;
    optind = 0; /* restart glibc's scanner: tests call this more than once */
    while ((c = getopt_long(argc, argv, ":", table, &index)) != -1) {
        if (c == 'h' || c == 'v') {
            if (print && c == 'h')
                print_help(cli);
            else if (print)
                printf("%s %s\n%s", cli->program, r1_version, r1_build_facts());
            *ret_result = R1_CLI_EXIT_OK;
            return R1_OK;
        }
        if (c != 'o')
            return R1_FAIL(err, R1_USAGE, "%s: %s '%s' (try --help)", cli->program,
                           c == ':' ? "missing argument of" : "unknown option", argv[optind - 1]);
        r1_status st = set_value(cli, &cli->options[index], optarg, err);
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
