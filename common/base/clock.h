#ifndef R1_BASE_CLOCK_H
#define R1_BASE_CLOCK_H
/* Wall clock readings.  Never an input of anything that must be reproducible. */

/* Seconds on a monotonic clock with an arbitrary zero. */
double r1_now_s(void);

/* UTC as "2026-01-31T12:00:00Z"; buf holds at least 24 bytes. */
void r1_utc_text(char *buf, unsigned size);

/* Sleep without spinning. */
void r1_sleep_us(long us);

#endif
