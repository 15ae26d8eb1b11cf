//! Limits on an animation as a whole, whatever its format.

use super::super::picture::{Decode, Frame, Metadata};
use super::super::probe::Header;
use crate::error::{Error, Kind};
use crate::plan::Limits;

/// A decoder that stops at the limits.
pub(super) struct Guard<'a> {
    inner: Box<dyn Decode + 'a>,
    limits: Limits,
    /// Pixels of one frame as stored.
    each: u64,
    /// Frames that the header announces.
    frames: u32,
    given: u32,
}

impl<'a> Guard<'a> {
    /// Guards a decoder.
    pub(super) fn new(inner: Box<dyn Decode + 'a>, header: &Header, limits: &Limits) -> Self {
        let each = u64::from(header.source.width).saturating_mul(header.source.height.into());
        Self { inner, limits: *limits, each, frames: header.source.frames, given: 0 }
    }
}

impl Decode for Guard<'_> {
    fn metadata(&self) -> &Metadata {
        self.inner.metadata()
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, Error> {
        if self.given < self.frames {
            if self.given >= self.limits.frames {
                let message = format!("the animation has more than {} frames", self.limits.frames);
                return Err(Error::new(Kind::SourceFrames, message));
            }
            if self.each.saturating_mul(u64::from(self.given).saturating_add(1)) > self.limits.source_pixels {
                let most = self.limits.source_pixels;
                let message = format!("the animation has more than {most} pixels in all of its frames");
                return Err(Error::new(Kind::SourcePixels, message));
            }
        }
        let frame = self.inner.next_frame()?;
        self.given = self.given.saturating_add(u32::from(frame.is_some()));
        Ok(frame)
    }
}
