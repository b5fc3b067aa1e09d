/* JSON lines of any bytes: every row is read, or the message names file and line. */
#include "tests/fuzz/fuzz.h"

#include "common/base/mem.h"
#include "common/data/jsonl.h"
#include "tests/fuzz/file.h"

static void check_failure(r1_status st, const r1_err *err, const char *path) {
    R1_ASSERT(st == R1_DATA);
    R1_ASSERT(strncmp(err->msg, path, strlen(path)) == 0 && err->msg[strlen(path)] == ':');
    R1_ASSERT(!strchr(err->msg, '\n'));
}

static void read_rows(const r1_jsonl *j, const char *path) {
    static const char *const keys[] = {"question", "answer", "text"};

    for (uint32_t i = 0; i < j->n; i++) {
        r1_err err = {0};
        json_t *row;
        r1_status st = r1_jsonl_row(j, i, &row, &err);
        if (st != R1_OK) {
            check_failure(st, &err, path);
            continue;
        }
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
            char *text = NULL;
            st = r1_jsonl_text(j, i, row, keys[k], k > 0, &text, &err);
            if (st != R1_OK)
                check_failure(st, &err, path);
            r1_free(text);
        }
        json_decref(row);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    char path[64];
    int fd = fuzz_file(data, n, path);
    r1_err err = {0};
    r1_jsonl j;

    r1_status st = r1_jsonl_open(&j, path, &err);
    if (st == R1_OK) {
        read_rows(&j, path);
        r1_jsonl_close(&j);
    } else {
        check_failure(st, &err, path);
    }
    close(fd);
    return 0;
}
