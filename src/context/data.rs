//! Values that higher parts keep in a context, one of each type.

use crate::sync::Lock;
use std::any::{Any, TypeId};
use std::sync::Arc;

/// A value that lives in a context, such as the C API's tables. It must not hold a strong handle
/// to its context past [`ContextData::end`]: the context would keep itself alive.
pub trait ContextData: Any + Send + Sync {
    /// The context is closing: release the registered objects. Runs inside the context, which may
    /// still be used through handles afterwards.
    fn end(&self) {}
}

/// Values by their type, oldest first. There are a handful at most.
#[derive(Default)]
pub(super) struct DataSlots(Lock<Vec<(TypeId, Arc<dyn ContextData>)>>);

impl DataSlots {
    pub(super) fn get<T: ContextData>(&self) -> Option<Arc<T>> {
        find(&self.0.lock())
    }

    /// The value of this type; `make` runs without the lock, and if two threads come at once,
    /// one of the values they make is dropped.
    pub(super) fn get_or_init<T: ContextData>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        if let Some(value) = self.get() {
            return value;
        }
        let value = Arc::new(make());
        let mut slots = self.0.lock();
        if let Some(earlier) = find(&slots) {
            drop(slots);
            return earlier;
        }
        slots.push((TypeId::of::<T>(), value.clone()));
        value
    }

    /// Ends and drops all values, newest first. Values that are made meanwhile end too.
    pub(super) fn end(&self) {
        loop {
            // Taken first, because a value's end may call this again.
            let Some((_, value)) = self.0.lock().pop() else { break };
            value.end();
        }
        let empty = std::mem::take(&mut *self.0.lock());
        drop(empty);
    }
}

fn find<T: ContextData>(slots: &[(TypeId, Arc<dyn ContextData>)]) -> Option<Arc<T>> {
    let (_, value) = slots.iter().find(|(id, _)| *id == TypeId::of::<T>())?;
    let value: Arc<dyn Any + Send + Sync> = value.clone();
    value.downcast().ok()
}
