//! Every interleaving of a few threads over the list and the counted pointer. Run with
//! `RUSTFLAGS="--cfg loom"`.

use crate::context::registry::{ListPosition, Member, Origin, Registry, Release};
use crate::context::shared::Shared;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::thread;

/// A member that leaves its list when its last handle goes, as contexts do.
struct Item {
    position: ListPosition,
    registry: Arc<Registry<Item>>,
    ended: AtomicBool,
    /// Ends of all items.
    ends: Arc<AtomicUsize>,
}

impl Item {
    fn is_alive(&self) -> bool {
        !self.ended.load(Ordering::Relaxed)
    }
}

impl Member for Item {
    fn position(&self) -> &ListPosition {
        &self.position
    }
}

impl Drop for Item {
    fn drop(&mut self) {
        drop(self.registry.close(self));
        self.ended.store(true, Ordering::Relaxed);
        self.ends.fetch_add(1, Ordering::Relaxed);
    }
}

struct Model {
    registry: Arc<Registry<Item>>,
    ends: Arc<AtomicUsize>,
}

impl Model {
    fn new() -> Self {
        Self { registry: Arc::new(Registry::new()), ends: Arc::new(AtomicUsize::new(0)) }
    }

    fn open(&self, origin: Origin) -> Shared<Item> {
        let item = Item {
            position: ListPosition::new(),
            registry: self.registry.clone(),
            ended: AtomicBool::new(false),
            ends: self.ends.clone(),
        };
        let item = Shared::new(item).unwrap();
        self.registry.open(&item, origin).unwrap();
        item
    }

    fn ends(&self) -> usize {
        self.ends.load(Ordering::Relaxed)
    }
}

#[test]
fn a_value_ends_once_and_never_while_it_is_reached() {
    loom::model(|| {
        let model = Model::new();
        let handle = model.open(Origin::Handle);
        let weak = handle.downgrade();
        let reached = thread::spawn(move || {
            if let Some(handle) = weak.upgrade() {
                assert!(handle.is_alive());
            }
        });
        let second = handle.clone();
        let dropper = thread::spawn(move || drop(second));
        drop(handle);
        dropper.join().unwrap();
        reached.join().unwrap();
        assert_eq!(model.ends(), 1);
        assert_eq!(model.registry.open_count(), 0);
    });
}

#[test]
fn inits_and_destroys_close_a_context_exactly_once() {
    loom::model(|| {
        let model = Model::new();
        drop(model.open(Origin::Init));
        let registry = model.registry.clone();
        let other = thread::spawn(move || {
            // An init that comes too late finds no primary, or one that is closed by now.
            let _ = registry.primary().is_some_and(|primary| registry.count(&primary));
            matches!(registry.release_primary(), Release::Closed(_))
        });
        let closed_here = matches!(model.registry.release_primary(), Release::Closed(_));
        let closed_there = other.join().unwrap();
        assert!(closed_here != closed_there);
        assert_eq!(model.ends(), 1);
        assert!(model.registry.primary().is_none());
    });
}

#[test]
fn a_dying_primary_is_found_alive_or_not_at_all() {
    loom::model(|| {
        let model = Model::new();
        let first = model.open(Origin::Handle);
        let registry = model.registry.clone();
        let seeker = thread::spawn(move || {
            if let Some(found) = registry.primary() {
                assert!(found.is_alive());
            }
        });
        drop(first);
        let second = model.open(Origin::Handle);
        seeker.join().unwrap();
        // The first may outlive the opening of the second in the seeker's hand.
        assert_eq!(model.ends(), 1);
        assert_eq!(model.registry.open_count(), 1);
        drop(second);
        assert_eq!(model.ends(), 2);
        assert_eq!(model.registry.open_count(), 0);
    });
}
