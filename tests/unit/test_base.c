/* common/base: known answers, rounding, limits, and what an allocation failure does. */
#include "tests/unit/unit.h"

#include "common/base/cgroup.h"
#include "common/base/cli.h"
#include "common/base/dtype.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Known answers of the Random123 distribution. */
static void philox_known_answers(void **state) {
    static const struct {
        uint32_t key[2], counter[4], out[4];
    } cases[] = {
        {{0, 0}, {0, 0, 0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0xa4093822, 0x299f31d0},
         {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t out[4];
        r1_philox4x32(cases[i].key, cases[i].counter, out);
        assert_memory_equal(out, cases[i].out, sizeof out);
    }
}

static void rng_layout_and_ranges(void **state) {
    r1_rng_key key = {.seed = 0x299f31d0a4093822u,
                      .index = 0x13198a2e85a308d3u,
                      .purpose = 3,
                      .stage = 0x70,
                      .sample = 0x7344};
    uint32_t counter[4] = {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, out[4];
    uint32_t k[2] = {0xa4093822, 0x299f31d0};
    uint32_t perm[100], seen[100] = {0};
    double sum = 0, sq = 0;

    r1_philox4x32(k, counter, out);
    assert_int_equal(r1_rng_u32(&key, 0x243f6a88), out[0]);
    r1_rng_permutation(&key, perm, 100);
    for (int i = 0; i < 100; i++)
        seen[perm[i]]++;
    for (int i = 0; i < 100; i++)
        assert_int_equal(seen[i], 1);
    for (uint32_t i = 0; i < 20000; i++) {
        double z = r1_rng_normal(&key, i);
        float u = r1_rng_unit(&key, i);
        assert_true(u >= 0.0f && u < 1.0f);
        assert_true(r1_rng_below(&key, i, 7) < 7);
        sum += z;
        sq += z * z;
    }
    assert_true(fabs(sum / 20000) < 0.03 && fabs(sq / 20000 - 1) < 0.05);
}

static void half_precision_round_trips(void **state) {
    for (uint32_t h = 0; h < 65536; h++) {
        uint16_t u = (uint16_t)h;
        int nan16 = (h & 0x7c00) == 0x7c00 && (h & 0x3ff);
        if (nan16)
            assert_true(isnan(r1_f16_to_f32(u)) && isnan(r1_f16_to_f32(r1_f32_to_f16(NAN))));
        else
            assert_int_equal(r1_f32_to_f16(r1_f16_to_f32(u)), u);
        if ((h & 0x7f80) != 0x7f80 || !(h & 0x7f))
            assert_int_equal(r1_f32_to_bf16(r1_bf16_to_f32(u)), u);
    }
    assert_int_equal(r1_f32_to_f16(65519.0f), 0x7bff);
    assert_int_equal(r1_f32_to_f16(65520.0f), 0x7c00);
    assert_int_equal(r1_f32_to_f16(0x1p-25f), 0);
    assert_int_equal(r1_f32_to_f16(0x1.8p-25f), 1);
    assert_int_equal(r1_f32_to_f16(1.0f + 0x1p-11f), 0x3c00); /* tie to even: down */
    assert_int_equal(r1_f32_to_f16(1.0f + 0x3p-11f), 0x3c02); /* tie to even: up */
    assert_int_equal(r1_f32_to_bf16(1.0f + 0x1p-8f), 0x3f80);
    assert_int_equal(r1_f32_to_bf16(1.0f + 0x3p-8f), 0x3f82);
    assert_int_equal(r1_f32_to_bf16(INFINITY), 0x7f80);
    assert_true(isnan(r1_bf16_to_f32(r1_f32_to_bf16(NAN))));
}

static void buffer_refuses_more_than_its_maximum(void **state) {
    r1_err err = {0};
    r1_buf b;

    r1_buf_init(&b, 10);
    ASSERT_OK(r1_buf_add(&b, "12345", 5, &err), &err);
    ASSERT_OK(r1_buf_addf(&b, &err, "%d", 67890), &err);
    assert_string_equal(b.data, "1234567890");
    ASSERT_FAILS(r1_buf_add(&b, "x", 1, &err), R1_DATA, &err, "more than 10 bytes");
    assert_string_equal(b.data, "1234567890");
    r1_buf_done(&b);
}

static void arena_and_slab(void **state) {
    r1_err err = {0};
    r1_slab slab;
    r1_arena a;

    ASSERT_OK(r1_slab_open(&slab, 1000, "test", &err), &err);
    assert_int_equal((uintptr_t)slab.base % (2u << 20), 0);
    assert_int_equal(slab.base[999], 0);
    r1_arena_init(&a, slab.base, slab.bytes);
    size_t mark = r1_arena_mark(&a);
    char *p = r1_arena_take(&a, 1);
    char *q = r1_arena_take(&a, 65);
    assert_int_equal(q - p, 64);
    r1_arena_release(&a, mark);
    assert_ptr_equal(r1_arena_take(&a, 1), p);
    assert_int_equal(a.peak, 192);
    r1_slab_close(&slab);
    r1_slab_close(&slab); /* twice is harmless */
}

static void allocation_failure_is_a_status(void **state) {
    r1_err err = {0};
    r1_slab slab;
    int *p;

    r1_mem_fail_after(0);
    assert_int_equal(R1_NEW(p, 3, &err), R1_NOMEM);
    assert_int_equal(r1_slab_open(&slab, 10, "weights", &err), R1_NOMEM);
    assert_non_null(strstr(err.msg, "weights"));
    r1_mem_fail_after(-1);
    assert_null(r1_calloc(SIZE_MAX / 2, 4));
    assert_null(r1_realloc(NULL, SIZE_MAX / 2, 4));
}

static void files_are_written_whole(void **state) {
    char dir[] = "/tmp/r1-test-XXXXXX", path[64], *data;
    r1_err err = {0};
    size_t len;
    r1_map map;

    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/a/b", dir);
    ASSERT_OK(r1_dir_make(path, &err), &err);
    snprintf(path, sizeof path, "%s/a/b/f", dir);
    ASSERT_OK(r1_file_write_atomic(path, "old", 3, &err), &err);
    ASSERT_OK(r1_file_write_atomic(path, "newer", 5, &err), &err);
    ASSERT_OK(r1_file_slurp(path, 5, &data, &len, &err), &err);
    assert_string_equal(data, "newer");
    r1_free(data);
    ASSERT_FAILS(r1_file_slurp(path, 4, &data, &len, &err), R1_DATA, &err, "has 5 bytes");
    ASSERT_FAILS(r1_file_slurp(dir, 4, &data, &len, &err), R1_IO, &err, "not a regular file");
    ASSERT_OK(r1_map_open(&map, path, &err), &err);
    assert_int_equal(map.len, 5);
    r1_map_close(&map);
    ASSERT_OK(r1_dir_remove(dir, &err), &err);
    assert_false(r1_path_exists(dir));
}

static void put(const char *root, const char *leaf, const char *text) {
    char path[512], dir[512];
    r1_err err;

    snprintf(path, sizeof path, "%s/%s", root, leaf);
    snprintf(dir, sizeof dir, "%s", path);
    *strrchr(dir, '/') = '\0';
    ASSERT_OK(r1_dir_make(dir, &err), &err);
    ASSERT_OK(r1_file_write_atomic(path, text, strlen(text), &err), &err);
}

/* The page cache is free memory, a parent's limit counts, and so does a quota of a core and a half. */
static void limits_of_control_groups(void **state) {
    char v2[] = "/tmp/r1-cgroup-XXXXXX", v1[] = "/tmp/r1-cgroup-XXXXXX";
    r1_err err;

    assert_non_null(mkdtemp(v2));
    assert_true(r1_cgroup_memory(v2) < 0 && r1_cgroup_cores(v2) < 0);
    put(v2, "proc/self/cgroup", "0::/job/step\n");
    put(v2, "sys/fs/cgroup/job/memory.max", "1000000\n");
    put(v2, "sys/fs/cgroup/job/memory.current", "900000\n");
    put(v2, "sys/fs/cgroup/job/memory.stat", "anon 1\ninactive_file 500000\nactive_file 200000\n");
    put(v2, "sys/fs/cgroup/job/step/memory.max", "max\n");
    put(v2, "sys/fs/cgroup/job/step/memory.current", "900000\n");
    put(v2, "sys/fs/cgroup/job/step/cpu.max", "150000 100000\n");
    put(v2, "sys/fs/cgroup/job/cpu.max", "max 100000\n");
    assert_true(r1_cgroup_memory(v2) == 800000);
    assert_true(r1_cgroup_cores(v2) == 1.5);

    assert_non_null(mkdtemp(v1)); /* a container: the path is the host's, only the root is there */
    put(v1, "proc/self/cgroup", "4:cpu,cpuacct:/docker/77\n3:memory:/docker/77\n");
    put(v1, "sys/fs/cgroup/memory/memory.limit_in_bytes", "4096\n");
    put(v1, "sys/fs/cgroup/memory/memory.usage_in_bytes", "4000\n");
    put(v1, "sys/fs/cgroup/memory/memory.stat", "total_inactive_file 0\ntotal_active_file 1000\n");
    put(v1, "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "200000\n");
    put(v1, "sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    assert_true(r1_cgroup_memory(v1) == 1096);
    assert_true(r1_cgroup_cores(v1) == 2);
    put(v1, "sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    assert_true(r1_cgroup_memory(v1) < 0);
    ASSERT_OK(r1_dir_remove(v2, &err), &err);
    ASSERT_OK(r1_dir_remove(v1, &err), &err);
}

static void command_line(void **state) {
    int n = 1, flag = 0, positional;
    double t = 1.0;
    uint64_t seed = 0;
    const char *model = NULL, *dtype = "bf16";
    const r1_cli_option options[] = {{"model", R1_CLI_STRING, &model, "M", "model"},
                                     {"n", R1_CLI_INT, &n, "N", "samples", 1, 9},
                                     {"temperature", R1_CLI_DOUBLE, &t, "T", "temperature"},
                                     {"template", R1_CLI_STRING, &model, "T", "template"},
                                     {"top-p", R1_CLI_DOUBLE, &t, "P", "p", 0, 1, .above = 1},
                                     {"dtype", R1_CLI_CHOICE, &dtype, "fp32|bf16", "dtype"},
                                     {"seed", R1_CLI_UINT64, &seed, "S", "seed"},
                                     {"chat", R1_CLI_FLAG, &flag, NULL, "chat template"},
                                     {0}};
    const r1_cli cli = {"r1-test", "IN [options]", "About.", NULL, options, 1, 1};
    r1_cli_result result;
    r1_err err = {0};
    const char *good[] = {"r1-test",       "--model", "m",      "in.jsonl",
                          "--n=3",         "--chat",  "--seed", "9",
                          "--temperature", "0.5",     NULL};
    ASSERT_OK(r1_cli_parse(&cli, 10, (char **)(uintptr_t)good, 0, &result, &positional, &err),
              &err);
    assert_string_equal(model, "m");
    assert_string_equal(good[1], "in.jsonl");
    assert_int_equal(positional, 1);
    assert_int_equal(n, 3);
    assert_int_equal(flag, 1);
    assert_int_equal(seed, 9);
    assert_string_equal(dtype, "bf16");
    assert_true(t == 0.5);
    static const struct {
        const char *option, *value, *message;
    } bad[] = {{"--n", "3x", "'3x' is not a valid number"},
               {"--n", "0", "--n 0 is not a number from 1 to 9"},
               {"--n=10", NULL, "--n 10 is not"},
               {"--n", "99999999999", "is not a number from 1 to 9"},
               {"--temperature", "nan", "--temperature nan is not a finite number"},
               {"--top-p", "0", "not a number above 0 and up to 1"},
               {"--dtype", "bf", "--dtype bf: not one of fp32|bf16"},
               {"--bogus", NULL, "unknown option '--bogus'"},
               {"--tem", "1", "do you mean --temperature or --template?"},
               {"--temperatu=1", NULL, "do you mean --temperature?"},
               {"--chat=1", NULL, "'--chat=1': this option takes no argument"},
               {"-x", NULL, "unknown option '-x'"},
               {"--seed", NULL, "missing argument of '--seed'"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *args[] = {"r1-test", "in", bad[i].option, bad[i].value, NULL};
        ASSERT_FAILS(r1_cli_parse(&cli, bad[i].value ? 4 : 3, (char **)(uintptr_t)args, 0, &result,
                                  &positional, &err),
                     R1_USAGE, &err, bad[i].message);
    }
    const char *missing[] = {"r1-test", NULL};
    ASSERT_FAILS(r1_cli_parse(&cli, 1, (char **)(uintptr_t)missing, 0, &result, &positional, &err),
                 R1_USAGE, &err, "usage:");
}

static void messages_keep_their_prefix(void **state) {
    r1_err err;

    assert_int_equal(R1_FAIL(&err, R1_DATA, "value %d", 7), R1_DATA);
    r1_err_prefix(&err, "file '%s'", "x");
    assert_string_equal(err.msg, "file 'x': value 7");
    assert_int_equal(r1_exit_code(err.status), 65);
    assert_int_equal(r1_exit_code(R1_STOPPED), 85);
    assert_int_equal(R1_FAIL(&err, R1_DATA, "name %s", "a\nb\x1b[31m"), R1_DATA);
    assert_string_equal(err.msg, "name a?b?[31m");
}

/* A log that is opened late begins with what was said before. */
static void log_begins_with_what_was_said(void **state) {
    char path[] = "/tmp/r1_test_log_XXXXXX", *text = NULL;
    size_t len = 0;
    r1_err err = {0};

    close(mkstemp(path));
    r1_log_init(3, R1_LOG_ERROR);
    r1_info("said %s", "before");
    ASSERT_OK(r1_log_open_file(path, &err), &err);
    r1_debug("said after");
    r1_log_close();
    ASSERT_OK(r1_file_slurp(path, 1 << 20, &text, &len, &err), &err);
    const char *before = strstr(text, "rank 3 info  said before\n");
    const char *after = strstr(text, "rank 3 debug said after\n");
    assert_true(before && after && before < after);
    r1_free(text);
    unlink(path);
    r1_log_init(-1, R1_LOG_INFO);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_known_answers),
        cmocka_unit_test(rng_layout_and_ranges),
        cmocka_unit_test(half_precision_round_trips),
        cmocka_unit_test(buffer_refuses_more_than_its_maximum),
        cmocka_unit_test(arena_and_slab),
        cmocka_unit_test(allocation_failure_is_a_status),
        cmocka_unit_test(files_are_written_whole),
        cmocka_unit_test(limits_of_control_groups),
        cmocka_unit_test(command_line),
        cmocka_unit_test(messages_keep_their_prefix),
        cmocka_unit_test(log_begins_with_what_was_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
