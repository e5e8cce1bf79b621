//! The list and the counted pointer, without contexts.

use crate::context::registry::{ListPosition, Member, Origin, Registry, Release};
use crate::context::shared::Shared;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

struct Item {
    position: ListPosition,
    drops: Arc<AtomicUsize>,
}

impl Member for Item {
    fn position(&self) -> &ListPosition {
        &self.position
    }
}

impl Drop for Item {
    fn drop(&mut self) {
        self.drops.fetch_add(1, Ordering::Relaxed);
    }
}

fn item(drops: &Arc<AtomicUsize>) -> Shared<Item> {
    Shared::new(Item { position: ListPosition::new(), drops: drops.clone() }).unwrap()
}

#[test]
fn the_value_goes_with_the_last_strong_handle() {
    let drops = Arc::default();
    let first = item(&drops);
    let second = first.clone();
    let weak = first.downgrade();
    assert!(weak.points_to(&second));
    drop(first);
    assert_eq!(weak.upgrade().unwrap().strong_count(), 2);
    // SAFETY: the count of `second` goes to the pointer and comes back.
    let second = unsafe { Shared::from_raw(second.into_raw()) };
    drop(second);
    assert_eq!(drops.load(Ordering::Relaxed), 1);
    let late = weak.clone();
    assert!(weak.upgrade().is_none() && late.upgrade().is_none());
}

#[test]
fn the_token_keeps_a_member_until_its_last_count() {
    let (registry, drops) = (Registry::new(), Arc::default());
    let member = item(&drops);
    assert_eq!(registry.open(&member, Origin::Init), Some(true));
    assert!(registry.count(&member));
    let weak = member.downgrade();
    drop(member);
    assert!(registry.primary().is_some_and(|primary| weak.points_to(&primary)));
    assert!(matches!(registry.release_primary(), Release::Counted));
    let Release::Closed(token) = registry.release_primary() else { panic!("not the last") };
    assert!(matches!(registry.release_primary(), Release::Surplus));
    assert!(!token.position().is_open());
    assert!(!registry.count(&token));
    assert!(matches!(registry.release(&token, 1), Release::Surplus));
    drop(token);
    assert_eq!(drops.load(Ordering::Relaxed), 1);
}

#[test]
fn places_are_used_again() {
    let (registry, drops) = (Registry::new(), Arc::default());
    let mut members: Vec<_> = (0..8).map(|_| item(&drops)).collect();
    for member in &members {
        registry.open(member, Origin::Handle);
    }
    let ids: Vec<_> = members.iter().map(|member| member.position().id()).collect();
    for index in [6, 1, 3] {
        assert!(registry.close(&members[index]).is_none());
        assert!(registry.close(&members[index]).is_none(), "twice does nothing");
        members.remove(index);
    }
    assert_eq!(registry.open_count(), 5);
    let late = item(&drops);
    assert_eq!(registry.open(&late, Origin::Handle), Some(false));
    assert!(late.position().id() > ids[7]);
    let listed = registry.all().unwrap();
    assert_eq!(listed.len(), 6);
    assert!(listed[5].downgrade().points_to(&late));
}

#[test]
fn the_generation_tells_of_every_change_of_the_primary() {
    let (registry, drops) = (Registry::new(), Arc::default());
    let (a, b) = (item(&drops), item(&drops));
    let mut generation = registry.generation();
    let mut changed = || std::mem::replace(&mut generation, registry.generation()) != generation;
    registry.open(&a, Origin::Handle);
    assert!(changed());
    registry.open(&b, Origin::Init);
    assert!(!changed());
    registry.close(&a);
    assert!(changed());
    assert!(registry.primary().is_none());
    assert!(matches!(registry.release(&b, 5), Release::Closed(_)));
    registry.open(&a, Origin::Handle);
    assert!(changed() && registry.is_primary(&a));
}

#[test]
fn the_list_gets_short_again() {
    let (registry, drops) = (Registry::new(), Arc::default());
    let first = item(&drops);
    registry.open(&first, Origin::Handle);
    let mut many: Vec<_> = (0..10_000).map(|_| item(&drops)).collect();
    many.iter().for_each(|member| assert_eq!(registry.open(member, Origin::Handle), Some(false)));
    assert!(registry.capacity() > 10_000);
    // From the middle, from the front, and at last from the end.
    for range in [5_000..9_000, 0..3_000, 0..3_000] {
        for member in many.drain(range) {
            registry.close(&member);
        }
    }
    assert!(many.is_empty());
    assert!(registry.capacity() < 100, "{}", registry.capacity());
    assert!(registry.is_primary(&first));
    let late = item(&drops);
    registry.open(&late, Origin::Handle);
    assert_eq!(registry.all().unwrap().len(), 2);
}

#[test]
fn stale_members_are_taken_off_the_list() {
    let (registry, drops) = (Registry::new(), Arc::default());
    let members: Vec<_> = (0..3).map(|_| item(&drops)).collect();
    members.iter().for_each(|member| assert!(registry.open(member, Origin::Handle).is_some()));
    // One that goes without closing itself, as if its thread were not there any more.
    let mut members = members.into_iter();
    drop(members.next());
    registry.drop_stale();
    assert_eq!(registry.open_count(), 2);
    assert!(registry.primary().is_none());
    assert_eq!(registry.all().unwrap().len(), 2);
}
