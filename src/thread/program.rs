//! The shared state of the threads of one program.

use super::ids::Ids;
use super::key::Keys;
use super::lock::Waits;
use super::objects::Objects;
use crate::instance::Cluster;
use crate::sync::Lock;

/// The shared state of the threads of one program. Owner: the cluster.
#[derive(Default)]
pub(super) struct Program {
    /// Which slices of the main stack are in use.
    pub(super) slices: Lock<u64>,
    pub(super) ids: Ids,
    pub(super) objects: Objects,
    pub(super) keys: Keys,
    pub(super) waits: Waits,
}

impl Program {
    pub(super) fn of(cluster: &Cluster) -> Option<&Self> {
        cluster.data(|| Box::new(Self::default())).downcast_ref()
    }
}
