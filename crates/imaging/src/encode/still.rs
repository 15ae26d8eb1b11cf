//! The encoder of a format that holds one picture.

use super::Options;
use crate::error::{Error, Kind};
use crate::picture::{Encode, Frame, Pixels};
use crate::plan::Format;

/// A function on pixels, as an [`Encode`].
pub struct StillEncoder {
    format: Format,
    size: (u32, u32),
    options: Options,
    encode: fn(Pixels, &Options) -> Result<Vec<u8>, Error>,
    done: Option<Vec<u8>>,
}

impl StillEncoder {
    /// `encode` is called with the one frame.
    pub fn new(
        format: Format,
        width: u32,
        height: u32,
        options: Options,
        encode: fn(Pixels, &Options) -> Result<Vec<u8>, Error>,
    ) -> Self {
        Self { format, size: (width, height), options, encode, done: None }
    }
}

impl Encode for StillEncoder {
    fn add(&mut self, frame: Frame) -> Result<(), Error> {
        check_size(&frame, self.size)?;
        if self.done.is_some() {
            return Err(Error::new(Kind::Internal, format!("{} holds one frame; got a second", self.format.name())));
        }
        self.done = Some((self.encode)(frame.pixels, &self.options)?);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Vec<u8>, Error> {
        self.done.ok_or_else(|| Error::new(Kind::Internal, format!("{}: no frame was given", self.format.name())))
    }
}

/// A frame must have the size that the encoder was opened with.
pub fn check_size(frame: &Frame, size: (u32, u32)) -> Result<(), Error> {
    let got = (frame.pixels.width(), frame.pixels.height());
    if got != size {
        return Err(Error::new(
            Kind::Internal,
            format!("a frame of {} x {} for an encoder of {} x {}", got.0, got.1, size.0, size.1),
        ));
    }
    Ok(())
}
