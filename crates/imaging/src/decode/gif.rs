//! GIF: frames composed on the logical screen.

use std::io::Cursor;

use gif::{ColorOutput, DecodeOptions, Decoder, DisposalMethod, MemoryLimit};

use super::super::picture::{Animation, Channels, Decode, Frame, Metadata, Pixels};
use super::super::probe::{Header, corrupt, gif as blocks};
use super::{buffer, copy, metadata};
use crate::error::{Error, Kind};
use crate::plan::{Format, Limits};
use crate::transform::without_alpha;

/// A rectangle of the canvas, already cut to it.
#[derive(Debug, Clone, Copy)]
struct Area {
    left: usize,
    top: usize,
    width: usize,
    height: usize,
}

/// An open GIF.
struct Moving<'a> {
    decoder: Decoder<Cursor<&'a [u8]>>,
    header: Header,
    metadata: Metadata,
    max_pixels: u64,
    canvas: Pixels,
    /// What to do to the canvas before the next frame is drawn.
    disposal: Option<(DisposalMethod, Area)>,
    /// The canvas as it was before a frame that is to be taken back.
    before: Option<Pixels>,
    given: u32,
}

/// Opens a GIF.
pub(super) fn open<'a>(bytes: &'a [u8], header: &Header, limits: &Limits) -> Result<Box<dyn Decode + 'a>, Error> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    options.set_memory_limit(MemoryLimit::Bytes(64u64.saturating_mul(1 << 20).try_into().map_err(|_| internal())?));
    let decoder = options.read_info(Cursor::new(bytes)).map_err(damaged)?;
    let repeat = match blocks::blocks(bytes).loops {
        // No extension: once. The number counts the repetitions after the first run.
        None => Some(1),
        Some(0) => None,
        Some(loops) => Some(u32::from(loops).saturating_add(1)),
    };
    let animation = (header.source.frames > 1).then_some(Animation { repeat });
    Ok(Box::new(Moving {
        decoder,
        header: *header,
        metadata: Metadata { animation, ..metadata(header, None) },
        max_pixels: limits.source_pixels,
        canvas: Pixels::filled(header.source.width, header.source.height, Channels::Rgba, 0)?,
        disposal: None,
        before: None,
        given: 0,
    }))
}

fn internal() -> Error {
    Error::new(Kind::Internal, "a memory limit of zero")
}

fn damaged(error: gif::DecodingError) -> Error {
    match error {
        gif::DecodingError::OutOfMemory | gif::DecodingError::MemoryLimit => {
            Error::new(Kind::OutOfMemory, "no memory for a GIF's metadata")
        }
        other => corrupt(Format::Gif, &other.to_string()),
    }
}

impl Decode for Moving<'_> {
    fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, Error> {
        if self.given == self.header.source.frames {
            return Ok(None);
        }
        self.dispose()?;
        let delay_ms = self.draw()?;
        self.given = self.given.saturating_add(1);
        let pixels = if self.header.source.alpha { copy(&self.canvas)? } else { without_alpha(&self.canvas)? };
        Ok(Some(Frame { pixels, delay_ms }))
    }
}

impl Moving<'_> {
    /// Does to the canvas what the frame before asked for.
    fn dispose(&mut self) -> Result<(), Error> {
        let Some((method, area)) = self.disposal.take() else { return Ok(()) };
        match method {
            DisposalMethod::Any | DisposalMethod::Keep => {}
            // To transparent, as browsers do, not to the colour that the header names.
            DisposalMethod::Background => rows(&mut self.canvas, area).for_each(|row| row.fill(0)),
            DisposalMethod::Previous => {
                if let Some(before) = self.before.take() {
                    self.canvas = before;
                }
            }
        }
        Ok(())
    }

    /// Draws the next frame; gives its delay in milliseconds.
    fn draw(&mut self) -> Result<u32, Error> {
        let short = format!("only {} of its {} frames are there", self.given, self.header.source.frames);
        let short = || corrupt(Format::Gif, &short);
        let frame = self.decoder.next_frame_info().map_err(damaged)?.ok_or_else(short)?;
        let (width, height) = (usize::from(frame.width), usize::from(frame.height));
        let (left, top) = (usize::from(frame.left), usize::from(frame.top));
        let (transparent, method, delay) = (frame.transparent, frame.dispose, u32::from(frame.delay) * 10);
        if width as u64 * height as u64 > self.max_pixels {
            return Err(Error::new(
                Kind::SourcePixels,
                format!("a frame has {width} x {height} pixels, above the limit"),
            ));
        }
        let length = self.decoder.buffer_size();
        let mut indices = buffer(length)?;
        self.decoder.read_into_buffer(&mut indices).map_err(damaged)?;
        let area = self.cut(left, top, width, height);
        if method == DisposalMethod::Previous {
            self.before = Some(copy(&self.canvas)?);
        }
        self.disposal = Some((method, area));
        let mut palette = [[0, 0, 0, 255]; 256];
        for (entry, rgb) in palette.iter_mut().zip(self.decoder.palette().map_err(damaged)?.chunks_exact(3)) {
            if let [r, g, b] = *rgb {
                *entry = [r, g, b, 255];
            }
        }
        for (row, indices) in rows(&mut self.canvas, area).zip(indices.chunks_exact(width.max(1))) {
            for (pixel, &index) in row.chunks_exact_mut(4).zip(indices) {
                if transparent != Some(index) {
                    pixel.copy_from_slice(&palette[usize::from(index)]);
                }
            }
        }
        Ok(delay)
    }

    /// The part of a rectangle that lies on the canvas.
    fn cut(&self, left: usize, top: usize, width: usize, height: usize) -> Area {
        let (across, down) = (self.canvas.width() as usize, self.canvas.height() as usize);
        let (left, top) = (left.min(across), top.min(down));
        Area { left, top, width: width.min(across - left), height: height.min(down - top) }
    }
}

/// The rows of an area of an RGBA canvas.
fn rows(canvas: &mut Pixels, area: Area) -> impl Iterator<Item = &mut [u8]> {
    let stride = canvas.stride();
    let columns = area.left.saturating_mul(4)..area.left.saturating_add(area.width).saturating_mul(4);
    canvas
        .data_mut()
        .chunks_exact_mut(stride)
        .skip(area.top)
        .take(area.height)
        .filter_map(move |row| row.get_mut(columns.clone()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use gif::{Encoder, Frame as Part, Repeat};

    use super::*;
    use crate::probe::probe;

    const RED: u8 = 0;
    const BLUE: u8 = 1;
    const CLEAR: u8 = 3;

    fn part(left: u16, top: u16, side: u16, colour: u8, dispose: DisposalMethod) -> Part<'static> {
        let area = usize::from(side) * usize::from(side);
        let transparent = Some(CLEAR);
        Part {
            left,
            top,
            width: side,
            height: side,
            dispose,
            transparent,
            delay: 7,
            buffer: vec![colour; area].into(),
            ..Part::default()
        }
    }

    fn file(parts: &[Part<'_>]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, 3, 3, &[255, 0, 0, 0, 0, 255, 0, 255, 0, 9, 9, 9]).unwrap();
        encoder.set_repeat(Repeat::Finite(2)).unwrap();
        for part in parts {
            encoder.write_frame(part).unwrap();
        }
        drop(encoder);
        bytes
    }

    /// Each frame as a drawing: r, b, g, or a dot where it is transparent.
    fn drawings(bytes: &[u8]) -> Vec<String> {
        let mut decoder = open(bytes, &probe(bytes).unwrap(), &Limits::default()).unwrap();
        assert_eq!(decoder.metadata().animation, Some(Animation { repeat: Some(3) }));
        let mut drawings = Vec::new();
        while let Some(frame) = decoder.next_frame().unwrap() {
            assert_eq!(frame.delay_ms, 70);
            let letter = |pixel: &[u8]| match pixel {
                [255, 0, 0, 255] => 'r',
                [0, 0, 255, 255] => 'b',
                [0, 255, 0, 255] => 'g',
                [.., 0] => '.',
                _ => '?',
            };
            let lines = frame.pixels.rows().map(|row| row.chunks(4).map(letter).collect::<String>());
            drawings.push(lines.collect::<Vec<_>>().join("/"));
        }
        drawings
    }

    #[test]
    fn frames_are_composed_with_their_disposal_and_cut_to_the_screen() {
        let bytes = file(&[
            part(0, 0, 2, RED, DisposalMethod::Keep),
            part(1, 1, 9, BLUE, DisposalMethod::Previous),
            part(0, 0, 1, BLUE, DisposalMethod::Background),
            part(2, 2, 1, RED, DisposalMethod::Keep),
            part(0, 0, 3, CLEAR, DisposalMethod::Keep),
            part(5, 5, 1, BLUE, DisposalMethod::Background),
        ]);
        assert_eq!(
            drawings(&bytes),
            ["rr./rr./...", "rr./rbb/.bb", "br./rr./...", ".r./rr./..r", ".r./rr./..r", ".r./rr./..r"]
        );
    }

    #[test]
    fn a_missing_frame_is_an_error() {
        let bytes = file(&[part(0, 0, 3, RED, DisposalMethod::Keep), part(0, 0, 3, BLUE, DisposalMethod::Keep)]);
        let mut header = probe(&bytes).unwrap();
        header.source.frames = 3;
        let mut decoder = open(&bytes, &header, &Limits::default()).unwrap();
        assert!(decoder.next_frame().is_ok() && decoder.next_frame().is_ok());
        assert_eq!(decoder.next_frame().unwrap_err().kind, Kind::Corrupt);
    }
}
