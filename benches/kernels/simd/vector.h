/*
 * The common part of the kernels with vectors. Each source has a way with vectors and one without,
 * which compute the same: NAME.wasm is compiled without them, NAME_simd.wasm with them. `VECTORS`
 * says which.
 */
#ifndef VECTOR_H
#define VECTOR_H

#include "../kernel.h"

#ifdef __wasm_simd128__
#define VECTORS
#include <wasm_simd128.h>
#endif

#endif
