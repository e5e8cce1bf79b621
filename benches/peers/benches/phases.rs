//! The phases of the root crate's benchmark, on every engine.

use criterion::Criterion;
use peers::common::{self, Engine};

fn main() -> Result<(), String> {
    let mut criterion = Criterion::default().configure_from_args();
    let kernels = common::kernels(&peers::root())?;
    let engines = peers::engines()?;
    let engines: Vec<&dyn Engine> = engines.iter().map(|engine| &**engine).collect();
    common::phases::all(&mut criterion, &engines, &kernels)?;
    criterion.final_summary();
    Ok(())
}
