//! GIF: a palette of its own for each frame, only what has changed since the frame before, delays exact on the whole.

use ::gif::{DisposalMethod, Encoder, EncodingError, Frame as Block, Repeat};
use color_quant::NeuQuant;

use super::graphics::{Indexed, index, rgba};
use crate::error::{Error, Kind};
use crate::picture::{Animation, Encode, Frame, Pixels};
use crate::transform::room;

/// One pixel in so many is looked at when colours are chosen: three times faster than all of them, hardly to be seen.
const SAMPLING: i32 = 10;
/// Less opaque than this is transparent; GIF knows nothing between.
const OPAQUE: u8 = 128;

/// The encoder. Holds back one frame, because how a frame is cleared away depends on the next one.
pub struct Gif {
    encoder: Encoder<Vec<u8>>,
    size: (u16, u16),
    /// What the screen shows when `pending` is about to be drawn; `None`: nothing.
    screen: Option<Vec<[u8; 4]>>,
    pending: Option<Pending>,
    /// Milliseconds since the start, and hundredths of a second that have been written.
    time: (u64, u64),
}

struct Pending {
    canvas: Vec<[u8; 4]>,
    delay: u16,
}

impl Gif {
    /// Starts a file.
    ///
    /// # Errors
    /// [`Kind::OutputTooLarge`], [`Kind::Internal`].
    pub fn open(width: u32, height: u32, animation: Option<Animation>) -> Result<Self, Error> {
        let (Ok(w), Ok(h)) = (u16::try_from(width), u16::try_from(height)) else {
            return Err(Error::new(Kind::OutputTooLarge, format!("{width} x {height} does not fit a GIF")));
        };
        let mut encoder = Encoder::new(Vec::new(), w, h, &[]).map_err(failed)?;
        // The block counts repetitions after the first time; without a block it plays once.
        match animation {
            None | Some(Animation { repeat: Some(0 | 1) }) => {}
            Some(Animation { repeat: None }) => encoder.set_repeat(Repeat::Infinite).map_err(failed)?,
            Some(Animation { repeat: Some(times) }) => {
                let again = (times - 1).min(u16::MAX.into()) as u16;
                encoder.set_repeat(Repeat::Finite(again)).map_err(failed)?;
            }
        }
        Ok(Self { encoder, size: (w, h), screen: None, pending: None, time: (0, 0) })
    }

    /// Hundredths of a second for a frame. What rounding takes from one frame the next ones get back.
    fn delay(&mut self, delay_ms: u32) -> u16 {
        self.time.0 = self.time.0.saturating_add(delay_ms.into());
        let delay = (self.time.0.saturating_add(5) / 10).saturating_sub(self.time.1).min(u16::MAX.into());
        self.time.1 = self.time.1.saturating_add(delay);
        delay as u16
    }

    /// Writes the frame that was held back.
    fn write(&mut self, next: Option<&[[u8; 4]]>) -> Result<(), Error> {
        let Some(pending) = self.pending.take() else { return Ok(()) };
        // Drawing can only add: where the next frame is transparent and this one is not, the screen must be cleared.
        let clear =
            next.is_some_and(|next| next.iter().zip(&pending.canvas).any(|(new, old)| new[3] == 0 && old[3] != 0));
        let (w, h) = (usize::from(self.size.0), usize::from(self.size.1));
        let area = match &self.screen {
            // Clearing clears what the frame has covered: all, then.
            Some(screen) if !clear => changed(screen, &pending.canvas, w),
            _ => (0, 0, w, h),
        };
        let mut block = draw(&pending.canvas, self.screen.as_deref(), w, area)?;
        block.delay = pending.delay;
        block.dispose = if clear { DisposalMethod::Background } else { DisposalMethod::Keep };
        self.encoder.write_frame(&block).map_err(failed)?;
        self.screen = (!clear).then_some(pending.canvas);
        Ok(())
    }
}

impl Encode for Gif {
    fn add(&mut self, frame: Frame) -> Result<(), Error> {
        super::still::check_size(&frame, (self.size.0.into(), self.size.1.into()))?;
        let delay = self.delay(frame.delay_ms);
        let canvas = canvas(&frame.pixels)?;
        drop(frame);
        self.write(Some(&canvas))?;
        self.pending = Some(Pending { canvas, delay });
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Vec<u8>, Error> {
        if self.pending.is_none() {
            return Err(Error::new(Kind::Internal, "gif: no frame was given"));
        }
        self.write(None)?;
        self.encoder.into_inner().map_err(failed)
    }
}

/// Pixels that are opaque or nothing.
fn canvas(pixels: &Pixels) -> Result<Vec<[u8; 4]>, Error> {
    let count = pixels.channels().count();
    let length = pixels.data().len() / count;
    let mut canvas: Vec<[u8; 4]> = Vec::new();
    canvas
        .try_reserve_exact(length)
        .map_err(|_| Error::new(Kind::OutOfMemory, "no memory for a frame of an animation"))?;
    canvas.extend(pixels.data().chunks_exact(count).map(|p| {
        let [r, g, b, a] = rgba(p);
        if a < OPAQUE { [0; 4] } else { [r, g, b, 255] }
    }));
    Ok(canvas)
}

/// The smallest rectangle (x, y, width, height) that holds every difference; a single pixel if there is none.
fn changed(old: &[[u8; 4]], new: &[[u8; 4]], w: usize) -> (usize, usize, usize, usize) {
    let (mut left, mut right, mut top, mut bottom) = (w, 0, usize::MAX, 0);
    for (y, (a, b)) in old.chunks_exact(w).zip(new.chunks_exact(w)).enumerate() {
        let Some(first) = a.iter().zip(b).position(|(a, b)| a != b) else { continue };
        let last = a.iter().zip(b).rposition(|(a, b)| a != b).unwrap_or(first);
        (left, right) = (left.min(first), right.max(last));
        (top, bottom) = (top.min(y), y);
    }
    if top == usize::MAX { (0, 0, 1, 1) } else { (left, top, right - left + 1, bottom - top + 1) }
}

/// A part of the canvas with a palette; pixels that the screen shows already are left transparent.
fn draw(
    canvas: &[[u8; 4]],
    screen: Option<&[[u8; 4]]>,
    w: usize,
    (left, top, width, height): (usize, usize, usize, usize),
) -> Result<Block<'static>, Error> {
    let mut data = room(width * height * 4)?;
    for y in top..top + height {
        let row = y * w + left..y * w + left + width;
        match screen {
            None => data.extend_from_slice(canvas[row].as_flattened()),
            Some(screen) => data.extend(
                canvas[row.clone()]
                    .iter()
                    .zip(&screen[row])
                    .flat_map(|(new, old)| if new == old { [0; 4] } else { *new }),
            ),
        }
    }
    let part = Pixels::new(width as u32, height as u32, crate::picture::Channels::Rgba, data)?;
    let Indexed { palette, indices } = match index(&part, 256) {
        Some(exact) => exact,
        None => quantised(&part)?,
    };
    Ok(Block {
        left: left as u16,
        top: top as u16,
        width: width as u16,
        height: height as u16,
        transparent: palette.iter().position(|c| c[3] == 0).map(|i| i as u8),
        palette: Some(palette.iter().flat_map(|c| [c[0], c[1], c[2]]).collect()),
        buffer: indices.into(),
        ..Block::default()
    })
}

/// 255 colours that suit the opaque pixels, and one for none.
fn quantised(pixels: &Pixels) -> Result<Indexed, Error> {
    let source = pixels.data().as_chunks::<4>().0;
    let mut opaque = room(pixels.data().len())?;
    source.iter().filter(|p| p[3] != 0).for_each(|p| opaque.extend_from_slice(p));
    let quantiser = NeuQuant::new(SAMPLING, 255, &opaque);
    drop(opaque);
    let mut palette: Vec<[u8; 4]> = quantiser.color_map_rgba().as_chunks::<4>().0.to_vec();
    palette.truncate(255);
    palette.iter_mut().for_each(|c| c[3] = 255);
    let none = palette.len() as u8;
    palette.push([0; 4]);
    // Looking a colour up costs a search: neighbours in the upper seven bits share its result.
    let mut known = vec![u16::MAX; 1 << 21];
    let mut indices = room(source.len())?;
    indices.extend(source.iter().map(|p| {
        if p[3] == 0 {
            return none;
        }
        let cell = usize::from(p[0] >> 1) << 14 | usize::from(p[1] >> 1) << 7 | usize::from(p[2] >> 1);
        if known[cell] == u16::MAX {
            known[cell] = quantiser.index_of(p).min(254) as u16;
        }
        known[cell] as u8
    }));
    Ok(Indexed { palette, indices })
}

fn failed(error: EncodingError) -> Error {
    Error::new(Kind::Internal, format!("gif: {error}"))
}
