//! Objects of guests that the host makes and looks into.
//!
//! A reference is a claim: every function looks for the object first. Whether an object stays is
//! the business of those who hold it: see [`Rooted`](super::Rooted).

use super::defined::unpacked;
use super::finalizer::{self, ObjectFinalizer};
use super::{AnyRef, Context, Error, ExecEnv, FuncRef, Instance, Result, Trap, Val};
use crate::abi::definitions::{Packed, StorageType, SubType};
use crate::abi::raw_ref::RawRef;
use crate::abi::vm_layout::VmFuncRef;
use crate::exec;
use crate::gc::{GcHeap, GcRef, HeapFull};
use crate::instance::link_set::Use;
use crate::instance::{self as parts, Slots};
use crate::types::is_subtype;
use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

fn gc_ref(object: AnyRef) -> Option<GcRef> {
    GcRef::from_word(Val::AnyRef(Some(object)).to_slots()[0])
}

fn any_ref(object: GcRef) -> Option<AnyRef> {
    match RawRef::read(object.word()) {
        RawRef::Any(object) => Some(object),
        _ => None,
    }
}

/// A value for a place of this type: packed places take an i32.
fn slots_for(storage: StorageType, value: Val) -> Option<Slots> {
    (value.ty() == unpacked(storage).widest()).then(|| value.to_slots())
}

/// Making objects.
impl ExecEnv {
    /// Makes a struct of the type at an index of the instance's module, of zeros and null
    /// references. Others may be freed before, but none that guests, [`Rooted`](super::Rooted) or
    /// [`ExecEnv::pin`] hold.
    pub fn new_struct(&mut self, ty: u32) -> Result<AnyRef> {
        let instance = self.instance();
        if instance.parts().module().layouts.of_struct(ty).is_none() {
            return Err(Error::misuse("no type of structs has this index"));
        }
        self.make(Trap::NoStruct, &mut || instance.parts().make_struct(ty))
    }

    /// As [`ExecEnv::new_struct`], an array of `len` times `value`, or of zeros or null references.
    pub fn new_array(&mut self, ty: u32, len: u32, value: Option<Val>) -> Result<AnyRef> {
        let instance = self.instance();
        if instance.parts().module().layouts.of_array(ty).is_none() {
            return Err(Error::misuse("no type of arrays has this index"));
        }
        // The host's own work, which no limit ends.
        let mut make = || instance.parts().make_array(ty, len, &mut || Ok(()));
        let array = self.make(Trap::NoArray, &mut make)?;
        match value {
            Some(value) if !instance.array_fill(array, 0, len, value) => {
                Err(Error::misuse("the value is not of the type of the elements"))
            }
            _ => Ok(array),
        }
    }

    fn make(
        &mut self,
        failure: Trap,
        make: &mut dyn FnMut() -> Result<GcRef, HeapFull>,
    ) -> Result<AnyRef> {
        let instance = self.instance();
        // SAFETY: `instance` is a handle to the link set.
        let Some(_use) = (unsafe { Use::begin(instance.ptr()) }) else {
            return Err(Error::misuse(Trap::InUse.text()));
        };
        // SAFETY: the exec_env is live, and this thread uses the link set.
        let made =
            instance.context_ref().guarded(|| unsafe { exec::make_object(self.ptr(), make) });
        made?.and_then(any_ref).ok_or_else(|| failure.into())
    }

    /// Keeps an object of the instance's link set, or an object of the host's, until
    /// [`ExecEnv::unpin`] was called as often. False if there is no such object, or if memory runs
    /// out. Functions and small integers need nothing for that.
    pub fn pin(&mut self, reference: RawRef) -> bool {
        self.held(reference, GcHeap::hold, |number, objects| objects.pin(number))
    }

    /// Takes one [`ExecEnv::pin`] back; false if there is none.
    pub fn unpin(&mut self, reference: RawRef) -> bool {
        self.held(reference, GcHeap::let_go, |number, objects| objects.unpin(number))
    }

    fn held(
        &mut self,
        reference: RawRef,
        in_heap: fn(&mut GcHeap, GcRef) -> bool,
        in_table: fn(u32, &crate::context::ExternObjects) -> bool,
    ) -> bool {
        let instance = self.instance();
        if let Some(object) = reference.heap_object().and_then(gc_ref) {
            return instance
                .used(|parts| parts.with_objects(|heap| in_heap(heap, object)))
                .unwrap_or(false);
        }
        if let Some(word) = reference.host_word() {
            let Some(objects) = instance.context_ref().extern_objects() else { return false };
            return u32::try_from(word).is_ok_and(|number| in_table(number, objects));
        }
        match reference.internalized() {
            RawRef::Any(small) => small.to_i31().is_some(),
            RawRef::Func(address) => instance.parts().is_linked_func(address),
            _ => false,
        }
    }

    /// Has a function of the embedder's run once an object is reachable no longer, or its instance
    /// ends, in place of the one it had. The function runs on the thread that found that out, in
    /// the midst of guest code: calls of guests on the exec_env that runs fail there. False if
    /// there is no such object, or if memory runs out.
    ///
    /// # Safety
    /// The function may be called once with the object and the pointer, on any thread.
    pub unsafe fn set_finalizer(
        &mut self,
        reference: RawRef,
        callback: ObjectFinalizer,
        data: *mut c_void,
    ) -> bool {
        let instance = self.instance();
        if let Some(object) = reference.heap_object().and_then(gc_ref) {
            let finalizer = finalizer::words(callback, data);
            let set = |parts: &parts::Instance| {
                parts.with_objects(|heap| heap.set_finalizer(object, finalizer))
            };
            return instance.used(set).unwrap_or(false);
        }
        let objects = instance.context_ref().extern_objects();
        let number = reference.host_word().and_then(|word| u32::try_from(word).ok());
        let Some((objects, number)) = objects.zip(number) else { return false };
        // SAFETY: the caller allows the call.
        unsafe { objects.set_finalizer(number, Some((callback, reference.word() as usize, data))) }
    }

    /// Takes an object's finalizer away.
    pub fn unset_finalizer(&mut self, reference: RawRef) {
        let instance = self.instance();
        if let Some(object) = reference.heap_object().and_then(gc_ref) {
            instance.used(|parts| parts.with_objects(|heap| heap.unset_finalizer(object)));
        } else if let Some(objects) = instance.context_ref().extern_objects()
            && let Some(number) = reference.host_word().and_then(|word| u32::try_from(word).ok())
        {
            // SAFETY: no function is set.
            unsafe { objects.set_finalizer(number, None) };
        }
    }
}

/// Looking into objects. All of it is `None` or false without such an object, and while another
/// thread runs in the instance's link set.
impl Instance {
    /// Runs `act` unless another thread runs in the link set.
    fn used<R>(&self, act: impl FnOnce(&parts::Instance) -> R) -> Option<R> {
        // SAFETY: the handle keeps the link set alive.
        let _use = unsafe { Use::begin(self.ptr()) }?;
        Some(self.context_ref().run(|| act(self.parts())))
    }

    fn on_object<R>(
        &self,
        object: AnyRef,
        act: impl FnOnce(&parts::Instance, GcRef) -> Option<R>,
    ) -> Option<R> {
        self.used(|parts| act(parts, gc_ref(object)?))?
    }

    /// The function behind a claim, if it is of the instance's link set.
    pub fn linked_func(&self, reference: RawRef) -> Option<FuncRef> {
        let RawRef::Func(address) = reference else { return None };
        let func = NonNull::new(std::ptr::with_exposed_provenance_mut::<VmFuncRef>(address))?;
        self.parts().is_linked_func(address).then_some(FuncRef(func))
    }

    /// Whether the reference leads to a live struct or array of the link set's.
    pub fn has_object(&self, object: AnyRef) -> bool {
        self.on_object(object, |parts, object| parts.type_id_of_object(object)).is_some()
    }

    /// Calls `act` with the type of an object, as the module of the instance, or of one that it is
    /// linked to, defines it.
    pub fn with_object_type<R>(
        &self,
        object: AnyRef,
        act: impl FnOnce(&SubType) -> R,
    ) -> Option<R> {
        self.on_object(object, |parts, object| Some(act(parts.type_of_object(object)?.0)))
    }

    /// The index of an object's type in a module of the same context that defines it, too.
    pub fn object_type_in(&self, object: AnyRef, module: &super::Module) -> Option<u32> {
        let id = self.on_object(object, |parts, object| parts.type_id_of_object(object))?;
        (module.context() == self.context_ref()).then(|| module.index_of_id(id))?
    }

    /// Whether an object is of a type of a module of the same context, or of a subtype of it.
    pub fn object_is_of(&self, object: AnyRef, module: &super::Module, index: u32) -> bool {
        let id = self.on_object(object, |parts, object| parts.type_id_of_object(object));
        let wanted = module.type_id(index).filter(|_| module.context() == self.context_ref());
        let Some((id, wanted)) = id.zip(wanted) else { return false };
        // SAFETY: both numbers are in use: an object's type is one of a loaded module's.
        unsafe { is_subtype(self.parts().types().all(), id, wanted) }
    }

    /// The number of a struct's fields.
    pub fn struct_len(&self, object: AnyRef) -> Option<u32> {
        self.on_object(object, |parts, object| parts.field_count(object))
    }

    /// A struct's field; packed ones become an i32.
    pub fn struct_get(&self, object: AnyRef, field: u32, packed: Packed) -> Option<Val> {
        self.on_object(object, |parts, object| {
            let (storage, slots) = parts.get_field(object, field, packed)?;
            Some(Val::from_slots(unpacked(storage), slots))
        })
    }

    /// Sets a struct's field, mutable or not, to a value of its type; packed ones take the lowest
    /// bits of an i32.
    pub fn struct_set(&self, object: AnyRef, field: u32, value: Val) -> bool {
        let set = |parts: &parts::Instance, object| {
            parts.set_field(object, field, |storage| slots_for(storage, value))
        };
        self.on_object(object, set).is_some()
    }

    /// An array's length.
    pub fn array_len(&self, array: AnyRef) -> Option<u32> {
        let len =
            |parts: &parts::Instance, array| parts.with_live_objects(|heap| heap.len(array))?;
        self.on_object(array, len)
    }

    /// As [`Instance::struct_get`], of an array's element.
    pub fn array_get(&self, array: AnyRef, at: u32, packed: Packed) -> Option<Val> {
        self.on_object(array, |parts, array| {
            let (storage, slots) = parts.get_element(array, at, packed)?;
            Some(Val::from_slots(unpacked(storage), slots))
        })
    }

    /// As [`Instance::struct_set`], of `count` elements of an array from number `at` on.
    pub fn array_fill(&self, array: AnyRef, at: u32, count: u32, value: Val) -> bool {
        let set = |parts: &parts::Instance, array| {
            parts.set_elements(array, at, count, |storage| slots_for(storage, value))
        };
        self.on_object(array, set).is_some()
    }

    /// Copies elements, if they are all there and of the target's type.
    pub fn array_copy(&self, to: (AnyRef, u32), from: (AnyRef, u32), count: u32) -> bool {
        self.on_object(to.0, |parts, target| {
            parts.copy_elements((target, to.1), (gc_ref(from.0)?, from.1), count)
        })
        .is_some()
    }

    /// The address of an array's element, in the order and size of memory; it stays while the
    /// array lives. `None` for arrays of functions.
    pub fn array_address(&self, array: AnyRef, at: u32) -> Option<NonNull<u8>> {
        self.on_object(array, |parts, array| parts.element_address(array, at))
    }
}

/// What code without a handle asks about references, for the C library.
#[doc(hidden)]
impl Context {
    /// Calls `act` with an instance of the link set that has made an object, which must not be
    /// handed on; `None` without one in this context, and while another thread runs in it. `act`
    /// must not call the embedder.
    pub fn with_object<R>(&self, object: AnyRef, act: impl FnOnce(&Instance) -> R) -> Option<R> {
        self.with_object_home(gc_ref(object)?, |home| {
            // SAFETY: the instance lives meanwhile, and no count of it is taken.
            act(&ManuallyDrop::new(unsafe { Instance::from_raw(home.cast()) }))
        })
    }

    /// Calls `act` with a function's index, and the type that its module defines for it; `None`
    /// without a live function of this context at the address.
    pub fn with_func_at<R>(
        &self,
        address: usize,
        act: impl FnOnce(u32, &SubType) -> R,
    ) -> Option<R> {
        self.with_func(address, || {
            // SAFETY: the reference and its instance live meanwhile.
            unsafe {
                let func = &*(address as *const VmFuncRef);
                let module = parts::Instance::of_vm(func.instance).module();
                let ty = *module.funcs.get(func.func_index as usize)?;
                Some(act(func.func_index, module.types.get(ty)?))
            }
        })?
    }

    /// The index of the type of the function at the address in a module of this context.
    pub fn func_type_in(&self, address: usize, module: &super::Module) -> Option<u32> {
        // SAFETY: the reference lives meanwhile.
        let id = self.with_func(address, || unsafe { (*(address as *const VmFuncRef)).type_id })?;
        (module.context() == self).then(|| module.index_of_id(id))?
    }

    /// Whether a live function of this context is at the address, and of a type of the module's.
    pub fn func_is_of(&self, address: usize, module: &super::Module, index: u32) -> bool {
        let wanted = module.type_id(index).filter(|_| module.context() == self);
        let Some(wanted) = wanted else { return false };
        self.with_func(address, || {
            // SAFETY: the reference lives meanwhile, so that its type's number is in use; the
            // module is loaded.
            unsafe {
                let func = &*(address as *const VmFuncRef);
                is_subtype(module.inner.type_ids.types(), func.type_id, wanted)
            }
        })
        .unwrap_or(false)
    }
}
