//! Reads a binary in one pass: every section is validated, then taken over.
//!
//! It knows the data types of a module and the validator, nothing else. Control enters at
//! [`read`] with the module's own copy of the binary, so that an embedder who changes the
//! buffer meanwhile cannot slip anything past validation.

mod appetite;
pub(super) mod collect;
mod sections;
mod text;
pub(super) mod types;

use super::validate::BodyValidator;
use super::{
    CustomSection, DataSegment, ElemSegment, Export, Features, GlobalDef, Import, ImportCounts,
    TableDef, TypeList, package,
};
use crate::abi::error::{Error, Result};
use crate::abi::types::{FuncType, MemoryType, ValType};
use crate::alloc;
use collect::push;
use std::collections::TryReserveError;
use std::ops::Range;
use text::Stage;
use wasmparser::{Parser, Payload, Validator};

/// Why reading stopped. The validator's errors become ours once, at the end.
pub(super) enum ReadError {
    Wasm(wasmparser::Error),
    Ours(Error),
}

pub(super) type ReadResult<T> = std::result::Result<T, ReadError>;

impl From<wasmparser::Error> for ReadError {
    fn from(error: wasmparser::Error) -> Self {
        Self::Wasm(error)
    }
}

impl From<Error> for ReadError {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl From<TryReserveError> for ReadError {
    #[cold]
    fn from(_: TryReserveError) -> Self {
        Self::Ours(Error::out_of_memory())
    }
}

/// The content of a binary's sections, in the form that `Module` keeps.
#[derive(Default)]
pub(super) struct Sections {
    pub types: TypeList,
    pub funcs: Vec<u32>,
    pub imports: Vec<Import>,
    pub imported: ImportCounts,
    pub tables: Vec<TableDef>,
    pub memories: Vec<MemoryType>,
    pub globals: Vec<GlobalDef>,
    pub tags: Vec<u32>,
    pub exports: Vec<Export>,
    pub start: Option<u32>,
    pub elems: Vec<ElemSegment>,
    pub datas: Vec<DataSegment>,
    pub bodies: Vec<Range<u32>>,
    pub custom_sections: Vec<CustomSection>,
    /// Whether constant expressions may have operations of GC.
    executes_gc: bool,
    known: Bodies,
    /// Where reading is, for the texts of errors.
    stage: Stage,
}

/// Checks magic and version, with the texts embedders know.
pub(super) fn check_header(bytes: &[u8]) -> Result<()> {
    if bytes.len() < package::WASM_MAGIC.len() {
        return Err(Error::load("unexpected end"));
    }
    if !bytes.starts_with(&package::WASM_MAGIC) {
        return Err(Error::load("magic header not detected"));
    }
    if bytes.len() < 8 {
        return Err(Error::load("unexpected end"));
    }
    if package::file_version(bytes) != package::WASM_VERSION {
        return Err(Error::load("unknown binary version"));
    }
    // Offsets into the binary are 32 bits wide from here on.
    if u32::try_from(bytes.len()).is_err() {
        return Err(Error::load("module is larger than 4 GiB"));
    }
    Ok(())
}

/// The module's own copy of the binary.
pub(super) fn copy(bytes: &[u8]) -> Result<Box<[u8]>> {
    match alloc::try_copy(bytes) {
        Ok(copy) => Ok(copy.into_boxed_slice()),
        Err(_) => Err(Error::out_of_memory()),
    }
}

/// What is known of the bodies of functions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Bodies {
    #[default]
    Unknown,
    /// They are valid.
    Valid,
}

/// Reads and validates a binary whose header was checked.
pub(super) fn read(bytes: &[u8], features: Features, known: Bodies) -> Result<Sections> {
    let mut sections = Sections { known, ..Sections::default() };
    let read = sections.read(bytes, features);
    alloc::trim_reserve();
    match read {
        Ok(()) => Ok(sections),
        Err(ReadError::Ours(error)) => Err(error),
        Err(ReadError::Wasm(error)) => Err(text::load_error(&error, bytes, sections.stage)),
    }
}

impl Sections {
    /// Whether a function's type or a global is of a vector, or a field may be.
    fn has_vectors(&self) -> bool {
        let is_vector = |&ty: &ValType| ty == ValType::V128;
        let of_func = |ty: &FuncType| ty.params().iter().chain(ty.results()).any(is_vector);
        let mut globals = self.globals.iter().map(|global| global.ty.val);
        self.types.iter().any(|ty| ty.func().is_none_or(of_func))
            || globals.any(|ty| is_vector(&ty))
    }

    fn read(&mut self, bytes: &[u8], features: Features) -> ReadResult<()> {
        let executes_gc = features.contains(Features::GC);
        self.executes_gc = executes_gc;
        let features = features.to_wasm();
        let mut validator = Validator::new_with_features(features);
        let mut bodies = BodyValidator::new(bytes.len(), executes_gc);
        let mut parser = Parser::new(0);
        parser.set_features(features);
        let mut type_bytes = 0;
        for payload in parser.parse_all(bytes) {
            let payload = payload?;
            self.stage = Stage::of(&payload);
            // Memory that ran out is seen after each part, before the next takes some.
            let part = alloc::operation(|| {
                appetite::provide(&payload, bytes, &mut type_bytes)?;
                self.payload(payload, &mut validator, &mut bodies)
            });
            part.map_err(|_| Error::out_of_memory())??;
            self.stage = self.stage.between();
        }
        Ok(())
    }

    /// Validates one part of the binary, then takes it over.
    fn payload(
        &mut self,
        payload: Payload<'_>,
        validator: &mut Validator,
        bodies: &mut BodyValidator,
    ) -> ReadResult<()> {
        match payload {
            Payload::Version { num, encoding, range } => {
                validator.version(num, encoding, &range)?
            }
            Payload::TypeSection(section) => {
                validator.type_section(&section)?;
                self.type_section(section)?;
            }
            Payload::ImportSection(section) => {
                validator.import_section(&section)?;
                self.import_section(section)?;
            }
            Payload::FunctionSection(section) => {
                validator.function_section(&section)?;
                collect::extend(&mut self.funcs, section, Ok)?;
            }
            Payload::TableSection(section) => {
                validator.table_section(&section)?;
                self.table_section(section)?;
            }
            Payload::MemorySection(section) => {
                validator.memory_section(&section)?;
                collect::extend(&mut self.memories, section, types::memory_type)?;
            }
            Payload::GlobalSection(section) => {
                validator.global_section(&section)?;
                self.global_section(section)?;
            }
            Payload::ExportSection(section) => {
                validator.export_section(&section)?;
                collect::extend(&mut self.exports, section, sections::export)?;
            }
            Payload::StartSection { func, range } => {
                validator.start_section(func, &range)?;
                self.start = Some(func);
            }
            Payload::ElementSection(section) => {
                validator.element_section(&section)?;
                self.element_section(section)?;
            }
            Payload::DataSection(section) => {
                validator.data_section(&section)?;
                collect::extend(&mut self.datas, section, sections::data_segment)?;
            }
            Payload::CodeSectionStart { count, unchecked_range, .. } => {
                validator.code_section_start(&unchecked_range)?;
                collect::reserve(&mut self.bodies, (count as usize).min(self.funcs.len()))?;
                bodies.set_vectors(self.has_vectors());
            }
            Payload::CodeSectionEntry(body) => {
                let func = validator.code_section_entry(&body)?;
                if self.known != Bodies::Valid {
                    bodies.validate(func, self.next_body_type(), &body)?;
                }
                let range = body.range();
                push(&mut self.bodies, range.start as u32..range.end as u32)?;
            }
            Payload::CustomSection(section) => {
                let custom = sections::custom(&section)?;
                push(&mut self.custom_sections, custom)?;
            }
            Payload::TagSection(section) => {
                validator.tag_section(&section)?;
                collect::extend(&mut self.tags, section, |tag| Ok(tag.func_type_idx))?;
            }
            other => {
                validator.payload(&other)?;
            }
        }
        Ok(())
    }

    /// Type of the function whose body comes next.
    fn next_body_type(&self) -> Option<&FuncType> {
        let index = self.imported.funcs as usize + self.bodies.len();
        self.types.func(*self.funcs.get(index)?)
    }
}
