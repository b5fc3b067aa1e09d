#ifndef R1_BASE_CLI_H
#define R1_BASE_CLI_H
/* Command lines: one table per program drives parsing, checks and --help.
 *
 *     static const r1_cli_option options[] = {
 *         {"model", R1_CLI_STRING, &o.model, "M", "Hugging Face directory, .gguf file or checkpoint"},
 *         {"n", R1_CLI_INT, &o.n, "N", "samples per prompt (default 1)"},
 *         {0}};
 *
 * --help and --version print to stdout and end the program with exit code 0; a wrong option is a
 * message and R1_USAGE.  Options and positional arguments may be mixed; "--" ends the options. */
#include "common/base/err.h"

typedef enum r1_cli_type {
    R1_CLI_FLAG,   /* int *, set to 1 */
    R1_CLI_INT,    /* int * */
    R1_CLI_UINT64, /* uint64_t * */
    R1_CLI_DOUBLE, /* double * */
    R1_CLI_STRING, /* const char ** (points into argv) */
} r1_cli_type;

typedef struct r1_cli_option {
    const char *name; /* without the dashes */
    r1_cli_type type;
    void *value;     /* holds the default on entry */
    const char *arg; /* name of the argument in the help, NULL for a flag */
    const char *help;
} r1_cli_option;

typedef struct r1_cli {
    const char *program; /* "r1-train" */
    const char *usage;   /* what follows the program's name in the first line of the help */
    const char *about;   /* a paragraph on what it does, lines of at most 90 columns */
    const char *epilog;  /* examples, files, exit codes; may be NULL */
    const r1_cli_option *options; /* ends with a {0} */
    int min_positional, max_positional;
} r1_cli;

typedef enum r1_cli_result {
    R1_CLI_RUN,
    R1_CLI_EXIT_OK
} r1_cli_result;

/* Positional arguments are moved to argv[1 .. *ret_n_positional].  *ret_result = R1_CLI_EXIT_OK
 * when --help or --version was served (only if print != 0: under MPI only rank 0 speaks). */
R1_MUST_USE r1_status r1_cli_parse(const r1_cli *cli, int argc, char **argv, int print,
                                   r1_cli_result *ret_result, int *ret_n_positional, r1_err *err);

/* Version, commit, compiler, flags and libraries of this build: one fact a line. */
const char *r1_build_facts(void);
extern const char r1_version[];

#endif
