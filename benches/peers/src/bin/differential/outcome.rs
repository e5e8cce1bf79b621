//! What a module did, in terms that all runtimes share.

use isothread::ValType;
use std::collections::BTreeMap;

/// What a call gave.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    Values(Vec<Value>),
    Trap(&'static str),
    /// The guest's stack ran out: where is up to the runtime.
    Exhausted,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    I32(i32),
    I64(i64),
    F32(u32),
    F64(u64),
    V128(u128),
    /// Whether a reference is null; what it refers to has no common name.
    Ref(bool),
}

/// The length in bytes and a hash of them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Content {
    len_bytes: usize,
    hash: u64,
}

impl Content {
    pub fn of(bytes: &[u8]) -> Self {
        let hash = bytes.chunks(8).fold(0xcbf2_9ce4_8422_2325, |hash: u64, chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            (hash ^ u64::from_le_bytes(word)).wrapping_mul(0x100_0000_01b3).rotate_left(29)
        });
        Self { len_bytes: bytes.len(), hash }
    }
}

/// What a module did on one runtime. Memories, globals and tables go by the names of exports.
#[derive(Debug, Default, PartialEq)]
pub struct Run {
    /// Set if it could not be instantiated.
    pub failed: Option<&'static str>,
    pub calls: Vec<(String, Outcome)>,
    pub memories: BTreeMap<String, Content>,
    pub globals: BTreeMap<String, Value>,
    /// Which elements are null.
    pub tables: BTreeMap<String, Vec<bool>>,
}

/// The same argument for every parameter type on all sides.
pub fn argument(ty: ValType, turn: i64) -> Value {
    match ty {
        ValType::I32 => Value::I32((turn.wrapping_mul(0x1234_5677)) as i32),
        ValType::I64 => Value::I64(turn.wrapping_mul(0x1234_5678_9abc_def1)),
        ValType::F32 => Value::F32((turn as f32 * 1.5).to_bits()),
        ValType::F64 => Value::F64((turn as f64 * -2.25).to_bits()),
        ValType::V128 => {
            Value::V128((turn as u128).wrapping_mul(0x8000_7fff_0102_ff80_3f80_0000_c2f7_8001))
        }
        _ => Value::Ref(true),
    }
}

/// The class of an exhausted stack.
pub const EXHAUSTED: &str = "exhausted";

/// The class of a trap, by what the runtimes call it.
pub fn trap(text: &str) -> &'static str {
    const CLASSES: [(&str, &str); 15] = [
        ("stack overflow", EXHAUSTED),
        ("call stack exhausted", EXHAUSTED),
        ("divide by zero", "division"),
        ("integer overflow", "overflow"),
        ("conversion to integer", "conversion"),
        // One trap in wasmi, two here.
        ("undefined element", "table"),
        ("uninitialized", "null element"),
        ("type mismatch", "signature"),
        ("unreachable", "unreachable"),
        ("memory access", "memory"),
        ("memory fault", "memory"),
        ("table access", "table"),
        ("null reference", "null reference"),
        ("uncaught wasm exception", "exception"),
        ("thrown Wasm exception", "exception"),
    ];
    CLASSES.iter().find(|(part, _)| text.contains(part)).map_or("other", |(_, class)| class)
}

/// Cuts both after the first exhaustion on either side: runtimes have stacks of their own size.
pub fn make_comparable(ours: &mut Run, theirs: &mut Run) {
    if [&*ours, theirs].iter().any(|run| run.failed == Some(EXHAUSTED)) {
        // The start function did not get through; nothing else is comparable.
        (*ours, *theirs) = (Run::default(), Run::default());
    }
    let end = |run: &Run| run.calls.iter().position(|(_, o)| *o == Outcome::Exhausted);
    if let Some(at) = [end(ours), end(theirs)].into_iter().flatten().min() {
        for run in [ours, theirs] {
            run.calls.truncate(at);
            run.memories.clear();
            run.globals.clear();
            run.tables.clear();
        }
    }
}

/// Says what differs, if anything does.
pub fn print_difference(ours: &Run, theirs: &Run) {
    if ours.failed != theirs.failed {
        eprintln!("start: ours {:?}, theirs {:?}", ours.failed, theirs.failed);
    }
    for (ours, theirs) in ours.calls.iter().zip(&theirs.calls).filter(|(a, b)| a != b) {
        eprintln!("call of {:?}: ours {:x?}, theirs {:x?}", ours.0, ours.1, theirs.1);
    }
    print_entries("memory", &ours.memories, &theirs.memories);
    print_entries("global", &ours.globals, &theirs.globals);
    print_entries("table", &ours.tables, &theirs.tables);
}

fn print_entries<T>(kind: &str, ours: &BTreeMap<String, T>, theirs: &BTreeMap<String, T>)
where
    T: std::fmt::Debug + PartialEq,
{
    for (name, value) in ours.iter().filter(|(name, value)| theirs.get(*name) != Some(value)) {
        eprintln!("{kind} {name:?}: ours {value:x?}, theirs {:x?}", theirs.get(name));
    }
}
