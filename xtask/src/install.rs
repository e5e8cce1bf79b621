//! Lays out the tree: `include/`, `lib/`, `lib/pkgconfig/`, `lib/cmake/iwasm/`, and for the command
//! `bin/` and `share/`.

use crate::build::{self, Built, Options};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The version of WAMR's API, which packages, file names and `wasm_runtime_get_version` give.
pub const VERSION: &str = "2.4.3";

/// Files made from a template, and where they go.
const TEMPLATES: [(&str, &str); 5] = [
    ("lib/pkgconfig/iwasm.pc", include_str!("../templates/iwasm.pc.in")),
    ("lib/pkgconfig/iwasm-static.pc", include_str!("../templates/iwasm-static.pc.in")),
    ("lib/cmake/iwasm/iwasmConfig.cmake", include_str!("../templates/iwasmConfig.cmake.in")),
    ("lib/cmake/iwasm/iwasmTargets.cmake", include_str!("../templates/iwasmTargets.cmake.in")),
    (
        "lib/cmake/iwasm/iwasmConfigVersion.cmake",
        include_str!("../templates/iwasmConfigVersion.cmake.in"),
    ),
];

/// The command's manual page and shell completions, and their places.
const SHARED: [(&str, &str); 5] = [
    ("iwasm.1", "share/man/man1/iwasm.1"),
    ("wamrc.1", "share/man/man1/wamrc.1"),
    ("iwasm.bash", "share/bash-completion/completions/iwasm"),
    ("_iwasm", "share/zsh/site-functions/_iwasm"),
    ("iwasm.fish", "share/fish/vendor_completions.d/iwasm.fish"),
];

/// Builds the libraries and the command and installs everything below `prefix`, over existing
/// files.
pub fn install(prefix: &Path, options: &Options) -> Result<(), String> {
    let built = build::libraries(options)?;
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("../c-api/include");
    copy_headers(&include, &prefix.join("include"))?;
    copy_headers(&include.join("compat"), &prefix.join("include/iwasm/compat"))?;
    let lib = prefix.join("lib");
    copy_libraries(&built, &lib)?;
    if options.strip {
        strip(&lib.join("libiwasm.a"))?;
        strip(&lib.join(format!("libiwasm.so.{VERSION}")))?;
    }
    for (path, template) in TEMPLATES {
        write(&prefix.join(path), &fill(template, &built.native_libs)?)?;
    }
    if options.command {
        install_command(prefix, options)?;
    }
    Ok(())
}

/// After the libraries: the command's build may have those of another set of features.
fn install_command(prefix: &Path, options: &Options) -> Result<(), String> {
    let command = build::command(options)?;
    let installed = prefix.join("bin/iwasm");
    copy(&command, &installed)?;
    if options.strip {
        strip(&installed)?;
    }
    link("iwasm", &prefix.join("bin/wamrc"))?;
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/iwasm");
    for (page, place) in SHARED {
        copy(&pages.join(page), &prefix.join(place))?;
    }
    Ok(())
}

fn copy_headers(from: &Path, to: &Path) -> Result<(), String> {
    let entries = fs::read_dir(from).map_err(|e| format!("{}: {e}", from.display()))?;
    for entry in entries {
        let path = entry.map_err(|e| e.to_string())?.path();
        if path.extension().is_some_and(|e| e == "h") {
            copy(&path, &to.join(path.file_name().unwrap_or_default()))?;
        }
    }
    Ok(())
}

/// `libiwasm.so` is for the linker, `.so.2` for programs that run, and the third is the file.
fn copy_libraries(built: &Built, to: &Path) -> Result<(), String> {
    let major = VERSION.split('.').next().unwrap_or(VERSION);
    let (file, soname) = (format!("libiwasm.so.{VERSION}"), format!("libiwasm.so.{major}"));
    copy(&built.archive, &to.join("libiwasm.a"))?;
    copy(&built.shared, &to.join(&file))?;
    link(&file, &to.join(&soname))?;
    link(&soname, &to.join("libiwasm.so"))
}

/// Takes the debug information out of a file. Symbols stay: they name functions in call stacks.
fn strip(file: &Path) -> Result<(), String> {
    let status = Command::new("strip").arg("--strip-debug").arg(file).status();
    match status.map_err(|e| format!("strip: {e}"))?.success() {
        true => Ok(()),
        false => Err(format!("{} cannot be stripped", file.display())),
    }
}

/// Replaces the names between at signs.
fn fill(template: &str, native_libs: &[String]) -> Result<String, String> {
    let major = VERSION.split('.').next().unwrap_or(VERSION);
    let text = template
        .replace("@VERSION@", VERSION)
        .replace("@MAJOR@", major)
        .replace("@POINTER_BYTES@", &size_of::<usize>().to_string())
        .replace("@NATIVE_LIBS@", &native_libs.join(" "))
        .replace("@NATIVE_LIBS_CMAKE@", &native_libs.join(";"));
    match text.split('@').nth(1) {
        Some(name) => Err(format!("a template asks for {name}")),
        None => Ok(text),
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let to = fresh(to)?;
    let copied = fs::copy(from, &to).map(|_| ());
    copied.map_err(|e| format!("{} to {}: {e}", from.display(), to.display()))
}

fn write(to: &Path, text: &str) -> Result<(), String> {
    let to = fresh(to)?;
    fs::write(&to, text).map_err(|e| format!("{}: {e}", to.display()))
}

#[cfg(unix)]
fn link(target: &str, at: &Path) -> Result<(), String> {
    let at = fresh(at)?;
    std::os::unix::fs::symlink(target, &at).map_err(|e| format!("{}: {e}", at.display()))
}

#[cfg(not(unix))]
fn link(target: &str, at: &Path) -> Result<(), String> {
    copy(&at.with_file_name(target), at)
}

/// Makes the folder of `path` and removes an existing file there: a link must not be written
/// through, and a library that a program runs must not change under it.
fn fresh(path: &Path) -> Result<PathBuf, String> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    match fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("{}: {e}", path.display()))
        }
        _ => Ok(path.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_filled() {
        for (path, template) in TEMPLATES {
            let text = fill(template, &["-lfirst".into(), "-lsecond".into()]);
            let text = text.unwrap_or_else(|e| panic!("{path}: {e}"));
            assert!(!text.contains('@'), "{path}");
            assert!(text.contains(VERSION) || !path.ends_with(".pc"), "{path}");
        }
        assert!(fill("@NOTHING@", &[]).is_err());
    }
}
