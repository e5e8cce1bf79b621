//! Host functions, as guests call them. Numbers and vectors go between the guest's stack and the
//! embedder's values directly, and a call with up to 64 of them, 16 of them vectors, allocates
//! nothing.

use super::handles::wasm_trap_t;
use super::memory_block::{Block, Counted};
use super::object::{HostInfo, RefBody, RefObject};
use super::store::ObjectStore;
use super::trap;
use super::types::wasm_val_vec_t;
use super::value::{self, kind_of};
use crate::shared::{wasm_val_t, wasm_valkind_t};
use isothread::{Caller, FuncType, Native, Result, Trap, Val, outside, try_filled, try_vec};
use std::ffi::c_void;
use std::ptr::{NonNull, null_mut};

/// What a guest gets if a host function returns something else than a trap.
pub(super) const NO_TRAP: &str = "native function throw unknown exception";

/// The embedder's function.
#[derive(Clone, Copy)]
pub(super) enum Callback {
    Plain(
        unsafe extern "C-unwind" fn(*const wasm_val_vec_t, *mut wasm_val_vec_t) -> *mut wasm_trap_t,
    ),
    WithEnv(
        unsafe extern "C-unwind" fn(
            *mut c_void,
            *const wasm_val_vec_t,
            *mut wasm_val_vec_t,
        ) -> *mut wasm_trap_t,
    ),
}

/// The data of a host function. Owner: the runtime's function, which lives while an object or an
/// instance refers to it.
pub(super) struct HostCode {
    callback: Callback,
    /// The environment and its finalizer.
    env: HostInfo,
    ty: FuncType,
    /// Those of the parameters, and behind them those of the results.
    kinds: Box<[wasm_valkind_t]>,
    /// How many of all are vectors.
    vectors: usize,
    store: Counted<ObjectStore>,
}

// SAFETY: the function and the environment are the embedder's, which by the contract of the header
// uses a store, and so what is in it, on one thread at a time. The store's count is atomic, and the
// rest is plain data.
unsafe impl Send for HostCode {}
// SAFETY: as for `Send`; nothing changes through a shared reference.
unsafe impl Sync for HostCode {}

impl HostCode {
    pub(super) fn new(
        callback: Callback,
        env: HostInfo,
        ty: FuncType,
        store: Counted<ObjectStore>,
    ) -> Result<Self> {
        let mut kinds = try_vec(ty.params().len() + ty.results().len())?;
        kinds.extend(ty.params().iter().chain(ty.results()).map(|ty| kind_of(*ty)));
        let kinds = kinds.into_boxed_slice();
        let vectors = kinds.iter().filter(|kind| value::is_vector(**kind)).count();
        Ok(Self { callback, env, ty, kinds, vectors, store })
    }

    /// The kinds of the parameters, and of the results.
    #[inline]
    fn kinds(&self) -> (&[wasm_valkind_t], &[wasm_valkind_t]) {
        self.kinds.split_at(self.ty.params().len())
    }

    /// The runtime's function.
    pub(super) fn native(self) -> Option<Native> {
        let ty = self.ty.clone();
        if ty.is_numeric() {
            return Native::in_place(ty, move |caller, slots| {
                self.ended(&caller, self.call_numeric(slots))
            });
        }
        Some(Native::new(ty, move |caller, args, results| {
            self.ended(&caller, self.call_any(&caller, args, results))
        }))
    }

    /// Passes a trap on to the call that it ends.
    #[inline]
    fn ended(&self, caller: &Caller<'_>, called: Called) -> Result<(), Trap> {
        match called {
            Ok(()) => Ok(()),
            Err(trap) => Err(self.trapped(caller, trap)),
        }
    }

    #[cold]
    fn trapped(&self, caller: &Caller<'_>, trap: Counted<RefObject>) -> Trap {
        if let RefBody::Trap(body) = &trap.body {
            caller.instance().set_exception(body.text());
        }
        self.store.pass(trap);
        Trap::Host
    }

    #[cold]
    fn failed(&self, text: &str) -> Counted<RefObject> {
        trap::exception(&self.store, text)
    }

    /// A call without references; `slots` has the parameters and takes the results.
    #[inline]
    fn call_numeric(&self, slots: &mut [u64]) -> Called {
        let (params, outs) = self.kinds();
        let called = with_room(self.kinds.len(), self.vectors, |vals, vectors| {
            let (given, taken) = vals.split_at_mut(params.len());
            // References are no results, but the function may give some away.
            let taken = Owned(taken);
            let mut vectors = vectors.iter_mut();
            let mut slot = slots.as_ptr();
            for (val, kind) in given.iter_mut().zip(params) {
                if value::is_vector(*kind) {
                    value::prepare(val, *kind, vectors.next().map(NonNull::from));
                }
                // SAFETY: the slots hold the parameters, one behind the other, and a vector's value
                // has an address.
                slot = unsafe { value::number_out(slot, *kind, val) };
            }
            self.run(given, taken.0, &mut vectors)?;
            let mut slot = slots.as_mut_ptr();
            for (val, kind) in taken.0.iter().zip(outs) {
                if let Some(misfit) = value::number_misfit(val, *kind) {
                    return Err(self.failed(misfit.text()));
                }
                // SAFETY: there is room for all results. The address of a vector is the one from
                // `prepare`, or another one of the embedder's with as many bytes.
                slot = unsafe { value::number_in(val, *kind, slot) };
            }
            Ok(())
        });
        called.unwrap_or_else(|| Err(self.store.out_of_memory()))
    }

    /// A call with references among the values.
    fn call_any(&self, caller: &Caller<'_>, args: &[Val], results: &mut [Val]) -> Called {
        let near = caller.instance();
        let called = with_room(self.kinds.len(), self.vectors, |vals, vectors| {
            let vals = Owned(vals);
            let (given, taken) = vals.0.split_at_mut(args.len());
            let mut vectors = vectors.iter_mut();
            for ((val, arg), kind) in given.iter_mut().zip(args).zip(self.kinds().0) {
                if value::is_vector(*kind) {
                    value::prepare(val, *kind, vectors.next().map(NonNull::from));
                }
                // SAFETY: if the value is a vector, it has an address.
                let made = unsafe { value::value_out(*arg, val, &near, &self.store) };
                *val = made.map_err(|misfit| self.failed(misfit.text()))?;
            }
            self.run(given, taken, &mut vectors)?;
            for ((result, val), ty) in results.iter_mut().zip(&*taken).zip(self.ty.results()) {
                // SAFETY: the function has filled the values in, or left them as they were.
                let made = unsafe { value::value_in(val, *ty, &near, &self.store) };
                *result = made.map_err(|misfit| self.failed(misfit.text()))?;
            }
            Ok(())
        });
        called.unwrap_or_else(|| Err(self.store.out_of_memory()))
    }

    /// Calls the embedder's function, with results that are zero or null before.
    #[inline]
    fn run<'a>(
        &self,
        given: &mut [wasm_val_t],
        taken: &mut [wasm_val_t],
        vectors: &mut impl Iterator<Item = &'a mut u128>,
    ) -> Called {
        for (val, kind) in taken.iter_mut().zip(self.kinds().1) {
            let vector = if value::is_vector(*kind) { vectors.next() } else { None };
            value::prepare(val, *kind, vector.map(NonNull::from));
        }
        let (given, mut taken) = (vec_of(given), vec_of(taken));
        // SAFETY: the embedder's function, with values of the types that it was made for.
        let ended = unsafe {
            match self.callback {
                Callback::Plain(call) => call(&given, &mut taken),
                Callback::WithEnv(call) => call(self.env.pointer, &given, &mut taken),
            }
        };
        match NonNull::new(ended) {
            None => Ok(()),
            // SAFETY: the function gives its result away.
            Some(trap) => Err(unsafe { taken_trap(trap) }.unwrap_or_else(|| self.failed(NO_TRAP))),
        }
    }
}

type Called = Result<(), Counted<RefObject>>;

/// Values of the header's with their references, which go with them.
struct Owned<'a>(&'a mut [wasm_val_t]);

impl Drop for Owned<'_> {
    fn drop(&mut self) {
        // SAFETY: the references are these values' own, or were the embedder's to give away.
        self.0.iter().for_each(|val| unsafe { value::end(val) });
    }
}

/// Runs `act` with so many values and as much room for vectors, all of which are zero: in this
/// frame for a few, else in a block; `None` without memory.
#[inline]
fn with_room<R>(
    count: usize,
    vectors: usize,
    act: impl FnOnce(&mut [wasm_val_t], &mut [u128]) -> R,
) -> Option<R> {
    let zero = value::zero(0);
    Some(match (count, vectors) {
        (0..=4, 0) => act(&mut [zero; 4][..count], &mut []),
        (0..=64, 0..=16) => with_more(count, vectors, act),
        _ => {
            let (mut vals, mut room) = outside(|| {
                let mut vals = try_vec(count).ok()?;
                vals.extend(std::iter::repeat_n(zero, count));
                Some((vals, try_filled(vectors, 0_u128).ok()?))
            })?;
            act(&mut vals, &mut room)
        }
    })
}

/// Part of [`with_room`] whose frame is larger.
#[inline(never)]
fn with_more<R>(
    count: usize,
    vectors: usize,
    act: impl FnOnce(&mut [wasm_val_t], &mut [u128]) -> R,
) -> R {
    act(&mut [value::zero(0); 64][..count], &mut [0; 16][..vectors])
}

#[inline]
fn vec_of(vals: &mut [wasm_val_t]) -> wasm_val_vec_t {
    let (size, data) = (vals.len(), vals.as_mut_ptr());
    let size_of_elem = size_of::<wasm_val_t>();
    wasm_val_vec_t { size, data, num_elems: size, size_of_elem, lock: null_mut() }
}

/// # Safety
/// `trap` is an object that the caller was given.
#[cold]
unsafe fn taken_trap(trap: NonNull<wasm_trap_t>) -> Option<Counted<RefObject>> {
    // SAFETY: the caller owns a count of the object; objects of any kind are of this type.
    let object = unsafe { Counted::from_raw(trap.cast::<Block<RefObject>>()) };
    matches!(object.body, RefBody::Trap(_)).then_some(object)
}
