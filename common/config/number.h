#ifndef R1_CONFIG_NUMBER_H
#define R1_CONFIG_NUMBER_H
/* Numbers as text and back, without loss. */

#define R1_NUMBER_TEXT 40

/* The shortest decimal text that reads back as exactly x, as YAML and JSON take it: 0.2, 3.0e-06,
 * 150.  A NaN or an infinity gives "nan", "inf", "-inf".  Returns buf. */
const char *r1_number_text(double x, char buf[static R1_NUMBER_TEXT]);

/* A whole decimal number (no hexadecimal, no spaces, no nan or inf).  0 if it is none, or too large
 * to be finite. */
int r1_number_parse(const char *text, double *ret);

#endif
