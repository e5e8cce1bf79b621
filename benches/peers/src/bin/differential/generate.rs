//! Random modules, by groups of proposals.

use wasm_smith::{Config, Module};
use wasmparser::{Operator, Parser, Payload};

/// The proposals that a module may use beside WebAssembly 2.0 without vectors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Group {
    Base,
    Simd,
    RelaxedSimd,
    TailCall,
    /// Several memories and tables, with 32-bit and 64-bit addresses, in pages of any size.
    Memories,
    WideArithmetic,
    Exceptions,
    /// All but exceptions and relaxed vectors.
    Mixed,
    /// All but relaxed vectors.
    Everything,
}

impl Group {
    pub const ALL: [(Self, &str); 9] = [
        (Self::Base, "base"),
        (Self::Simd, "simd"),
        (Self::RelaxedSimd, "relaxed-simd"),
        (Self::TailCall, "tail-call"),
        (Self::Memories, "memories"),
        (Self::WideArithmetic, "wide-arithmetic"),
        (Self::Exceptions, "exceptions"),
        (Self::Mixed, "mixed"),
        (Self::Everything, "everything"),
    ];

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(group, _)| *group)
    }

    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(group, _)| *group == self).map_or("", |(_, name)| name)
    }

    pub fn has_exceptions(self) -> bool {
        matches!(self, Self::Exceptions | Self::Everything)
    }

    fn has(self, only: Self) -> bool {
        self == only || matches!(self, Self::Mixed | Self::Everything)
    }

    fn config(self, seed: u64) -> Config {
        let memories = self.has(Self::Memories);
        // Calls that trap early show little; but traps are to be compared as well.
        let is_base = self == Self::Base;
        let is_careful = !is_base && seed.is_multiple_of(2);
        let at_least = usize::from(!is_base);
        Config {
            simd_enabled: self.has(Self::Simd) || self == Self::RelaxedSimd,
            relaxed_simd_enabled: self == Self::RelaxedSimd,
            threads_enabled: false,
            exceptions_enabled: self.has_exceptions(),
            gc_enabled: false,
            tail_call_enabled: self.has(Self::TailCall),
            memory64_enabled: memories,
            wide_arithmetic_enabled: self.has(Self::WideArithmetic),
            custom_page_sizes_enabled: memories,
            compact_imports_enabled: false,
            max_memories: if memories { 4 } else { 1 },
            max_tables: if memories { 4 } else { 1 },
            max_imports: 0,
            min_types: 3 * at_least,
            min_funcs: 1 + 3 * at_least,
            max_funcs: 12,
            min_globals: 2 * at_least,
            min_memories: at_least as u32,
            max_data_segments: if is_base { 100 } else { 4 },
            max_element_segments: if is_base { 100 } else { 4 },
            max_instructions: if is_base { 400 } else { 100 },
            export_everything: true,
            canonicalize_nans: true,
            disallow_traps: is_careful,
            allow_start_export: !is_careful,
            memory_max_size_required: true,
            max_memory32_bytes: if is_base { 1 << 20 } else { 3 << 16 },
            max_memory64_bytes: 3 << 16,
            max_table_elements: 1000,
            table_max_size_required: true,
            ..Config::default()
        }
    }

    /// The module that a seed stands for; none if it uses what runtimes may do in several ways.
    pub fn module(self, seed: u64) -> Option<Vec<u8>> {
        // The base is left as it was, since seeds of it are known.
        let bytes = entropy(seed, if self == Self::Base { 512 } else { 1024 });
        let mut source = arbitrary::Unstructured::new(&bytes);
        let mut module = Module::new(self.config(seed), &mut source).ok()?;
        module.ensure_termination(10_000).ok()?;
        let module = module.to_bytes();
        (self != Self::RelaxedSimd || is_determined(&module)).then_some(module)
    }
}

/// Bytes that a seed stands for.
fn entropy(seed: u64, words: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..words)
        .flat_map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        })
        .collect()
}

/// Calls `look` with each instruction of a valid module and the one before it.
fn any_pair(module: &[u8], look: impl Fn(&Operator<'_>, &Operator<'_>) -> bool) -> bool {
    let bodies = Parser::new(0).parse_all(module).filter_map(|payload| match payload {
        Ok(Payload::CodeSectionEntry(body)) => body.get_operators_reader().ok(),
        _ => None,
    });
    bodies.into_iter().any(|body| {
        let mut last = Operator::Nop;
        body.into_iter().filter_map(Result::ok).any(|operator| {
            let found = look(&last, &operator);
            last = operator;
            found
        })
    })
}

/// Whether a module has none of the relaxed operations that the runtimes decided on differently,
/// or whose NaNs wasm-smith leaves as they are.
fn is_determined(module: &[u8]) -> bool {
    !any_pair(module, |_, operator| {
        matches!(
            operator,
            Operator::F32x4RelaxedMadd
                | Operator::F32x4RelaxedNmadd
                | Operator::F64x2RelaxedMadd
                | Operator::F64x2RelaxedNmadd
                | Operator::F32x4RelaxedMin
                | Operator::F32x4RelaxedMax
                | Operator::F64x2RelaxedMin
                | Operator::F64x2RelaxedMax
        )
    })
}

/// Whether a module has what wasmi 2.0.0 is at fault with. A `select` whose condition compares a
/// local with zero or null gives the wrong operand there, or neither, if something was computed
/// before: `(select (i32.const 1) (local.get 0) (i32.eqz (local.get 0)))` is 1 for every number.
pub fn meets_fault_of_wasmi(module: &[u8]) -> bool {
    any_pair(module, |last, operator| {
        matches!(operator, Operator::Select | Operator::TypedSelect { .. })
            && matches!(
                last,
                Operator::I32Eqz
                    | Operator::I32Eq
                    | Operator::I32Ne
                    | Operator::I64Eqz
                    | Operator::I64Eq
                    | Operator::I64Ne
                    | Operator::RefIsNull
            )
    })
}
