#ifndef R1_LEARNER_TRAIN_OPTIONS_H
#define R1_LEARNER_TRAIN_OPTIONS_H
/* The command line of r1-train. */
#include "common/base/cli.h"
#include "common/config/config.h"

typedef struct r1_train_options {
    const char *config, *resume, *from, *output;
    int dry_run, n_overrides;
    double max_hours; /* 0: as long as it takes */
    char **overrides;
    char **argv; /* what these point into, if it is their own */
} r1_train_options;

/* Fills o with pointers into argv.  print: this rank serves --help, --version
 * and --help-config. */
R1_MUST_USE r1_status r1_train_options_parse(r1_train_options *o, int argc, char **argv, int print,
                                             r1_cli_result *ret, r1_err *err);

/* Before MPI_Init, when it is not known yet who speaks: the options, and the configuration that
 * they name, which is the caller's (NULL with --help).  err->status is R1_OK, or says why there is
 * none. */
void r1_train_options_read(r1_train_options *o, int argc, char **argv, r1_config **ret_cfg,
                           r1_cli_result *ret, r1_err *err);
void r1_train_options_done(r1_train_options *o);

#endif
