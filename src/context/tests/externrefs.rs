//! The table of objects behind externrefs.

use crate::context::ExternObjects;
use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};

unsafe extern "C" fn count(object: *mut c_void) {
    // SAFETY: the tests' objects are counters that outlive the table.
    unsafe { &*object.cast::<AtomicUsize>() }.fetch_add(1, Ordering::Relaxed);
}

#[test]
fn numbers_stand_for_an_owner_s_object() {
    let objects = ExternObjects::default();
    assert_eq!(objects.number(100, 7), Some(1));
    assert_eq!(objects.number(100, 8), Some(2));
    assert_eq!(objects.number(100, 7), Some(1));
    assert_eq!(objects.number(200, 7), Some(3), "another owner's");
    assert_eq!((objects.address(3), objects.address(4), objects.address(0)), (Some(7), None, None));
    assert!(objects.delete(100, 7) && !objects.delete(100, 7));
    assert_eq!((objects.address(1), objects.address(3)), (None, Some(7)));
    assert_eq!(objects.number(100, 7), Some(4), "numbers are not used again");
}

#[test]
fn what_nothing_leads_to_goes() {
    let cleaned: Vec<_> = (0..100).map(|_| AtomicUsize::new(0)).collect();
    let address = |at: usize| std::ptr::from_ref(&cleaned[at]).expose_provenance();
    let count_of = |at: usize| cleaned[at].load(Ordering::Relaxed);
    let objects = ExternObjects::default();
    assert!(!objects.may_reclaim());
    for at in 0..100 {
        let owner = 1 + at % 2;
        assert_eq!(objects.number(owner, address(at)), Some(at as u32 + 1));
        // SAFETY: `count` may be called with a counter's address.
        assert!(unsafe { objects.set_cleanup(owner, address(at), Some(count)) });
    }
    assert!(objects.retain(1) && objects.retain(1) && !objects.retain(101));
    objects.reclaim(1, |found| {
        found(2);
        found(3);
        found(u64::MAX);
    });
    let gone = |at: usize| at.is_multiple_of(2) && at != 0 && at != 2;
    assert!((0..100).all(|at| count_of(at) == usize::from(gone(at))));
    objects.reclaim(1, |_| ());
    assert_eq!((count_of(0), count_of(2)), (0, 1));
    objects.delete_all(1);
    assert_eq!((count_of(0), count_of(1)), (1, 0));
    assert!(objects.may_reclaim());
    objects.delete_all(2);
    assert!(!objects.may_reclaim() && cleaned.iter().all(|c| c.load(Ordering::Relaxed) == 1));
}
