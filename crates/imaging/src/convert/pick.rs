//! A decoder that gives only the frames that the plan wants.

use super::super::picture::{Decode, Frame, Metadata};
use crate::error::Error;
use crate::plan::Frames;

/// The frames picked out of another decoder's.
struct Pick<'a> {
    inner: Box<dyn Decode + 'a>,
    /// Frames to pass over before the first.
    skip: u32,
    /// From one frame that is given to the next.
    step: u32,
    /// Frames still to be given.
    left: u32,
}

/// Picks `count` frames of a source with `source`.
pub(super) fn pick<'a>(inner: Box<dyn Decode + 'a>, frames: Frames, source: u32, count: u32) -> Box<dyn Decode + 'a> {
    match frames {
        Frames::All | Frames::First => inner,
        Frames::Only(_) => Box::new(Pick { inner, skip: frames.decoded(source, count) - 1, step: 1, left: 1 }),
        // The time of the frames passed over matters only where frames have a time.
        Frames::Every { step, .. } if count > 1 => Box::new(Pick { inner, skip: 0, step, left: count }),
        Frames::Every { .. } => inner,
    }
}

impl Decode for Pick<'_> {
    fn metadata(&self) -> &Metadata {
        self.inner.metadata()
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, Error> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        for _ in 0..std::mem::take(&mut self.skip) {
            if self.inner.next_frame()?.is_none() {
                return Ok(None);
            }
        }
        let Some(mut frame) = self.inner.next_frame()? else { return Ok(None) };
        for _ in 1..self.step {
            let Some(passed) = self.inner.next_frame()? else { break };
            frame.delay_ms = frame.delay_ms.saturating_add(passed.delay_ms);
        }
        Ok(Some(frame))
    }
}
