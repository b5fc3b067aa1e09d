/* HDF5 with our errors; see h5.h. */
#include "common/store/h5.h"

#include "common/base/card.h"
#include "common/base/file.h"
#include "common/base/mem.h"

#include <errno.h>
#include <string.h>

#define TEXT_MAX ((size_t)64 << 20)
/* Of a large dataset: the disk writes one piece while the next is copied. */
#define PIECE ((size_t)32 << 20)
/* Large datasets begin at a page: else a piece waits for the disk, which writes the page that it
 * shares with the one before. */
#define LARGE ((size_t)64 << 10)
#define PAGE  ((size_t)4096)

/* What cannot be read is damage; the cause of a failed read is not known here. */
static r1_status unreadable(hid_t file, const char *what, const char *name, r1_err *err) {
    char path[512] = "?";

    H5Fget_name(file, path, sizeof path);
    return R1_FAIL(err, R1_DATA, "'%s': cannot %s '%s'", path, what, name);
}

/* errno is this call's if the caller cleared it before (a full disk, mostly). */
static r1_status unwritten(hid_t file, const char *what, const char *name, r1_err *err) {
    int why = errno;
    char path[512] = "?";

    H5Fget_name(file, path, sizeof path);
    return R1_FAIL(err, R1_IO, "'%s': cannot %s '%s'%s%s", path, what, name, why ? ": " : "",
                   why ? strerror(why) : "");
}

static void quiet(void) {
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    errno = 0;
}

r1_status r1_h5_create(hid_t *ret, const char *path, r1_err *err) {
    quiet();
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_alignment(access, LARGE, PAGE);
    *ret = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
    int why = errno;
    H5Pclose(access);
    return *ret >= 0 ? R1_OK : R1_FAIL(err, R1_IO, "create '%s': %s", path, strerror(why));
}

r1_status r1_h5_open(hid_t *ret, const char *path, r1_err *err) {
    quiet();
    *ret = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    return *ret >= 0
               ? R1_OK
               : R1_FAIL(err, R1_DATA, "'%s' is missing or no HDF5 file that can be read", path);
}

r1_status r1_h5_close(hid_t file, const char *path, r1_err *err) {
    errno = 0;
    if (H5Fclose(file) < 0)
        return R1_FAIL(err, R1_IO, "write '%s': %s", path, errno ? strerror(errno) : "failed");
    return R1_OK;
}

r1_status r1_h5_group(hid_t file, const char *name, r1_err *err) {
    errno = 0;
    hid_t g = H5Gcreate2(file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);

    if (g < 0)
        return unwritten(file, "create group", name, err);
    H5Gclose(g);
    return R1_OK;
}

hid_t r1_h5_dataset_properties(void) {
    hid_t list = H5Pcreate(H5P_DATASET_CREATE);

    H5Pset_obj_track_times(list, 0);
    return list;
}

static hid_t create_dataset(hid_t file, const char *name, hid_t type, hid_t space) {
    hid_t list = r1_h5_dataset_properties();
    hid_t set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
    int why = errno;

    H5Pclose(list);
    errno = why;
    return set;
}

static void write_soon(hid_t file) {
    void *handle = NULL;

    if (H5Fget_vfd_handle(file, H5P_DEFAULT, &handle) >= 0)
        r1_file_write_soon(*(const int *)handle); /* the driver is the one of POSIX files */
}

/* Elements [at, at + n) of a dataset of one dimension. */
static int write_piece(hid_t set, hid_t type, const uint8_t *data, hsize_t at, hsize_t n) {
    hid_t from = H5Screate_simple(1, &n, NULL), to = H5Dget_space(set);
    int good = H5Sselect_hyperslab(to, H5S_SELECT_SET, &at, NULL, &n, NULL) >= 0 &&
               H5Dwrite(set, type, from, to, H5P_DEFAULT, data + at * H5Tget_size(type)) >= 0;

    H5Sclose(from);
    H5Sclose(to);
    return good;
}

/* All of it, in pieces that a library's buffers are too small for. */
static r1_status write_pieces(hid_t file, hid_t set, const char *name, hid_t type, const void *data,
                              size_t n, r1_h5_wrote *wrote, void *arg, r1_err *err) {
    size_t size = H5Tget_size(type), most = PIECE / size;

    for (size_t at = 0; at < n; at += most) {
        size_t piece = n - at < most ? n - at : most;
        if (!write_piece(set, type, data, at, piece) || H5Dflush(set) < 0)
            return unwritten(file, "write", name, err);
        if (piece == most)
            write_soon(file);
        if (wrote)
            wrote(arg, H5Dget_offset(set), (at + piece) * size);
        r1_tick();
    }
    return R1_OK;
}

r1_status r1_h5_write_followed(hid_t file, const char *name, hid_t file_type, hid_t type,
                               const void *data, size_t n, r1_h5_wrote *wrote, void *arg,
                               r1_err *err) {
    hsize_t dims[1] = {n};

    errno = 0;
    hid_t space = H5Screate_simple(1, dims, NULL);
    hid_t set = create_dataset(file, name, file_type, space);
    r1_status st = set < 0 ? unwritten(file, "write", name, err)
                   : data  ? write_pieces(file, set, name, type, data, n, wrote, arg, err)
                           : R1_OK;

    if (set >= 0 && H5Dclose(set) < 0 && st == R1_OK)
        st = unwritten(file, "write", name, err);
    H5Sclose(space);
    return st;
}

r1_status r1_h5_write(hid_t file, const char *name, hid_t file_type, hid_t type, const void *data,
                      size_t n, r1_err *err) {
    return r1_h5_write_followed(file, name, file_type, type, data, n, NULL, NULL, err);
}

/* Class, size and rank of a dataset, before anything is read into memory of ours. */
static r1_status check(hid_t file, hid_t set, const char *name, H5T_class_t class, size_t size,
                       hsize_t *ret_n, r1_err *err) {
    hid_t type = H5Dget_type(set), space = H5Dget_space(set);
    int good = H5Tget_class(type) == class && H5Tget_size(type) == size &&
               H5Sget_simple_extent_ndims(space) <= 1;

    *ret_n = good ? (hsize_t)H5Sget_simple_extent_npoints(space) : 0;
    H5Tclose(type);
    H5Sclose(space);
    return good ? R1_OK : unreadable(file, "read (unexpected type)", name, err);
}

r1_status r1_h5_read(hid_t file, const char *name, H5T_class_t class, hid_t type, size_t first,
                     size_t n, void *data, r1_err *err) {
    hid_t set = H5Dopen2(file, name, H5P_DEFAULT), from = -1, to = -1;
    hsize_t have, start[1] = {first}, count[1] = {n};
    r1_status st;

    if (set < 0)
        return unreadable(file, "find", name, err);
    R1_TRY(check(file, set, name, class, H5Tget_size(type), &have, err));
    if (first > have || n > have - first) {
        st = unreadable(file, "read (too short)", name, err);
        goto done;
    }
    from = H5Dget_space(set);
    to = H5Screate_simple(1, count, NULL);
    H5Sselect_hyperslab(from, H5S_SELECT_SET, start, NULL, count, NULL);
    if (n && H5Dread(set, type, to, from, H5P_DEFAULT, data) < 0)
        st = unreadable(file, "read", name, err);
done:
    if (from >= 0)
        H5Sclose(from);
    if (to >= 0)
        H5Sclose(to);
    H5Dclose(set);
    return st;
}

r1_status r1_h5_length(hid_t file, const char *name, size_t *ret, r1_err *err) {
    hid_t set = H5Dopen2(file, name, H5P_DEFAULT);

    if (set < 0)
        return unreadable(file, "find", name, err);
    hid_t space = H5Dget_space(set);
    *ret = (size_t)H5Sget_simple_extent_npoints(space);
    H5Sclose(space);
    H5Dclose(set);
    return R1_OK;
}

static r1_status write_scalar(hid_t file, const char *name, hid_t file_type, hid_t type,
                              const void *x, const char *unit, r1_err *err) {

    errno = 0;
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t set = create_dataset(file, name, file_type, space);
    r1_status st = R1_OK;

    if (set < 0 || H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, x) < 0)
        st = unwritten(file, "write", name, err);
    if (st == R1_OK && unit)
        st = r1_h5_attribute_text(set, "units", unit, err);
    if (set >= 0)
        H5Dclose(set);
    H5Sclose(space);
    return st;
}

r1_status r1_h5_write_int(hid_t file, const char *name, int64_t x, const char *unit, r1_err *err) {
    return write_scalar(file, name, H5T_STD_I64LE, H5T_NATIVE_INT64, &x, unit, err);
}

r1_status r1_h5_write_real(hid_t file, const char *name, double x, const char *unit, r1_err *err) {
    return write_scalar(file, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &x, unit, err);
}

static r1_status read_scalar(hid_t file, const char *name, H5T_class_t class, hid_t type, void *x,
                             r1_err *err) {
    hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
    hsize_t n;
    r1_status st;

    if (set < 0)
        return unreadable(file, "find", name, err);
    R1_TRY(check(file, set, name, class, H5Tget_size(type), &n, err));
    if (n != 1 || H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, x) < 0)
        st = unreadable(file, "read", name, err);
done:
    H5Dclose(set);
    return st;
}

r1_status r1_h5_read_int(hid_t file, const char *name, int64_t *ret, r1_err *err) {
    return read_scalar(file, name, H5T_INTEGER, H5T_NATIVE_INT64, ret, err);
}

r1_status r1_h5_read_real(hid_t file, const char *name, double *ret, r1_err *err) {
    return read_scalar(file, name, H5T_FLOAT, H5T_NATIVE_DOUBLE, ret, err);
}

static hid_t text_type(size_t n) {
    hid_t t = H5Tcopy(H5T_C_S1);

    H5Tset_size(t, n ? n : 1);
    H5Tset_cset(t, H5T_CSET_UTF8);
    H5Tset_strpad(t, H5T_STR_NULLPAD);
    return t;
}

r1_status r1_h5_write_text(hid_t file, const char *name, const char *text, r1_err *err) {
    hid_t type = text_type(strlen(text));
    r1_status st = write_scalar(file, name, type, type, text, NULL, err);

    H5Tclose(type);
    return st;
}

r1_status r1_h5_read_text(hid_t file, const char *name, char **ret, r1_err *err) {
    hid_t set = H5Dopen2(file, name, H5P_DEFAULT), type;
    char *text = NULL;
    r1_status st = R1_OK;

    if (set < 0)
        return unreadable(file, "find", name, err);
    type = H5Dget_type(set);
    size_t n = H5Tget_size(type);
    hid_t space = H5Dget_space(set);
    int good = H5Tget_class(type) == H5T_STRING && !H5Tis_variable_str(type) && n <= TEXT_MAX &&
               H5Sget_simple_extent_npoints(space) == 1;
    H5Sclose(space);
    if (!good)
        st = unreadable(file, "read (not a text)", name, err);
    else if ((st = R1_NEW(text, n + 1, err)) == R1_OK &&
             H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) < 0)
        st = unreadable(file, "read", name, err);
    H5Tclose(type);
    H5Dclose(set);
    if (st == R1_OK)
        *ret = text;
    else
        r1_free(text);
    return st;
}

static r1_status attribute(hid_t object, const char *name, hid_t file_type, hid_t type,
                           const void *x, r1_err *err) {
    errno = 0;
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t a = H5Acreate2(object, name, file_type, space, H5P_DEFAULT, H5P_DEFAULT);
    r1_status st = a >= 0 && H5Awrite(a, type, x) >= 0
                       ? R1_OK
                       : unwritten(object, "write attribute", name, err);

    if (a >= 0)
        H5Aclose(a);
    H5Sclose(space);
    return st;
}

r1_status r1_h5_attribute_text(hid_t object, const char *name, const char *text, r1_err *err) {
    hid_t type = text_type(strlen(text));
    r1_status st = attribute(object, name, type, type, text, err);

    H5Tclose(type);
    return st;
}

r1_status r1_h5_attribute_int(hid_t object, const char *name, int64_t x, r1_err *err) {
    return attribute(object, name, H5T_STD_I64LE, H5T_NATIVE_INT64, &x, err);
}

r1_status r1_h5_attribute_read_int(hid_t object, const char *name, int64_t *ret, r1_err *err) {
    hid_t a = H5Aopen(object, name, H5P_DEFAULT);

    if (a < 0)
        return unreadable(object, "find attribute", name, err);
    hid_t type = H5Aget_type(a), space = H5Aget_space(a);
    int good = H5Tget_class(type) == H5T_INTEGER && H5Sget_simple_extent_npoints(space) == 1 &&
               H5Aread(a, H5T_NATIVE_INT64, ret) >= 0;
    H5Tclose(type);
    H5Sclose(space);
    H5Aclose(a);
    return good ? R1_OK : unreadable(object, "read attribute", name, err);
}
