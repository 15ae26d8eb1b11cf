//! The first bytes of what a client may read, for who must know what it is before any of it goes out.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use http::HeaderMap;

use super::Shield;
use crate::access::Pass;
use crate::error::{Error, Kind};
use crate::origin::{ByteRange, Fetched, Meta, Origin};
use crate::site::Site;

/// How an object begins.
#[derive(Debug)]
pub struct Beginning {
    /// What the store says of it.
    pub meta: Meta,
    /// Its first bytes.
    pub bytes: Vec<u8>,
}

impl Shield {
    /// Asks for the first bytes of what `pass` gives a client with these fields: `most` of them, or all if there are fewer.
    ///
    /// # Errors
    /// Those of the origin; [`Kind::Busy`] where it is asked for too much already.
    pub async fn beginning(
        &self,
        site: &Site,
        pass: &Pass,
        fields: &HeaderMap,
        most: usize,
    ) -> Result<Beginning, Error> {
        let place = self.permits.fetch().await?;
        let (origin, pass, fields) = (site.origin.clone(), pass.without_part(), fields.clone());
        // Connections to the origin belong to this runtime.
        let job = self.runtime.spawn(async move {
            let _place = place;
            tokio::time::timeout(origin.total_timeout(), read(&origin, &pass, &fields, most)).await
        });
        match job.await {
            Ok(Ok(done)) => done,
            Ok(Err(_)) => Err(Error::new(Kind::OriginTimeout, "the beginning of an object was not there in time")),
            Err(_) => Err(Error::new(Kind::Internal, "reading the beginning of an object broke off")),
        }
    }
}

async fn read(origin: &Arc<dyn Origin>, pass: &Pass, fields: &HeaderMap, most: usize) -> Result<Beginning, Error> {
    let last = u64::try_from(most).unwrap_or(u64::MAX).saturating_sub(1);
    let (meta, mut body) = match origin.granted(pass, fields, ByteRange::Within(0, last)).await? {
        Fetched::Object { meta, body, .. } => (meta, body),
        Fetched::Unchanged => {
            return Err(Error::new(Kind::OriginFailed, "answered 304 to a request without conditions"));
        }
    };
    let mut bytes = Vec::new();
    // What answers with the whole is left when there is enough.
    while bytes.len() < most
        && let Some(piece) = body.next().await
    {
        let piece: Bytes = piece?;
        bytes.extend_from_slice(&piece[..piece.len().min(most - bytes.len())]);
    }
    Ok(Beginning { meta, bytes })
}
