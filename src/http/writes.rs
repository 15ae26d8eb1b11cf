//! What a write that passes through makes stale. Cached pictures go when the origin says that it was done, and only then
//! (RFC 9111 §4.4): a write that was refused changes nothing, whoever sends it. Where the origin got all of it and never
//! answered, nobody knows: then the origin is asked anew what it has, and what has been made of it is kept if it is the same.

use std::sync::Arc;

use http::Method;

use super::incoming::object;
use super::named::Named;
use crate::access::{Action, Pass};
use crate::cache::ObjectId;
use crate::error::Error;
use crate::shield::Shield;
use crate::site::Site;

/// A write under way. Wherever it is dropped, as when the connection's time is over, what it may have changed is forgotten.
pub struct Writes {
    site: Arc<Site>,
    shield: Arc<Shield>,
    objects: Vec<ObjectId>,
    /// The objects that its body names.
    named: Option<Named>,
    /// The path that names in the body are below of.
    base: String,
    /// All of it has gone to the origin.
    sent: bool,
    /// What the origin answered.
    status: Option<u16>,
}

impl Writes {
    /// Of a request that may change something; `None` for one that is safe (RFC 9110 §9.2.1).
    pub fn of(site: &Arc<Site>, shield: &Arc<Shield>, method: &Method, pass: &Pass) -> Option<Self> {
        if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE) {
            return None;
        }
        let mut objects: Vec<ObjectId> = object(site, pass.path()).into_iter().collect();
        if let (Some(object), Some(version)) = (objects.first().cloned(), pass.version()) {
            objects.push(ObjectId { version_id: Some(version.into()), ..object });
        }
        let named = match pass.action() {
            Action::DeleteMany => Some(Named::list()),
            Action::Form => Some(Named::form()),
            _ => None,
        };
        let base = pass.path().trim_end_matches('/').to_owned();
        let (site, shield) = (site.clone(), shield.clone());
        Some(Self { site, shield, objects, named, base, sent: false, status: None })
    }

    /// Looks at a piece of the request's body on its way.
    ///
    /// # Errors
    /// [`crate::error::Kind::BadDocument`] for a list of more names than any store takes.
    pub fn sends(&mut self, piece: &[u8], end: bool) -> Result<(), Error> {
        if let Some(named) = &mut self.named {
            named.add(piece)?;
        }
        self.sent |= end;
        Ok(())
    }

    /// The origin has answered. What it has done is forgotten here before the client hears of it: its next request may come
    /// sooner than this one is counted.
    pub fn answered(&mut self, status: u16) {
        self.status = Some(status);
        self.forget();
    }

    fn forget(&self) {
        match self.status {
            Some(..400) => self.each(|object| self.shield.invalidate(object)),
            None if self.sent => self.each(|object| self.shield.doubt(object)),
            Some(_) | None => {}
        }
    }

    fn each(&self, act: impl Fn(&ObjectId)) {
        self.objects.iter().for_each(&act);
        for path in self.named.iter().flat_map(|named| named.paths(&self.base)) {
            object(&self.site, &path).iter().for_each(&act);
        }
    }
}

impl Drop for Writes {
    /// The request is over, however it went. A store may say 200 at once and be done later (as with an upload's parts): what
    /// was asked for in between may be old.
    fn drop(&mut self) {
        self.forget();
    }
}
