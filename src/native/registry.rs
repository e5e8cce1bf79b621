//! The functions that a context offers to the imports of its modules.
//!
//! The last registration wins. Below all registrations lie the built-in tables that the registry's
//! maker chose, which are constant: making a registry copies nothing and allocates nothing.
//!
//! An embedder's array of symbols is kept by its address and read each time a name is looked
//! up, so it must outlive its registration, exactly as WAMR demands; unlike there it is never
//! written to, and nothing of it is touched when it is registered.

use super::convert::ExternRefMap;
use super::host_func::{BuiltinTable, HostFunc};
use super::signature::{self, AddressWidth};
use crate::abi::error::bounded;
use crate::abi::types::FuncType;
use crate::alloc;
use crate::sync::Lock;
use std::ffi::{CStr, CString, c_char, c_void};
use std::sync::Arc;

/// An entry of an embedder's array, as C declares it.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct NativeSymbol {
    pub symbol: *const c_char,
    pub func_ptr: *mut c_void,
    pub signature: *const c_char,
    pub attachment: *mut c_void,
}

const _: () = assert!(size_of::<NativeSymbol>() == 4 * size_of::<usize>());

/// How a C function takes its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Convention {
    /// `ret f(exec_env, args..)`.
    Native,
    /// `void f(exec_env, uint64_t *args)`, the result in `args[0]`.
    Raw,
}

/// The functions that a context's modules can import. Owner: the context.
pub struct Registry {
    state: Lock<RegistryState>,
}

struct RegistryState {
    /// Oldest first.
    nodes: Vec<Node>,
    /// Those that come first in front.
    builtins: &'static [BuiltinTable],
    externrefs: Option<Arc<dyn ExternRefMap>>,
}

enum Node {
    Array(SymbolArray),
    Func { module: Box<str>, name: Box<str>, func: Arc<HostFunc> },
}

/// An embedder's array of functions, by its address, with the name of the module that guests import
/// them from. Owner: the embedder, of the array and all that it points to.
#[derive(Clone, Copy, Debug)]
pub struct NativeArray {
    module: *const c_char,
    symbols: *const NativeSymbol,
    count: u32,
    convention: Convention,
}

// SAFETY: the array belongs to the embedder, who promised at `NativeArray::new` that it stays
// readable from any thread; it is never written to.
unsafe impl Send for NativeArray {}
// SAFETY: shared references to it do no more than read the array, as said for `Send`.
unsafe impl Sync for NativeArray {}

impl NativeArray {
    /// Null pointers are accepted and match nothing.
    ///
    /// # Safety
    /// Whenever this is registered, `module` is null or a C string. If `symbols` is not null, it
    /// points to `count` entries then, which stay readable on any thread, with the strings they
    /// name and the functions they point to, until they are unregistered or the registry is
    /// dropped. Functions that an import was bound to stay callable, with their type as the import
    /// says, while the module lives.
    pub const unsafe fn new(
        module: *const c_char,
        symbols: *const NativeSymbol,
        count: u32,
        convention: Convention,
    ) -> Self {
        Self { module, symbols, count, convention }
    }
}

impl PartialEq for NativeArray {
    /// Whether both are the same place: address and length. Nothing is read there.
    fn eq(&self, other: &Self) -> bool {
        self.symbols == other.symbols && self.count == other.count
    }
}

impl Eq for NativeArray {}

/// A registered array.
struct SymbolArray {
    /// Absent when the embedder gave none; such an array can be unregistered but never matches.
    module: Option<CString>,
    array: NativeArray,
}

/// The result of looking a name up.
enum Found {
    Symbol(NativeSymbol, Convention),
    Func(Arc<HostFunc>),
    Builtin(&'static super::Builtin),
}

impl Registry {
    /// A registry that offers these tables to names that nothing else claims. Of two tables that
    /// have the name, the first serves it.
    pub fn new(builtins: &'static [BuiltinTable]) -> Self {
        Self { state: Lock::new(RegistryState { nodes: Vec::new(), builtins, externrefs: None }) }
    }

    /// Registers an embedder's array; false if memory ran out. The module's name is copied, the
    /// array is not.
    pub fn register(&self, array: NativeArray) -> bool {
        // SAFETY: `NativeArray::new` was promised a C string behind a pointer that is not null.
        let name = (!array.module.is_null()).then(|| unsafe { CStr::from_ptr(array.module) });
        let copy = name.map(|name| alloc::try_c_string(name.to_bytes())).transpose();
        copy.is_ok_and(|module| self.push(Node::Array(SymbolArray { module, array })))
    }

    /// Removes the latest registration of this array under this name; false if there is none.
    /// Imports that are already bound stay bound.
    ///
    /// # Safety
    /// `module` is null or a C string.
    pub unsafe fn unregister(&self, module: *const c_char, symbols: *const NativeSymbol) -> bool {
        // SAFETY: the caller vouches for a C string behind a pointer that is not null.
        let module = (!module.is_null()).then(|| unsafe { CStr::from_ptr(module) });
        self.remove(|node| match node {
            Node::Array(a) => a.array.symbols == symbols && a.module.as_deref() == module,
            Node::Func { .. } => false,
        })
    }

    /// Registers one function of the host's; false if memory ran out.
    pub fn register_func(&self, module: &str, name: &str, func: Arc<HostFunc>) -> bool {
        let (Ok(module), Ok(name)) = (alloc::try_str(module), alloc::try_str(name)) else {
            return false;
        };
        self.push(Node::Func { module, name, func })
    }

    /// Removes the latest `register_func` of this name; false if there is none.
    pub fn unregister_func(&self, module: &str, name: &str) -> bool {
        self.remove(|node| match node {
            Node::Array(_) => false,
            Node::Func { module: m, name: n, .. } => **m == *module && **n == *name,
        })
    }

    /// Sets how C functions bound from now on see externrefs.
    pub fn set_externrefs(&self, map: Option<Arc<dyn ExternRefMap>>) {
        self.state.lock().externrefs = map;
    }

    /// Whether an import of this name would be found now, with any type.
    pub fn is_linked(&self, module: &str, name: &str) -> bool {
        self.state.lock().find(module, name).is_some()
    }

    /// Binds a function import of a module whose memory has 32-bit addresses.
    pub fn resolve(&self, module: &str, name: &str, ty: &FuncType) -> Option<Arc<HostFunc>> {
        self.resolve_for(module, name, ty, AddressWidth::Bits32)
    }

    /// Binds a function import. A function that was found but does not fit leaves the import
    /// unbound, with a warning; older registrations of the name are not tried.
    pub fn resolve_for(
        &self,
        module: &str,
        name: &str,
        ty: &FuncType,
        width: AddressWidth,
    ) -> Option<Arc<HostFunc>> {
        // Warnings are written without the lock: a log sink may be the embedder's.
        let state = self.state.lock();
        let Some(outcome) = state.bind(module, name, ty, width) else {
            let is_null = state.has_null(module, name);
            drop(state);
            if is_null {
                log::warn!("the native function registered for import ({module}, {name}) is NULL");
            }
            return None;
        };
        drop(state);
        outcome
            .inspect_err(|signature| {
                log::warn!(
                    "failed to check signature '{signature}' and resolve pointer params for \
                     import function ({module}, {name})\n"
                );
            })
            .ok()
    }

    /// Forgets all registrations and frees their memory; built-in tables stay.
    pub fn clear(&self) {
        let nodes = std::mem::take(&mut self.state.lock().nodes);
        // Dropped without the lock, as in `remove`.
        drop(nodes);
    }

    fn push(&self, node: Node) -> bool {
        let mut state = self.state.lock();
        if alloc::fallible(|| state.nodes.try_reserve(1)).is_err() {
            return false;
        }
        state.nodes.push(node);
        true
    }

    fn remove(&self, matches: impl Fn(&Node) -> bool) -> bool {
        let mut state = self.state.lock();
        let Some(at) = state.nodes.iter().rposition(matches) else { return false };
        let node = state.nodes.remove(at);
        drop(state);
        // A function's closure may do anything when it goes, so it goes without the lock.
        drop(node);
        true
    }
}

impl RegistryState {
    /// Newest first; within one registration the exact name goes before the name without its
    /// leading underscore, which old compilers put there.
    fn find(&self, module: &str, name: &str) -> Option<Found> {
        let plain = name.strip_prefix('_');
        for node in self.nodes.iter().rev() {
            let found = node.find(module, name);
            let found = found.or_else(|| plain.and_then(|plain| node.find(module, plain)));
            if found.is_some() {
                return found;
            }
        }
        self.builtins
            .iter()
            .flat_map(|table| table.modules())
            .filter(|table| table.names.contains(&module))
            .find_map(|table| {
                table.find(name).or_else(|| plain.and_then(|plain| table.find(plain)))
            })
            .map(Found::Builtin)
    }

    /// Whether an embedder's array has an entry of this name without a function.
    fn has_null(&self, module: &str, name: &str) -> bool {
        let plain = name.strip_prefix('_');
        self.nodes.iter().any(|node| match node {
            Node::Array(array) => std::iter::once(name)
                .chain(plain)
                .any(|name| array.named(module, name).next().is_some()),
            Node::Func { .. } => false,
        })
    }

    /// The function of that name, or the signature that did not fit; `None` if there is none.
    fn bind(
        &self,
        module: &str,
        name: &str,
        ty: &FuncType,
        width: AddressWidth,
    ) -> Option<Result<Arc<HostFunc>, String>> {
        let found = self.find(module, name)?;
        let Some(ty) = ty.of_host() else { return Some(Err(signature::text_of(ty))) };
        let ty = &*ty;
        Some(match found {
            Found::Func(func) if func.ty() == ty => Ok(func),
            Found::Func(func) => Err(signature::text_of(func.ty())),
            Found::Builtin(builtin) => {
                HostFunc::builtin(builtin, ty).map(Arc::new).ok_or_else(|| builtin.signature.into())
            }
            Found::Symbol(symbol, convention) => {
                let signature = symbol.signature();
                let externrefs = self.externrefs.clone();
                // SAFETY: `NativeArray::new` was promised the function and its type.
                let func = unsafe {
                    HostFunc::c_function(
                        symbol.func_ptr,
                        ty,
                        signature,
                        width,
                        convention,
                        symbol.attachment,
                        externrefs,
                    )
                };
                func.map(Arc::new).ok_or_else(|| {
                    let signature = signature.unwrap_or_default().escape_ascii();
                    bounded(format_args!("{signature}"))
                })
            }
        })
    }
}

impl Node {
    fn find(&self, module: &str, name: &str) -> Option<Found> {
        match self {
            Self::Array(array) => {
                let symbol = array.find(module, name)?;
                Some(Found::Symbol(symbol, array.array.convention))
            }
            Self::Func { module: m, name: n, func } => {
                (**m == *module && **n == *name).then(|| Found::Func(Arc::clone(func)))
            }
        }
    }
}

impl SymbolArray {
    /// The first entry of this name that has a function.
    fn find(&self, module: &str, name: &str) -> Option<NativeSymbol> {
        self.named(module, name).find(|symbol| !symbol.func_ptr.is_null())
    }

    /// The entries of this name.
    fn named(&self, module: &str, name: &str) -> impl Iterator<Item = NativeSymbol> {
        let is_of_module =
            self.module.as_deref().is_some_and(|own| own.to_bytes() == module.as_bytes());
        let NativeArray { symbols, count, .. } = self.array;
        let count = if is_of_module && !symbols.is_null() { count as usize } else { 0 };
        (0..count)
            // SAFETY: the embedder keeps `count` entries readable while they are registered.
            .map(move |index| unsafe { *symbols.add(index) })
            .filter(move |symbol| symbol.is_named(name))
    }
}

impl NativeSymbol {
    fn is_named(&self, name: &str) -> bool {
        // SAFETY: the embedder keeps the strings of registered entries readable.
        !self.symbol.is_null()
            && unsafe { CStr::from_ptr(self.symbol) }.to_bytes() == name.as_bytes()
    }

    fn signature(&self) -> Option<&[u8]> {
        // SAFETY: the embedder keeps the strings of registered entries readable.
        (!self.signature.is_null()).then(|| unsafe { CStr::from_ptr(self.signature) }.to_bytes())
    }
}
