//! Translation of one function's body to Cranelift's IR, in one pass.
//!
//! It reads operators of a validated body and knows the module and the layouts of running state;
//! it knows no instance, and neither where code goes nor how it is entered. Control enters at
//! [`translate`], from `compiler`. Nothing else in the crate makes Cranelift's instructions but
//! `thunks`, which are made of parts of this folder.
//!
//! Compiled functions follow Cranelift's convention `tail`, with the environment and the place of
//! their frame in front of their parameters. The frame is the one that the interpreter has for the
//! same function: compiled code keeps its values in registers and leaves the frame's slots unused,
//! but for the arguments of calls that leave compiled code. So both find the same end of the
//! guest's stack. The caller writes the address of the callee's record to the frame's first slot.
//!
//! The budget is in the pinned register. A function takes the cost of its body from it when it is
//! entered, a loop that of a turn; both costs are the interpreter's.
//!
//! Terms: a *slot* is 8 bytes of the frame; the *height* is the number of slots below the top of
//! the operand stack.

mod access;
mod atomic;
mod builtin_calls;
mod calls;
mod control;
mod exceptions;
mod fields;
mod host_calls;
mod legacy;
mod loops;
mod memory;
mod numeric;
mod objects;
mod opcodes;
mod open_block;
mod references;
mod regions;
mod roots;
pub mod signatures;
mod state;
mod table;
mod tail_calls;
pub mod thunks;
mod tries;
mod variables;
#[cfg(feature = "simd")]
mod vector;
#[cfg(feature = "simd")]
mod vector_memory;
mod wide;

use super::layout as at;
use crate::abi::types::{FuncType, ValType};
use crate::interp::{Header, of_cleared};
use crate::jit::frame_tables::{FrameTables, NO_TRY};
use crate::module::Module;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::entity::EntitySet;
use cranelift_codegen::ir::{
    self, Block, Function, Inst, InstBuilder, SigRef, SourceLoc, StackSlot, StackSlotData,
    StackSlotKind, Type, Value, types,
};
use cranelift_codegen::isa::TargetIsa;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext, Variable};
use open_block::{LoopStart, OpenBlock};
use regions::Regions;
use signatures::{clif_type, slots_of};
use tries::TryInfo;
use wasmparser::{BinaryReader, FunctionBody};

/// Why a function is not compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It has an operator or a type that compiled code does not have.
    Unsupported,
    /// It is too large.
    TooLarge,
    /// The context's code memory is used up.
    NoRoom,
    /// There is no memory for it.
    NoMemory,
    /// A bug: validation has seen the function, and still it is not well-formed.
    Malformed,
}

/// Validation has read the same bytes, so that the reader cannot fail on them.
fn malformed<E>(_error: E) -> Refusal {
    Refusal::Malformed
}

/// The state of a translation.
pub struct Translator<'a, 'm> {
    module: &'m Module,
    builder: FunctionBuilder<'a>,
    ty: &'m FuncType,
    regions: Regions,
    /// The environment, the function's frame, and the instance.
    env: Value,
    frame: Value,
    instance: Value,
    /// Start and accessible bytes of memory 0, if there is one.
    memory0: Option<(Variable, Variable)>,
    /// All reads of these, and whether anything uses them.
    memory_loads: Vec<Inst>,
    uses_memory0: bool,
    /// Whether they may have changed since they were read.
    is_memory0_stale: bool,
    /// Units for clearing the locals, which the entry takes from the budget with the body's.
    entry_units: u64,
    /// The loop that the code begins at, if it begins at one.
    start: Option<LoopStart>,
    locals: Vec<Variable>,
    local_types: Vec<Type>,
    /// The slots of locals that may lead to what is collected.
    local_slots: Vec<Option<u32>>,
    /// Values that may.
    collected: EntitySet<Value>,
    tables: FrameTables,
    /// The number of the innermost try that is open, or `NO_TRY`.
    innermost_try: u32,
    /// The blocks of clauses, by their numbers.
    landing_blocks: Vec<Block>,
    /// The function's body and its position.
    body_bytes: &'m [u8],
    body_start: u32,
    /// The `try`s of the body, if there are any and one has been met.
    legacy: Vec<TryInfo>,
    /// Where the guest's frame is noted.
    frame_place: Option<StackSlot>,
    stack: Vec<Value>,
    /// Slots below the operand stack, and of it.
    height: u32,
    /// The most that the height has been.
    frame_slots: u32,
    labels: Vec<OpenBlock>,
    /// Signatures of the module's function types, by index, as far as they were needed.
    signatures: Vec<Option<SigRef>>,
    builtin_signatures: Vec<(ir::Signature, SigRef)>,
    /// Functions that are called directly.
    callees: Vec<u32>,
    /// Operators read so far: the unit of fuel.
    operators: u32,
    /// The position in the module of the operator that is being translated, in bytes.
    position: u32,
    reachable: bool,
    /// Blocks opened in unreachable code.
    skipped: u32,
}

/// A translated function.
#[derive(Default)]
pub struct Translated {
    /// The functions of the module that it calls directly, each once.
    pub callees: Vec<u32>,
    /// But for what follows from the machine code.
    pub tables: FrameTables,
    /// Where its frame notes the guest's, if the tables need that.
    pub frame_place: Option<StackSlot>,
    /// The slots of its frame, and the cost of entering it: the interpreter's, which a test
    /// compares them with.
    #[cfg(test)]
    pub frame_slots: u32,
    #[cfg(test)]
    pub cost: u32,
}

/// Fills `function` with the code of the function at `func_index`. With a `loop_position` the code
/// begins at the loop there, on the interpreter's frame, and leaves the results in that: it is
/// entered like an entry thunk. A refusal comes with the position in the module of the operator
/// that it is about, zero if that is none.
pub fn translate(
    module: &Module,
    isa: &dyn TargetIsa,
    (func_index, loop_position): (u32, Option<u32>),
    function: &mut Function,
    context: &mut FunctionBuilderContext,
) -> Result<Translated, (Refusal, u32)> {
    let without_position = |refusal| (refusal, 0);
    let (body, ty) = parts(module, func_index).map_err(without_position)?;
    let signature = signatures::of_function(ty).ok_or(Refusal::Unsupported);
    let signature = signature.map_err(without_position)?;
    function.signature = match loop_position {
        None => signature,
        Some(_) => signatures::of_entry(),
    };
    let builder = FunctionBuilder::new(function, context);
    let mut translator = Translator::new(module, builder, ty);
    let start = body.range().start;
    translator.body_bytes = module.body(func_index).unwrap_or_default();
    translator.body_start = start as u32;
    translator.all(&body, loop_position).map_err(|refusal| (refusal, translator.position))?;
    let Translator { builder, mut callees, tables, frame_place, .. } = translator;
    builder.finalize(isa.frontend_config());
    callees.sort_unstable();
    callees.dedup();
    Ok(Translated {
        callees,
        tables,
        frame_place,
        #[cfg(test)]
        frame_slots: translator.frame_slots,
        #[cfg(test)]
        cost: translator.operators,
    })
}

/// The body and the type of a function.
fn parts(module: &Module, func_index: u32) -> Result<(FunctionBody<'_>, &FuncType), Refusal> {
    let defined = func_index.checked_sub(module.imported.funcs).ok_or(Refusal::Malformed)?;
    let range = module.bodies.get(defined as usize).ok_or(Refusal::Malformed)?;
    let bytes = module.body(func_index).ok_or(Refusal::Malformed)?;
    let body = FunctionBody::new(BinaryReader::new(bytes, range.start.into()));
    Ok((body, module.func_type(func_index).ok_or(Refusal::Malformed)?))
}

impl<'a, 'm> Translator<'a, 'm> {
    fn new(module: &'m Module, builder: FunctionBuilder<'a>, ty: &'m FuncType) -> Self {
        let regions = Regions::new(builder.func);
        Self {
            module,
            builder,
            ty,
            regions,
            env: Value::from_u32(0),
            frame: Value::from_u32(0),
            instance: Value::from_u32(0),
            memory0: None,
            memory_loads: Vec::new(),
            uses_memory0: false,
            is_memory0_stale: false,
            entry_units: 0,
            start: None,
            locals: Vec::new(),
            local_types: Vec::new(),
            local_slots: Vec::new(),
            collected: EntitySet::new(),
            tables: FrameTables::default(),
            innermost_try: NO_TRY,
            landing_blocks: Vec::new(),
            body_bytes: &[],
            body_start: 0,
            legacy: Vec::new(),
            frame_place: None,
            stack: Vec::new(),
            height: 0,
            frame_slots: 0,
            labels: Vec::new(),
            signatures: vec![None; module.types.len()],
            builtin_signatures: Vec::new(),
            callees: Vec::new(),
            operators: 0,
            position: 0,
            reachable: true,
            skipped: 0,
        }
    }

    /// Makes the function's entry: checks, locals, memory 0.
    fn begin(&mut self, body: &FunctionBody<'_>) -> Result<(), Refusal> {
        let entry = self.builder.create_block();
        self.builder.append_block_params_for_function_params(entry);
        self.builder.switch_to_block(entry);
        let range = body.range();
        self.builder.set_srcloc(SourceLoc::new(range.start as u32));
        let params = self.builder.block_params(entry).to_vec();
        let [env, frame, ref values @ ..] = params[..] else { return Err(Refusal::Malformed) };
        (self.env, self.frame) = (env, frame);
        self.declare_params(values)?;
        self.load_instance();
        let checks = self.check_room(values)?;
        self.declare_locals(body, |this, ty, _slot| this.zero(ty))?;
        self.entry_units = of_cleared(self.height - self.ty.param_slots() - Header::SLOTS);
        self.store_locals();
        self.begin_memory0();
        self.push_function_label(Some(checks))
    }

    fn load_instance(&mut self) {
        let env = self.env;
        self.instance = self.load_constant(types::I64, env, at::ENV_INSTANCE);
    }

    /// Makes variables of the locals that are no parameters, with values from `value`, which is
    /// given the type and the slot.
    fn declare_locals(
        &mut self,
        body: &FunctionBody<'_>,
        value: impl Fn(&mut Self, Type, u32) -> Value,
    ) -> Result<(), Refusal> {
        self.height = self.ty.param_slots() + Header::SLOTS;
        for local in body.get_locals_reader().map_err(malformed)? {
            let (count, ty) = local.map_err(malformed)?;
            let ty = self.module.val_type(ty).ok_or(Refusal::Unsupported)?;
            let clif = clif_type(ty).ok_or(Refusal::Unsupported)?;
            for _ in 0..count {
                let value = value(self, clif, self.height);
                self.declare_local(ty, self.height, value);
                self.height += slots_of(clif);
            }
            if self.locals.len() > LOCALS_MAX {
                return Err(Refusal::TooLarge);
            }
        }
        // Results are left from the first slot on and may outgrow all else.
        self.frame_slots = self.height.max(self.ty.result_slots());
        Ok(())
    }

    fn declare_params(&mut self, values: &[Value]) -> Result<(), Refusal> {
        let mut slot = 0;
        for (&value, &ty) in values.iter().zip(self.ty.params()) {
            self.declare_local(ty, slot, value);
            slot += slots_of(clif_type(ty).ok_or(Refusal::Unsupported)?);
        }
        Ok(())
    }

    fn declare_local(&mut self, ty: ValType, slot: u32, value: Value) {
        let clif = self.builder.func.dfg.value_type(value);
        let variable = self.builder.declare_var(clif);
        self.builder.def_var(variable, value);
        self.locals.push(variable);
        self.local_types.push(clif);
        self.local_slots.push(ty.is_collected().then_some(slot));
    }

    /// The whole function, from its entry or from a loop.
    fn all(&mut self, body: &FunctionBody<'_>, loop_position: Option<u32>) -> Result<(), Refusal> {
        match loop_position {
            None => self.begin(body)?,
            Some(position) => self.begin_at_loop(body, position)?,
        }
        self.body(body)?;
        self.end_memory0();
        if !self.tables.is_empty() {
            self.note_frame();
        }
        self.builder.seal_all_blocks();
        Ok(())
    }

    /// Has the function note the guest's frame in its own when it begins.
    fn note_frame(&mut self) {
        let data = StackSlotData::new(StackSlotKind::ExplicitSlot, 8, 3);
        let slot = self.builder.create_sized_stack_slot(data);
        self.frame_place = Some(slot);
        let frame = self.frame;
        let Some(entry) = self.builder.func.layout.entry_block() else { return };
        let mut cursor = FuncCursor::new(self.builder.func).at_first_insertion_point(entry);
        cursor.ins().stack_store(types::I64, frame, slot, 0);
    }

    fn body(&mut self, body: &FunctionBody<'_>) -> Result<(), Refusal> {
        let mut reader = body.get_operators_reader().map_err(malformed)?;
        while !reader.eof() {
            self.position = reader.original_position() as u32;
            self.builder.set_srcloc(SourceLoc::new(self.position));
            let operator = reader.read().map_err(malformed)?;
            self.operators = self.operators.saturating_add(1);
            self.step(&operator)?;
        }
        Ok(())
    }
}

/// A function with more locals is interpreted: Cranelift's work for variables is not linear.
const LOCALS_MAX: usize = 4096;
