/* A configuration of any bytes: refused in one line, or what it resolves to reads back as itself. */
#include "tests/fuzz/fuzz.h"

#include "common/base/mem.h"
#include "common/config/config.h"
#include "tests/fuzz/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    r1_err err = {0};
    r1_config *cfg, *again;
    char *yaml, *twice;
    r1_status st = r1_config_parse(&cfg, (const char *)data, n, "x.yaml", 0, NULL, &err);

    if (st != R1_OK) {
        fuzz_check_refusal(st, &err);
        return 0;
    }
    R1_ASSERT(r1_config_dump(cfg, 0, &yaml, &err) == R1_OK);
    st = r1_config_parse(&again, yaml, strlen(yaml), "resolved", 0, NULL, &err);
    if (st != R1_OK)
        fprintf(stderr, "%s\n%s", err.msg, yaml);
    R1_ASSERT(st == R1_OK);
    R1_ASSERT(r1_config_same_numeric(cfg, again, &err) == R1_OK);
    R1_ASSERT(r1_config_dump(again, 0, &twice, &err) == R1_OK);
    R1_ASSERT(strcmp(yaml, twice) == 0);
    r1_free(yaml);
    r1_free(twice);
    r1_config_free(cfg);
    r1_config_free(again);
    return 0;
}
