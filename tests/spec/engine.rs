//! The scripts' interface to an engine. `binding.rs` alone knows the engine.

use crate::mode::Mode;
use std::fmt;

/// A failure, by phase.
pub(crate) enum Failure {
    /// The module was refused.
    Load(String),
    /// An import is missing or does not fit.
    Link(String),
    /// Guest code trapped, while instantiating or when called.
    Trap(String),
    /// The script asks for something that is not there.
    Missing(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Load(text) => write!(f, "refused at load: {text}"),
            Self::Link(text) => write!(f, "does not link: {text}"),
            Self::Trap(text) => write!(f, "trapped: {text}"),
            Self::Missing(text) => f.write_str(text),
        }
    }
}

/// A value as its bits, which is how results are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    I32(u32),
    I64(u64),
    F32(u32),
    F64(u64),
    V128(u128),
    /// A function reference: whether it is one, that is, not null.
    FuncRef(bool),
    ExternRef(Option<u64>),
    /// A reference to an exception: whether it is one, that is, not null.
    ExnRef(bool),
    AnyRef(Object),
}

/// What an anyref leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Object {
    Null,
    /// A small integer, of 31 bits.
    I31(u32),
    /// An object of the host's.
    Host(u64),
    /// A struct or an array.
    Guest,
}

pub(crate) trait Engine: Sync {
    type Module: Clone;
    type Instance: Clone;
    /// The parts of an instance for other threads: its shared memories, by name.
    type Shared: Send;

    /// An engine with nothing in it that runs in this mode.
    fn new(mode: Mode) -> Self;

    /// How many calls showed that they ran in the mode.
    fn calls_in_mode(&self) -> usize;

    /// Loads: parses, validates and so on.
    fn load(&self, bytes: &[u8]) -> Result<Self::Module, Failure>;

    /// Names of the modules that `module` imports from.
    fn imports_from(&self, module: &Self::Module) -> Vec<String>;

    /// Instantiates; `resolve` finds an import by the name of the instance and the name of the
    /// export.
    fn instantiate(
        &self,
        module: &Self::Module,
        resolve: &dyn Fn(&str, &str) -> Option<Self::Instance>,
    ) -> Result<Self::Instance, Failure>;

    /// The parts of `instance` for other threads.
    fn share(&self, instance: &Self::Instance) -> Self::Shared;

    /// Makes an instance for the calling thread that has the exports in `shared`.
    fn adopt(&self, shared: Self::Shared) -> Self::Instance;

    /// Calls an exported function.
    fn invoke(
        &self,
        instance: &Self::Instance,
        name: &str,
        args: &[Value],
    ) -> Result<Vec<Value>, Failure>;

    /// Reads an exported global.
    fn get(&self, instance: &Self::Instance, name: &str) -> Result<Value, Failure>;
}
