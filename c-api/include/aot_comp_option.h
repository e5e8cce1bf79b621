/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The options of compiling modules ahead (aot_export.h).
 * Generated from c-api/src by c-api/gen; edit those, not this file.
 *
 * Rules that hold for every function, unless its comment says otherwise:
 *
 * - Ownership. Structs and the strings in them stay the caller's.
 * - NULL. A NULL pointer is an error: the function does nothing.
 * - Threads. Functions keep no state and may be called on any thread.
 */

#ifndef __AOT_COMP_OPTION_H__
#define __AOT_COMP_OPTION_H__

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * What call stacks are to have. Accepted: they always have all of it.
 */
typedef struct AOTCallStackFeatures {
    bool bounds_checks;
    bool ip;
    bool func_idx;
    bool trap_ip;
    bool values;
    bool frame_per_function;
} AOTCallStackFeatures;

/**
 * Sets the features that call stacks have with WAMR unless chosen: all but `frame_per_function`.
 * Nothing happens for NULL.
 */
extern
void aot_call_stack_features_init_default(struct AOTCallStackFeatures *features);

/**
 * The frames that call stacks are made of. Accepted: call stacks need none.
 */
typedef enum AOTStackFrameType {
    AOT_STACK_FRAME_OFF = 0,
    AOT_STACK_FRAME_TYPE_TINY = 1,
    AOT_STACK_FRAME_TYPE_STANDARD = 2,
} AOTStackFrameType;

/**
 * How a module is compiled. The fields that matter are `target_arch`, `target_abi`, `target_cpu`,
 * `cpu_features`, `opt_level`, `size_level` and `output_format`. All others are accepted: their
 * features are always on, or have no counterpart here.
 */
typedef struct AOTCompOption {
    bool is_jit_mode;
    bool is_indirect_mode;
    /**
     * The kind of machine that the code is for: "x86_64", or NULL for this machine.
     */
    char *target_arch;
    /**
     * "gnu", or NULL.
     */
    char *target_abi;
    /**
     * "x86-64", "x86-64-v2", "x86-64-v3", or "native" for this processor. NULL is this processor
     * if `target_arch` is NULL too, else "x86-64".
     */
    char *target_cpu;
    /**
     * Changes to the processor's features, such as "+avx2,-fma"; or NULL.
     */
    char *cpu_features;
    bool is_sgx_platform;
    bool enable_bulk_memory;
    bool enable_bulk_memory_opt;
    bool enable_thread_mgr;
    bool enable_tail_call;
    bool enable_simd;
    bool enable_ref_types;
    bool enable_call_indirect_overlong;
    bool enable_gc;
    bool enable_aux_stack_check;
    bool enable_extended_const;
    bool enable_lime1;
    unsigned int aux_stack_frame_type;
    struct AOTCallStackFeatures call_stack_features;
    bool enable_perf_profiling;
    bool enable_memory_profiling;
    bool disable_llvm_intrinsics;
    bool disable_llvm_jump_tables;
    bool disable_llvm_lto;
    bool enable_llvm_pgo;
    bool enable_stack_estimation;
    bool quick_invoke_c_api_import;
    bool enable_shared_heap;
    bool enable_shared_chain;
    char *use_prof_file;
    /**
     * 0 for code that is made quickly, 1 to 3 for fast code.
     */
    uint32_t opt_level;
    /**
     * 1 and 2 prefer small code to fast code.
     */
    uint32_t size_level;
    /**
     * `AOT_FORMAT_FILE`; there are no others here.
     */
    uint32_t output_format;
    /**
     * Accepted: accesses are always checked.
     */
    uint32_t bounds_checks;
    /**
     * Accepted: the native stack is always checked.
     */
    uint32_t stack_bounds_checks;
    uint32_t segue_flags;
    /**
     * Accepted: the file has all custom sections.
     */
    char **custom_sections;
    uint32_t custom_sections_count;
    const char *stack_usage_file;
    const char *llvm_passes;
    const char *builtin_intrinsics;
} AOTCompOption;

typedef struct AOTCompOption *aot_comp_option_t;

#ifdef __cplusplus
}
#endif

#endif /* __AOT_COMP_OPTION_H__ */
