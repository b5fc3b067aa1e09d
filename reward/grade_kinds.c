/* The table of r1-grade's kinds; see grade.h. */
#include "reward/grade.h"

#include <string.h>

const r1_grade_kind *const r1_grade_kinds[] = {&r1_grade_number,
                                               &r1_grade_exact,
                                               &r1_grade_choice,
                                               &r1_grade_countdown,
                                               &r1_grade_format,
                                               &r1_grade_language,
                                               &r1_grade_shaping,
                                               &r1_grade_lint,
                                               &r1_grade_code,
                                               &r1_grade_math,
                                               NULL};

r1_status r1_grade_kind_find(const char *name, const r1_grade_kind **ret, r1_err *err) {
    char names[512];
    size_t n = 0;

    for (int k = 0; r1_grade_kinds[k]; k++) {
        if (strcmp(r1_grade_kinds[k]->name, name) == 0) {
            *ret = r1_grade_kinds[k];
            return R1_OK;
        }
        n += (size_t)snprintf(names + n, sizeof names - n, "%s%s", k ? ", " : "",
                              r1_grade_kinds[k]->name);
        R1_ASSERT(n < sizeof names);
    }
    return R1_FAIL(err, R1_USAGE, "kind '%s' is unknown (%s)", name, names);
}
