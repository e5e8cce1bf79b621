//! Frames and costs are the interpreter's, so that both engines find the same end of the guest's
//! stack, and take the same fuel.

use super::modules;
use crate::interp;
use crate::jit::compiler::{Compiler, OptLevel};
use crate::jit::translate::Refusal;
use crate::module::Module;
use std::collections::BTreeMap;

/// What became of the functions of all modules.
#[derive(Default)]
struct Tally {
    compiled: usize,
    differing: Vec<String>,
    /// The functions that are left to the interpreter, by the reason.
    refused: BTreeMap<String, usize>,
}

impl Tally {
    fn add(&mut self, name: &str, module: &Module, compiler: &mut Compiler) {
        for index in module.imported.funcs..module.func_count() {
            match compiler.entry(module, index) {
                Ok(ours) => {
                    self.compiled += 1;
                    let theirs = interp::entry_of(module, index);
                    if theirs != Some(ours) {
                        let text = format!("{name}, {index}: {ours:?}, interpreted {theirs:?}");
                        self.differing.push(text);
                    }
                }
                Err((refusal, position)) => {
                    let reason = reason(module, refusal, position);
                    *self.refused.entry(reason).or_default() += 1;
                }
            }
        }
    }
}

/// The name of the operator at which the translation of a function ended, or of the refusal.
fn reason(module: &Module, refusal: Refusal, position: u32) -> String {
    let operator =
        module.bytes.get(position as usize..).filter(|_| position > 0).and_then(|bytes| {
            let mut reader =
                wasmparser::OperatorsReader::new(wasmparser::BinaryReader::new(bytes, 0));
            let operator = format!("{:?}", reader.read().ok()?);
            operator.split([' ', '{']).next().map(str::to_owned)
        });
    format!("{refusal:?} {}", operator.unwrap_or_else(|| "types".to_owned()))
}

#[test]
fn frames_and_costs_are_the_interpreters() {
    let mut compiler = Compiler::new(OptLevel::None).expect("a processor for compiled code");
    let mut tally = Tally::default();
    modules::for_each(&mut |name, module| tally.add(name, module, &mut compiler));
    let refused: usize = tally.refused.values().sum();
    println!("{} functions compiled, {refused} refused", tally.compiled);
    for (reason, count) in &tally.refused {
        println!("  {count} {reason}");
    }
    assert!(tally.compiled > 100, "{} functions", tally.compiled);
    let (count, first) = (tally.differing.len(), tally.differing.iter().take(20));
    assert!(count == 0, "{count}: {}", first.cloned().collect::<Vec<_>>().join("\n"));
}
