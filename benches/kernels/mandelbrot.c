/* n x n points of the Mandelbrot set, at most 64 iterations each: f64 compare-and-branch loops. */
#include "kernel.h"

#define ITERATIONS_MAX 64

static NOINLINE uint32_t escape_time(double cx, double cy)
{
    double x = 0.0;
    double y = 0.0;
    uint32_t i = 0;
    while (i < ITERATIONS_MAX) {
        double xx = x * x;
        double yy = y * y;
        if (xx + yy > 4.0) {
            break;
        }
        y = 2.0 * x * y + cy;
        x = xx - yy + cx;
        i++;
    }
    return i;
}

EXPORT int64_t run(int32_t n)
{
    uint64_t hash = HASH_SEED;
    n = clamp(n, 1, 4096);
    for (int32_t row = 0; row < n; row++) {
        double cy = 2.4 * (double)row / (double)n - 1.2;
        for (int32_t column = 0; column < n; column++) {
            double cx = 3.0 * (double)column / (double)n - 2.1;
            hash = hash_word(hash, escape_time(cx, cy));
        }
    }
    return (int64_t)hash;
}
