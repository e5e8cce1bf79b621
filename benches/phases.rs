//! Load, instantiate, call and execute, on isothread alone: `cargo bench`.
//! `cargo bench -- --test` runs each once, which CI does so that they keep working.

#[allow(dead_code, reason = "the peers' crate uses what this one does not")]
mod common;

use criterion::Criterion;
use std::path::Path;

fn main() -> Result<(), String> {
    let mut criterion = Criterion::default().configure_from_args();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut kernels = common::kernels(root)?;
    kernels.extend(common::object_kernels(root)?);
    kernels.extend(common::exception_kernels(root)?);
    let engine = common::isothread::Isothread::new()?;
    common::phases::all(&mut criterion, &[&engine], &kernels)?;
    criterion.final_summary();
    Ok(())
}
