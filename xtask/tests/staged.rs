//! The staged tree as embedders use it: moved somewhere else, with nothing of the project in
//! reach, through gcc, g++, pkg-config and CMake.
//!
//! `.ci/package` runs this; it builds the library in the release profile first.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use xtask::{Options, VERSION, install};

const C: &str = r#"
    #include <stdio.h>
    #include "wasm_export.h"
    int main(void) {
        uint32_t major, minor, patch;
        static RuntimeInitArgs init;
        init.mem_alloc_type = Alloc_With_System_Allocator;
        if (!wasm_runtime_full_init(&init)) return 1;
        wasm_runtime_get_version(&major, &minor, &patch);
        printf("%u.%u.%u\n", major, minor, patch);
        wasm_runtime_destroy();
        return 0;
    }
"#;

const CPP: &str = r#"
    #include <cstdio>
    #include <bh_read_file.h>
    #include <wasm_export.h>
    int main(int, char **argv) {
        RuntimeInitArgs init = RuntimeInitArgs();
        init.mem_alloc_type = Alloc_With_System_Allocator;
        if (!wasm_runtime_full_init(&init)) return 1;
        uint32_t size = 0;
        char *text = bh_read_file_to_buffer(argv[1], &size);
        if (!text) return 2;
        std::fwrite(text, 1, size, stdout);
        wasm_runtime_free(text);
        wasm_runtime_destroy();
    }
"#;

/// A folder of this test's own, emptied at first.
fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("staged").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder can be made");
    folder
}

/// The installed tree, renamed after it was made. The first call builds the libraries.
fn prefix() -> &'static Path {
    static PREFIX: OnceLock<PathBuf> = OnceLock::new();
    PREFIX.get_or_init(|| {
        let folder = scratch("tree");
        let (made, moved) = (folder.join("made"), folder.join("moved here"));
        // Twice: the second time over the first.
        for _ in 0..2 {
            install(&made, &Options::default()).unwrap_or_else(|e| panic!("{e}"));
        }
        fs::rename(made, &moved).expect("the tree can be moved");
        moved
    })
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}\n{out}{err}");
    out.into_owned()
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).expect("a file can be written");
}

fn pkg_config(tree: &Path, arguments: &[&str]) -> Vec<String> {
    let words = run(Command::new("pkg-config")
        .env("PKG_CONFIG_PATH", tree.join("lib/pkgconfig"))
        .args(arguments));
    // The folder has a space in its name, which pkg-config escapes.
    let words = words.replace("\\ ", "\u{1}");
    words.split_whitespace().map(|word| word.replace('\u{1}', " ")).collect()
}

/// The file that programs linked with a shared library ask for.
fn needed(program: &Path) -> Vec<String> {
    let dynamic = run(Command::new("readelf").arg("-dW").arg(program));
    let needed = dynamic.lines().filter(|line| line.contains("(NEEDED)"));
    needed.filter_map(|line| Some(line.split_once('[')?.1.trim_end_matches(']').into())).collect()
}

fn started(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env("LD_LIBRARY_PATH", prefix().join("lib"));
    command
}

#[test]
fn files_are_where_programs_look() {
    let lib = prefix().join("lib");
    let link = |name: &str| fs::read_link(lib.join(name)).expect("a link");
    assert_eq!(link("libiwasm.so"), Path::new("libiwasm.so.2"));
    assert_eq!(link("libiwasm.so.2"), PathBuf::from(format!("libiwasm.so.{VERSION}")));
    let files = ["include/wasm_export.h", "include/lib_export.h", "lib/libiwasm.a"];
    for file in files.into_iter().chain(["include/iwasm/compat/bh_read_file.h"]) {
        assert!(prefix().join(file).is_file(), "{file}");
    }
    assert_eq!(pkg_config(prefix(), &["--modversion", "iwasm"]), [VERSION]);
    let old = prefix().with_file_name("made");
    for file in ["pkgconfig/iwasm.pc", "cmake/iwasm/iwasmTargets.cmake"] {
        let text = fs::read_to_string(lib.join(file)).expect("a text");
        assert!(!text.contains(&*old.to_string_lossy()), "{file} names the folder of its making");
    }
}

#[test]
fn the_command_runs_where_it_was_moved_to() {
    let command = prefix().join("bin/iwasm");
    let version = run(Command::new(&command).arg("--version"));
    assert!(version.starts_with("iwasm "), "{version}");
    assert!(!needed(&command).iter().any(|name| name.contains("iwasm")), "it is linked statically");
    for (file, start) in [
        ("man/man1/iwasm.1", ".\\\""),
        ("bash-completion/completions/iwasm", "#"),
        ("zsh/site-functions/_iwasm", "#compdef iwasm"),
        ("fish/vendor_completions.d/iwasm.fish", "#"),
    ] {
        let text = fs::read_to_string(prefix().join("share").join(file)).expect("a text");
        assert!(text.starts_with(start) && text.contains("native"), "{file}");
    }
}

#[test]
fn pkg_config_links_the_shared_library() {
    let folder = scratch("shared");
    write(&folder.join("main.c"), C);
    run(Command::new("gcc")
        .current_dir(&folder)
        .args(["-std=c99", "-Wall", "-Wextra", "-Werror", "main.c", "-o", "main"])
        .args(pkg_config(prefix(), &["--cflags", "--libs", "iwasm"])));
    assert_eq!(run(&mut started(&folder.join("main"))).trim(), VERSION);
    assert!(needed(&folder.join("main")).contains(&"libiwasm.so.2".to_owned()));
}

/// The list of system libraries is all that the linker needs.
#[test]
fn pkg_config_links_the_static_library() {
    let folder = scratch("static");
    write(&folder.join("main.c"), C);
    // `pkg-config --static` presumes that no shared library is in the way.
    let tree = folder.join("tree");
    run(Command::new("cp").arg("-a").arg(prefix()).arg(&tree));
    for entry in fs::read_dir(tree.join("lib")).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        if path.to_string_lossy().contains("libiwasm.so") {
            fs::remove_file(path).expect("a file can be removed");
        }
    }
    let ways = [
        pkg_config(&tree, &["--static", "--cflags", "--libs", "iwasm"]),
        pkg_config(prefix(), &["--cflags", "--libs", "iwasm-static"]),
    ];
    for words in ways {
        for compiler in [["gcc", "-xc"], ["g++", "-xc++"]] {
            let program = folder.join("main");
            let (archive, others): (Vec<_>, Vec<_>) = words.iter().partition(|w| w.ends_with(".a"));
            run(Command::new(compiler[0])
                .current_dir(&folder)
                .args([compiler[1], "main.c", "-xnone", "-o", "main"])
                .args(archive)
                .args(others));
            assert_eq!(run(&mut Command::new(&program)).trim(), VERSION);
            assert!(!needed(&program).iter().any(|name| name.contains("iwasm")), "{words:?}");
        }
    }
}

/// Configures and builds a project that has `main.c` and, for the helper headers, `main.cpp`.
fn cmake(name: &str, find: &str) -> PathBuf {
    let folder = scratch(name);
    write(&folder.join("main.c"), C);
    write(&folder.join("main.cpp"), CPP);
    let lists = format!(
        "cmake_minimum_required(VERSION 3.16)\nproject(host LANGUAGES C CXX)\n\
         {find}\n{find}\n\
         add_executable(main main.c)\ntarget_link_libraries(main iwasm::vmlib)\n\
         add_executable(reader main.cpp)\n\
         target_link_libraries(reader iwasm::vmlib iwasm::compat)\n"
    );
    write(&folder.join("CMakeLists.txt"), &lists);
    let build = folder.join("build");
    run(Command::new("cmake")
        .arg("-S")
        .arg(&folder)
        .arg("-B")
        .arg(&build)
        .arg(format!("-DCMAKE_PREFIX_PATH={}", prefix().display())));
    run(Command::new("cmake").arg("--build").arg(&build));
    build
}

#[test]
fn cmake_finds_the_shared_library() {
    // CMake writes where the library is into the program: no environment.
    let build = cmake("cmake_shared", "find_package(iwasm 2.4 REQUIRED)");
    assert_eq!(run(&mut Command::new(build.join("main"))).trim(), VERSION);
    assert!(needed(&build.join("main")).contains(&"libiwasm.so.2".to_owned()));
    let text = run(Command::new(build.join("reader")).arg(build.join("../main.c")));
    assert_eq!(text, C);
}

#[test]
fn cmake_finds_the_static_library() {
    let build = cmake("cmake_static", "find_package(iwasm REQUIRED COMPONENTS static)");
    assert_eq!(run(&mut Command::new(build.join("main"))).trim(), VERSION);
    assert!(!needed(&build.join("main")).iter().any(|name| name.contains("iwasm")));
}

#[test]
fn cmake_refuses_what_is_not_there() {
    let folder = scratch("cmake_refuses");
    let mut lists = String::from("cmake_minimum_required(VERSION 3.16)\nproject(host C)\n");
    for wanted in ["3", "2.9", "1.0", "COMPONENTS other"] {
        lists.push_str(&format!(
            "find_package(iwasm {wanted} QUIET)\n\
             if(iwasm_FOUND)\nmessage(SEND_ERROR \"found {wanted}\")\nendif()\n"
        ));
    }
    lists.push_str("find_package(iwasm 2.4.3 EXACT REQUIRED)\n");
    write(&folder.join("CMakeLists.txt"), &lists);
    run(Command::new("cmake")
        .arg("-S")
        .arg(&folder)
        .arg("-B")
        .arg(folder.join("build"))
        .arg(format!("-DCMAKE_PREFIX_PATH={}", prefix().display())));
}

#[test]
fn debug_information_can_be_left_out() {
    let tree = scratch("stripped");
    let profile = "dev".to_owned();
    let options = Options { profile, command: false, strip: true, ..Options::default() };
    install(&tree, &options).unwrap_or_else(|e| panic!("{e}"));
    let file = tree.join("lib").join(format!("libiwasm.so.{VERSION}"));
    let sections = run(Command::new("readelf").arg("-SW").arg(&file));
    assert!(sections.contains(".dynsym") && !sections.contains(".debug_"), "{sections}");
    let symbols = run(Command::new("nm").arg("-g").arg(tree.join("lib/libiwasm.a")));
    assert!(symbols.contains("wasm_runtime_full_init"));
}

#[test]
fn help_is_an_answer() {
    let usage = run(Command::new(env!("CARGO_BIN_EXE_xtask")).arg("--help"));
    assert!(usage.starts_with("usage: cargo xtask install"), "{usage}");
}
