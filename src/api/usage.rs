//! The memory that guest code takes, by owner.

use super::{ExecEnv, Instance};
use crate::abi::definitions::SubType;
use crate::abi::types::ValType;
use crate::abi::vm_layout::{VmFuncRef, VmGlobal};
use crate::instance as parts;
use crate::module::{self as parsed, ElemItems};
use std::ops::Range;

/// Bytes that a module takes, its translated code included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ModuleUse {
    pub head: u64,
    pub types: u64,
    pub imports: u64,
    /// Bodies as they were loaded, the code table, and the functions translated so far.
    pub funcs: u64,
    pub tables: u64,
    pub memories: u64,
    pub globals: u64,
    pub exports: u64,
    pub table_segments: u64,
    pub data_segments: u64,
    /// Names of imports and exports.
    pub strings: u64,
    pub custom_sections: u64,
}

impl ModuleUse {
    pub fn total(&self) -> u64 {
        let Self { head, types, imports, funcs, tables, memories, globals, exports, .. } = *self;
        let Self { table_segments, data_segments, strings, custom_sections, .. } = *self;
        let lists = types + imports + funcs + tables + memories + globals + exports;
        head + lists + table_segments + data_segments + strings + custom_sections
    }
}

/// Bytes that an instance takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InstanceUse {
    pub head: u64,
    /// Accessible bytes of its linear memories, the app heap among them.
    pub memories: u64,
    pub app_heap: u64,
    pub tables: u64,
    pub funcs: u64,
    pub globals: u64,
    pub exports: u64,
}

impl InstanceUse {
    pub fn total(&self) -> u64 {
        self.head + self.memories + self.tables + self.funcs + self.globals + self.exports
    }
}

/// Bytes that an exec_env takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExecEnvUse {
    pub head: u64,
    pub stack: u64,
}

/// The memory of an exec_env, the instance it acts on, and that one's module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryUse {
    pub module: ModuleUse,
    pub instance: InstanceUse,
    pub exec_env: ExecEnvUse,
}

impl ExecEnv {
    /// The memory that this exec_env, its instance and its module take, in bytes.
    pub fn memory_use(&self) -> MemoryUse {
        let instance = self.instance();
        MemoryUse {
            module: module_use(
                instance.parts().module(),
                instance.surroundings().module.codes.bytes(),
            ),
            instance: instance_use(&instance),
            exec_env: ExecEnvUse { head: self.env().head_bytes(), stack: self.env().stack_bytes() },
        }
    }
}

fn bytes<T>(list: &[T]) -> u64 {
    size_of_val(list) as u64
}

fn lengths<'a>(ranges: impl Iterator<Item = &'a Range<u32>>) -> u64 {
    ranges.map(|range| u64::from(range.end.saturating_sub(range.start))).sum()
}

fn module_use(module: &parsed::Module, code_bytes: u64) -> ModuleUse {
    let values = module
        .types
        .iter()
        .filter_map(SubType::func)
        .map(|ty| ty.params().len() + ty.results().len());
    let imported = module.imports.iter().map(|import| import.module.len() + import.name.len());
    let exported = module.exports.iter().map(|export| export.name.len());
    let items = module.elems.iter().map(|segment| match &segment.items {
        ElemItems::Funcs(funcs) => bytes(funcs),
        ElemItems::Exprs(exprs) => bytes(exprs),
    });
    ModuleUse {
        head: size_of::<parsed::Module>() as u64,
        types: (module.types.len() * size_of::<SubType>()) as u64
            + values.sum::<usize>() as u64 * size_of::<ValType>() as u64,
        imports: bytes(&module.imports),
        funcs: bytes(&module.funcs)
            + bytes(&module.bodies)
            + lengths(module.bodies.iter())
            + code_bytes,
        tables: bytes(&module.tables),
        memories: bytes(&module.memories),
        globals: bytes(&module.globals),
        exports: bytes(&module.exports),
        table_segments: bytes(&module.elems) + items.sum::<u64>(),
        data_segments: bytes(&module.datas) + lengths(module.datas.iter().map(|data| &data.bytes)),
        strings: imported.chain(exported).sum::<usize>() as u64,
        custom_sections: bytes(&module.custom_sections)
            + lengths(module.custom_sections.iter().map(|section| &section.bytes)),
    }
}

fn instance_use(instance: &Instance) -> InstanceUse {
    let parts = instance.parts();
    let module = parts.module();
    let memories = (0..module.memories.len() as u32).filter_map(|index| parts.memory(index));
    let tables = (0..module.tables.len() as u32).filter_map(|index| parts.table(index));
    InstanceUse {
        head: size_of::<parts::Instance>() as u64,
        memories: memories.map(|memory| memory.len_bytes() as u64).sum(),
        app_heap: if parts.has_app_heap() { u64::from(parts.limits().heap_bytes) } else { 0 },
        tables: tables
            .map(|table| size_of::<parts::Table>() as u64 + table.len() * size_of::<u64>() as u64)
            .sum(),
        funcs: (module.func_refs.order.len() * size_of::<VmFuncRef>()) as u64,
        globals: (module.globals.len() * size_of::<VmGlobal>()) as u64,
        exports: 0,
    }
}
