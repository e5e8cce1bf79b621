/* Recursive calls and nothing else: the cost of a direct call and its return. */
#include "kernel.h"

/*
 * A compiler would turn the second call into a loop and halve the calls that are measured; clang
 * must not do that here, and gcc only has to get the same number.
 */
#if defined(__clang__)
__attribute__((disable_tail_calls))
#endif
static NOINLINE uint32_t fib(uint32_t n)
{
    if (n < 2) {
        return n;
    }
    return fib(n - 1) + fib(n - 2);
}

EXPORT int64_t run(int32_t n)
{
    return (int64_t)fib((uint32_t)clamp(n, 0, 45));
}
