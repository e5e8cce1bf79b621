/*
 * Runs a kernel as host code and prints its checksum: `KERNEL N [N...]`, one line per argument.
 * Used by build.sh to compute and to check the values in kernels.txt; never compiled to wasm.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernel.h"

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        printf("%" PRId64 "\n", run((int32_t)atoi(argv[i])));
    }
    return 0;
}
