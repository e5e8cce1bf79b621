/* C = A x B over n x n matrices of f64: loads at two strides, multiply and add. */
#include "kernel.h"

#define SIDE_MAX 384

static double a[SIDE_MAX][SIDE_MAX];
static double b[SIDE_MAX][SIDE_MAX];
static double c[SIDE_MAX][SIDE_MAX];

static void fill(int32_t n)
{
    uint32_t random = 12345;
    for (int32_t i = 0; i < n; i++) {
        for (int32_t j = 0; j < n; j++) {
            a[i][j] = (double)(int32_t)(next_random(&random) % 2001) / 1000.0 - 1.0;
            b[i][j] = (double)(int32_t)(next_random(&random) % 2001) / 1000.0 - 1.0;
        }
    }
}

static NOINLINE void multiply(int32_t n)
{
    for (int32_t i = 0; i < n; i++) {
        for (int32_t j = 0; j < n; j++) {
            double sum = 0.0;
            for (int32_t k = 0; k < n; k++) {
                sum += a[i][k] * b[k][j];
            }
            c[i][j] = sum;
        }
    }
}

EXPORT int64_t run(int32_t n)
{
    uint64_t hash = HASH_SEED;
    n = clamp(n, 1, SIDE_MAX);
    fill(n);
    multiply(n);
    for (int32_t i = 0; i < n; i++) {
        for (int32_t j = 0; j < n; j++) {
            hash = hash_word(hash, bits_of_f64(c[i][j]));
        }
    }
    return (int64_t)hash;
}
