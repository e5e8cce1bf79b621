//! The proposals that a module needs, found by validating it with and without them.

use wasmparser::{
    ElementItems, Error, OperatorsReader, Parser, Payload, TableInit, Validator, WasmFeatures,
};

/// The features that every context accepts: WebAssembly 2.0 without SIMD, and extended constants.
const BASE: WasmFeatures =
    WasmFeatures::WASM2.difference(WasmFeatures::SIMD).union(WasmFeatures::EXTENDED_CONST);

/// Proposals beyond that, by the name `expect.txt` gives them.
const PROPOSALS: &[(&str, WasmFeatures)] = &[
    ("simd", WasmFeatures::SIMD),
    ("relaxed-simd", WasmFeatures::RELAXED_SIMD),
    ("tail-call", WasmFeatures::TAIL_CALL),
    ("multi-memory", WasmFeatures::MULTI_MEMORY),
    ("memory64", WasmFeatures::MEMORY64),
    ("threads", WasmFeatures::THREADS),
    ("exceptions", WasmFeatures::EXCEPTIONS),
    ("legacy-exceptions", WasmFeatures::LEGACY_EXCEPTIONS),
    // With the types that GC brings. `uses_gc` looks for its instructions.
    ("function-references", WasmFeatures::FUNCTION_REFERENCES.union(WasmFeatures::GC)),
    ("gc", WasmFeatures::GC),
    ("custom-page-sizes", WasmFeatures::CUSTOM_PAGE_SIZES),
    ("wide-arithmetic", WasmFeatures::WIDE_ARITHMETIC),
    // Nothing of it is validated so far. The one that is not executed, for the tests of the lists.
    ("stack-switching", WasmFeatures::empty()),
];

/// Those the engine executes. A proposal that is switched on in the library is added here, and the
/// entries in `expect.txt` that name it fail until they are gone.
const EXECUTED: &[&str] = &[
    "simd",
    "relaxed-simd",
    "multi-memory",
    "memory64",
    "threads",
    "exceptions",
    "legacy-exceptions",
    "custom-page-sizes",
    "tail-call",
    "wide-arithmetic",
    "function-references",
    "gc",
];

/// Proposals that no module of this suite can use, because the engine knows nothing of them.
const FOREIGN: &[&str] = &["component-model", "stack-switching"];

pub(crate) fn is_known(name: &str) -> bool {
    PROPOSALS.iter().any(|(known, _)| *known == name) || FOREIGN.contains(&name)
}

pub(crate) fn is_executed(name: &str) -> bool {
    EXECUTED.contains(&name) && !is_left_out(name)
}

/// Whether the library is built without the cargo feature that a proposal needs.
pub(crate) fn is_left_out(name: &str) -> bool {
    match name {
        "simd" | "relaxed-simd" => !cfg!(feature = "simd"),
        "gc" => !cfg!(feature = "gc"),
        _ => false,
    }
}

/// Whether that is so for any proposal.
pub(crate) fn is_any_left_out() -> bool {
    EXECUTED.iter().any(|name| is_left_out(name))
}

/// The expected result for a binary.
pub(crate) enum Verdict {
    /// Valid for the engine.
    Valid,
    /// Valid, but only with these proposals, which the engine does not execute.
    Needs(Vec<&'static str>),
    /// Invalid for the engine; the proposal whose absence the validator gives as its reason.
    Invalid(Option<&'static str>),
}

fn executed() -> WasmFeatures {
    PROPOSALS
        .iter()
        .filter(|(name, _)| is_executed(name))
        .fold(BASE, |all, (_, feature)| all | *feature)
}

fn validate(bytes: &[u8], features: WasmFeatures) -> Result<(), Error> {
    Validator::new_with_features(features).validate_all(bytes).map(|_| ())
}

/// Whether a valid binary has instructions that make objects or look into them.
fn uses_gc(bytes: &[u8]) -> Result<bool, Error> {
    let is_gc = |operators: OperatorsReader<'_>| {
        // As they are encoded: `ref.eq`, and all with a prefix of their own.
        let at = |offset: u64| bytes.get(offset as usize).copied();
        operators
            .into_iter_with_offsets()
            .any(|operator| operator.is_ok_and(|(_, at_)| matches!(at(at_), Some(0xd3 | 0xfb))))
    };
    let mut found = false;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::CodeSectionEntry(body) => found |= is_gc(body.get_operators_reader()?),
            Payload::GlobalSection(section) => {
                for global in section {
                    found |= is_gc(global?.init_expr.get_operators_reader());
                }
            }
            Payload::TableSection(section) => {
                for table in section {
                    if let TableInit::Expr(init) = table?.init {
                        found |= is_gc(init.get_operators_reader());
                    }
                }
            }
            Payload::ElementSection(section) => {
                for segment in section {
                    if let ElementItems::Expressions(_, items) = segment?.items {
                        for item in items {
                            found |= is_gc(item?.get_operators_reader());
                        }
                    }
                }
            }
            _ => {}
        }
    }
    Ok(found)
}

pub(crate) fn judge(bytes: &[u8]) -> Verdict {
    let Err(error) = validate(bytes, executed()) else {
        return match uses_gc(bytes) {
            Ok(true) if !is_executed("gc") => Verdict::Needs(vec!["gc"]),
            _ => Verdict::Valid,
        };
    };
    let all = PROPOSALS.iter().fold(BASE, |all, (_, feature)| all | *feature);
    if validate(bytes, all).is_err() {
        let missing = error.missing_wasm_feature().unwrap_or(WasmFeatures::empty());
        let named = PROPOSALS.iter().find(|(_, feature)| missing.intersects(*feature));
        return Verdict::Invalid(named.map(|(name, _)| *name));
    }
    // Removes unnecessary features, from the newest on; the others are needed.
    let mut needed = all;
    for (_, feature) in PROPOSALS.iter().rev() {
        if validate(bytes, needed - *feature).is_ok() {
            needed -= *feature;
        }
    }
    let needed = needed - executed();
    let names = PROPOSALS.iter().filter(|(_, feature)| needed.intersects(*feature));
    Verdict::Needs(names.map(|(name, _)| *name).collect())
}
