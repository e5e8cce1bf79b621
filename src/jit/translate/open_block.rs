//! What is known of a function's blocks while they are open.

use cranelift_codegen::ir::{Block, Inst, Type, Value};

/// Where the number that an `iconst` makes is not known yet.
#[derive(Clone, Copy)]
pub struct Later(pub Inst);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockKind {
    Function,
    Block,
    Loop,
    If,
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
