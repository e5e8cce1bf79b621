//! Traps: code and text in one table.
//!
//! The texts are observable behaviour: embedders compare them after WAMR's "Exception: ".

macro_rules! traps {
    ($( $(#[$doc:meta])* $name:ident = $code:literal, $text:literal; )*) => {
        /// Why execution stopped. The numbers cross from handlers to callers in one register.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u32)]
        pub enum Trap {
            $( $(#[$doc])* $name = $code, )*
        }

        impl Trap {
            /// Every trap, in code order.
            pub const ALL: &'static [Trap] = &[$(Trap::$name),*];

            /// WAMR's text for this trap, without the "Exception: " prefix.
            pub const fn text(self) -> &'static str {
                match self { $( Self::$name => $text, )* }
            }

            /// The trap with this code, if there is one.
            pub const fn from_code(code: u32) -> Option<Self> {
                match code { $( $code => Some(Self::$name), )* _ => None }
            }
        }
    };
}

traps! {
    Unreachable = 1, "unreachable";
    OutOfMemory = 2, "allocate memory failed";
    MemoryOutOfBounds = 3, "out of bounds memory access";
    IntegerOverflow = 4, "integer overflow";
    IntegerDivideByZero = 5, "integer divide by zero";
    InvalidConversion = 6, "invalid conversion to integer";
    IndirectCallTypeMismatch = 7, "indirect call type mismatch";
    InvalidFunctionIndex = 8, "invalid function index";
    UndefinedElement = 9, "undefined element";
    UninitializedElement = 10, "uninitialized element";
    /// The text of one call names the import: "failed to call unlinked import function (m, f)".
    UnlinkedImport = 11, "failed to call unlinked import function";
    NativeStackOverflow = 12, "native stack overflow";
    UnalignedAtomic = 13, "unaligned atomic";
    TableOutOfBounds = 14, "out of bounds table access";
    OperandStackOverflow = 15, "wasm operand stack overflow";
    NullReference = 16, "null reference";
    FuelExhausted = 17, "instruction limit exceeded";
    Terminated = 18, "terminated by user";
    UnsupportedOpcode = 19, "unsupported opcode";
    /// A native set the exception's text itself; it stands on the instance.
    Host = 20, "native function throw unknown exception";
    /// WASI's proc_exit; the exit code stands on the instance.
    ProcExit = 21, "wasi proc exit";
    /// An "impossible" state that a guest reached: a bug here, never a crash there.
    Internal = 22, "unknown exception";
    /// The context's time is over. WAMR has no such limit.
    DeadlineExceeded = 23, "deadline exceeded";
    ExpectedSharedMemory = 24, "expected shared memory";
    /// A thread of a program ended itself, or was cancelled: the end of its calls, and no
    /// exception.
    ThreadExit = 25, "thread exit";
    /// An exception that the guest threw and did not catch, by the time it reached the host.
    UncaughtException = 26, "uncaught wasm exception";
    /// Another thread runs in the instance, or in one that is linked to it. No exception either.
    InUse = 27, "the instance is in use by another thread";
    /// A host function in C has ended its thread, which unwinds the stack: the end of the calls on
    /// it, and no exception.
    Unwinding = 28, "a native function has ended the thread";
    NullFunction = 29, "null function reference";
    CastFailure = 30, "cast failure";
    NullI31 = 31, "null i31 reference";
    NullStruct = 32, "null structure reference";
    NullArray = 33, "null array reference";
    ArrayOutOfBounds = 34, "out of bounds array access";
    /// The heap of the guest's objects is full, or there is no memory for it; so for the next.
    NoStruct = 35, "create struct object failed";
    NoArray = 36, "create array object failed";
}

#[cfg(test)]
mod tests {
    use super::Trap;

    #[test]
    fn codes_are_counted_from_one() {
        for (&trap, code) in Trap::ALL.iter().zip(1..) {
            assert_eq!(trap as u32, code, "{trap:?}");
            assert_eq!(Trap::from_code(code), Some(trap));
        }
        // None of them is taken for success, or for one of a later version.
        assert_eq!(Trap::from_code(0), None);
        assert_eq!(Trap::from_code(Trap::ALL.len() as u32 + 1), None);
        assert_eq!(Trap::from_code(crate::abi::vm_layout::TAIL_CALL), None);
    }

    #[test]
    fn texts_tell_traps_apart() {
        for (at, trap) in Trap::ALL.iter().enumerate() {
            let same = Trap::ALL[at + 1..].iter().find(|other| other.text() == trap.text());
            assert_eq!(same, None, "{trap:?}");
        }
    }
}
