//! A picture of one frame.

use super::super::picture::{Decode, Frame, Metadata, Pixels};
use crate::error::Error;

type Work<'a> = Box<dyn FnOnce() -> Result<Pixels, Error> + 'a>;

/// A decoder that does all of its work when its only frame is asked for.
pub(super) struct StillDecoder<'a> {
    metadata: Metadata,
    work: Option<Work<'a>>,
}

impl<'a> StillDecoder<'a> {
    /// A picture whose pixels `work` decodes.
    pub(super) fn open(metadata: Metadata, work: impl FnOnce() -> Result<Pixels, Error> + 'a) -> Box<dyn Decode + 'a> {
        Box::new(Self { metadata, work: Some(Box::new(work)) })
    }
}

impl Decode for StillDecoder<'_> {
    fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, Error> {
        self.work.take().map(|work| Ok(Frame { pixels: work()?, delay_ms: 0 })).transpose()
    }
}
