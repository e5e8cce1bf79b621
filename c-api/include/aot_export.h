/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Compiling loaded modules ahead, to files with machine code.
 * Generated from c-api/src by c-api/gen; edit those, not this file.
 *
 * Files have a format of their own, which begins like WAMR's: functions that tell binaries apart
 * see an AOT file. wasm_runtime_load takes them like any binary. A file has the original module as
 * well, so that all that is known of a module is known of one that was loaded from a file. Files
 * of WAMR's compiler are refused with "AOT module load failed: the file is another
 * compiler's: ...", and so are damaged files, and files for another version of the library or for
 * processors with features that this one lacks.
 *
 * Machine code can do what the process can do. Load files only if you trust their source as you
 * trust this library; wasm_runtime_get_file_package_type tells them from WebAssembly.
 *
 * Rules that hold for every function, unless its comment says otherwise:
 *
 * - Errors. A function that fails returns NULL, false or 0, and aot_get_last_error has the reason,
 *   on the same thread.
 * - Ownership. What a function creates is the caller's, to be destroyed once. It keeps the module
 *   alive; the order of destruction does not matter.
 * - NULL. A NULL handle, or a NULL pointer to a required argument, is an error; destroying NULL
 *   does nothing.
 * - Threads. Any thread may use an object, one at a time. Objects belong to the runtime context of
 *   the module.
 * - Without the cargo feature jit, and on processors other than x86-64, files have the module
 *   alone, which is interpreted.
 */

#ifndef _AOT_EXPORT_H
#define _AOT_EXPORT_H

#include <stdbool.h>
#include <stdint.h>
#include "aot_comp_option.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A module that is to be compiled.
 */
struct AOTCompData;

typedef struct AOTCompData *aot_comp_data_t;

/**
 * A module with the options of its compilation, and the file once it is compiled.
 */
struct AOTCompContext;

typedef struct AOTCompContext *aot_comp_context_t;

/**
 * The file of a module, as it was when this was made.
 */
struct AOTObjectData;

typedef struct AOTObjectData *aot_obj_data_t;

/**
 * What reads a module's debugging information; there is nothing of the kind here.
 */
typedef void *dwarf_extractor_handle_t;

/**
 * The formats of files. Only the first is made.
 */
enum {
    AOT_FORMAT_FILE = 0,
    AOT_OBJECT_FILE = 1,
    AOT_LLVMIR_UNOPT_FILE = 2,
    AOT_LLVMIR_OPT_FILE = 3,
};

/**
 * Prepares the compilation of a module, a `wasm_module_t`. `target_arch` is the kind of machine:
 * "x86_64", or NULL for this machine; `gc_enabled` is accepted.
 */
extern
aot_comp_data_t aot_create_comp_data(void *wasm_module, const char *target_arch, bool gc_enabled);

/**
 * Destroys what `aot_create_comp_data` has made.
 */
extern
void aot_destroy_comp_data(aot_comp_data_t comp_data);

/**
 * Fails: the compiler writes no debugging information.
 */
extern
dwarf_extractor_handle_t create_dwarf_extractor(aot_comp_data_t comp_data, char *file_name);

/**
 * Prepares the compiler: there is nothing to do. True.
 */
extern
bool aot_compiler_init(void);

/**
 * Nothing happens: the compiler has no state of its own.
 */
extern
void aot_compiler_destroy(void);

/**
 * Prepares the compiler for a module, with options, which are copied as far as they matter. Fails
 * for machines, processors and formats that there is no code for.
 */
extern
aot_comp_context_t aot_create_comp_context(aot_comp_data_t comp_data, aot_comp_option_t option);

/**
 * Destroys what `aot_create_comp_context` has made.
 */
extern
void aot_destroy_comp_context(aot_comp_context_t comp_ctx);

/**
 * Compiles the module, on a thread that ends before this returns. Functions that compiled code
 * does not support are left to the interpreter, and are no error.
 */
extern
bool aot_compile_wasm(aot_comp_context_t comp_ctx);

/**
 * Makes the content of a file for a module that is compiled.
 */
extern
aot_obj_data_t aot_obj_data_create(aot_comp_context_t comp_ctx);

/**
 * Destroys what `aot_obj_data_create` has made.
 */
extern
void aot_obj_data_destroy(aot_obj_data_t obj_data);

/**
 * The size of the file in bytes. `comp_ctx` and `comp_data` are not needed.
 */
extern
uint32_t aot_get_aot_file_size(aot_comp_context_t comp_ctx,
                               aot_comp_data_t comp_data,
                               aot_obj_data_t obj_data);

/**
 * The file of a module that is compiled, in a buffer of the calling thread's context, to be given
 * back by `wasm_runtime_free` or `aot_destroy_aot_file`; its size is stored. `comp_data` is not
 * needed.
 */
extern
uint8_t *aot_emit_aot_file_buf(aot_comp_context_t comp_ctx,
                               aot_comp_data_t comp_data,
                               uint32_t *p_aot_file_size);

/**
 * Stores the file in a buffer of the caller's, of at least the size that `aot_get_aot_file_size`
 * returns. `comp_ctx` and `comp_data` are not needed.
 */
extern
bool aot_emit_aot_file_buf_ex(aot_comp_context_t comp_ctx,
                              aot_comp_data_t comp_data,
                              aot_obj_data_t obj_data,
                              uint8_t *aot_file_buf,
                              uint32_t aot_file_size);

/**
 * Fails: the compiler has nothing to do with LLVM.
 */
extern
bool aot_emit_llvm_file(aot_comp_context_t comp_ctx, const char *file_name);

/**
 * Fails: the compiler makes no object files.
 */
extern
bool aot_emit_object_file(aot_comp_context_t comp_ctx, const char *file_name);

/**
 * Writes the file of a module that is compiled. It is written under another name in the same
 * folder and then renamed, so that a file of this name which is in use stays as it is for its
 * users.
 * `comp_data` is not needed.
 */
extern
bool aot_emit_aot_file(aot_comp_context_t comp_ctx,
                       aot_comp_data_t comp_data,
                       const char *file_name);

/**
 * Gives a buffer back that `aot_emit_aot_file_buf` has made.
 */
extern
void aot_destroy_aot_file(uint8_t *aot_file);

/**
 * The error of the calling thread's last function of this header that failed, as "Error: ...", cut
 * to 127 bytes; "" before any has. The text is the thread's: it is there until another fails, or
 * the thread ends. Needs no context.
 */
extern
char *aot_get_last_error(void);

/**
 * The size of the table by which code in WAMR's files reaches functions of the runtime: 0, since
 * code in files has no such table. Needs no context.
 */
extern
uint32_t aot_get_plt_table_size(void);

#ifdef __cplusplus
}
#endif

#endif /* _AOT_EXPORT_H */
