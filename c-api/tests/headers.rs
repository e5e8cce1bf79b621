//! The headers: current, self-sufficient, and with the names, types and layouts of the facts.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use common::{compat_headers, declared, facts, functions, headers, root, run, scratch};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

/// The strictest C and C++ that embedders compile with.
const COMPILERS: [(&str, &str, &str); 2] = [("gcc", "-std=c99", "c"), ("g++", "-std=c++11", "cpp")];

fn compile(source: &str, folder: &Path, name: &str) {
    for (compiler, standard, extension) in COMPILERS {
        let file = folder.join(format!("{name}.{extension}"));
        std::fs::write(&file, source).expect("a file can be written");
        run(Command::new(compiler)
            .args([standard, "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-I"])
            .arg(root().join("c-api/include"))
            .arg("-I")
            .arg(root().join("c-api/include/compat"))
            .arg(&file));
    }
}

#[test]
fn headers_are_current() {
    let generated = isothread_c_gen::generate(&root()).expect("the headers can be generated");
    let names: Vec<_> = generated.iter().map(|header| header.name.clone()).collect();
    assert_eq!(names, headers());
    for header in generated {
        let path = root().join("c-api/include").join(&header.name);
        let committed = std::fs::read_to_string(path).expect("a header");
        assert!(committed == header.text, "{} is stale: run isothread-c-gen", header.name);
    }
}

#[test]
fn headers_compile_alone_and_twice() {
    let folder = scratch("headers");
    for header in headers().into_iter().chain(compat_headers()) {
        let include = format!("#include \"{header}\"\n");
        compile(&include, &folder, "alone");
        compile(&include.repeat(2), &folder, "twice");
    }
}

#[test]
fn compat_headers_have_what_programs_use() {
    let mut source: String =
        compat_headers().iter().map(|header| format!("#include \"{header}\"\n")).collect();
    source.push_str(
        r#"
        extern char *use(char **arguments);
        char *use(char **arguments) {
            uint8 a = 1; uint16 b = 2; uint32 c = 3; uint64 d = 4;
            int8 e = 1; int16 f = 2; int32 g = 3; int64 h = 4;
            float32 x = 1; float64 y = x;
            uint32_t size, cells[2];
            korp_tid self = pthread_self(); korp_thread other = self;
            korp_mutex *mutex = NULL; korp_cond *cond = NULL;
            bh_assert(pthread_equal(self, other) && !mutex && !cond && y > 0);
            bh_log_set_verbose_level(BH_LOG_LEVEL_VERBOSE);
            while (getopt(1, arguments, "f:h") == 'f') { arguments[0] = optarg; optind++; }
            PUT_I64_TO_ADDR(cells, a + b + c + d + (uint64)(e + f + g + h) + Mode_Default);
            BH_FREE(BH_MALLOC(cells[0]));
            return bh_read_file_to_buffer(arguments[0], &size);
        }
        "#,
    );
    compile(&source, &scratch("compat"), "compat");
}

#[test]
fn macros_are_usable() {
    let source = r#"
        #include "wasm_export.h"
        static void one(wasm_exec_env_t exec_env) { (void)exec_env; }
        static void two_wrapper(wasm_exec_env_t exec_env, uint64_t *args) {
            wasm_module_inst_t module_inst = get_module_inst(exec_env);
            native_raw_return_type(int, args);
            native_raw_get_arg(int, offset, args);
            void *native;
            if (validate_app_addr((uint64_t)offset, 1) && validate_app_str_addr(1)) {
                native_raw_set_return((int)addr_native_to_app(addr_app_to_native(1)));
            }
            module_free(module_malloc(1, &native));
        }
        extern const NativeSymbol symbols[6];
        extern const NativeSymbol symbols[6];
        __extension__ const NativeSymbol symbols[6] = {
            EXPORT_WASM_API(one), EXPORT_WASM_API2(two),
            EXPORT_WASM_API_WITH_SIG(one, "()"), EXPORT_WASM_API_WITH_SIG2(two, "()"),
            EXPORT_WASM_API_WITH_ATT(one, "()", NULL), EXPORT_WASM_API_WITH_ATT2(two, "()", NULL),
        };
    "#;
    let folder = scratch("macros");
    let file = folder.join("macros.c");
    std::fs::write(&file, source).expect("a file can be written");
    // Strict C has no conversion from functions to object pointers, which the macros need.
    run(Command::new("gcc")
        .args(["-std=gnu99", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I"])
        .arg(root().join("c-api/include"))
        .arg(&file));
}

#[test]
fn layouts_and_constants_are_those_of_the_facts() {
    let tables = ["layout.txt", "ctx_layout.txt"];
    let mut source = String::from("#include <stddef.h>\n#include \"wasm_runtime_ctx.h\"\n");
    source.push_str("#include \"gc_export.h\"\n#include \"wasm_c_api.h\"\n");
    source.push_str("#include \"aot_export.h\"\n");
    let mut count = 0;
    for line in tables.iter().flat_map(|table| facts(table)) {
        let words: Vec<_> = line.split_whitespace().collect();
        let condition = match words[..] {
            ["size", ty, bytes] => format!("sizeof({ty}) == {bytes}"),
            ["offset", ty, field, bytes] => format!("offsetof({ty}, {field}) == {bytes}"),
            ["value", constant, number] => format!("{constant} == {number}"),
            _ => panic!("unknown line: {line}"),
        };
        // A negative array size is an error in both languages.
        let _ = writeln!(source, "typedef char fact_{count}[({condition}) ? 1 : -1];");
        count += 1;
    }
    assert!(count > 100, "the table is nearly empty");
    // Of enumerations that are integers to Rust; wasm_c_api.h writes them itself.
    for (at, name) in ["FUNC", "GLOBAL", "TABLE", "MEMORY"].iter().enumerate() {
        let _ = writeln!(source, "typedef char kind_{at}[WASM_EXTERN_{name} == {at} ? 1 : -1];");
    }
    source += "typedef char constant[WASM_CONST == 0 && WASM_VAR == 1 ? 1 : -1];\n";
    compile(&source, &scratch("layout"), "layout");
}

#[test]
fn prototypes_are_those_of_the_facts() {
    let mut source = String::new();
    let mut count = 0;
    for header in headers() {
        let _ = writeln!(source, "#include \"{header}\"");
        let declared = declared(&header);
        for function in functions().iter().filter(|f| declared.contains(&f.name)) {
            // Declaring a function again with another type is an error.
            let _ = writeln!(source, "{};", function.prototype);
            count += 1;
        }
    }
    assert!(count > 100, "only {count} functions are declared");
    let source = format!("{source}\ntypedef int not_empty;\n");
    let folder = scratch("prototypes");
    let file = folder.join("prototypes.c");
    std::fs::write(&file, source).expect("a file can be written");
    run(Command::new("gcc")
        .args(["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-I"])
        .arg(root().join("c-api/include"))
        .arg(&file));
}

#[test]
fn every_declared_function_is_a_fact_and_documented() {
    for header in headers() {
        let text =
            std::fs::read_to_string(root().join("c-api/include").join(&header)).expect("a header");
        for name in declared(&header) {
            let fact = functions().into_iter().find(|f| f.name == name && f.header == header);
            let fact = fact.unwrap_or_else(|| panic!("{name} is not a function of {header}"));
            if fact.status == "undefined" {
                continue;
            }
            let call = format!("{name}(");
            let is_documented = text.match_indices(&call).any(|(at, _)| {
                let above = text[..at].rfind("\n\n").map_or("", |start| &text[start..at]);
                above.contains("/**")
            });
            let is_documented = is_documented || is_of_documented_family(&text, &name);
            assert!(is_documented, "{name} has no comment");
        }
    }
}

/// Whether a macro's comment names the function, with NAME in the place of the family's name.
fn is_of_documented_family(header: &str, name: &str) -> bool {
    let families = header.lines().filter_map(|line| {
        let (_, family) = line.strip_prefix("WASM_DECLARE_")?.split_once('(')?;
        family.split([',', ')']).next()
    });
    let mut names = families.flat_map(|family| {
        ["wasm_", "wasm_ref_as_"].map(|start| {
            let rest = name.strip_prefix(start)?.strip_prefix(family)?;
            Some(format!(" * wasm_{}NAME{rest}", start.trim_start_matches("wasm_")))
        })
    });
    names.any(|name| {
        let name = name.as_deref().and_then(|name| name.strip_prefix(" * "));
        name.is_some_and(|name| {
            header.lines().any(|line| {
                let is_comment = line.starts_with(" * ");
                is_comment && line.split([' ', ',', '.', ':']).any(|word| word == name)
            })
        })
    })
}

/// Facts that most comments need not state because they hold for all of the header's functions.
#[test]
fn headers_say_what_holds_for_every_function() {
    for header in headers() {
        let known = functions();
        if !known.iter().any(|f| f.header == header && f.status == "defined") {
            continue;
        }
        let path = root().join("c-api/include").join(&header);
        let text = std::fs::read_to_string(path).expect("a header");
        let (rules, _) = text.split_once("*/").expect("a comment");
        for topic in ["Rules that hold for every function", "Ownership", "NULL", "Threads"] {
            assert!(rules.contains(topic), "{header} says nothing of {topic:?}");
        }
    }
}
