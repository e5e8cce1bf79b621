//! A module's imports and exports as C reads them.

use super::types::{
    WASMFuncType, WASMGlobalType, WASMTableType, anon_extern_type,
    wasm_import_export_kind_t as Kind,
};
use crate::shared::WASMMemory;
use isothread::{
    ExternType, GlobalType, MemoryType, Module, SubType, TableType, try_c_string, try_vec,
};
use std::ffi::CString;

/// The kind of a tag: its number in binaries, and no name in the header. No type comes with it.
const TAG_KIND: u32 = 4;

/// A module's imports and exports with their names as C strings. Made at the first question;
/// the pointers given out point into it. Owner: the module's handle.
pub(crate) struct Reflection {
    pub(super) imports: Box<[DescribedExtern]>,
    pub(super) exports: Box<[DescribedExtern]>,
}

pub(super) struct DescribedExtern {
    /// Empty for exports.
    pub(super) module: CString,
    pub(super) name: CString,
    pub(super) ty: StoredType,
}

/// An extern type that stays where it is. A function's lies in the module.
pub(super) enum StoredType {
    Func(*const SubType),
    Table(TableType),
    Memory(MemoryType),
    Global(GlobalType),
    Tag,
}

// SAFETY: the one pointer points into the immutable module that the handle also holds.
unsafe impl Send for Reflection {}
// SAFETY: as for `Send`; nothing here changes once it is made.
unsafe impl Sync for Reflection {}

impl Reflection {
    pub(crate) fn of(module: &Module) -> isothread::Result<Self> {
        let mut imports = try_vec(module.imports().count())?;
        for import in module.imports() {
            let name = try_c_string(import.name.as_bytes())?;
            let ty = StoredType::of(module, import.ty);
            let module = try_c_string(import.module.as_bytes())?;
            imports.push(DescribedExtern { module, name, ty });
        }
        let mut exports = try_vec(module.exports().count())?;
        for export in module.exports() {
            let ty = StoredType::of(module, export.ty);
            let (module, name) = (CString::default(), try_c_string(export.name.as_bytes())?);
            exports.push(DescribedExtern { module, name, ty });
        }
        let (imports, exports) = (imports.into_boxed_slice(), exports.into_boxed_slice());
        Ok(Self { imports, exports })
    }
}

impl StoredType {
    fn of(module: &Module, ty: ExternType<'_>) -> Self {
        match ty {
            ExternType::Func(ty) => {
                let defined = module.defined_func_type(ty);
                Self::Func(defined.map_or(std::ptr::null(), std::ptr::from_ref))
            }
            ExternType::Table(ty) => Self::Table(ty),
            ExternType::Memory(ty) => Self::Memory(ty),
            ExternType::Global(ty) => Self::Global(ty),
            ExternType::Tag(_) => Self::Tag,
        }
    }

    /// The kind, and a pointer to the type.
    pub(super) fn to_c(&self) -> (u32, anon_extern_type) {
        let (kind, u) = match self {
            Self::Func(ty) => {
                let func_type = ty.cast::<WASMFuncType>().cast_mut();
                (Kind::WASM_IMPORT_EXPORT_KIND_FUNC, anon_extern_type { func_type })
            }
            Self::Table(ty) => {
                let table_type = std::ptr::from_ref(ty).cast::<WASMTableType>().cast_mut();
                (Kind::WASM_IMPORT_EXPORT_KIND_TABLE, anon_extern_type { table_type })
            }
            Self::Memory(ty) => {
                let memory_type = std::ptr::from_ref(ty).cast::<WASMMemory>().cast_mut();
                (Kind::WASM_IMPORT_EXPORT_KIND_MEMORY, anon_extern_type { memory_type })
            }
            Self::Global(ty) => {
                let global_type = std::ptr::from_ref(ty).cast::<WASMGlobalType>().cast_mut();
                (Kind::WASM_IMPORT_EXPORT_KIND_GLOBAL, anon_extern_type { global_type })
            }
            Self::Tag => {
                return (TAG_KIND, anon_extern_type { func_type: std::ptr::null_mut() });
            }
        };
        (kind as u32, u)
    }
}
