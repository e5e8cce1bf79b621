//! One reader per section; each gets content the validator accepted.

use super::collect::{self, boxed_str, push};
use super::types::{self, Named};
use super::{ReadResult, Sections};
use crate::abi::types::ValType;
use crate::module::{
    ConstExpr, ConstOp, CustomSection, DataSegment, ElemItems, ElemSegment, Export, ExternKind,
    ExternType, GlobalDef, Import, SegmentMode, TableDef,
};
use wasmparser::{
    CustomSectionReader, DataKind, ElementItems, ElementKind, ElementSectionReader, ExternalKind,
    GlobalSectionReader, ImportSectionReader, SectionLimited, TableInit, TableSectionReader,
    TypeRef, TypeSectionReader,
};

impl Sections {
    pub(super) fn type_section(&mut self, section: TypeSectionReader<'_>) -> ReadResult<()> {
        self.types.reserve(section.count() as usize)?;
        let (mut kinds, executes_gc) = (Vec::new(), self.executes_gc);
        for group in section {
            let group = group?;
            kinds.clear();
            collect::reserve(&mut kinds, group.types().len())?;
            for ty in group.types() {
                kinds.push(types::kind(ty)?);
            }
            self.types.open_group(kinds.len())?;
            for (place, ty) in group.types().enumerate() {
                let named = Named { known: &self.types, group: &kinds[place..], executes_gc };
                let ty = named.sub_type(ty)?;
                self.types.push(ty)?;
            }
            self.types.end_group()?;
        }
        Ok(())
    }

    /// The types that everything behind the type section may name.
    fn named(&self) -> Named<'_> {
        Named { known: &self.types, group: &[], executes_gc: self.executes_gc }
    }

    pub(super) fn table_section(&mut self, section: TableSectionReader<'_>) -> ReadResult<()> {
        let named = Named { known: &self.types, group: &[], executes_gc: self.executes_gc };
        collect::extend(&mut self.tables, section, |table| read_table(&table, named))
    }

    pub(super) fn global_section(&mut self, section: GlobalSectionReader<'_>) -> ReadResult<()> {
        let named = Named { known: &self.types, group: &[], executes_gc: self.executes_gc };
        collect::extend(&mut self.globals, section, |global| {
            let init = Some(ConstExpr::read(&global.init_expr, named.executes_gc)?);
            Ok(GlobalDef { ty: named.global_type(global.ty)?, init })
        })
    }

    pub(super) fn element_section(&mut self, section: ElementSectionReader<'_>) -> ReadResult<()> {
        let named = Named { known: &self.types, group: &[], executes_gc: self.executes_gc };
        collect::extend(&mut self.elems, section, |segment| elem_segment(segment, named))
    }

    pub(super) fn import_section(&mut self, section: ImportSectionReader<'_>) -> ReadResult<()> {
        collect::reserve(&mut self.imports, section.count() as usize)?;
        for import in section.into_imports() {
            let import = import?;
            let ty = match import.ty {
                TypeRef::Func(index) => {
                    self.imported.funcs += 1;
                    push(&mut self.funcs, index)?;
                    ExternType::Func(index)
                }
                TypeRef::Table(ty) => {
                    let ty = self.named().table_type(ty)?;
                    self.imported.tables += 1;
                    push(&mut self.tables, TableDef { ty, init: None })?;
                    ExternType::Table(ty)
                }
                TypeRef::Memory(ty) => {
                    let ty = types::memory_type(ty)?;
                    self.imported.memories += 1;
                    push(&mut self.memories, ty)?;
                    ExternType::Memory(ty)
                }
                TypeRef::Global(ty) => {
                    let ty = self.named().global_type(ty)?;
                    self.imported.globals += 1;
                    push(&mut self.globals, GlobalDef { ty, init: None })?;
                    ExternType::Global(ty)
                }
                TypeRef::Tag(ty) => {
                    self.imported.tags += 1;
                    push(&mut self.tags, ty.func_type_idx)?;
                    ExternType::Tag(ty.func_type_idx)
                }
                TypeRef::FuncExact(_) => {
                    return Err(types::unsupported("import kind"));
                }
            };
            let (module, name) = (boxed_str(import.module)?, boxed_str(import.name)?);
            push(&mut self.imports, Import { module, name, ty })?;
        }
        Ok(())
    }
}

fn read_table(table: &wasmparser::Table<'_>, named: Named<'_>) -> ReadResult<TableDef> {
    let init = match &table.init {
        TableInit::RefNull => None,
        TableInit::Expr(expr) => Some(ConstExpr::read(expr, named.executes_gc)?),
    };
    Ok(TableDef { ty: named.table_type(table.ty)?, init })
}

pub(super) fn export(export: wasmparser::Export<'_>) -> ReadResult<Export> {
    let kind = match export.kind {
        ExternalKind::Func => ExternKind::Func,
        ExternalKind::Table => ExternKind::Table,
        ExternalKind::Memory => ExternKind::Memory,
        ExternalKind::Global => ExternKind::Global,
        ExternalKind::Tag => ExternKind::Tag,
        ExternalKind::FuncExact => {
            return Err(types::unsupported("export kind"));
        }
    };
    Ok(Export { name: boxed_str(export.name)?, kind, index: export.index })
}

fn elem_segment(segment: wasmparser::Element<'_>, named: Named<'_>) -> ReadResult<ElemSegment> {
    let mode = match &segment.kind {
        ElementKind::Passive => SegmentMode::Passive,
        ElementKind::Declared => SegmentMode::Declared,
        ElementKind::Active { table_index, offset_expr } => SegmentMode::Active {
            target: table_index.unwrap_or(0),
            offset: ConstExpr::read(offset_expr, false)?,
        },
    };
    let (ty, items) = match segment.items {
        ElementItems::Functions(indices) => {
            let mut funcs = Vec::new();
            collect::extend(&mut funcs, indices, Ok)?;
            (ValType::FUNCREF, ElemItems::Funcs(funcs.into_boxed_slice()))
        }
        ElementItems::Expressions(ty, exprs) => {
            (named.val_type(wasmparser::ValType::Ref(ty))?, elem_items(exprs, named.executes_gc)?)
        }
    };
    Ok(ElemSegment { ty, mode, items })
}

/// Items given as expressions. Most are `ref.func` and `ref.null`, which a list of indices
/// holds in a fraction of the space; the first other one turns the list into expressions.
fn elem_items(
    section: SectionLimited<'_, wasmparser::ConstExpr<'_>>,
    executes_gc: bool,
) -> ReadResult<ElemItems> {
    let count = section.count() as usize;
    let mut funcs = Vec::new();
    let mut exprs = Vec::new();
    collect::reserve(&mut funcs, count)?;
    for expr in section {
        let expr = ConstExpr::read(&expr?, executes_gc)?;
        match expr.single() {
            Some(ConstOp::RefFunc(index)) if exprs.is_empty() => push(&mut funcs, index)?,
            Some(ConstOp::RefNull) if exprs.is_empty() => {
                push(&mut funcs, ElemItems::NULL)?;
            }
            _ => {
                if exprs.is_empty() {
                    collect::reserve(&mut exprs, count)?;
                    exprs.extend(funcs.drain(..).map(|index| match index {
                        ElemItems::NULL => ConstExpr::from(ConstOp::RefNull),
                        index => ConstExpr::from(ConstOp::RefFunc(index)),
                    }));
                }
                push(&mut exprs, expr)?;
            }
        }
    }
    Ok(match exprs.is_empty() {
        true => ElemItems::Funcs(funcs.into_boxed_slice()),
        false => ElemItems::Exprs(exprs.into_boxed_slice()),
    })
}

pub(super) fn data_segment(segment: wasmparser::Data<'_>) -> ReadResult<DataSegment> {
    let mode = match &segment.kind {
        DataKind::Passive => SegmentMode::Passive,
        DataKind::Active { memory_index, offset_expr } => SegmentMode::Active {
            target: *memory_index,
            offset: ConstExpr::read(offset_expr, false)?,
        },
    };
    // The bytes come last in a segment.
    let end = segment.range.end as u32;
    Ok(DataSegment { mode, bytes: end - segment.data.len() as u32..end })
}

pub(super) fn custom(section: &CustomSectionReader<'_>) -> ReadResult<CustomSection> {
    let bytes = section.data_range();
    Ok(CustomSection {
        name: boxed_str(section.name())?,
        bytes: bytes.start as u32..bytes.end as u32,
    })
}
