//! Writes the C headers to `c-api/include`, or compares them with `--check`.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let check = match std::env::args().nth(1).as_deref() {
        None => false,
        Some("--check") => true,
        Some(other) => {
            eprintln!("unknown argument {other}; usage: isothread-c-gen [--check]");
            return ExitCode::from(2);
        }
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    match isothread_c_gen::generate(&root).and_then(|headers| put(&root, &headers, check)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("{text}");
            ExitCode::FAILURE
        }
    }
}

fn put(root: &Path, headers: &[isothread_c_gen::Header], check: bool) -> Result<(), String> {
    for header in headers {
        let path = root.join("c-api/include").join(&header.name);
        if check {
            let committed = std::fs::read_to_string(&path).unwrap_or_default();
            if committed != header.text {
                return Err(format!("{} differs: run isothread-c-gen", header.name));
            }
        } else {
            std::fs::write(&path, &header.text).map_err(|e| format!("{}: {e}", path.display()))?;
        }
    }
    Ok(())
}
