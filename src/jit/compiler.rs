//! Cranelift, and the machine code that it makes.

use super::frame_tables::FrameTables;
use super::translate::thunks::{self, ThunkKind};
use super::translate::{self, Refusal, Translated};
use crate::abi::types::FuncType;
use crate::ahead::Processor;
use crate::module::Module;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::{Function, StackSlot, UserFuncName};
use cranelift_codegen::isa::{self, OwnedTargetIsa};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_codegen::{
    CompiledCode, Context, Final, FinalizedMachExceptionHandler, MachBufferFinalized,
};
use cranelift_frontend::FunctionBuilderContext;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// How much work goes into better code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OptLevel {
    /// As little as possible.
    None,
    /// Fast code.
    #[default]
    Speed,
    /// Fast and small code.
    SpeedAndSize,
}

impl OptLevel {
    fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Speed => "speed",
            Self::SpeedAndSize => "speed_and_size",
        }
    }
}

/// Machine code that lies anywhere, and the calls in it.
pub struct Blob {
    pub code: Vec<u8>,
    /// The offset behind each call, and the position in the module that it is for; by offset.
    pub calls: Box<[(u32, u32)]>,
    /// The functions of the module that are called directly.
    pub callees: Vec<u32>,
    /// What is known of its frames, if there is anything to know.
    pub tables: Option<Arc<FrameTables>>,
}

/// Native frames that are larger are left to the interpreter: functions look for native stack when
/// they have their frame.
const FRAME_BYTES_MAX: u32 = 8 << 10;

/// The most memory that Cranelift takes: for each byte of a body, and for any.
const BYTES_PER_BYTE: usize = 4 << 10;
const FIRST_BYTES: usize = 4 << 20;

/// The most memory that making machine code of so many bytes of a body takes, in bytes.
pub fn memory_for(body_bytes: usize) -> usize {
    body_bytes * BYTES_PER_BYTE + FIRST_BYTES
}

/// The native stack that making machine code may take, in bytes.
pub const STACK_BYTES: usize = 1 << 20;

/// Makes machine code. Owner: a module's code, behind a lock, or a thread that compiles.
pub struct Compiler {
    isa: OwnedTargetIsa,
    context: Context,
    builder: FunctionBuilderContext,
}

impl Compiler {
    /// As [`Compiler::for_processor`], for this one.
    pub fn new(level: OptLevel) -> Option<Box<Self>> {
        Self::for_processor(level, Processor::host())
    }

    /// Makes code for processors with these features; `None` if they are too few. It takes
    /// kilobytes, so it has a block of its own, and no frame but this function's ever holds one.
    #[inline(never)]
    pub fn for_processor(level: OptLevel, processor: Processor) -> Option<Box<Self>> {
        let mut flags = settings::builder();
        let verify = if cfg!(debug_assertions) { "true" } else { "false" };
        let wanted = [
            ("opt_level", level.name()),
            ("enable_pinned_reg", "true"),
            ("preserve_frame_pointers", "true"),
            ("enable_probestack", "false"),
            ("unwind_info", "false"),
            ("enable_verifier", verify),
        ];
        for (name, value) in wanted {
            flags.set(name, value).ok()?;
        }
        let mut builder = isa::lookup_by_name("x86_64-unknown-linux-gnu").ok()?;
        set_features(&mut builder, processor)?;
        let isa = builder.finish(settings::Flags::new(flags)).ok()?;
        let (context, builder) = (Context::new(), FunctionBuilderContext::new());
        Some(Box::new(Self { isa, context, builder }))
    }

    /// The code of the function at `func_index`, or of what follows the start of the loop at a
    /// position in it. A panic in Cranelift is a refusal.
    pub fn function(
        &mut self,
        module: &Module,
        func_index: u32,
        loop_position: Option<u32>,
    ) -> Result<Blob, Refusal> {
        self.make(|isa, function, builder| {
            let of = (func_index, loop_position);
            let translated = translate::translate(module, isa, of, function, builder);
            translated.map_err(|(refusal, position)| {
                log::debug!("function {func_index}, byte {position} of the module: {refusal:?}");
                refusal
            })
        })
    }

    /// The slots of a function's frame, and the cost of entering it; or why it is not compiled, and
    /// the position of the operator that this is about.
    #[cfg(test)]
    pub fn entry(
        &mut self,
        module: &Module,
        func_index: u32,
    ) -> Result<(u32, u32), (Refusal, u32)> {
        self.context.clear();
        let (isa, function) = (&*self.isa, &mut self.context.func);
        let translated =
            translate::translate(module, isa, (func_index, None), function, &mut self.builder);
        self.builder = FunctionBuilderContext::new();
        translated.map(|translated| (translated.frame_slots, translated.cost))
    }

    /// The code of a thunk.
    pub fn thunk(
        &mut self,
        module: &Module,
        kind: ThunkKind,
        ty: &FuncType,
    ) -> Result<Blob, Refusal> {
        self.make(|isa, function, builder| {
            thunks::make(module, isa, (kind, ty), function, builder)?;
            Ok(Translated::default())
        })
    }

    fn make(
        &mut self,
        fill: impl FnOnce(
            &dyn isa::TargetIsa,
            &mut Function,
            &mut FunctionBuilderContext,
        ) -> Result<Translated, Refusal>,
    ) -> Result<Blob, Refusal> {
        let made = catch_unwind(AssertUnwindSafe(|| {
            self.context.clear();
            self.context.func.name = UserFuncName::default();
            let translated = fill(&*self.isa, &mut self.context.func, &mut self.builder)?;
            let compiled = self.context.compile(&*self.isa, &mut ControlPlane::default()).map_err(
                |error| {
                    log::debug!("{:?}", error.inner);
                    Refusal::Malformed
                },
            )?;
            blob(compiled, translated)
        }));
        let blob = made.unwrap_or(Err(Refusal::Malformed));
        if blob.is_err() {
            // A translation that has ended early, or a panic, leaves these half used.
            (self.context, self.builder) = (Context::new(), FunctionBuilderContext::new());
        }
        blob
    }
}

fn blob(compiled: &CompiledCode, translated: Translated) -> Result<Blob, Refusal> {
    let buffer = &compiled.buffer;
    if !buffer.relocs().is_empty() {
        // A call of a function for what the processor cannot do.
        return Err(Refusal::Unsupported);
    }
    let frame_bytes = buffer.frame_layout().map_or(0, |layout| layout.frame_to_fp_offset);
    if frame_bytes > FRAME_BYTES_MAX {
        return Err(Refusal::TooLarge);
    }
    let Translated { callees, tables, frame_place, .. } = translated;
    let tables = match frame_place {
        None => None,
        Some(place) => Some(Arc::new(with_places(tables, buffer, place)?)),
    };
    let mut places = buffer.get_srclocs_sorted().iter().peekable();
    let mut calls = Vec::new();
    for site in buffer.call_sites() {
        let after = site.ret_addr;
        while places.next_if(|place| place.end < after).is_some() {}
        if let Some(place) = places.peek()
            && place.start < after
        {
            calls.push((after, place.loc.bits()));
        }
    }
    let (code, calls) = (buffer.data().to_vec(), calls.into_boxed_slice());
    Ok(Blob { code, calls, callees, tables })
}

/// Adds to a function's tables where in its code and its native frame all that is.
fn with_places(
    mut tables: FrameTables,
    buffer: &MachBufferFinalized<Final>,
    place: StackSlot,
) -> Result<FrameTables, Refusal> {
    let layout = buffer.frame_layout().ok_or(Refusal::Unsupported)?;
    let offset = layout.stackslots.get(place).ok_or(Refusal::Unsupported)?.offset;
    tables.guest_frame = layout.frame_to_fp_offset - offset;
    tables.stack_pointer = layout.frame_to_fp_offset;
    for site in buffer.call_sites() {
        for handler in site.exception_handlers {
            let FinalizedMachExceptionHandler::Tag(clause, offset) = *handler else {
                return Err(Refusal::Unsupported);
            };
            tables.landings.push((site.ret_addr, clause.as_u32(), offset));
        }
    }
    tables.landings.sort_unstable();
    Ok(tables)
}

/// Has Cranelift use the processor's features, which its settings are named after.
fn set_features(builder: &mut isa::Builder, processor: Processor) -> Option<()> {
    for (feature, is_there) in processor.features() {
        let setting = format!("has_{}", feature.replace('.', ""));
        builder.set(&setting, if is_there { "true" } else { "false" }).ok()?;
    }
    Some(())
}
