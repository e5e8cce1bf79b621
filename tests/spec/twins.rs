//! Two engines in one: functions interpreted, and compiled into files. Whatever a script does, both
//! do, and each call has to end in the same way, take the same fuel and leave the same call stack.

use crate::binding::{Isothread, Running};
use crate::engine::{Engine, Failure, Object, Value};
use crate::mode::Mode;
use isothread::{Module, SharedMemory};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};

pub(crate) struct Twins {
    interpreted: Isothread,
    compiled: Isothread,
    /// Whether threads share memories. How often they look at them depends on their pace.
    has_threads: AtomicBool,
}

/// Results that are as good as each other: any NaN is, and an object of the host's own engine.
fn is_same(a: &[Value], b: &[Value]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same_value(*a, *b))
}

fn is_same_value(a: Value, b: Value) -> bool {
    match (a, b) {
        (Value::F32(a), Value::F32(b)) => is_same_f32(a, b),
        (Value::F64(a), Value::F64(b)) => is_same_f64(a, b),
        (Value::V128(a), Value::V128(b)) => {
            let of_32 =
                (0..4).all(|at| is_same_f32((a >> (32 * at)) as u32, (b >> (32 * at)) as u32));
            of_32 || (0..2).all(|at| is_same_f64((a >> (64 * at)) as u64, (b >> (64 * at)) as u64))
        }
        (Value::AnyRef(Object::Guest), Value::AnyRef(Object::Guest)) => true,
        // So is one that is given out as the host's.
        (Value::ExternRef(Some(a)), Value::ExternRef(Some(b))) if is_guests(a) && is_guests(b) => {
            true
        }
        (a, b) => a == b,
    }
}

/// Whether an externref leads to what a guest has made: the highest bits say so.
fn is_guests(word: u64) -> bool {
    word >> 55 == 0xdb
}

fn is_same_f32(a: u32, b: u32) -> bool {
    a == b || (f32::from_bits(a).is_nan() && f32::from_bits(b).is_nan())
}

fn is_same_f64(a: u64, b: u64) -> bool {
    a == b || (f64::from_bits(a).is_nan() && f64::from_bits(b).is_nan())
}

/// A text for how an action has ended; `None` for results, which are compared by themselves.
fn text<T>(result: &Result<T, Failure>) -> Option<String> {
    result.as_ref().err().map(ToString::to_string)
}

impl Twins {
    /// The result of an action that both engines have done, if they agree about it.
    fn agreed<T>(
        &self,
        interpreted: Result<T, Failure>,
        compiled: Result<T, Failure>,
        is_same: impl FnOnce(&T, &T) -> Option<String>,
    ) -> Result<T, Failure> {
        let taken = (self.interpreted.taken(), self.compiled.taken());
        let (one, other) = (text(&interpreted), text(&compiled));
        if one != other {
            return Err(Failure::Missing(format!("interpreted: {one:?}; compiled: {other:?}")));
        }
        if self.has_threads.load(Ordering::Relaxed) {
            // Each may have seen another thread's store or not; the script says which results are
            // right, and another mode shows the interpreter's to it.
            return compiled;
        }
        if taken.0 != taken.1 {
            return Err(Failure::Missing(format!(
                "interpreted for {} units, compiled for {}",
                taken.0, taken.1
            )));
        }
        if let (Ok(interpreted), Ok(compiled)) = (&interpreted, &compiled)
            && let Some(text) = is_same(interpreted, compiled)
        {
            return Err(Failure::Missing(text));
        }
        interpreted
    }
}

impl Engine for Twins {
    type Module = (Module, Module);
    type Instance = (Rc<Running>, Rc<Running>);
    type Shared = (HashMap<String, SharedMemory>, HashMap<String, SharedMemory>);

    fn new(_mode: Mode) -> Self {
        Self {
            interpreted: Isothread::new(Mode::Metered),
            compiled: Isothread::new(Mode::Ahead),
            has_threads: AtomicBool::new(false),
        }
    }

    fn calls_in_mode(&self) -> usize {
        self.compiled.calls_in_mode()
    }

    fn load(&self, bytes: &[u8]) -> Result<Self::Module, Failure> {
        Ok((self.interpreted.load(bytes)?, self.compiled.load(bytes)?))
    }

    fn imports_from(&self, module: &Self::Module) -> Vec<String> {
        self.interpreted.imports_from(&module.0)
    }

    fn instantiate(
        &self,
        module: &Self::Module,
        resolve: &dyn Fn(&str, &str) -> Option<Self::Instance>,
    ) -> Result<Self::Instance, Failure> {
        let one = |module: &str, name: &str| resolve(module, name).map(|instance| instance.0);
        let interpreted = self.interpreted.instantiate(&module.0, &one);
        let other = |module: &str, name: &str| resolve(module, name).map(|instance| instance.1);
        let compiled = self.compiled.instantiate(&module.1, &other);
        match (interpreted, compiled) {
            (Ok(interpreted), Ok(compiled)) => {
                self.agreed(Ok(()), Ok(()), |_, _| None).map(|()| (interpreted, compiled))
            }
            (interpreted, compiled) => {
                let (interpreted, compiled) = (interpreted.map(|_| ()), compiled.map(|_| ()));
                match self.agreed(interpreted, compiled, |_, _| None) {
                    Ok(()) => Err(Failure::Missing("one of them is made".to_owned())),
                    Err(failure) => Err(failure),
                }
            }
        }
    }

    fn share(&self, instance: &Self::Instance) -> Self::Shared {
        self.has_threads.store(true, Ordering::Relaxed);
        (self.interpreted.share(&instance.0), self.compiled.share(&instance.1))
    }

    fn adopt(&self, shared: Self::Shared) -> Self::Instance {
        (self.interpreted.adopt(shared.0), self.compiled.adopt(shared.1))
    }

    fn invoke(
        &self,
        instance: &Self::Instance,
        name: &str,
        args: &[Value],
    ) -> Result<Vec<Value>, Failure> {
        let interpreted = self.interpreted.invoke(&instance.0, name, args);
        let compiled = self.compiled.invoke(&instance.1, name, args);
        let has_trapped = matches!(compiled, Err(Failure::Trap(_)));
        let values = self.agreed(interpreted, compiled, |one, other| {
            (!is_same(one, other)).then(|| format!("interpreted: {one:x?}; compiled: {other:x?}"))
        });
        if has_trapped {
            let (one, other) = (instance.0.stack(), instance.1.stack());
            if one != other {
                return Err(Failure::Missing(format!("interpreted:\n{one}compiled:\n{other}")));
            }
        }
        values
    }

    fn get(&self, instance: &Self::Instance, name: &str) -> Result<Value, Failure> {
        let interpreted = self.interpreted.get(&instance.0, name);
        let compiled = self.compiled.get(&instance.1, name);
        self.agreed(interpreted, compiled, |&one, &other| {
            (!is_same_value(one, other))
                .then(|| format!("interpreted: {one:x?}; compiled: {other:x?}"))
        })
    }
}
