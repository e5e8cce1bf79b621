//! Tags of exceptions.

use super::{FuncType, Instance};
use crate::abi::vm_layout::VmTag;
use crate::module::ExternKind;
use std::ptr::NonNull;

/// A counted handle to a tag: the kind of an exception. Each tag of each instance is one of its
/// own; importing it is the only way for other instances to catch exceptions that carry it.
///
/// ```
/// use isothread::{Context, Extern, Instance, InstanceArgs, Module, Trap};
///
/// let context = Context::new()?;
/// let wasm = wat::parse_str(
///     "(module (tag (export \"code\") (param i32))
///        (func (export \"throw\") (throw 0 (i32.const 7))))",
/// )
/// .unwrap();
/// let thrower = Instance::new(&Module::new(&context, &wasm)?, InstanceArgs::default())?;
/// let (tag, throw) = (thrower.get_export("code"), thrower.get_export("throw"));
/// assert_eq!(thrower.get_tag("code").map(|tag| tag.ty().params().len()), Some(1));
///
/// let wasm = wat::parse_str(
///     "(module (import \"\" \"code\" (tag $code (param i32)))
///        (import \"\" \"throw\" (func $throw))
///        (func (export \"caught\") (result i32)
///          (block $h (result i32)
///            (try_table (catch $code $h) (call $throw))
///            (i32.const 0))))",
/// )
/// .unwrap();
/// let module = Module::new(&context, &wasm)?;
/// let catcher = Instance::with_imports(&module, InstanceArgs::default(), &[tag, throw])?;
/// let mut env = isothread::ExecEnv::new(&catcher, 0)?;
/// let caught = catcher.get_func("caught").expect("exported").typed::<(), i32>()?;
/// assert_eq!(caught.call(&mut env, ())?, 7);
///
/// let throw = catcher.func(0).expect("imported");
/// let error = throw.call(&mut env, &[], &mut []).unwrap_err();
/// assert_eq!(error.trap(), Some(Trap::UncaughtException));
/// # Ok::<(), isothread::Error>(())
/// ```
#[derive(Clone)]
pub struct Tag {
    ptr: NonNull<VmTag>,
    /// An instance whose link set keeps the tag.
    instance: Instance,
}

impl Tag {
    pub(super) fn ptr(&self) -> NonNull<VmTag> {
        self.ptr
    }

    /// An instance that has the tag.
    pub fn instance(&self) -> &Instance {
        &self.instance
    }

    /// The type: its parameters are the payload of exceptions with this tag.
    pub fn ty(&self) -> &FuncType {
        // SAFETY: the instance's link set keeps the tag, and the module that its type belongs to.
        unsafe { &*self.ptr.as_ref().ty }
    }
}

impl Instance {
    /// The tag with this index, exported or not.
    pub fn tag(&self, index: u32) -> Option<Tag> {
        let ptr = self.parts().tag(index)?;
        Some(Tag { ptr, instance: self.clone() })
    }

    pub fn get_tag(&self, name: &str) -> Option<Tag> {
        self.tag(self.parts().exported(name, ExternKind::Tag)?)
    }
}
