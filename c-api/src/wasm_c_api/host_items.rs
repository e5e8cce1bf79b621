//! Items that the host makes: each is the only export of a small module's instance, so that
//! everything that can be imported is the same to the runtime.

use super::store::ObjectStore;
use super::value::Misfit;
use isothread::{Error, Extern, FuncType, Hierarchy, Instance, InstanceArgs, LoadOptions, Module};
use isothread::{Native, Result, ValType, try_vec};

/// A binary that grows. There is room for the parts of fixed size; lists make theirs.
struct SmallModule(Vec<u8>);

/// Room for everything that is no list of types.
const FIXED: usize = 96;

impl SmallModule {
    fn new(types: usize) -> Result<Self> {
        let mut bytes = try_vec(FIXED + types)?;
        bytes.extend_from_slice(b"\0asm\x01\0\0\0");
        Ok(Self(bytes))
    }

    fn number(&mut self, mut number: u32) {
        while number > 0x7F {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn section(&mut self, id: u8, content: &[u8]) {
        self.0.push(id);
        self.number(content.len() as u32);
        self.0.extend_from_slice(content);
    }

    /// The export that all of these modules have: item 0 of a kind, under the empty name.
    fn export(&mut self, kind: u8) {
        self.section(7, &[1, 0, kind, 0]);
    }
}

fn limits_in(out: &mut SmallModule, min: u32, max: Option<u32>) {
    out.0.push(u8::from(max.is_some()));
    out.number(min);
    if let Some(max) = max {
        out.number(max);
    }
}

/// How the binary format says a type; only those that the header has kinds for.
fn code_of(ty: ValType) -> u8 {
    match ty {
        ValType::I32 => 0x7F,
        ValType::I64 => 0x7E,
        ValType::F32 => 0x7D,
        ValType::F64 => 0x7C,
        ValType::V128 => 0x7B,
        ValType::Ref(ty) if ty.hierarchy() == Hierarchy::Func => 0x70,
        ValType::Ref(_) => 0x6F,
    }
}

fn instance_of(
    store: &ObjectStore,
    binary: &SmallModule,
    imports: &[Option<Extern>],
) -> Result<Instance> {
    // Nothing is looked up by the import's name.
    let options = LoadOptions { no_resolve: true, ..LoadOptions::default() };
    let module = Module::with_options(store.context(), &binary.0, options)?;
    Instance::with_imports(&module, InstanceArgs::default(), imports)
}

fn only_export(instance: &Instance) -> Result<Extern> {
    instance.export(0).ok_or_else(|| Error::misuse(Misfit::Type.text()))
}

/// A host function as one that guests refer to.
pub(super) fn func(store: &ObjectStore, ty: &FuncType, native: &Native) -> Result<Extern> {
    let count = ty.params().len() + ty.results().len();
    store.context().guarded(|| {
        let mut types = SmallModule(try_vec(FIXED + count)?);
        types.0.extend_from_slice(&[1, 0x60]);
        for list in [ty.params(), ty.results()] {
            types.number(list.len() as u32);
            types.0.extend(list.iter().map(|ty| code_of(*ty)));
        }
        let mut binary = SmallModule::new(count)?;
        binary.section(1, &types.0);
        binary.section(2, &[1, 0, 0, 0, 0]);
        binary.export(0);
        only_export(&instance_of(store, &binary, &[Some(Extern::Native(native.clone()))])?)
    })?
}

/// A global that is zero or null.
pub(super) fn global(store: &ObjectStore, ty: ValType, is_mutable: bool) -> Result<Extern> {
    let code = code_of(ty);
    let zero: &[u8] = match ty {
        ValType::I32 => &[0x41, 0],
        ValType::I64 => &[0x42, 0],
        ValType::F32 => &[0x43, 0, 0, 0, 0],
        ValType::F64 => &[0x44, 0, 0, 0, 0, 0, 0, 0, 0],
        ValType::V128 => &[0xFD, 0x0C, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        ValType::Ref(_) => &[0xD0, code],
    };
    store.context().guarded(|| {
        let mut content = SmallModule(try_vec(FIXED)?);
        content.0.extend_from_slice(&[1, code, u8::from(is_mutable)]);
        content.0.extend_from_slice(zero);
        content.0.push(0x0B);
        let mut binary = SmallModule::new(0)?;
        binary.section(6, &content.0);
        binary.export(3);
        only_export(&instance_of(store, &binary, &[])?)
    })?
}

/// A table of null.
pub(super) fn table(
    store: &ObjectStore,
    ty: ValType,
    min: u32,
    max: Option<u32>,
) -> Result<Extern> {
    store.context().guarded(|| {
        let mut content = SmallModule(try_vec(FIXED)?);
        content.0.extend_from_slice(&[1, code_of(ty)]);
        limits_in(&mut content, min, max);
        let mut binary = SmallModule::new(0)?;
        binary.section(4, &content.0);
        binary.export(1);
        only_export(&instance_of(store, &binary, &[])?)
    })?
}

/// A memory of zeros; sizes are in pages of 64 KiB.
pub(super) fn memory(store: &ObjectStore, min: u32, max: Option<u32>) -> Result<Extern> {
    store.context().guarded(|| {
        let mut content = SmallModule(try_vec(FIXED)?);
        content.0.push(1);
        limits_in(&mut content, min, max);
        let mut binary = SmallModule::new(0)?;
        binary.section(5, &content.0);
        binary.export(2);
        only_export(&instance_of(store, &binary, &[])?)
    })?
}
