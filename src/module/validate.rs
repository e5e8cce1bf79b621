//! Validation of function bodies, in the same pass that reads them.

use super::metered::{Allowance, Metered};
use super::parse::{ReadError, ReadResult, types};
use crate::abi::error::Error;
use crate::abi::types::FuncType;
use crate::alloc;
use wasmparser::{
    BinaryReader, FuncToValidate, FuncValidator, FuncValidatorAllocations, FunctionBody, MemArg,
    MemArgTarget, Result, ValidatorResources, VisitOperator,
};

/// Most slots that parameters, locals and operands of one function may take together. Engines
/// number frame slots with 16 bits; the rest is left for a frame's own words and for outgoing
/// arguments, of which the validator allows 1,000.
pub const FRAME_SLOTS_MAX: u32 = 60_000;

/// The first byte of every operator on vectors.
const VECTOR_PREFIX: u8 = 0xfd;

/// Bytes of the reserve that a body of moderate depth takes at most.
pub(super) const FIRST_BYTES: usize = 40 << 10;

/// Up to how many operands and frames the reserve has room for, if the validator's lists have to
/// grow without memory. A list that has grown leaves its old places behind.
struct Room {
    operands: u32,
    frames: u32,
}

const BYTES_PER_OPERAND: usize = 16;
const BYTES_PER_FRAME: usize = 160;
const BYTES_PER_GROUP: usize = 64;
const BYTES_PER_LOCAL: usize = 4;
/// As many locals as the validator allows, or groups of them that are not empty.
const LOCALS_MAX: usize = 50_000;

impl Room {
    /// Makes room for twice as many as there are.
    #[cold]
    fn grow(&mut self, operands: u32, frames: u32) -> std::result::Result<(), Error> {
        self.operands = self.operands.max(operands.saturating_mul(2));
        self.frames = self.frames.max(frames.saturating_mul(2));
        let bytes = self.operands as usize * BYTES_PER_OPERAND
            + self.frames as usize * BYTES_PER_FRAME
            + FIRST_BYTES;
        ensure(bytes)
    }
}

fn ensure(bytes: usize) -> std::result::Result<(), Error> {
    alloc::ensure_reserve(bytes).map_err(|_| Error::out_of_memory())
}

/// Validates bodies one after another. Its allocations serve all of them.
pub(super) struct BodyValidator {
    allocations: FuncValidatorAllocations,
    room: Room,
    allowance: Allowance,
    /// Whether operands may be vectors in functions that say nothing of vectors themselves.
    vectors: bool,
    executes_gc: bool,
}

impl BodyValidator {
    /// For the bodies of a binary of this length, in which instructions of GC may be or not.
    pub(super) fn new(len: usize, executes_gc: bool) -> Self {
        // For no more than this `FIRST_BYTES` are enough, with 1,000 parameters and 1,000 results
        // of a call or a block on top.
        let room = Room { operands: 256, frames: 32 };
        let allowance = Allowance::new(len);
        let allocations = FuncValidatorAllocations::default();
        Self { allocations, room, allowance, vectors: false, executes_gc }
    }

    /// Says whether types or globals of the module are of vectors.
    pub(super) fn set_vectors(&mut self, vectors: bool) {
        self.vectors = vectors;
    }

    /// Makes room for the validator's list of locals, which it keeps in groups, and its marks.
    fn ensure_locals(groups: usize, locals: usize) -> std::result::Result<(), Error> {
        if groups <= 64 && locals <= 1000 {
            return Ok(());
        }
        // More of either than this are refused before they take more.
        let (groups, locals) = (groups.min(LOCALS_MAX), locals.min(LOCALS_MAX));
        ensure(groups * BYTES_PER_GROUP + locals * BYTES_PER_LOCAL + FIRST_BYTES)
    }

    /// Validates one body; `ty` is its function's type.
    pub(super) fn validate(
        &mut self,
        func: FuncToValidate<ValidatorResources>,
        ty: Option<&FuncType>,
        body: &FunctionBody<'_>,
    ) -> ReadResult<()> {
        let params = ty.map_or(0, |ty| ty.params().len());
        Self::ensure_locals(params, params)?;
        let FuncToValidate { resources, index, ty: type_index, features } = func;
        let resources = self.allowance.resources(resources);
        let func = FuncToValidate { resources, index, ty: type_index, features };
        let mut validator = func.into_validator(std::mem::take(&mut self.allocations));
        self.allowance.lend(validator.resources(), type_index);
        let valid = self.read(&mut validator, ty, body);
        self.allowance.take_back(validator.resources())?;
        valid?;
        self.allocations = validator.into_allocations();
        Ok(())
    }

    fn read(
        &mut self,
        validator: &mut FuncValidator<Metered>,
        ty: Option<&FuncType>,
        body: &FunctionBody<'_>,
    ) -> ReadResult<()> {
        let params = ty.map_or(0, |ty| ty.params().len());
        let mut reader = body.get_binary_reader();
        let mut slots = u64::from(ty.map_or(0, FuncType::param_slots));
        let groups = reader.read_var_u32()?;
        let mut locals = params;
        let mut vectors = self.vectors;
        for _ in 0..groups {
            let offset = reader.original_position();
            let count: u32 = reader.read()?;
            let local = reader.read()?;
            locals = locals.saturating_add(count as usize);
            Self::ensure_locals(params + groups as usize, locals)?;
            validator.define_locals(offset, count, local)?;
            slots += u64::from(count) * u64::from(types::slots(local));
            vectors |= types::slots(local) > 1;
        }
        if slots > u64::from(FRAME_SLOTS_MAX) {
            return Err(Error::load("local count too large").into());
        }
        let mut operands = 0;
        let bytes = body.as_bytes();
        let wide = validator.features().memory64();
        while !reader.eof() {
            let code = bytes.get(reader.current_position()).copied().unwrap_or_default();
            let open = validator.control_stack_height() > 0;
            let mut visitor = validator.visitor(reader.original_position());
            if !(open && common(code, wide, &mut reader, &mut visitor)?) {
                vectors |= code == VECTOR_PREFIX;
                let offset = reader.original_position();
                reader.visit_operator(&mut visitor)??;
                drop(visitor);
                if is_gc(code) && !self.executes_gc {
                    return Err(no_gc(offset));
                }
                let frames = validator.control_stack_height();
                if frames > self.room.frames {
                    self.room.grow(operands, frames)?;
                }
            } else {
                drop(visitor);
            }
            let height = validator.operand_stack_height();
            if height > operands {
                operands = height;
                if height > self.room.operands {
                    self.room.grow(height, 0)?;
                }
            }
        }
        reader.finish_expression(&validator.visitor(reader.original_position()))?;
        // The height counts values; where there are vectors, each of them could be one.
        let width = if vectors { 2 } else { 1 };
        if slots + u64::from(operands) * width > u64::from(FRAME_SLOTS_MAX) {
            return Err(Error::load("operand stack depth limit exceeded").into());
        }
        Ok(())
    }
}

/// Whether operators that begin with this byte are GC's. The validator knows them even where only
/// its types are used.
fn is_gc(code: u8) -> bool {
    matches!(code, 0xd3 | 0xfb)
}

#[cold]
fn no_gc(offset: u64) -> ReadError {
    ReadError::Ours(Error::load(format!("gc support is not enabled (at offset 0x{offset:x})")))
}

/// Validates the operators that programs have most of, in fewer steps than the parser's way to
/// them takes; false if `code` is none of them, with nothing read. A frame must be open. `wide` is
/// whether offsets of memory have 64 bits.
#[inline(always)]
fn common<'a>(
    code: u8,
    wide: bool,
    reader: &mut BinaryReader<'a>,
    visitor: &mut impl VisitOperator<'a, Output = Result<()>>,
) -> Result<bool> {
    macro_rules! plain {
        ($visit:ident) => {{
            reader.read_u8()?;
            visitor.$visit()?
        }};
    }
    macro_rules! memory {
        ($visit:ident, $max_align:literal) => {
            match address($max_align, wide, reader)? {
                Some(address) => visitor.$visit(address)?,
                None => return Ok(false),
            }
        };
    }
    match code {
        0x0b => plain!(visit_end),
        0x0c => visitor.visit_br(index(reader)?)?,
        0x0d => visitor.visit_br_if(index(reader)?)?,
        0x0f => plain!(visit_return),
        0x10 => visitor.visit_call(index(reader)?)?,
        0x1a => plain!(visit_drop),
        0x1b => plain!(visit_select),
        0x20 => visitor.visit_local_get(index(reader)?)?,
        0x21 => visitor.visit_local_set(index(reader)?)?,
        0x22 => visitor.visit_local_tee(index(reader)?)?,
        0x23 => visitor.visit_global_get(index(reader)?)?,
        0x24 => visitor.visit_global_set(index(reader)?)?,
        0x28 => memory!(visit_i32_load, 2),
        0x29 => memory!(visit_i64_load, 3),
        0x2d => memory!(visit_i32_load8_u, 0),
        0x36 => memory!(visit_i32_store, 2),
        0x37 => memory!(visit_i64_store, 3),
        0x3a => memory!(visit_i32_store8, 0),
        0x41 => {
            reader.read_u8()?;
            let value = reader.read_var_i32()?;
            visitor.visit_i32_const(value)?;
        }
        0x45 => plain!(visit_i32_eqz),
        0x46 => plain!(visit_i32_eq),
        0x47 => plain!(visit_i32_ne),
        0x49 => plain!(visit_i32_lt_u),
        0x4b => plain!(visit_i32_gt_u),
        0x6a => plain!(visit_i32_add),
        0x6b => plain!(visit_i32_sub),
        0x6c => plain!(visit_i32_mul),
        0x71 => plain!(visit_i32_and),
        0x72 => plain!(visit_i32_or),
        0x74 => plain!(visit_i32_shl),
        0x76 => plain!(visit_i32_shr_u),
        _ => return Ok(false),
    }
    Ok(true)
}

/// An operator's byte and the index behind it.
#[inline(always)]
fn index(reader: &mut BinaryReader<'_>) -> Result<u32> {
    reader.read_u8()?;
    reader.read_var_u32()
}

/// An operator's byte, and the plain address behind it: an alignment and nothing else before the
/// offset; `None`, with nothing read, for any other.
#[inline(always)]
fn address(max_align: u8, wide: bool, reader: &mut BinaryReader<'_>) -> Result<Option<MemArg>> {
    let mut ahead = reader.clone();
    ahead.read_u8()?;
    let align = ahead.read_u8()?;
    if align > 3 {
        return Ok(None);
    }
    let offset = if wide { ahead.read_var_u64()? } else { ahead.read_var_u32()?.into() };
    *reader = ahead;
    let target = MemArgTarget::Memory(0);
    Ok(Some(MemArg { align, max_align, offset, target, ordering: None }))
}
