/* Units; see units.h. */
#include "reward/math/units.h"
#include "reward/extract.h"

#include <string.h>
#include <strings.h>

static const r1_unit units[] = {
    {"mm", 'l', 1, 1000},
    {"millimeter", 'l', 1, 1000},
    {"cm", 'l', 1, 100},
    {"centimeter", 'l', 1, 100},
    {"centimetre", 'l', 1, 100},
    {"dm", 'l', 1, 10},
    {"m", 'l', 1, 1},
    {"meter", 'l', 1, 1},
    {"metre", 'l', 1, 1},
    {"km", 'l', 1000, 1},
    {"kilometer", 'l', 1000, 1},
    {"kilometre", 'l', 1000, 1},
    {"in", 'l', 127, 5000},
    {"inch", 'l', 127, 5000},
    {"inches", 'l', 127, 5000},
    {"ft", 'l', 381, 1250},
    {"foot", 'l', 381, 1250},
    {"feet", 'l', 381, 1250},
    {"yd", 'l', 1143, 1250},
    {"yard", 'l', 1143, 1250},
    {"mi", 'l', 201168, 125},
    {"mile", 'l', 201168, 125},
    {"s", 't', 1, 1},
    {"sec", 't', 1, 1},
    {"second", 't', 1, 1},
    {"min", 't', 60, 1},
    {"minute", 't', 60, 1},
    {"h", 't', 3600, 1},
    {"hr", 't', 3600, 1},
    {"hour", 't', 3600, 1},
    {"day", 't', 86400, 1},
    {"week", 't', 604800, 1},
    {"month", 'M', 1, 1},
    {"year", 'M', 12, 1},
    {"mg", 'm', 1, 1000},
    {"g", 'm', 1, 1},
    {"gram", 'm', 1, 1},
    {"kg", 'm', 1000, 1},
    {"kilogram", 'm', 1000, 1},
    {"lb", 'P', 16, 1},
    {"pound", 'P', 16, 1},
    {"oz", 'P', 1, 1},
    {"ounce", 'P', 1, 1},
    {"ml", 'v', 1, 1000},
    {"mL", 'v', 1, 1000},
    {"l", 'v', 1, 1},
    {"L", 'v', 1, 1},
    {"liter", 'v', 1, 1},
    {"litre", 'v', 1, 1},
    {"gallon", 'G', 1, 1},
    {"C", 'K', 1, 1},
    {"celsius", 'K', 1, 1},
    {"F", 'H', 1, 1},
    {"fahrenheit", 'H', 1, 1},
    {"degree", 'a', 1, 1},
    {"deg", 'a', 1, 1},
    {"rad", 'r', 1, 1},
    {"radian", 'r', 1, 1},
    {"percent", '%', 1, 1},
    {"pct", '%', 1, 1},
    {"percentage", '%', 1, 1},
    {"%", '%', 1, 1},
    {"dollar", '$', 100, 1},
    {"$", '$', 100, 1},
    {"USD", '$', 100, 1},
    {"cent", '$', 1, 1},
    {"¢", '$', 1, 1},
    {"euro", 'E', 1, 1},
    {"yuan", 'C', 1, 1},
    {"unit", 'u', 1, 1},
    {"sterling", 'L', 1, 1},
    {"yen", 'Y', 1, 1},
    {"rupee", 'R', 1, 1},
    {"am", 'A', 1, 1},
    {"AM", 'A', 1, 1},
    {"a.m", 'A', 1, 1},
    {"pm", 'B', 1, 1},
    {"PM", 'B', 1, 1},
    {"p.m", 'B', 1, 1},
    {"mph", 'V', 1, 1},
    {"square", 'q', 1, 1},
    {"sq", 'q', 1, 1},
    {"cubic", 'q', 1, 1},
};

static int same(r1_text a, const char *b, size_t drop) {
    size_t n = a.n - drop;
    return n == strlen(b) && (n <= 2 ? memcmp(a.s, b, n) == 0 : strncasecmp(a.s, b, n) == 0);
}

const r1_unit *r1_unit_find(r1_text word) {
    size_t plural = word.n > 2 && word.s[word.n - 1] == 's';

    while (word.n && word.s[word.n - 1] == '.')
        word.n--;
    for (size_t k = 0; word.n && k < sizeof units / sizeof *units; k++)
        if (same(word, units[k].name, 0) || (plural && same(word, units[k].name, 1)))
            return &units[k];
    return NULL;
}

const char *r1_unit_magnitude(r1_text word) {
    static const struct {
        const char *word, *digits;
    } all[] = {{"dozen", "12"},        {"hundred", "100"},        {"thousand", "1000"},
               {"million", "1000000"}, {"billion", "1000000000"}, {"trillion", "1000000000000"}};

    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        if (word.n == strlen(all[k].word) && strncasecmp(word.s, all[k].word, word.n) == 0)
            return all[k].digits;
    return NULL;
}

/* "cm^2" -> cm and 2; "square inches" -> inches and 2. */
static r1_text split_power(r1_text t, int *ret_power) {
    static const struct {
        const char *word;
        int power;
    } words[] = {{"square ", 2}, {"sq ", 2}, {"sq. ", 2}, {"cubic ", 3}};

    *ret_power = 1;
    for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
        size_t n = strlen(words[k].word);
        if (t.n > n && strncasecmp(t.s, words[k].word, n) == 0) {
            *ret_power = words[k].power;
            return (r1_text){t.s + n, t.n - n};
        }
    }
    for (int power = 2; power <= 3; power++) {
        const char *word = power == 2 ? " squared" : " cubed";
        size_t n = strlen(word);
        if (t.n > n && strncasecmp(t.s + t.n - n, word, n) == 0) {
            *ret_power = power;
            return (r1_text){t.s, t.n - n};
        }
    }
    if (t.n > 2 && t.s[t.n - 2] == '^' && t.s[t.n - 1] >= '2' && t.s[t.n - 1] <= '3') {
        *ret_power = t.s[t.n - 1] - '0';
        t.n -= 2;
    }
    return t;
}

static r1_text singular(r1_text t) {
    if (t.n > 3 && t.s[t.n - 1] == 's')
        t.n--;
    return t;
}

/* One unit with its power in another. */
static int simple_ratio(r1_text a, r1_text b, long *io_num, long *io_den) {
    int power_a, power_b;
    r1_text base_a = split_power(a, &power_a), base_b = split_power(b, &power_b);
    const r1_unit *ua = r1_unit_find(base_a), *ub = r1_unit_find(base_b);

    if (!ua || !ub) {
        r1_text x = singular(base_a), y = singular(base_b);
        return power_a == power_b && x.n == y.n && strncasecmp(x.s, y.s, x.n) == 0;
    }
    if (ua->measures != ub->measures || power_a != power_b)
        return 0;
    for (int i = 0; i < power_a; i++) {
        *io_num *= ua->num * ub->den;
        *io_den *= ua->den * ub->num;
    }
    return 1;
}

/* "m/s", "miles per hour", "mph": what is in what; 0 if it is one unit. */
static int split_per(r1_text t, r1_text *ret_of, r1_text *ret_in) {
    static const char *const signs[] = {"/", " per "};

    if (r1_unit_find(t) && r1_unit_find(t)->measures == 'V') {
        *ret_of = r1_text_of("mile");
        *ret_in = r1_text_of("hour");
        return 1;
    }
    for (int k = 0; k < 2; k++) {
        const char *hit = memmem(t.s, t.n, signs[k], strlen(signs[k]));
        if (!hit)
            continue;
        size_t n = (size_t)(hit - t.s), width = strlen(signs[k]);
        *ret_of = r1_text_trim((r1_text){t.s, n});
        *ret_in = r1_text_trim((r1_text){hit + width, t.n - n - width});
        return 1;
    }
    return 0;
}

static int means_any(r1_text t) {
    const r1_unit *u = r1_unit_find(t);
    return u && u->measures == 'u';
}

int r1_unit_ratio(r1_text a, r1_text b, long *ret_num, long *ret_den) {
    r1_text of_a, in_a, of_b, in_b;
    int power;

    *ret_num = *ret_den = 1;
    if (means_any(split_power(a, &power)) || means_any(split_power(b, &power)))
        return 1;
    int per_a = split_per(a, &of_a, &in_a), per_b = split_per(b, &of_b, &in_b);
    if (per_a != per_b)
        return 0;
    return per_a ? simple_ratio(of_a, of_b, ret_num, ret_den) &&
                       simple_ratio(in_a, in_b, ret_den, ret_num)
                 : simple_ratio(a, b, ret_num, ret_den);
}
