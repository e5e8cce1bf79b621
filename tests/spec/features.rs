//! Which proposals a module needs, found out by validating it with and without them.

use wasmparser::{Error, Validator, WasmFeatures};

/// What every context accepts: WebAssembly 2.0 without SIMD, and extended constants.
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
    ("function-references", WasmFeatures::FUNCTION_REFERENCES),
    ("gc", WasmFeatures::GC),
    ("custom-page-sizes", WasmFeatures::CUSTOM_PAGE_SIZES),
    ("wide-arithmetic", WasmFeatures::WIDE_ARITHMETIC),
];

/// Those the engine executes. Whoever switches one on in the library adds it here, and the
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
];

/// Proposals that no module of this suite can use, because the engine knows nothing of them.
const FOREIGN: &[&str] = &["component-model", "stack-switching"];

pub(crate) fn is_known(name: &str) -> bool {
    PROPOSALS.iter().any(|(known, _)| *known == name) || FOREIGN.contains(&name)
}

pub(crate) fn is_executed(name: &str) -> bool {
    EXECUTED.contains(&name)
}

/// What is to be expected of a binary.
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

pub(crate) fn judge(bytes: &[u8]) -> Verdict {
    let Err(error) = validate(bytes, executed()) else { return Verdict::Valid };
    let all = PROPOSALS.iter().fold(BASE, |all, (_, feature)| all | *feature);
    if validate(bytes, all).is_err() {
        let missing = error.missing_wasm_feature().unwrap_or(WasmFeatures::empty());
        let named = PROPOSALS.iter().find(|(_, feature)| missing.intersects(*feature));
        return Verdict::Invalid(named.map(|(name, _)| *name));
    }
    // Takes away what can be missed, from the newest on; what stays is needed.
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
