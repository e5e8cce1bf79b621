//! References that the host holds for good.

use super::{AnyRef, Error, Instance, Result, Trap};
use crate::abi::raw_ref::RawRef;
use crate::gc::{GcHandle, GcRef};
use crate::instance::link_set::Use;

/// An [`AnyRef`] that stays good: it keeps what it refers to alive, and the instance's link set.
///
/// An `AnyRef` of its own is none of the roots of a collection: what it refers to may be gone after
/// the next call of a guest, and then it is refused wherever it is handed back. Results of calls
/// and parameters of host functions are safe until then.
///
/// ```
/// use isothread::{Context, ExecEnv, Instance, InstanceArgs, Module, Packed, Rooted, Val};
///
/// let context = Context::new()?;
/// let wasm = wat::parse_str("(module (type (struct (field (mut i32)))))").unwrap();
/// let instance = Instance::new(&Module::new(&context, &wasm)?, InstanceArgs::default())?;
/// let mut env = ExecEnv::new(&instance, 0)?;
///
/// let object = Rooted::new(&instance, env.new_struct(0)?)?;
/// for _ in 0..100_000 {
///     env.new_struct(0)?; // Most of these are freed on the way.
/// }
/// assert!(instance.struct_set(object.get(), 0, Val::I32(5)));
/// let field = instance.struct_get(object.get(), 0, Packed::Unsigned);
/// assert!(matches!(field, Some(Val::I32(5))));
/// # Ok::<(), isothread::Error>(())
/// ```
pub struct Rooted {
    instance: Instance,
    reference: AnyRef,
    /// None for what needs no memory of the guest's.
    handle: Option<GcHandle>,
}

impl Rooted {
    /// Keeps what `reference` refers to, which is an object of the instance's link set, a small
    /// integer, or an object of the host's. Fails if there is no such object any more, while
    /// another thread runs in the link set, and if memory runs out.
    pub fn new(instance: &Instance, reference: AnyRef) -> Result<Self> {
        let object = RawRef::Any(reference).heap_object();
        let object = object.and_then(|_| GcRef::from_word(RawRef::Any(reference).word()));
        let handle = match object {
            None => None,
            Some(object) => {
                // SAFETY: the handle keeps the link set alive.
                let Some(_use) = (unsafe { Use::begin(instance.ptr()) }) else {
                    return Err(Error::misuse(Trap::InUse.text()));
                };
                let parts = instance.parts();
                if parts.type_id_of_object(object).is_none() {
                    return Err(Error::misuse("the object is gone"));
                }
                let context = instance.context_ref();
                let pinned = context.guarded(|| parts.with_objects(|heap| heap.pin(object)))?;
                Some(pinned.ok_or_else(Error::out_of_memory)?)
            }
        };
        Ok(Self { instance: instance.clone(), reference, handle })
    }

    /// The reference, good for as long as this lives.
    pub fn get(&self) -> AnyRef {
        self.reference
    }

    /// An instance of the link set that the reference belongs to.
    pub fn instance(&self) -> &Instance {
        &self.instance
    }

    /// One more, which keeps the object as well.
    pub fn try_clone(&self) -> Result<Self> {
        Self::new(&self.instance, self.reference)
    }
}

impl Drop for Rooted {
    fn drop(&mut self) {
        let Some(handle) = self.handle else { return };
        // SAFETY: the handle keeps the link set alive.
        if let Some(_use) = unsafe { Use::begin(self.instance.ptr()) } {
            let parts = self.instance.parts();
            self.instance.context_ref().run(|| parts.with_objects(|heap| heap.unpin(handle)));
        }
    }
}
