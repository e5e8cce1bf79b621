//! Binding a module's imports, and the objects that an instance keeps alive.

use super::bind::{Bound, Links};
use super::module::{Inner, constant_global};
use super::{Error, Extern, InstanceArgs, Module, Native, Result, Trap, engines};
use crate::abi::types::FuncType;
use crate::context::{ContextHold, LiveLink, LiveObject, ObjectKind, thread};
use crate::exec::{CallCounts, ExecEnv};
use crate::gc::{GcFinalizer, GcRef};
use crate::instance::{
    GlobalImport, GrowFailure, Host, Import, Instance, InstanceLimits, ObjectLimits, OutputWait,
    PIECE_BYTES, Parts, PreparedThread,
};
use crate::module as parsed;
use std::any::Any;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

/// Handles that keep an instance's surroundings alive. Owner: the instance.
pub(super) struct Surroundings {
    pub(super) module: Arc<Inner>,
    _links: Arc<Links>,
    _natives: Vec<Native>,
    /// The instance that this is of; null before it is made.
    instance: AtomicPtr<Instance>,
    live: LiveLink,
    /// How code runs.
    pub(super) running_mode: AtomicU32,
    /// Last: the context must outlive everything above.
    pub(super) held: ContextHold,
}

impl Host for Surroundings {
    fn memory_grow_failed(&self, failure: &GrowFailure) {
        super::grow::notify(self.held.context(), failure);
    }

    fn externref_word(&self, instance: NonNull<Instance>, object: u64) -> Option<u64> {
        let Some(objects) = self.held.extern_objects() else { return Some(object) };
        objects.number(instance.addr().get(), object as usize).map(u64::from)
    }

    fn externref_object(&self, word: u64) -> Option<u64> {
        let Some(objects) = self.held.extern_objects() else { return Some(word) };
        objects.address(u32::try_from(word).ok()?).map(|address| address as u64)
    }

    fn instance_ends(&self, instance: NonNull<Instance>) {
        if let Some(objects) = self.held.extern_objects() {
            objects.delete_all(instance.addr().get());
        }
        self.held.context().remove_object_heaps(instance);
        let listed = self.instance.load(Ordering::Acquire);
        if listed.is_null() || listed == instance.as_ptr() {
            // SAFETY: the link was only ever listed there. Threads of the program hold on to the
            // same surroundings; their ends change nothing.
            unsafe { self.held.context().remove_live(&self.live) };
        }
    }

    fn object_heap(&self, instance: NonNull<Instance>) -> Option<(ObjectLimits, u32)> {
        self.held.context().add_object_heap(instance)
    }

    fn run_finalizer(&self, object: GcRef, finalizer: GcFinalizer) {
        super::finalizer::run(self.held.context(), object, finalizer);
    }

    fn max_threads(&self) -> u32 {
        self.held.context().max_thread_num()
    }

    fn prepare_thread(&self) -> Option<PreparedThread> {
        thread::PreparedState::new().map(|prepared| Box::new(prepared) as PreparedThread)
    }

    fn run_thread(&self, prepared: PreparedThread, body: &mut dyn FnMut(usize)) {
        let context = self.held.context();
        let run = || {
            let _inherited = thread::inherit(context);
            context.run_guest(body);
        };
        match prepared.downcast::<thread::PreparedState>() {
            Ok(prepared) => prepared.run(run),
            Err(_) => run(),
        }
    }

    fn print(&self, bytes: &[u8], wait: &mut dyn FnMut(OutputWait) -> bool) {
        super::stdout::print(self.held.context(), bytes, wait);
    }

    fn guest_malloc(&self, instance: &Instance, len: u64) -> Option<u64> {
        borrowed(instance).malloc(len).map(|(address, _)| address)
    }

    fn guest_free(&self, instance: &Instance, address: u64) {
        borrowed(instance).free(address);
    }
}

impl Surroundings {
    /// The instance, for visitors: it is listed only while it lives.
    fn instance(&self) -> Option<&Instance> {
        // SAFETY: null, or the instance that holds this and ends after `ends`.
        unsafe { self.instance.load(Ordering::Acquire).as_ref() }
    }

    /// Lists a fresh instance with its context.
    ///
    /// # Safety
    /// The instance is live, and this is the value that it holds.
    unsafe fn list(&self, instance: NonNull<Instance>) {
        self.instance.store(instance.as_ptr(), Ordering::Release);
        // SAFETY: this lies in the instance's `Arc`, and `ends` takes it off before it goes.
        unsafe { self.held.context().add_live(&self.live, NonNull::from(self)) };
    }
}

impl LiveObject for Surroundings {
    fn terminate(&self) {
        if let Some(instance) = self.instance() {
            instance.terminate();
        }
    }

    fn wake(&self) {
        if let Some(instance) = self.instance() {
            instance.limit_waits(self.held.context().time_left());
        }
    }

    fn counts(&self) -> CallCounts {
        self.instance().map(ExecEnv::counts_of).unwrap_or_default()
    }

    fn owns_func(&self, address: usize) -> bool {
        self.instance().is_some_and(|instance| instance.owns_func(address as *const _))
    }
}

/// The public handle to an instance, without a count.
fn borrowed(instance: &Instance) -> ManuallyDrop<super::Instance> {
    // SAFETY: the instance is live as long as the borrow, and `ManuallyDrop` takes no count.
    ManuallyDrop::new(unsafe { super::Instance::from_raw(instance.ptr().cast()) })
}

/// Makes an instance; its start function has not run yet. `subs` are the instances of the modules
/// in `links`; those that imports are bound to are there.
pub(super) fn make(
    module: &Module,
    links: Arc<Links>,
    args: InstanceArgs,
    imports: &[Option<Extern>],
    subs: &[Option<super::Instance>],
) -> Result<super::Instance> {
    let natives = check_imports(module, imports)?;
    let inner = &module.inner;
    let context = module.context();
    let (parsed, codes) = (&inner.parsed, &inner.codes);
    let (mode, code) = engines::code_for(context, (parsed, codes), context.running_mode())?;
    let host = Arc::new(Surroundings {
        module: inner.clone(),
        running_mode: AtomicU32::new(mode as u32),
        _links: links.clone(),
        _natives: natives,
        instance: AtomicPtr::new(std::ptr::null_mut()),
        live: LiveLink::default(),
        held: module.context().hold(ObjectKind::Instance),
    });
    let host_state = match args.host_state {
        None => default_host_state(&inner.parsed)?,
        given => given,
    };
    let parts = Parts {
        module: &inner.parsed,
        code: code.table(),
        type_ids: inner.type_ids.as_ptr(),
        types: inner.type_ids.types(),
        host,
        source: &inner.source,
        limits: InstanceLimits {
            stack_bytes: args.stack_size,
            heap_bytes: args.heap_size,
            max_memory_pages: args.max_memory_pages,
        },
        custom_data: args.custom_data,
        host_state,
    };
    let resolve = |at: usize| match imports.get(at) {
        Some(Some(import)) => import.as_import(),
        _ => bound_at_load(&inner.parsed, &links, subs, at),
    };
    let limits = module.context().limits();
    let mut since_look = 0;
    let mut pace = |bytes: usize| {
        since_look += bytes;
        if since_look < PIECE_BYTES {
            return Ok(());
        }
        since_look = 0;
        if limits.is_over() { Err(Trap::DeadlineExceeded) } else { Ok(()) }
    };
    let instance = Instance::new(parts, &resolve, &mut pace)?;
    // SAFETY: it has just been made, with the surroundings above.
    unsafe { surroundings(instance.as_ref()).list(instance) };
    // A handle from here on, so that running out of memory drops the instance.
    // SAFETY: the count that a new instance has goes to the handle.
    let instance = unsafe { super::Instance::from_raw(instance.cast()) };
    if code.is_profiled() {
        // SAFETY: nothing of it has run yet.
        unsafe { instance.parts().start_profile() }?;
    }
    Ok(instance)
}

/// The value that [`Instance::with_imports`] gave an instance: every instance is made there.
pub(super) fn surroundings(instance: &Instance) -> &Surroundings {
    let host: *const dyn Host = instance.host();
    // SAFETY: `make` is the only caller of `Instance::new` outside of tests,
    // and always passes `Surroundings`.
    unsafe { &*host.cast::<Surroundings>() }
}

/// The item that an import was bound to when its module was loaded.
fn bound_at_load<'a>(
    module: &parsed::Module,
    links: &Links,
    subs: &'a [Option<super::Instance>],
    at: usize,
) -> Import<'a> {
    let Some(import) = module.imports.get(at) else { return Import::Nothing };
    match links.bound.get(at).and_then(Option::as_ref) {
        Some(Bound::Host(func)) => Import::Host(func.header()),
        Some(Bound::Export { sub, index }) => {
            let sub = subs.get(*sub).and_then(Option::as_ref);
            sub.and_then(|sub| export(sub, import.ty, *index)).unwrap_or(Import::Nothing)
        }
        None => match import.ty {
            parsed::ExternType::Global(ty) => {
                let value = constant_global(&import.module, &import.name, ty);
                value.map_or(Import::Nothing, |slots| Import::Constant(ty, slots))
            }
            _ => Import::Nothing,
        },
    }
}

/// The item with this index in an instance, of the kind of `ty`.
fn export(instance: &super::Instance, ty: parsed::ExternType, index: u32) -> Option<Import<'_>> {
    let parts = instance.parts();
    Some(match ty {
        parsed::ExternType::Func(_) => Import::Func(parts.func(index)?),
        parsed::ExternType::Table(_) => Import::Table(parts.table(index)?),
        parsed::ExternType::Memory(_) => Import::Memory(parts.memory(index)?),
        parsed::ExternType::Global(_) => Import::Global(GlobalImport {
            storage: parts.global(index)?,
            ty: parts.global_type(index)?,
            instance: instance.ptr(),
        }),
        parsed::ExternType::Tag(_) => Import::Tag(parts.tag(index)?),
    })
}

/// Refuses items of another context or type; returns the natives, to be kept alive.
fn check_imports(module: &Module, imports: &[Option<Extern>]) -> Result<Vec<Native>> {
    let mut natives = Vec::new();
    for (import, given) in module.inner.parsed.imports.iter().zip(imports) {
        match given {
            None => {}
            Some(Extern::Native(native)) => {
                let wanted = match import.ty {
                    parsed::ExternType::Func(ty) => module.func_type(ty),
                    _ => None,
                };
                if wanted.and_then(FuncType::of_host).as_deref() != Some(native.ty()) {
                    return Err(Error::instantiate("incompatible import type"));
                }
                natives.push(native.clone());
            }
            Some(given) if given.context().as_ref() != Some(module.context()) => {
                return Err(Error::misuse("an import belongs to another runtime"));
            }
            Some(_) => {}
        }
    }
    Ok(natives)
}

/// The state of WASI's functions, for modules that import them.
#[cfg(feature = "wasi")]
fn default_host_state(module: &parsed::Module) -> Result<Option<Box<dyn Any + Send + Sync>>> {
    if !module.imports_wasi() {
        return Ok(None);
    }
    let ctx = crate::wasi::WasiCtx::new(&crate::wasi::WasiArgs::default())?;
    Ok(Some(Box::new(ctx)))
}

#[cfg(not(feature = "wasi"))]
fn default_host_state(_: &parsed::Module) -> Result<Option<Box<dyn Any + Send + Sync>>> {
    Ok(None)
}
