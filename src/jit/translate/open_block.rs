//! What is known of a function's blocks while they are open.

use crate::jit::frame_tables::Clause;
use cranelift_codegen::ir::{Block, Inst, Type, Value};
use cranelift_frontend::Variable;

/// Where the number that an `iconst` makes is not known yet.
#[derive(Clone, Copy)]
pub struct Later(pub Inst);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockKind {
    Function,
    Block,
    Loop,
    If,
    Try,
    LegacyTry,
    LegacyCatch,
}

/// An open block.
pub struct OpenBlock {
    pub kind: BlockKind,
    /// Where branches lead.
    pub target: Block,
    pub params: Vec<Type>,
    pub results: Vec<Type>,
    /// Values on the stack below the block's parameters, and their height.
    pub depth: usize,
    pub height: u32,
    /// Where an `if` goes on that is false, until `else` is met, and its parameters there.
    pub else_block: Option<Block>,
    pub else_params: Vec<Value>,
    /// Operators before a loop, and the costs of its turns.
    pub operators: u32,
    pub turns: Vec<Later>,
    /// Whether a branch leads to the end.
    pub is_joined: bool,
    /// Variables that have the values below, in code that begins at a loop.
    pub below: Vec<Variable>,
    /// The innermost try around the block's end, and around what is in it.
    pub outer_try: u32,
    pub around: u32,
    /// The clauses of a `try_table`.
    pub landings: Vec<Landing>,
    /// The number of the next clause of a `try`.
    pub next_clause: u32,
}

/// A clause of a `try_table`: the block that it goes on in, and the depth of its label, counted
/// from outside of the `try_table`.
pub struct Landing {
    pub block: Block,
    pub clause: Clause,
    pub depth: u32,
}

/// Numbers of a function's entry that are known at its end.
pub struct Checks {
    pub frame_bytes: Later,
    pub cost: Later,
}

/// The loop that code begins at.
#[derive(Clone, Copy)]
pub struct LoopStart {
    /// The position of the operator `loop` in the module, in bytes.
    pub position: u32,
    /// Loads the operand stack, and goes to the loop.
    pub block: Block,
}
