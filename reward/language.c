/* Which language a text's words belong to; see language.h. */
#include "reward/language.h"

#include "common/base/hash.h"
#include "reward/language_table.h"
#include "reward/prose.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <utf8proc.h>

#define BIT(script) (1u << (script))

/* Languages with words are told apart by them; the others by script alone. */
static const struct language {
    const char *name;
    unsigned scripts;
    const char *words, *trigrams, *letters;
} languages[] = {
    {"en", BIT(R1_SCRIPT_LATIN), en_words, en_trigrams, en_letters},
    {"zh", BIT(R1_SCRIPT_HAN), NULL, NULL, NULL},
    {"de", BIT(R1_SCRIPT_LATIN), de_words, de_trigrams, de_letters},
    {"fr", BIT(R1_SCRIPT_LATIN), fr_words, fr_trigrams, fr_letters},
    {"es", BIT(R1_SCRIPT_LATIN), es_words, es_trigrams, es_letters},
    {"it", BIT(R1_SCRIPT_LATIN), it_words, it_trigrams, it_letters},
    {"pt", BIT(R1_SCRIPT_LATIN), pt_words, pt_trigrams, pt_letters},
    {"ja", BIT(R1_SCRIPT_HAN) | BIT(R1_SCRIPT_KANA), NULL, NULL, NULL},
    {"ko", BIT(R1_SCRIPT_HANGUL), NULL, NULL, NULL},
    {"ru", BIT(R1_SCRIPT_CYRILLIC), NULL, NULL, NULL},
    {"el", BIT(R1_SCRIPT_GREEK), NULL, NULL, NULL},
    {"ar", BIT(R1_SCRIPT_ARABIC), NULL, NULL, NULL},
    {"he", BIT(R1_SCRIPT_HEBREW), NULL, NULL, NULL},
    {"hi", BIT(R1_SCRIPT_DEVANAGARI), NULL, NULL, NULL},
    {"th", BIT(R1_SCRIPT_THAI), NULL, NULL, NULL},
};
#define N_LANGUAGES ((int)(sizeof languages / sizeof *languages))

int r1_language_find(const char *name) {
    for (int i = 0; i < N_LANGUAGES; i++)
        if (strcmp(languages[i].name, name) == 0)
            return i;
    return -1;
}

const char *r1_language_name(int language) {
    return languages[language].name;
}

const char *r1_language_names(void) {
    return "en, zh, de, fr, es, it, pt, ja, ko, ru, el, ar, he, hi, th";
}

/* ---- evidence in one sentence of the Latin script ---- */

#define WORD_BYTES 48

typedef struct evidence {
    int words;                      /* of the Latin script */
    int function[N_LANGUAGES];      /* function words of each language */
    int trigrams[N_LANGUAGES], all; /* of the frequent ones; of all */
    int foreign[N_LANGUAGES];       /* words with letters that the language has not */
    double weight;                  /* words as the unit counts them */
} evidence;

/* Lower case in buf with a NUL behind; longer words are cut, none of the tables is so long. */
static size_t lower(r1_text t, char buf[static WORD_BYTES + 1]) {
    size_t n = 0, width;

    for (size_t i = 0; i < t.n; i += width) {
        utf8proc_uint8_t out[4];
        int32_t code = utf8proc_tolower(r1_utf8_at(t, i, &width));
        code = code == 0x2019 ? '\'' : code;
        size_t len = (size_t)utf8proc_encode_char(code, out);
        if (n + len > WORD_BYTES)
            break;
        memcpy(buf + n, out, len);
        n += len;
    }
    buf[n] = '\0';
    return n;
}

/* Entry -> the languages that list it, one bit each; filled once from the tables. */
#define SLOTS 2048
typedef struct lexicon {
    struct {
        const char *s;
        size_t n;
        unsigned languages;
    } slot[SLOTS];
    int used;
} lexicon;

static lexicon words, trigrams;
static pthread_once_t filled = PTHREAD_ONCE_INIT;

/* Where the entry is, or would be. */
static size_t place_of(const lexicon *l, const char *s, size_t n) {
    size_t i = r1_hash64(s, n) % SLOTS;

    while (l->slot[i].s && (l->slot[i].n != n || memcmp(l->slot[i].s, s, n) != 0))
        i = (i + 1) % SLOTS;
    return i;
}

static void fill_lexicon(lexicon *l, const char *table, int language) {
    for (const char *at = table + 1; *at;) {
        size_t n = strcspn(at, " "), i = place_of(l, at, n);
        l->used += l->slot[i].s == NULL;
        R1_ASSERT(l->used < SLOTS * 3 / 4);
        l->slot[i].s = at;
        l->slot[i].n = n;
        l->slot[i].languages |= 1u << language;
        at += n + 1;
    }
}

static void fill(void) {
    for (int k = 0; k < N_LANGUAGES; k++)
        if (languages[k].words) {
            fill_lexicon(&words, languages[k].words, k);
            fill_lexicon(&trigrams, languages[k].trigrams, k);
        }
}

static void count_entry(const lexicon *l, const char *s, size_t n, int count[static N_LANGUAGES]) {
    unsigned found = l->slot[place_of(l, s, n)].languages;

    for (; found; found &= found - 1)
        count[__builtin_ctz(found)]++;
}

/* Letters beyond a-z of a word that are not the language's. */
static int has_foreign(const char *word, size_t n, const char *letters) {
    r1_text t = {word, n};
    size_t width;

    for (size_t i = 0; i < n; i += width) {
        int32_t code = r1_utf8_at(t, i, &width);
        char letter[5] = {0};
        memcpy(letter, word + i, width);
        if (code >= 0x80 && r1_script_of(code) == R1_SCRIPT_LATIN && !strstr(letters, letter))
            return 1;
    }
    return 0;
}

/* Trigrams of code points with _ at the borders: the one that begins at each of them. */
static void count_trigrams(evidence *e, const char *word, size_t n) {
    char bordered[WORD_BYTES + 3];
    size_t at[WORD_BYTES + 4], points = 0, width;
    r1_text t = {bordered, n + 2};

    snprintf(bordered, sizeof bordered, "_%s_", word);
    for (size_t i = 0; i < t.n; i += width) {
        at[points++] = i;
        r1_utf8_at(t, i, &width);
    }
    at[points] = t.n;
    for (size_t i = 0; i + 3 <= points; i++) {
        size_t len = at[i + 3] - at[i];
        e->all++;
        count_entry(&trigrams, bordered + at[i], len, e->trigrams);
    }
}

static void add_word(evidence *e, const r1_word *w) {
    char word[WORD_BYTES + 1];
    size_t n = lower(w->text, word);

    pthread_once(&filled, fill);
    e->words++;
    count_entry(&words, word, n, e->function);
    for (int k = 0; k < N_LANGUAGES; k++)
        if (languages[k].letters)
            e->foreign[k] += has_foreign(word, n, languages[k].letters);
    count_trigrams(e, word, n);
}

/* A function word says as much as four frequent trigrams. */
static double support(const evidence *e, int language) {
    return e->function[language] + 0.25 * e->trigrams[language];
}

#define CLEARLY_MORE 2.0 /* support that another language must have beyond the target's */
#define LONG         8   /* words of a sentence that cannot do without function words */

/* Does a sentence of the target's script belong to it?  Yes unless there is evidence: another
 * language fits clearly better, letters that the target does not have, or a long sentence without
 * any of its function words and few of its trigrams. */
static int is_of(const evidence *e, int target) {
    if (!languages[target].words)
        return 1;
    for (int k = 0; k < N_LANGUAGES; k++)
        if (k != target && languages[k].words && e->function[k] > e->function[target] &&
            support(e, k) >= support(e, target) + CLEARLY_MORE)
            return 0;
    if (4 * e->foreign[target] >= e->words && e->foreign[target] > 0)
        return 0;
    return e->words < LONG || e->function[target] > 0 || 4 * e->trigrams[target] >= e->all;
}

/* ---- the share ---- */

static double weight_of(const r1_word *w, r1_language_unit unit) {
    if (unit == R1_UNIT_WHITESPACE)
        return w->new_token;
    return w->script == R1_SCRIPT_HAN || w->script == R1_SCRIPT_KANA || w->script == R1_SCRIPT_THAI
               ? w->chars / 1.6
               : 1;
}

static void end_sentence(evidence *e, int target, r1_language_share *share) {
    if (e->words > 0 && is_of(e, target))
        share->target += e->weight;
    *e = (evidence){.words = 0};
}

r1_language_share r1_language_count(r1_text t, int target, r1_language_unit unit) {
    int told_apart = languages[target].words != NULL, sentence = 0;
    r1_language_share share = {0, 0};
    evidence e = {.words = 0};
    r1_prose p;
    r1_word w;

    r1_prose_start(&p, t);
    while (r1_prose_next(&p, &w)) {
        double weight = weight_of(&w, unit);
        share.all += weight;
        if (!(languages[target].scripts & BIT(w.script)))
            continue;
        if (!told_apart) {
            share.target += weight;
            continue;
        }
        if (w.sentence != sentence)
            end_sentence(&e, target, &share);
        sentence = w.sentence;
        e.weight += weight;
        add_word(&e, &w);
    }
    end_sentence(&e, target, &share);
    return share;
}

double r1_language_consistency(r1_language_share share, int min_words) {
    return share.all == 0 || share.all < min_words ? 1.0 : share.target / share.all;
}

int r1_language_of(r1_text t, int fallback) {
    double scripts[R1_N_SCRIPTS] = {0}, most = 0, best_support = 0;
    evidence e = {.words = 0};
    int best = fallback;
    r1_prose p;
    r1_word w;

    r1_prose_start(&p, t);
    while (r1_prose_next(&p, &w)) {
        scripts[w.script] += weight_of(&w, R1_UNIT_CHARS);
        if (w.script == R1_SCRIPT_LATIN)
            add_word(&e, &w);
    }
    for (int k = 0; k < N_LANGUAGES; k++) {
        double weight = 0;
        for (int s = 0; s < R1_N_SCRIPTS; s++)
            weight += languages[k].scripts & BIT(s) ? scripts[s] : 0;
        /* Han alone is Chinese, which stands before Japanese. */
        double fits = languages[k].words ? support(&e, k) - e.foreign[k] : 0;
        if (weight > most || (weight == most && weight > 0 && fits > best_support)) {
            most = weight;
            best = k;
            best_support = fits;
        }
    }
    return best;
}

int r1_language_asked(const r1_grade_input *in) {
    return r1_language_of(in->asked.n ? in->asked : in->question, r1_language_find("en"));
}
