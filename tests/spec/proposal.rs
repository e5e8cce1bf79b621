//! The proposals of scripts.

/// For scripts of no proposal: WebAssembly 2.0, and what was added to its tests later.
const CORE: &str = "core";

/// By the beginning of the path below the set. The first that fits counts.
const PATHS: &[(&str, &str)] = &[
    ("gc/component", "component-model"),
    ("stack-switching", "stack-switching"),
    ("gc/", "gc"),
    ("type-", "gc"),
    ("function-references/", "function-references"),
    ("br_on_", "function-references"),
    ("call_ref", "function-references"),
    ("local_init", "function-references"),
    ("ref.wast", "function-references"),
    ("ref_as_non_null", "function-references"),
    ("return_call_ref", "function-references"),
    ("return_call", "tail-call"),
    ("tail-call/", "tail-call"),
    ("exceptions/", "exceptions"),
    ("memory64/", "memory64"),
    ("multi-memory/", "multi-memory"),
    ("relaxed-simd/", "relaxed-simd"),
    ("simd/", "simd"),
    ("threads", "threads"),
    ("custom-page-sizes/", "custom-page-sizes"),
    ("wide-arithmetic", "wide-arithmetic"),
];

/// By the lines with which scripts of another engine begin. The first that there is counts.
const HEADERS: &[(&str, &str)] = &[
    (";;! gc = true", "gc"),
    (";;! exceptions = true", "exceptions"),
    (";;! custom_page_sizes = true", "custom-page-sizes"),
    (";;! tail_call = true", "tail-call"),
    (";;! memory64 = true", "memory64"),
    (";;! threads = true", "threads"),
    (";;! multi_memory = true", "multi-memory"),
    (";;! simd = true", "simd"),
    (";;! branch_hinting = true", "annotations"),
];

/// The proposal of a script, and the set that it is from. `name` is its path below the source.
pub(crate) fn of_script(name: &str, text: &str) -> (&'static str, String) {
    let (set, rest) = name.split_once('/').unwrap_or(("", name));
    let by_set = match set {
        "custom" => Some("annotations"),
        "legacy-eh-json" | "legacy-eh-linear" => Some("legacy-exceptions"),
        _ => None,
    };
    let by_path = || PATHS.iter().find(|(path, _)| rest.starts_with(path));
    let by_header = || HEADERS.iter().find(|(header, _)| text.lines().any(|line| line == *header));
    let proposal =
        by_set.or_else(|| by_path().or_else(by_header).map(|&(_, name)| name)).unwrap_or(CORE);
    let set = match (set, rest.split_once('/')) {
        ("proposals", Some((own, _))) => format!("proposals/{own}"),
        _ => set.to_owned(),
    };
    (proposal, set)
}
