#ifndef R1_STORE_H5_H
#define R1_STORE_H5_H
/* The few things that we ask of HDF5, with our errors: its own messages are switched off, every
 * handle is closed on every way out.  What cannot be read is R1_DATA, what cannot be written R1_IO. */
#include "common/base/err.h"

#include <hdf5.h>
#include <stdint.h>

R1_MUST_USE r1_status r1_h5_create(hid_t *ret, const char *path, r1_err *err);
R1_MUST_USE r1_status r1_h5_open(hid_t *ret, const char *path, r1_err *err);
/* Closing may write: its failure is an error. */
R1_MUST_USE r1_status r1_h5_close(hid_t file, const char *path, r1_err *err);

/* Properties of a dataset that is made here: its bytes do not tell when that was.  The caller closes
 * them (H5Pclose). */
hid_t r1_h5_dataset_properties(void);

R1_MUST_USE r1_status r1_h5_group(hid_t file, const char *name, r1_err *err);
/* A contiguous 1-D dataset; data NULL: zeros, which take no room in the file. */
R1_MUST_USE r1_status r1_h5_write(hid_t file, const char *name, hid_t file_type, hid_t type,
                                  const void *data, size_t n, r1_err *err);
/* The same for much data, in pieces: after each one `wrote` hears where the dataset begins in the file
 * and how many of its bytes are there to be read. */
typedef void r1_h5_wrote(void *arg, uint64_t offset, size_t bytes);
R1_MUST_USE r1_status r1_h5_write_followed(hid_t file, const char *name, hid_t file_type,
                                           hid_t type, const void *data, size_t n,
                                           r1_h5_wrote *wrote, void *arg, r1_err *err);
/* Elements [first, first + n) of a 1-D dataset of this class and element size; it must have at least
 * so many. */
R1_MUST_USE r1_status r1_h5_read(hid_t file, const char *name, H5T_class_t class, hid_t type,
                                 size_t first, size_t n, void *data, r1_err *err);
R1_MUST_USE r1_status r1_h5_length(hid_t file, const char *name, size_t *ret, r1_err *err);

/* A scalar with its unit as an attribute. */
R1_MUST_USE r1_status r1_h5_write_int(hid_t file, const char *name, int64_t x, const char *unit,
                                      r1_err *err);
R1_MUST_USE r1_status r1_h5_write_real(hid_t file, const char *name, double x, const char *unit,
                                       r1_err *err);
R1_MUST_USE r1_status r1_h5_read_int(hid_t file, const char *name, int64_t *ret, r1_err *err);
R1_MUST_USE r1_status r1_h5_read_real(hid_t file, const char *name, double *ret, r1_err *err);

/* A fixed-length UTF-8 string; reading gives NUL-terminated memory of the caller (r1_free). */
R1_MUST_USE r1_status r1_h5_write_text(hid_t file, const char *name, const char *text, r1_err *err);
R1_MUST_USE r1_status r1_h5_read_text(hid_t file, const char *name, char **ret, r1_err *err);
R1_MUST_USE r1_status r1_h5_attribute_text(hid_t object, const char *name, const char *text,
                                           r1_err *err);
R1_MUST_USE r1_status r1_h5_attribute_int(hid_t object, const char *name, int64_t x, r1_err *err);
R1_MUST_USE r1_status r1_h5_attribute_read_int(hid_t object, const char *name, int64_t *ret,
                                               r1_err *err);

#endif
