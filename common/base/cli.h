#ifndef R1_BASE_CLI_H
#define R1_BASE_CLI_H
/* Command lines: one table per program drives parsing, checks and --help.
 *
 *     const r1_cli_option options[] = {
 *         {"model", R1_CLI_STRING, &o.model, "M", "Hugging Face directory, .gguf file or checkpoint"},
 *         {"n", R1_CLI_INT, &o.n, "N", "samples per prompt (default 1)", .min = 1, .max = 65535},
 *         {"dtype", R1_CLI_CHOICE, &o.dtype, "fp32|bf16", "of the computation (default bf16)"},
 *         {0}};
 *
 * --help (-h) and --version print to stdout and end the program with exit code 0; a wrong option is
 * a message and R1_USAGE.  Options are written out: an abbreviation may become ambiguous with the
 * next version, so it is an error that names what it could mean.  Options and positional arguments
 * may be mixed; "--" ends the options. */
#include "common/base/err.h"

typedef enum r1_cli_type {
    R1_CLI_FLAG,   /* int *, set to 1 */
    R1_CLI_INT,    /* int * */
    R1_CLI_UINT64, /* uint64_t * */
    R1_CLI_DOUBLE, /* double * */
    R1_CLI_STRING, /* const char ** (points into argv) */
    R1_CLI_CHOICE, /* the same, one of the words of `arg`: "fp32|bf16" */
} r1_cli_type;

typedef struct r1_cli_option {
    const char *name; /* without the dashes */
    r1_cli_type type;
    void *value;     /* holds the default on entry */
    const char *arg; /* name of the argument in the help, NULL for a flag */
    const char *help;
    /* Of R1_CLI_INT and R1_CLI_DOUBLE, ends included; 0 and 0: any finite number. */
    double min, max;
    int above; /* min itself is not allowed */
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

/* Sets the name under which the program logs.  Positional arguments are moved to argv[1 .. *ret_n_positional].  *ret_result = R1_CLI_EXIT_OK
 * when --help or --version was served (only if print != 0: under MPI only rank 0 speaks). */
R1_MUST_USE r1_status r1_cli_parse(const r1_cli *cli, int argc, char **argv, int print,
                                   r1_cli_result *ret_result, int *ret_n_positional, r1_err *err);

/* Programs of one process: does this one do the work?  Under mpirun or srun only the first rank does,
 * the others end at once with exit code 0, so that every line is there once. */
int r1_cli_is_first(void);

/* The end of every main.  What was written to stdout must have arrived: a full disk makes a success
 * R1_IO.  The error is printed if `speaks` (under MPI: rank 0).  Returns the exit code. */
int r1_cli_end(r1_status st, r1_err *err, int speaks);

/* What a report of a bug should say: commit, compiler, options, kernels and libraries of this build,
 * and the processor that it runs on; one fact a line.  Not for several threads. */
const char *r1_build_facts(void);
extern const char r1_version[];

#endif
