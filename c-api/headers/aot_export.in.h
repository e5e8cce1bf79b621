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

@tag AOTCompData

@type aot_comp_data_t

@tag AOTCompContext

@type aot_comp_context_t

@tag AOTObjectData

@type aot_obj_data_t

@type dwarf_extractor_handle_t

/**
 * The formats of files. Only the first is made.
 */
enum {
    AOT_FORMAT_FILE = 0,
    AOT_OBJECT_FILE = 1,
    AOT_LLVMIR_UNOPT_FILE = 2,
    AOT_LLVMIR_OPT_FILE = 3,
};

@functions aot_export/data.rs extern

@functions aot_export/compile.rs extern

@functions aot_export/emit.rs extern

@functions aot_export/error.rs extern

#ifdef __cplusplus
}
#endif

#endif /* _AOT_EXPORT_H */
