//! The suite's texts for traps, and ours.

/// Texts of which neither begins with the other: the suite's, then those that we may have for it.
const SAID_OTHERWISE: &[(&str, &[&str])] = &[
    ("call stack exhausted", &["wasm operand stack overflow", "native stack overflow"]),
    ("atomic wait on non-shared memory", &["expected shared memory"]),
    ("call type mismatch", &["indirect call type mismatch"]),
    ("divide by zero", &["integer divide by zero"]),
    ("stack overflow", &["wasm operand stack overflow", "native stack overflow"]),
];

/// Whether `ours` is the text that the suite expects. Either may have more details, such as the
/// index of an uninitialized element.
pub(crate) fn agrees(expected: &str, ours: &str) -> bool {
    if ours.starts_with(expected) || (!ours.is_empty() && expected.starts_with(ours)) {
        return true;
    }
    SAID_OTHERWISE.iter().any(|(theirs, said)| expected.starts_with(theirs) && said.contains(&ours))
}
