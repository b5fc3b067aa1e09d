/* common/formats: safetensors files that are not what they say. */
#include "tests/unit/unit.h"

#include "common/base/file.h"
#include "common/formats/tensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/r1-test-formats-XXXXXX";

/* A file of this header and so many bytes of data. */
static r1_status open_file(const char *header, size_t data, r1_err *err) {
    static const char zeros[64];
    uint64_t n = strlen(header);
    r1_tensors *t;
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(&n, 8, 1, f), 1);
    assert_int_equal(fwrite(header, 1, n, f), n);
    assert_int_equal(fwrite(zeros, 1, data, f), data);
    assert_int_equal(fclose(f), 0);
    r1_status st = r1_tensors_open(&t, path, err);
    if (st == R1_OK)
        r1_tensors_close(t);
    return st;
}

#define T(name, from, to) \
    "\"" name "\": {\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": [" #from ", " #to "]}"

static void every_byte_belongs_to_one_tensor(void **state) {
    static const struct {
        const char *header;
        size_t data;
        const char *message;
    } bad[] = {
        {"{" T("a", 0, 8) ", " T("b", 4, 12) "}", 12, "'b' begins at data byte 4, the one before"},
        {"{" T("b", 0, 8) ", " T("a", 0, 8) "}", 8, "begins at data byte 0, the one before"},
        {"{" T("a", 0, 8) ", " T("b", 16, 24) "}", 24, "'b' begins at data byte 16, behind a gap"},
        {"{" T("a", 4, 12) "}", 12, "'a' begins at data byte 4, behind a gap from byte 0"},
        {"{" T("a", 0, 8) "}", 12, "4 bytes behind the last tensor belong to none"},
        {"{" T("a", 0, 8) ", " T("a", 8, 16) "}", 16, "tensor 'a' is listed twice"},
    };
    r1_err err = {0};

    ASSERT_OK(open_file("{" T("b", 8, 16) ", " T("a", 0, 8) "}", 16, &err), &err);
    ASSERT_OK(open_file("{" T("a", 0, 8) ", \"e\": {\"dtype\": \"F32\", \"shape\": [0], "
                                         "\"data_offsets\": [0, 0]}}",
                        8, &err),
              &err);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ASSERT_FAILS(open_file(bad[i].header, bad[i].data, &err), R1_DATA, &err, bad[i].message);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_belongs_to_one_tensor),
    };
    int fd = mkstemp(path);

    if (fd < 0)
        return 99;
    close(fd);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
