//! Modules as their handles stand for them.
//!
//! A handle is trusted to be one that the runtime gave out. Modules carry a tag as well, so that
//! another kind of handle in their place is an error.

use super::described::Reflection;
use super::keys::Keys;
use super::wasi_settings::Settings;
use crate::shared::wasm_module_t;
use isothread::{Instance, Lock, Module, try_c_string};
use std::ffi::{CString, c_char};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

/// The module that a `wasm_module_t` stands for. Owner: the embedder's handle and every instance of
/// it, each with a count.
pub(crate) struct LoadedModule {
    pub(super) tag: AtomicU32,
    pub(crate) module: Module,
    /// Whether the context has the count that would be the embedder's.
    pub(super) of_context: AtomicBool,
    /// Whether the embedder said that it would free the binary.
    pub(super) binary_freeable: bool,
    /// The module's name as C reads it, made when it is asked for or set.
    name: Lock<Option<CString>>,
    /// WASI settings for the instances to come.
    pub(crate) wasi: Lock<Settings>,
    reflection: OnceLock<Reflection>,
    /// Its context's.
    pub(crate) keys: Arc<Keys>,
}

/// Stands in a module's tag while the embedder may use the handle.
const LIVE: u32 = u32::from_le_bytes(*b"wmod");

impl LoadedModule {
    pub(crate) fn new(module: Module, binary_freeable: bool) -> isothread::Result<Self> {
        Ok(Self {
            keys: Keys::of(module.context())?,
            tag: AtomicU32::new(LIVE),
            module,
            of_context: AtomicBool::new(false),
            binary_freeable,
            name: Lock::new(None),
            wasi: Lock::default(),
            reflection: OnceLock::new(),
        })
    }

    /// A handle that the context keeps.
    pub(crate) fn of_context(module: Module) -> isothread::Result<Self> {
        Ok(Self { of_context: AtomicBool::new(true), ..Self::new(module, false)? })
    }

    /// Makes the embedder's count the context's; false if it is already.
    pub(crate) fn give_to_context(&self) -> bool {
        !self.of_context.swap(true, Ordering::Relaxed)
    }

    pub(crate) fn is_tagged(&self) -> bool {
        self.tag.load(Ordering::Relaxed) == LIVE
    }

    pub(crate) fn reflection(&self) -> isothread::Result<&Reflection> {
        if let Some(made) = self.reflection.get() {
            return Ok(made);
        }
        let new = Reflection::of(&self.module)?;
        Ok(isothread::once(&self.reflection, || new))
    }

    pub(super) fn set_name(&self, name: &str) -> isothread::Result<()> {
        let text = try_c_string(name.as_bytes())?;
        self.module.set_name(name)?;
        *self.name.lock() = Some(text);
        Ok(())
    }

    /// The name's text; it stays until the name is set again.
    pub(super) fn name_ptr(&self) -> isothread::Result<*const c_char> {
        let mut name = self.name.lock();
        let text = match name.take() {
            Some(text) => text,
            None => self.module.with_name(|text| try_c_string(text.as_bytes()))?,
        };
        Ok(name.insert(text).as_ptr())
    }

    /// The handle, which takes over this count.
    pub(crate) fn into_handle(self: Arc<Self>) -> wasm_module_t {
        Arc::into_raw(self).cast_mut().cast()
    }

    /// The handle, without a count.
    pub(super) fn handle(self: &Arc<Self>) -> wasm_module_t {
        Arc::as_ptr(self).cast_mut().cast()
    }

    /// Takes over the count of a handle.
    ///
    /// # Safety
    /// The caller owns the count of the live module.
    pub(super) unsafe fn from_handle(module: wasm_module_t) -> Arc<Self> {
        // SAFETY: handles of modules come from `into_handle` and `handle`; the count is the
        // caller's.
        unsafe { Arc::from_raw(module.cast_const().cast::<Self>()) }
    }
}

/// The module behind a handle; none for NULL, for another kind of handle, and for a module that
/// was unloaded.
///
/// # Safety
/// `handle` is NULL or a live module.
#[inline]
pub(crate) unsafe fn module<'a>(handle: wasm_module_t) -> Option<&'a LoadedModule> {
    // SAFETY: the caller guarantees that it is NULL or live; handles of modules point to this type.
    unsafe { handle.cast::<LoadedModule>().as_ref() }.filter(|module| module.is_tagged())
}

/// Gives one count of a module back.
///
/// # Safety
/// The caller owns the count of the live module.
pub(crate) unsafe fn give_back(module: wasm_module_t) {
    // SAFETY: the caller's count.
    let module = unsafe { LoadedModule::from_handle(module) };
    // The module may be the last that holds its context, which must not end before the module's
    // own block is freed: it would count it as lost.
    let context = module.module.context().clone();
    drop(module);
    drop(context);
}

/// Which of an instance's words holds its module, with a count.
pub(crate) const MODULE_SLOT: usize = 0;

/// Stands in that word once the instance was taken down, while others of its link set live.
pub(crate) const TAKEN_DOWN: usize = 1;

/// The handle of the module that an instance holds; NULL if it holds none.
pub(crate) fn held_by(instance: &Instance) -> wasm_module_t {
    match instance.slot(MODULE_SLOT) {
        TAKEN_DOWN => std::ptr::null_mut(),
        module => std::ptr::with_exposed_provenance_mut(module),
    }
}

/// The module that an instance holds.
///
/// # Safety
/// The instance was made by a function of this API, and is not used after the result's life.
pub(crate) unsafe fn module_of<'a>(instance: &Instance) -> Option<&'a LoadedModule> {
    let module = held_by(instance).cast_const().cast::<LoadedModule>();
    // SAFETY: NULL, or the module whose count `instantiate` took for this instance.
    unsafe { module.as_ref() }
}
