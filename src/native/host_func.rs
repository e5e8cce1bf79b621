//! A host function bound to an import: its target, and all about the call that can be computed
//! before it happens.

use super::caller::{self, HostClosure, SlotClosure};
use super::convert::{self, Conversion, ExternRefMap, Mismatch, Receiver};
use super::invoke::{self, CallPlan, Mixed};
use super::registry::Convention;
use super::signature::{AddressWidth, Signature};
use crate::abi::trap::Trap;
use crate::abi::types::FuncType;
use crate::abi::vm_layout::VmHostFunc;
use std::ffi::c_void;
use std::fmt;
use std::sync::Arc;

/// A host function. Owner: the links of the modules that import it, by `Arc`.
///
/// The header comes first, so that running code calls through it without knowing the rest.
#[repr(C)]
pub struct HostFunc {
    header: VmHostFunc,
    /// The C function; null for Rust code.
    pub(super) target: *const c_void,
    pub(super) attachment: *mut c_void,
    /// Parameters that do not travel as they are.
    pub(super) conversions: Box<[Conversion]>,
    pub(super) externrefs: Option<Arc<dyn ExternRefMap>>,
    pub(super) body: Body,
    /// Slots of the parameters, if collected references are among them, else 0.
    pub(super) kept_slots: u32,
    pub(super) returns_refs: bool,
    /// Slots that a call needs at its arguments' place.
    pub(super) arg_slots: u32,
    /// Functions are objects to C, and not indices.
    pub(super) has_signature: bool,
    ty: FuncType,
}

/// The part behind the header.
pub(super) enum Body {
    /// A C function whose integer arguments fit registers.
    #[allow(dead_code, reason = "only where thunks were written")]
    Direct,
    /// As above, with floats among them.
    #[allow(dead_code, reason = "only where thunks were written")]
    Mixed(Mixed),
    /// A C function with arguments in other places.
    Planned(CallPlan),
    /// A C function that takes an array of slots.
    Raw {
        fit_results: bool,
    },
    Closure(Box<HostClosure>),
    InPlace(Box<SlotClosure>),
    Builtin(BuiltinFn),
}

// SAFETY: `target` and `attachment` are the embedder's, who registered them for use by every
// thread that runs guests of the context; they are only passed on. The closure and the map are
// `Send + Sync` by their types, and the rest is plain data that never changes.
unsafe impl Send for HostFunc {}
// SAFETY: a `HostFunc` is immutable, and the embedder registered `target` and `attachment` for use
// by several threads at a time.
unsafe impl Sync for HostFunc {}

/// A function of a built-in table. The slice holds the parameters, and takes the results from
/// its start on.
pub type BuiltinFn = fn(super::Caller<'_>, &mut [u64]) -> Result<(), Trap>;

/// One entry of a [`BuiltinModule`].
pub struct Builtin {
    pub name: &'static str,
    /// Checked against the import's type; the function itself checks addresses.
    pub signature: &'static str,
    pub call: BuiltinFn,
}

/// A constant table of functions, which guests import from one module.
pub struct BuiltinModule {
    /// The names the module goes by.
    pub names: &'static [&'static str],
    /// Sorted by name.
    pub functions: &'static [Builtin],
}

impl BuiltinModule {
    pub(super) fn find(&self, name: &str) -> Option<&'static Builtin> {
        let found = self.functions.binary_search_by(|b| b.name.cmp(name));
        found.ok().map(|at| &self.functions[at])
    }

    fn function_names(&self) -> impl Iterator<Item = &'static str> {
        self.functions.iter().map(|function| function.name)
    }
}

impl PartialEq for BuiltinModule {
    /// Whether both offer the same names. Addresses say nothing: a constant may have several.
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
            || self.names == other.names && self.function_names().eq(other.function_names())
    }
}

/// A library of functions that this runtime brings along, for the list of a context's
/// ([`ContextConfig::builtins`](crate::ContextConfig::builtins)). A constant without an owner:
/// every context that offers it uses the same one.
#[derive(Clone, Copy, PartialEq)]
pub struct BuiltinTable(&'static [&'static BuiltinModule]);

impl BuiltinTable {
    /// Of two modules that have a name, the first serves it.
    pub(crate) const fn new(modules: &'static [&'static BuiltinModule]) -> Self {
        Self(modules)
    }

    /// Those that come first in front.
    pub(crate) fn modules(self) -> &'static [&'static BuiltinModule] {
        self.0
    }
}

impl fmt::Debug for BuiltinTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let modules = self.0.iter().map(|module| module.names);
        f.debug_list().entries(modules).finish()
    }
}

/// Slots of the parameters that a call has to keep objects for.
fn kept_slots(ty: &FuncType) -> u32 {
    if ty.takes_collected() { ty.param_slots() } else { 0 }
}

/// Slots that a call needs at its arguments' place.
fn arg_slots(ty: &FuncType) -> u32 {
    ty.param_slots().max(ty.result_slots())
}

impl HostFunc {
    /// Binds a C function. `signature` is the embedder's text; none or an empty one means that
    /// nothing is checked and no address converted.
    ///
    /// # Safety
    /// `target` is a C function that takes the exec_env and parameters as `ty` says, or the
    /// exec_env and an array of slots for [`Convention::Raw`]. It stays callable, from any
    /// thread, for as long as the `HostFunc` lives.
    pub unsafe fn c_function(
        target: *const c_void,
        ty: &FuncType,
        signature: Option<&[u8]>,
        width: AddressWidth,
        convention: Convention,
        attachment: *mut c_void,
        externrefs: Option<Arc<dyn ExternRefMap>>,
    ) -> Option<Self> {
        let signature = convert::signature_of(signature, ty, width);
        let signature = match signature {
            Ok(signature) => signature,
            Err(Mismatch) => return None,
        };
        Some(match convention {
            Convention::Native => Self::native(target, ty, signature, attachment, externrefs),
            Convention::Raw => Self::raw(target, ty, signature, attachment, externrefs),
        })
    }

    fn native(
        target: *const c_void,
        ty: &FuncType,
        signature: Option<Signature<'_>>,
        attachment: *mut c_void,
        externrefs: Option<Arc<dyn ExternRefMap>>,
    ) -> Self {
        let (call, body) = match invoke::direct(ty) {
            Some(direct) => direct,
            None => (invoke::PLANNED, Body::Planned(CallPlan::new(ty, signature))),
        };
        Self {
            header: VmHostFunc { call },
            target,
            attachment,
            conversions: convert::plan(ty, signature, Receiver::Registers),
            externrefs,
            body,
            kept_slots: kept_slots(ty),
            arg_slots: arg_slots(ty),
            returns_refs: ty.returns_refs(),
            has_signature: signature.is_some(),
            ty: ty.clone(),
        }
    }

    fn raw(
        target: *const c_void,
        ty: &FuncType,
        signature: Option<Signature<'_>>,
        attachment: *mut c_void,
        externrefs: Option<Arc<dyn ExternRefMap>>,
    ) -> Self {
        Self {
            header: VmHostFunc { call: invoke::RAW },
            target,
            attachment,
            conversions: convert::plan(ty, signature, Receiver::Words),
            externrefs,
            body: Body::Raw { fit_results: ty.returns_refs() },
            kept_slots: kept_slots(ty),
            arg_slots: arg_slots(ty),
            returns_refs: ty.returns_refs(),
            has_signature: signature.is_some(),
            ty: ty.clone(),
        }
    }

    /// Binds a Rust closure.
    pub fn closure(
        ty: FuncType,
        closure: impl Fn(
            super::Caller<'_>,
            &[crate::abi::value::Val],
            &mut [crate::abi::value::Val],
        ) -> Result<(), Trap>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self::rust(caller::call_closure, ty, Body::Closure(Box::new(closure)))
    }

    /// Binds a Rust closure that works on slots, to a type without references.
    pub fn in_place(
        ty: FuncType,
        closure: impl Fn(super::Caller<'_>, &mut [u64]) -> Result<(), Trap> + Send + Sync + 'static,
    ) -> Self {
        Self::rust(caller::call_in_place, ty, Body::InPlace(Box::new(closure)))
    }

    /// Binds a built-in function, if it is one of type `ty`.
    pub fn builtin(builtin: &Builtin, ty: &FuncType) -> Option<Self> {
        let signature = builtin.signature.as_bytes();
        Signature::check(signature, ty, AddressWidth::Bits32)?;
        Some(Self::rust(caller::call_builtin, ty.clone(), Body::Builtin(builtin.call)))
    }

    fn rust(call: invoke::CallFn, ty: FuncType, body: Body) -> Self {
        Self {
            header: VmHostFunc { call },
            target: std::ptr::null(),
            attachment: std::ptr::null_mut(),
            conversions: Box::default(),
            externrefs: None,
            body,
            kept_slots: kept_slots(&ty),
            arg_slots: arg_slots(&ty),
            returns_refs: ty.returns_refs(),
            has_signature: false,
            ty,
        }
    }

    /// The same function with something attached that it finds in its environment.
    pub fn with_attachment(mut self, attachment: *mut c_void) -> Self {
        self.attachment = attachment;
        self
    }

    pub fn ty(&self) -> &FuncType {
        &self.ty
    }

    /// The header through which running code calls; valid while `self` is alive and does not move.
    pub fn header(&self) -> *const VmHostFunc {
        std::ptr::from_ref(self).cast()
    }
}
