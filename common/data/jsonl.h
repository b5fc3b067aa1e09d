#ifndef R1_DATA_JSONL_H
#define R1_DATA_JSONL_H
/* JSON lines: one object a line, read at random by row.
 *
 * The file is mapped and indexed once; empty lines are skipped.  Limits: 16 MiB a line, 2^31 rows;
 * in every key integers of 63 bits, reals of a double, well-formed Unicode without lone surrogates.
 * Messages name file and line. */
#include "common/base/file.h"

#include <jansson.h>
#include <stdint.h>

#define R1_JSONL_LINE_MAX ((size_t)16 << 20)

typedef struct r1_jsonl {
    char path[R1_PATH_MAX];
    r1_map map;
    size_t *offsets; /* of each row */
    uint32_t *lengths;
    uint32_t *lines; /* line number, from 1 */
    uint32_t n;
} r1_jsonl;

R1_MUST_USE r1_status r1_jsonl_open(r1_jsonl *j, const char *path, r1_err *err);
void r1_jsonl_close(r1_jsonl *j);

/* Row as an object; the caller decrefs. */
R1_MUST_USE r1_status r1_jsonl_row(const r1_jsonl *j, uint32_t row, json_t **ret, r1_err *err);

/* A string (or number, as text) under key; NULL key or absent key: R1_DATA naming file and line,
 * unless optional, then *ret = NULL.  The caller frees (r1_free). */
R1_MUST_USE r1_status r1_jsonl_text(const r1_jsonl *j, uint32_t row, const json_t *obj,
                                    const char *key, int optional, char **ret, r1_err *err);

#endif
