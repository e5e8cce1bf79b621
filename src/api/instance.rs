//! Instances: a module's state, its exports, and the host's data for it.

use super::link::{self, Surroundings, surroundings};
use super::module::Module;
use super::sub_instances::{SubHostState, Tree};
use super::{Context, Error, ErrorKind, Extern, Func, Memory, RawExecEnv, Result, engines};
use super::{Global, GuestTypes, Table, Trap, TypedFunc};
use crate::abi::error::{bounded, shown};
use crate::abi::vm_layout::VmFuncRef;
use crate::context::RunningMode;
use crate::exec::ExecEnv as Env;
use crate::instance::{self as parts, link_set};
use crate::module::ExternKind;
use std::any::Any;
use std::ffi::c_char;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::atomic::Ordering;

/// The target of an [`Instance`], for code that keeps bare pointers.
#[repr(C)]
pub struct RawInstance {
    _opaque: [u8; 0],
}

/// How an instance is made.
#[derive(Default)]
pub struct InstanceArgs {
    /// Bytes of guest stack for the instance's own exec_env and those of its threads; 0 for the
    /// default of 16 KiB.
    pub stack_size: u32,
    /// Bytes of the heap that [`Instance::malloc`] serves from, inside linear memory. Ignored
    /// when the module exports `malloc` and `free`.
    pub heap_size: u32,
    /// Lowers the maximum that each of the memories declares, in pages of 64 KiB whatever theirs
    /// are; 0 for no limit beyond theirs.
    pub max_memory_pages: u32,
    /// First value of [`Instance::custom_data`].
    pub custom_data: usize,
    /// First value of [`Instance::host_state`]. WASI's functions look for a `WasiCtx` there; a
    /// module that imports them gets one with nothing in it if this is `None`.
    pub host_state: Option<Box<dyn Any + Send + Sync>>,
    /// The same for the instances of modules that the module imports from, which have everything
    /// else like the instance itself.
    pub sub_host_state: Option<Rc<SubHostState>>,
}

/// A counted handle to an instance.
///
/// ```
/// use isothread::{Context, ExecEnv, Instance, InstanceArgs, Module, Val};
///
/// let context = Context::new()?;
/// let wasm = wat::parse_str(
///     "(module (func (export \"add\") (param i32 i32) (result i32)
///        (i32.add (local.get 0) (local.get 1))))",
/// )
/// .unwrap();
/// let module = Module::new(&context, &wasm)?;
/// let instance = Instance::new(&module, InstanceArgs::default())?;
/// let mut env = ExecEnv::new(&instance, 0)?;
///
/// let add = instance.typed_func::<(i32, i32), i32>("add")?;
/// assert_eq!(add.call(&mut env, (2, 3))?, 5);
///
/// let add = instance.get_func("add").expect("exported");
/// let mut results = [Val::I32(0)];
/// add.call(&mut env, &[Val::I32(40), Val::I32(2)], &mut results)?;
/// assert!(matches!(results, [Val::I32(42)]));
/// # Ok::<(), isothread::Error>(())
/// ```
#[repr(transparent)]
pub struct Instance {
    ptr: NonNull<parts::Instance>,
    not_send: PhantomData<*mut ()>,
}

/// A link set of instances on its way to another thread.
pub struct Detached(ManuallyDrop<Instance>);

// SAFETY: `Instance::detach` makes one only from the last handle into a link set, so nothing of the
// link set is reachable from the thread it leaves.
unsafe impl Send for Detached {}

impl Detached {
    /// Binds the link set to the calling thread.
    pub fn attach(mut self) -> Instance {
        // SAFETY: taken once; `self` is not dropped.
        let instance = unsafe { ManuallyDrop::take(&mut self.0) };
        std::mem::forget(self);
        instance
    }
}

impl Drop for Detached {
    fn drop(&mut self) {
        // SAFETY: dropped once, and only if `attach` was not called.
        unsafe { ManuallyDrop::drop(&mut self.0) }
    }
}

/// Stops an instance's running code, from any thread. It keeps the instance's link set alive.
pub struct Terminator(ManuallyDrop<Instance>);

// SAFETY: its only operations are terminating, cloning and dropping, which lock the state they
// touch. A link set's contents may be dropped on any thread.
unsafe impl Send for Terminator {}
// SAFETY: terminating, cloning and dropping lock what they touch, on any thread.
unsafe impl Sync for Terminator {}

impl Clone for Terminator {
    fn clone(&self) -> Self {
        Self::new(&self.0)
    }
}

impl Drop for Terminator {
    fn drop(&mut self) {
        // SAFETY: dropped once; the handle is passive until here.
        unsafe {
            link_set::activate(self.0.ptr);
            ManuallyDrop::drop(&mut self.0);
        }
    }
}

impl Terminator {
    fn new(instance: &Instance) -> Self {
        let ptr = instance.ptr;
        // SAFETY: the instance's handle keeps the link set alive.
        unsafe { link_set::retain_passive(ptr) };
        Self(ManuallyDrop::new(Instance { ptr, not_send: PhantomData }))
    }

    /// Makes running code stop with "terminated by user" at its next loop or call. Calls fail
    /// until [`Instance::clear_exception`].
    pub fn terminate(&self) {
        self.0.terminate();
    }
}

impl Clone for Instance {
    fn clone(&self) -> Self {
        // SAFETY: this handle keeps the link set alive.
        unsafe { Self::retained(self.ptr) }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let context = self.context();
        // SAFETY: the handle's own count, not used again.
        context.run(|| unsafe { link_set::release(self.ptr) });
    }
}

impl Instance {
    /// Instantiates `module` with the bindings of its load, and runs its start function and the
    /// other functions that a module expects to run first.
    pub fn new(module: &Module, args: InstanceArgs) -> Result<Self> {
        Self::with_imports(module, args, &[])
    }

    /// As [`Instance::new`]; `imports` are the module's imports in binary order. `None`, or a list
    /// that is too short, stands for the bindings of the load. Modules that were bound then are
    /// instantiated together with this one, each once even if several import from it.
    ///
    /// Instances that are linked to each other form one link set, which lives until the last handle
    /// to any of them goes.
    pub fn with_imports(
        module: &Module,
        args: InstanceArgs,
        imports: &[Option<Extern>],
    ) -> Result<Self> {
        Self::in_tree(module, args, imports, &mut Tree::new(module.context()))
    }

    pub(super) fn in_tree(
        module: &Module,
        args: InstanceArgs,
        imports: &[Option<Extern>],
        tree: &mut Tree,
    ) -> Result<Self> {
        let context = module.context();
        let links = module.links();
        let subs = tree.instantiate(module, &links, &args, imports)?;
        let instance = context.guarded(|| link::make(module, links, args, imports, &subs))??;
        if tree.is_stopped(context) {
            instance.terminate();
        }
        instance.run_entry_points()?;
        Ok(instance)
    }

    /// The instance itself.
    pub(super) fn parts(&self) -> &parts::Instance {
        // SAFETY: the handle keeps the instance alive.
        unsafe { self.ptr.as_ref() }
    }

    pub(super) fn ptr(&self) -> NonNull<parts::Instance> {
        self.ptr
    }

    /// One more handle to an instance.
    ///
    /// # Safety
    /// Its link set is live.
    pub(super) unsafe fn retained(ptr: NonNull<parts::Instance>) -> Self {
        // SAFETY: the caller guarantees that the instance's link set is live.
        unsafe { link_set::retain(ptr) };
        Self { ptr, not_send: PhantomData }
    }

    /// The handles that keep the instance's surroundings alive.
    pub(super) fn surroundings(&self) -> &Surroundings {
        surroundings(self.parts())
    }

    /// The context, borrowed from the instance.
    pub(super) fn context_ref(&self) -> &Context {
        self.surroundings().held.context()
    }

    /// How the instance's code runs.
    pub fn running_mode(&self) -> RunningMode {
        let mode = self.surroundings().running_mode.load(Ordering::Relaxed);
        RunningMode::from_raw(mode).unwrap_or_default()
    }

    /// Chooses how the instance's code runs from now on; its threads' instances follow when they
    /// are made. An error, with nothing changed, if this build does not have the mode, if a call of
    /// the instance or of one that it is linked to is under way, or if memory runs out.
    pub fn set_running_mode(&self, mode: RunningMode) -> Result<()> {
        if !mode.is_supported() {
            return Err(Error::new(ErrorKind::Misuse, "this build does not have the running mode"));
        }
        if self.is_in_use() {
            let text = "the running mode of an instance cannot change while it runs";
            return Err(Error::new(ErrorKind::Misuse, text));
        }
        let (context, surroundings) = (self.context_ref(), self.surroundings());
        let module = &surroundings.module;
        let module = (&module.parsed, &module.codes);
        let (mode, code) = context.guarded(|| engines::code_for(context, module, mode))??;
        let code = code.table();
        // SAFETY: the handle keeps the link set alive; nothing runs in it, and its handles stay on
        // this thread. The module keeps the code.
        unsafe { parts::switch_code(self.ptr, code) };
        surroundings.running_mode.store(mode as u32, Ordering::Relaxed);
        Ok(())
    }

    /// Whether a call of the instance, or of one that it is linked to, is under way on any thread.
    pub fn is_in_use(&self) -> bool {
        // SAFETY: the handle keeps the link set alive.
        unsafe { link_set::is_in_use(self.ptr) }
    }

    /// Calls `each` with the other instances of its link set: those of modules that it imports
    /// from, and others that it was linked with.
    pub fn for_each_linked(&self, each: &mut dyn FnMut(&Self)) {
        let each = &mut |member: NonNull<parts::Instance>| {
            if member != self.ptr {
                // SAFETY: `self` keeps the link set and so its members; no count is taken.
                let member = ManuallyDrop::new(unsafe { Self::from_raw(member.cast()) });
                each(&member);
            }
        };
        // SAFETY: `self` keeps the link set alive; handles belong to the thread that uses the link
        // set.
        unsafe { link_set::for_each(self.ptr, each) };
    }

    pub fn module(&self) -> Module {
        Module { inner: self.surroundings().module.clone() }
    }

    pub fn context(&self) -> Context {
        self.context_ref().clone()
    }

    pub fn get_export(&self, name: &str) -> Option<Extern> {
        let export = self.parts().module().export(name)?;
        self.extern_at(export.kind, export.index)
    }

    /// The export at this place in binary order.
    pub fn export(&self, index: usize) -> Option<Extern> {
        let export = self.parts().module().exports.get(index)?;
        self.extern_at(export.kind, export.index)
    }

    fn extern_at(&self, kind: ExternKind, index: u32) -> Option<Extern> {
        Some(match kind {
            ExternKind::Func => Extern::Func(self.func(index)?),
            ExternKind::Table => Extern::Table(self.table(index)?),
            ExternKind::Memory => Extern::Memory(self.memory(index)?),
            ExternKind::Global => Extern::Global(self.global(index)?),
            ExternKind::Tag => Extern::Tag(self.tag(index)?),
        })
    }

    pub fn get_func(&self, name: &str) -> Option<Func> {
        self.func(self.parts().exported(name, ExternKind::Func)?)
    }

    pub fn get_memory(&self, name: &str) -> Option<Memory> {
        self.memory(self.parts().exported(name, ExternKind::Memory)?)
    }

    pub fn get_table(&self, name: &str) -> Option<Table> {
        self.table(self.parts().exported(name, ExternKind::Table)?)
    }

    pub fn get_global(&self, name: &str) -> Option<Global> {
        self.global(self.parts().exported(name, ExternKind::Global)?)
    }

    /// The function with this index, if it is imported, exported, or referred to.
    pub fn func(&self, index: u32) -> Option<Func> {
        let func = self.parts().func(index)?;
        // SAFETY: the function is of this instance's link set.
        Some(unsafe { Func::retained(func) })
    }

    /// The memory with this index, exported or not.
    pub fn memory(&self, index: u32) -> Option<Memory> {
        // SAFETY: the memory is of this instance's link set.
        self.parts().memory(index).map(|memory| unsafe { Memory::retained(memory.into()) })
    }

    /// The table with this index, exported or not.
    pub fn table(&self, index: u32) -> Option<Table> {
        // SAFETY: the table is of this instance's link set.
        self.parts().table(index).map(|table| unsafe { Table::retained(table.into()) })
    }

    /// The global with this index, exported or not.
    pub fn global(&self, index: u32) -> Option<Global> {
        let storage = self.parts().global(index)?;
        let ty = self.parts().global_type(index)?;
        Some(Global::new(storage, ty, self.clone()))
    }

    /// An exported function with its type checked once.
    pub fn typed_func<P: GuestTypes, R: GuestTypes>(&self, name: &str) -> Result<TypedFunc<P, R>> {
        let missing = || Error::misuse(bounded(format_args!("lookup function {name} failed")));
        self.get_func(name).ok_or_else(missing)?.typed()
    }

    /// The instance's own exec_env, made at first use and gone with the instance. To use it, wrap
    /// the result of [`ExecEnv::from_raw`](super::ExecEnv::from_raw) in `ManuallyDrop`.
    pub fn singleton_exec_env(&self) -> Result<NonNull<RawExecEnv>> {
        let setup = self.env_setup(self.parts().limits().stack_bytes);
        // SAFETY: the instance is live.
        let env = self.context_ref().run(|| unsafe { Env::singleton(self.ptr, setup) });
        env.map(NonNull::cast).ok_or_else(Error::out_of_memory)
    }

    /// Frees the instance's own exec_env, if there is one.
    ///
    /// # Safety
    /// It is not running, and nobody uses its address any more.
    pub unsafe fn drop_singleton_exec_env(&self) {
        self.context_ref().run(|| self.parts().drop_singleton());
    }

    /// The pending exception's text, "Exception: " and all. It stays, and makes calls fail,
    /// until it is cleared.
    pub fn exception(&self) -> Option<String> {
        let (text, len) = self.parts().exception()?;
        Some(shown(&text[..len]))
    }

    /// The pending exception's text as C reads it, or null. It lies in the instance.
    pub fn exception_ptr(&self) -> *const c_char {
        self.parts().exception_ptr()
    }

    /// Sets the exception to "Exception: " and `text`, cut to 127 bytes.
    pub fn set_exception(&self, text: &[u8]) {
        self.parts().set_exception(text);
    }

    pub fn clear_exception(&self) {
        self.parts().clear_exception();
    }

    /// A handle that stops the instance's running code from any thread.
    pub fn terminator(&self) -> Terminator {
        Terminator::new(self)
    }

    /// As [`Terminator::terminate`].
    pub fn terminate(&self) {
        self.parts().terminate();
    }

    /// A word for the host.
    pub fn custom_data(&self) -> usize {
        self.parts().custom_data()
    }

    pub fn set_custom_data(&self, word: usize) {
        self.parts().set_custom_data(word);
    }

    /// The host's state, if it is of this type.
    pub fn host_state<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.parts().host_state()?.downcast_ref()
    }

    /// One of eight words that the host numbers as it likes; 0 beyond them.
    pub fn slot(&self, index: usize) -> usize {
        self.parts().slot(index).map_or(0, |slot| slot.load(Ordering::Relaxed))
    }

    pub fn set_slot(&self, index: usize, word: usize) {
        if let Some(slot) = self.parts().slot(index) {
            slot.store(word, Ordering::Relaxed);
        }
    }

    /// The code that the guest gave to WASI's `proc_exit`, 0 before that.
    pub fn exit_code(&self) -> u32 {
        self.parts().exit_code()
    }

    /// Moves the link set to another thread, if this is the only handle into it. Exec_envs and
    /// exports are handles too; [`Terminator`]s do not matter.
    ///
    /// ```
    /// # use isothread::{Context, Instance, InstanceArgs, Module};
    /// # let context = Context::new()?;
    /// # let module = Module::new(&context, b"\0asm\x01\0\0\0")?;
    /// let instance = Instance::new(&module, InstanceArgs::default())?;
    /// let second = instance.clone();
    /// let terminator = instance.terminator();
    /// let instance = instance.detach().err().expect("there is a second handle");
    /// drop(second);
    /// let detached = instance.detach().ok().expect("the only handle");
    /// std::thread::spawn(move || drop(detached.attach())).join().unwrap();
    /// # Ok::<(), isothread::Error>(())
    /// ```
    pub fn detach(self) -> Result<Detached, Self> {
        // SAFETY: this handle keeps the link set alive.
        if unsafe { link_set::is_sole_handle(self.ptr) } {
            Ok(Detached(ManuallyDrop::new(self)))
        } else {
            Err(self)
        }
    }

    /// The instance's address, without a count.
    pub fn as_raw(&self) -> NonNull<RawInstance> {
        self.ptr.cast()
    }

    /// Gives up the handle without its count.
    pub fn into_raw(self) -> NonNull<RawInstance> {
        ManuallyDrop::new(self).ptr.cast()
    }

    /// Takes the handle back.
    ///
    /// # Safety
    /// `ptr` comes from [`Instance::into_raw`] and its count was not taken back before. To
    /// borrow instead, wrap the result in `ManuallyDrop`; that works for the address of any
    /// instance whose link set lives.
    pub unsafe fn from_raw(ptr: NonNull<RawInstance>) -> Self {
        Self { ptr: ptr.cast(), not_send: PhantomData }
    }
}

/// The trap behind a failed call, with the text that the exception has.
pub(super) fn call_error(instance: &parts::Instance, trap: Trap) -> Error {
    if trap == Trap::InUse {
        // Its exception is the other thread's.
        return Error::misuse(trap.text());
    }
    let text = instance
        .exception()
        .map(|(text, len)| shown(text[..len].strip_prefix(b"Exception: ").unwrap_or(&text[..len])));
    call_text(text, trap)
}

fn call_text(text: Option<String>, trap: Trap) -> Error {
    text.map_or_else(|| trap.into(), |text| Error::new(ErrorKind::Trap(trap), text))
}

/// The instance that a function runs on.
pub(super) fn instance_of(func: NonNull<VmFuncRef>) -> NonNull<parts::Instance> {
    // SAFETY: a function's link set is live while its address is in use, and its instance is never
    // null.
    unsafe { NonNull::new_unchecked(func.as_ref().instance.cast()) }
}
