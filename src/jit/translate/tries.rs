//! What follows the `try`s of a function's body.

use wasmparser::{BinaryReader, FunctionBody, Operator};

/// What follows a `try`.
#[derive(Default)]
pub struct TryInfo {
    pub position: u32,
    pub clauses: Vec<ClauseInfo>,
    /// The depth of the label to which it delegates.
    pub delegate: Option<u32>,
}

#[derive(Clone, Copy)]
pub struct ClauseInfo {
    pub tag: Option<u32>,
    pub is_rethrown: bool,
}

/// The `try`s of a body, by their positions. Validation has seen it, so that it is never `None`.
pub fn scan(bytes: &[u8], start: u32) -> Option<Vec<TryInfo>> {
    let body = FunctionBody::new(BinaryReader::new(bytes, start.into()));
    let mut reader = body.get_operators_reader().ok()?;
    let mut found: Vec<TryInfo> = Vec::new();
    // For each open block, the number of the `try` that it is.
    let mut open: Vec<Option<usize>> = Vec::new();
    while !reader.eof() {
        let position = reader.original_position() as u32;
        match reader.read().ok()? {
            Operator::Try { .. } => {
                open.push(Some(found.len()));
                found.push(TryInfo { position, ..TryInfo::default() });
            }
            Operator::Block { .. }
            | Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::TryTable { .. } => open.push(None),
            Operator::Catch { tag_index } => add(&mut found, &open, Some(tag_index))?,
            Operator::CatchAll => add(&mut found, &open, None)?,
            Operator::Rethrow { relative_depth } => {
                let index = open.len().checked_sub(1 + relative_depth as usize);
                let number = index.and_then(|index| open[index])?;
                let clause = found[number].clauses.last_mut()?;
                clause.is_rethrown = true;
            }
            Operator::Delegate { relative_depth } => {
                let number = open.pop().flatten()?;
                found[number].delegate = Some(relative_depth);
            }
            Operator::End => {
                open.pop();
            }
            _ => {}
        }
    }
    Some(found)
}

/// Adds a clause to the innermost block, a `try`.
fn add(found: &mut [TryInfo], open: &[Option<usize>], tag: Option<u32>) -> Option<()> {
    let number = open.last().copied().flatten()?;
    found[number].clauses.push(ClauseInfo { tag, is_rethrown: false });
    Some(())
}
