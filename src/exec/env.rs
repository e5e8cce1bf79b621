//! Exec_envs: a guest stack with the state of the code that runs on it.

use super::Trace;
use super::limits::{CallCounts, Limits};
use crate::abi::vm_layout::{VmEnv, VmGlobal, VmInstance, VmLocalRefs, VmThrown};
use crate::alloc::Heap;
use crate::instance::{EnvLink, Instance, link_set};
use crate::platform::barrier;
use crate::sync::{self, Epoch, Interrupt, Parker};
use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::num::NonZeroU32;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Bytes of guest stack by default.
const STACK_BYTES_DEFAULT: u32 = 16 << 10;

/// Bytes of a stack, as WAMR counts them, that one slot stands for.
const BYTES_PER_SLOT: u32 = 4;

/// Whether an exec_env keeps its instance alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnvKind {
    /// Made by the embedder: holds a handle to its instance's link set.
    Counted,
    /// The instance's own: goes with it.
    Singleton,
    /// Made for another thread of a program: holds a handle to its instance, which is its own.
    Spawned,
}

/// An exec_env's parameters besides its instance.
#[derive(Clone, Copy)]
pub struct EnvSetup {
    /// Bytes of guest stack, as WAMR counts them; 0 for the default.
    pub stack_bytes: u32,
    /// A pointer of the maker's own, which outlives the exec_env.
    pub owner: *const c_void,
    /// The limits that it shares with others, or null; they outlive the exec_env.
    pub limits: *const Limits,
}

/// A guest stack. Owner: its maker, or its instance.
///
/// Its slots follow it in the same block.
#[repr(C)]
pub struct ExecEnv {
    /// First, so that running code's pointers lead here.
    vm: VmEnv,
    /// The instance it was made for; `vm.instance` is the one it acts on.
    home: NonNull<Instance>,
    owner: *const c_void,
    link: EnvLink,
    kind: EnvKind,
    /// When it was made.
    epoch: Epoch,
    user_data: Cell<usize>,
    /// The lowest address for native frames that the embedder has set; 0 for none.
    boundary: Cell<usize>,
    trace: RefCell<Trace>,
    /// Calls that have begun and not ended. Only the thread that makes them writes this.
    pub(super) active_calls: AtomicU32,
    /// Version of the limits that calls need not look at again.
    pub(super) seen: Cell<u32>,
    /// Version of the limits that the budget was drawn under; 0 if it was not.
    pub(super) drawn: Cell<u32>,
    /// Written by the thread that uses the exec_env, read by others.
    calls: AtomicU64,
    traps: AtomicU64,
}

impl ExecEnv {
    /// Makes an exec_env; `None` if memory runs out or the stack is absurdly large.
    ///
    /// # Safety
    /// The instance is live; for [`EnvKind::Singleton`], it stays so until the exec_env is freed.
    pub unsafe fn new(
        home: NonNull<Instance>,
        kind: EnvKind,
        setup: EnvSetup,
    ) -> Option<NonNull<Self>> {
        let asked = NonZeroU32::new(setup.stack_bytes);
        let bytes = asked.map_or(STACK_BYTES_DEFAULT, NonZeroU32::get);
        let head = size_of::<Self>();
        // WAMR counts stack and administration together in 32 bits.
        bytes.checked_add(head as u32)?;
        let slots = (bytes / BYTES_PER_SLOT) as usize;
        // Compiled code names a function that it calls in the first slot of that frame, which
        // may turn out to begin at the end.
        let size = head + (slots + 1) * size_of::<u64>();
        // SAFETY: the caller vouches for the instance.
        let instance = unsafe { home.as_ref() };
        let block = NonNull::new(instance.heap().alloc(size, 16))?;
        let first = block.as_ptr().wrapping_add(head).cast::<u64>();
        let vm = VmEnv {
            instance: instance.vm(),
            globals: globals_of(instance.vm()),
            stack_top: first,
            stack_limit: first.wrapping_add(slots),
            budget: 0,
            fuel: i64::MAX,
            native_stack_limit: 0,
            terminate: AtomicU32::new(0),
            reserved: 0,
            attachment: ptr::null_mut(),
            activation: ptr::null_mut(),
            owner: block.as_ptr().cast(),
            limits: setup.limits.cast(),
            exception: VmThrown::NONE,
            catch_ip: ptr::null(),
            catch_sp: ptr::null_mut(),
            unwinding: ptr::null_mut(),
            tail_call: ptr::null(),
            next_code: ptr::null(),
            local_refs: VmLocalRefs::EMPTY,
            host_params: ptr::null(),
            scratch: [0; 2],
        };
        let at = block.cast::<Self>();
        // SAFETY: the block is large enough and nobody has seen it yet; a counted exec_env
        // takes the handle that it will give up in `free`.
        unsafe {
            at.write(Self {
                vm,
                home,
                owner: setup.owner,
                link: EnvLink::new(),
                kind,
                epoch: Epoch::now(),
                user_data: Cell::new(0),
                boundary: Cell::new(0),
                trace: RefCell::default(),
                active_calls: AtomicU32::new(0),
                seen: Cell::new(0),
                drawn: Cell::new(0),
                calls: AtomicU64::new(0),
                traps: AtomicU64::new(0),
            });
            if kind != EnvKind::Singleton {
                link_set::retain(home);
            }
            instance.envs.add(&raw mut (*at.as_ptr()).link, &raw const (*at.as_ptr()).vm);
        }
        Some(at)
    }

    /// Frees an exec_env, and with a counted one's handle maybe its instance. One that is in a
    /// call, on any thread, is not freed: it stays, with the handle that it holds, and this returns
    /// false.
    ///
    /// # Safety
    /// `at` comes from [`ExecEnv::new`] and is not used afterwards.
    pub unsafe fn free(at: NonNull<Self>) -> bool {
        // SAFETY: the caller guarantees that the exec_env comes from `new`; no thread is in a call
        // on it, so its block and its handle are ours to give up.
        unsafe {
            if Self::must_stay(at) {
                return false;
            }
            let (home, kind) = (at.as_ref().home, at.as_ref().kind);
            home.as_ref().envs.remove(&raw mut (*at.as_ptr()).link);
            let counts = at.as_ref().counts();
            if let Some(limits) = at.as_ref().limits() {
                limits.keep(counts);
            }
            ptr::drop_in_place(at.as_ptr());
            Heap::free(at.as_ptr().cast());
            if kind != EnvKind::Singleton {
                link_set::release(home);
            }
            true
        }
    }

    /// The instance's own exec_env, made now if it has none; `None` if memory runs out.
    ///
    /// # Safety
    /// The instance is live.
    pub unsafe fn singleton(instance: NonNull<Instance>, setup: EnvSetup) -> Option<NonNull<Self>> {
        unsafe fn free(env: NonNull<c_void>) {
            // SAFETY: the instance only frees the exec_env of `set_singleton`.
            unsafe { ExecEnv::free(env.cast()) };
        }
        // SAFETY: the caller guarantees that the instance is live; after a lost race no other
        // thread has seen the exec_env that is freed.
        unsafe {
            if let Some(env) = NonNull::new(instance.as_ref().singleton()) {
                return Some(env.cast());
            }
            let env = Self::new(instance, EnvKind::Singleton, setup)?;
            if instance.as_ref().set_singleton(env.cast(), free) {
                return Some(env);
            }
            Self::free(env);
            NonNull::new(instance.as_ref().singleton()).map(NonNull::cast)
        }
    }

    /// Running code's view of an exec_env.
    #[inline]
    pub fn vm(at: NonNull<Self>) -> *mut VmEnv {
        // The view is the first field.
        at.as_ptr().cast()
    }

    /// The parker on which its thread sleeps while it waits for other threads.
    pub(super) fn parker(&self) -> &Parker {
        self.link.parker()
    }

    /// The interrupt that wakes its thread while it waits for the system.
    pub(super) fn interrupt(&self) -> &Interrupt {
        self.link.interrupt()
    }

    /// Whether running code's view belongs to an exec_env that is in a call.
    ///
    /// # Safety
    /// It is a live exec_env's, which no other thread runs.
    pub unsafe fn is_in_call(vm: *const VmEnv) -> bool {
        // SAFETY: the owner of an exec_env's view is the exec_env; both are live.
        unsafe { (*(*vm).owner.cast::<Self>()).is_running() }
    }

    /// Whether a host function that was called from here has not returned.
    pub(super) fn is_running(&self) -> bool {
        let first = ptr::from_ref(self).addr() + size_of::<Self>();
        self.vm.stack_top.addr() != first
    }

    /// Whether a call has begun on any thread and not ended, which is logged.
    ///
    /// # Safety
    /// `at` is live.
    pub unsafe fn must_stay(at: NonNull<Self>) -> bool {
        // SAFETY: the caller guarantees that the exec_env is live, and so is the home that it
        // holds.
        unsafe {
            let env = at.as_ref();
            if link_set::Use::begin(env.home).is_none() && sync::has_barrier() {
                // A call that the other thread has begun is visible behind this. Without the
                // barrier it has passed a locked instruction on its way in.
                barrier::heavy();
            }
            let must_stay = env.active_calls.load(Ordering::Acquire) != 0;
            if must_stay {
                log::error!("an exec_env cannot be destroyed while it runs");
            }
            must_stay
        }
    }

    /// Whether running code was asked to stop.
    pub fn is_terminated(&self) -> bool {
        self.vm.terminate.load(Ordering::Relaxed) != 0
    }

    /// Ends stale calls: those on an exec_env of an earlier epoch, by another native stack than
    /// this one, which ends at `stack_low`.
    ///
    /// # Safety
    /// `at` is live, and no thread of this process uses it.
    pub unsafe fn end_stale_calls(at: NonNull<Self>, stack_low: usize) {
        // SAFETY: the caller guarantees that the exec_env is live and that no thread uses it, so
        // its fields may change.
        unsafe {
            let env = at.as_ref();
            let are_stale = env.epoch.is_stale()
                && env.vm.native_stack_limit != env.native_limit(stack_low)
                && env.active_calls.load(Ordering::Relaxed) != 0;
            if are_stale {
                let first = at.as_ptr().cast::<u8>().wrapping_add(size_of::<Self>());
                (*at.as_ptr()).vm.stack_top = first.cast();
                env.active_calls.store(0, Ordering::Relaxed);
            }
        }
    }

    /// Bytes of an exec_env but for its stack.
    pub fn head_bytes(&self) -> u64 {
        size_of::<Self>() as u64
    }

    /// Bytes of its stack.
    pub fn stack_bytes(&self) -> u64 {
        let first = ptr::from_ref(self).addr() + size_of::<Self>();
        self.vm.stack_limit.addr().saturating_sub(first) as u64
    }

    /// The parameters for another exec_env like this one.
    pub fn setup(&self) -> EnvSetup {
        let slots = self.stack_bytes() / size_of::<u64>() as u64;
        EnvSetup {
            stack_bytes: slots as u32 * BYTES_PER_SLOT,
            owner: self.owner,
            limits: self.vm.limits.cast(),
        }
    }

    /// Sets the fuel to the instructions that may still run in `parent`.
    ///
    /// # Safety
    /// Both are live and used by this thread.
    pub unsafe fn inherit_fuel(at: NonNull<Self>, parent: NonNull<Self>) {
        // SAFETY: the caller guarantees that both are live and this thread's.
        unsafe { Self::set_fuel(at, Self::fuel_left(Self::vm(parent))) }
    }

    /// How many instructions may still run in the exec_env with this view; `None` for any number.
    ///
    /// # Safety
    /// It is live and used by this thread.
    pub unsafe fn fuel_left(vm: *const VmEnv) -> Option<u64> {
        // SAFETY: the caller guarantees that the environment is live and this thread's.
        let (fuel, budget) = unsafe { ((*vm).fuel, (*vm).budget) };
        (fuel != i64::MAX).then(|| fuel.saturating_add(budget.max(0)).max(0) as u64)
    }

    /// Counts `count` instructions as run here that another exec_env has run.
    ///
    /// # Safety
    /// `at` is live and used by this thread.
    pub unsafe fn spend_fuel(at: NonNull<Self>, count: u64) {
        let vm = Self::vm(at);
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        // SAFETY: the caller guarantees that the exec_env is live and this thread's.
        unsafe {
            if (*vm).fuel != i64::MAX {
                let of_fuel = count.min((*vm).fuel.max(0));
                (*vm).fuel -= of_fuel;
                (*vm).budget = (*vm).budget.saturating_sub(count - of_fuel);
            }
        }
    }

    /// The instance the exec_env was made for.
    pub fn home(&self) -> NonNull<Instance> {
        self.home
    }

    pub fn kind(&self) -> EnvKind {
        self.kind
    }

    pub fn owner(&self) -> *const c_void {
        self.owner
    }

    /// The limits that the exec_env shares with others.
    #[inline]
    pub(super) fn limits(&self) -> Option<&Limits> {
        // SAFETY: null or live, as `EnvSetup` asks for.
        unsafe { self.vm.limits.cast::<Limits>().as_ref() }
    }

    /// Whether the limits are to be looked at before a call.
    #[inline]
    pub(super) fn must_check_limits(&self) -> bool {
        self.limits().is_some_and(|limits| limits.version() != self.seen.get())
    }

    /// Counts a call. Nobody else writes the counter, so this needs no locked instruction.
    #[inline]
    pub(super) fn count_call(&self) {
        self.calls.store(self.calls.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    /// Counts a call that ended in an exception.
    #[cold]
    pub(super) fn count_trap(&self) {
        self.traps.store(self.traps.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    fn counts(&self) -> CallCounts {
        let (calls, traps) = (&self.calls, &self.traps);
        CallCounts { calls: calls.load(Ordering::Relaxed), traps: traps.load(Ordering::Relaxed) }
    }

    /// What the exec_envs of an instance have counted. Any thread may ask.
    pub fn counts_of(instance: &Instance) -> CallCounts {
        let mut sum = CallCounts::default();
        instance.envs.for_each(|vm| {
            // SAFETY: listed exec_envs are live while the list is locked, and each is the owner of
            // its environment; the counters are atomics, read without a reference to the rest.
            let (calls, traps) = unsafe {
                let at = vm.cast::<Self>();
                (&(*at).calls, &(*at).traps)
            };
            sum += CallCounts {
                calls: calls.load(Ordering::Relaxed),
                traps: traps.load(Ordering::Relaxed),
            };
        });
        sum
    }

    /// The instance that calls run on and natives act on.
    pub fn instance(&self) -> NonNull<Instance> {
        NonNull::new(self.vm.instance.cast()).unwrap_or(self.home)
    }

    pub fn user_data(&self) -> usize {
        self.user_data.get()
    }

    pub fn set_user_data(&self, word: usize) {
        self.user_data.set(word);
    }

    /// The attachment of the native that is running, else null.
    pub fn attachment(&self) -> *mut c_void {
        self.vm.attachment
    }

    /// Native frames may not go below this address any more, on any thread; 0 to undo. No margin is
    /// added: the embedder's address has to leave room for guest code's needs.
    pub fn set_boundary(&self, boundary: usize) {
        self.boundary.set(boundary);
    }

    /// The lowest address for native frames that call guest code, on a native stack that ends at
    /// `stack_low`; 0 if that is not known.
    #[inline]
    pub fn native_limit(&self, stack_low: usize) -> usize {
        match self.boundary.get() {
            0 => stack_low.saturating_add(super::NATIVE_STACK_MARGIN),
            boundary => boundary,
        }
    }

    /// As [`ExecEnv::native_limit`] for native frames that need `bytes` and call no guest code.
    pub fn native_limit_for(&self, stack_low: usize, bytes: usize) -> usize {
        let low = match self.boundary.get() {
            0 => stack_low,
            boundary => boundary,
        };
        low.saturating_add(bytes)
    }

    /// The call stack of the last trap. `act` must not use the exec_env by other ways.
    ///
    /// # Safety
    /// `at` is live and used by this thread.
    pub unsafe fn with_trace<R: Default>(
        at: NonNull<Self>,
        act: impl FnOnce(&mut Trace) -> R,
    ) -> R {
        // SAFETY: the caller guarantees that the exec_env is live.
        let trace = unsafe { &(*at.as_ptr()).trace };
        trace.try_borrow_mut().map_or_else(|_| R::default(), |mut trace| act(&mut trace))
    }

    /// Lets natives act on another instance.
    ///
    /// # Safety
    /// Both are live, and so is the instance for as long as it is set.
    pub unsafe fn set_instance(at: NonNull<Self>, instance: NonNull<Instance>) {
        // SAFETY: the caller guarantees that both are live; running code that has called a host
        // function reads the fields again when that returns.
        unsafe {
            let vm = &raw mut (*at.as_ptr()).vm;
            (*vm).instance = instance.as_ref().vm();
            (*vm).globals = globals_of((*vm).instance);
        }
    }

    /// Sets how many instructions may run from now on; `None` for no limit.
    ///
    /// # Safety
    /// `at` is live and used by this thread.
    pub unsafe fn set_fuel(at: NonNull<Self>, limit: Option<u64>) {
        // SAFETY: the caller guarantees that the exec_env is live and this thread's.
        unsafe {
            super::limits::give_back(at);
            (*Self::vm(at)).budget = 0;
            let vm = &raw mut (*at.as_ptr()).vm;
            (*vm).fuel = limit.map_or(i64::MAX, |limit| limit.min(i64::MAX as u64 - 1) as i64);
        }
    }
}

fn globals_of(instance: *const VmInstance) -> *mut VmGlobal {
    // SAFETY: exec_envs are given live instances only.
    unsafe { (*instance).globals }
}
