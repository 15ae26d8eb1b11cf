//! The sites that count now: one pointer to one value. Requests take what they need of it once, and who replaces it waits for
//! the turn, so that no change is made to what another has just replaced.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use tokio::sync::{Mutex, MutexGuard};

use super::Sites;

/// The sites that count now.
#[derive(Debug)]
pub struct CurrentSites {
    sites: ArcSwap<Sites>,
    turn: Mutex<()>,
}

impl CurrentSites {
    /// These, until they are replaced.
    pub fn new(sites: Sites) -> Self {
        Self { sites: ArcSwap::from_pointee(sites), turn: Mutex::new(()) }
    }

    /// What counts now. A request asks once, at its beginning, and keeps the site that it finds: what it would get later may
    /// be of another configuration.
    pub fn now(&self) -> Guard<Arc<Sites>> {
        self.sites.load()
    }

    /// Waits for the turn to replace them.
    pub async fn turn(&self) -> Turn<'_> {
        Turn { current: self, _alone: self.turn.lock().await }
    }
}

/// The right to replace the sites. As long as somebody has it, nobody else does: what is read under it may be written back
/// changed.
#[derive(Debug)]
pub struct Turn<'a> {
    current: &'a CurrentSites,
    _alone: MutexGuard<'a, ()>,
}

impl Turn<'_> {
    /// What counts until it is replaced by this turn.
    pub fn sites(&self) -> Arc<Sites> {
        self.current.sites.load_full()
    }

    /// From now on these count, for requests that begin; those under way keep theirs.
    pub fn replace(&self, sites: Sites) {
        self.current.sites.store(Arc::new(sites));
    }
}
