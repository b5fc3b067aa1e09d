#ifndef R1_TESTS_GOLDEN_H
#define R1_TESTS_GOLDEN_H
/* One golden model directory against everything its golden.safetensors holds; see
 * make_models.py for the names in it.  Used for the committed directories and for others. */
#include "tests/unit/model_kit.h"

#include "common/formats/tensors.h"

/* How far apart numbers may be, relative to the largest (logits), to the norm
 * (gradients, weights) or to the value (loss, curves); log-probabilities absolute. */
typedef struct golden_bounds {
    double logits, logprobs, loss, grads, curve;
} golden_bounds;

/* The exit code of a skipped test. */
#define GOLDEN_SKIPPED 77

/* Path of a file or folder below what environment variable `root` names; NULL if that is unset (the
 * test is skipped then).  A variable that is set promises the path: without it the program ends as
 * failed.  The text stays valid until the next call. */
const char *golden_path(const char *root, const char *below);

/* The larger of two distances; one that is not a number stays. */
double golden_worst(double worst, double distance);

/* Elements of a tensor as fp32 (malloc). */
float *golden_read(const r1_tensors *t, const char *name, size_t *ret_n);

/* A kit with the model of a directory, its weights from `weights`. */
void golden_open(kit *k, const char *dir, const char *weights, r1_dtype dtype, const char *path,
                 int threads, int rows);

/* Logits, log-probabilities, loss and all gradients. */
void golden_forward_backward(const char *dir, const char *weights, r1_dtype dtype, const char *path,
                             const golden_bounds *bound);
/* AdamW steps on the batch: losses, gradient norms and the weights after them. */
void golden_train(const char *dir, const char *path, int warmup, const golden_bounds *bound);
/* Greedy continuation, token by token, of the first prompt_len tokens of each row. */
void golden_greedy(const char *dir, const char *weights, const char *path, int prompt_len);

#endif
