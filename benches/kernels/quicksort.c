/* Quicksort of n pseudo-random i32: data-dependent branches, swaps, recursion. */
#include "kernel.h"

#define LEN_MAX (1 << 20)
#define SMALL 12

static int32_t values[LEN_MAX];

static void insertion_sort(int32_t *v, int32_t low, int32_t high)
{
    for (int32_t i = low + 1; i <= high; i++) {
        int32_t value = v[i];
        int32_t j = i - 1;
        while (j >= low && v[j] > value) {
            v[j + 1] = v[j];
            j--;
        }
        v[j + 1] = value;
    }
}

static int32_t median(int32_t a, int32_t b, int32_t c)
{
    if (a < b) {
        return b < c ? b : a < c ? c : a;
    }
    return a < c ? a : b < c ? c : b;
}

static NOINLINE void quicksort(int32_t *v, int32_t low, int32_t high)
{
    while (high - low > SMALL) {
        int32_t pivot = median(v[low], v[low + (high - low) / 2], v[high]);
        int32_t i = low;
        int32_t j = high;
        while (i <= j) {
            while (v[i] < pivot) {
                i++;
            }
            while (v[j] > pivot) {
                j--;
            }
            if (i <= j) {
                int32_t swapped = v[i];
                v[i++] = v[j];
                v[j--] = swapped;
            }
        }
        /* The shorter side by recursion, the longer by this loop: depth stays logarithmic. */
        if (j - low < high - i) {
            quicksort(v, low, j);
            low = i;
        } else {
            quicksort(v, i, high);
            high = j;
        }
    }
    insertion_sort(v, low, high);
}

EXPORT int64_t run(int32_t n)
{
    uint64_t hash = HASH_SEED;
    uint32_t random = 362436069;
    uint32_t unordered = 0;
    n = clamp(n, 1, LEN_MAX);
    for (int32_t i = 0; i < n; i++) {
        values[i] = (int32_t)next_random(&random);
    }
    quicksort(values, 0, n - 1);
    for (int32_t i = 0; i < n; i++) {
        unordered += i > 0 && values[i - 1] > values[i];
        hash = hash_word(hash, (uint32_t)values[i]);
    }
    return (int64_t)hash_word(hash, unordered);
}
