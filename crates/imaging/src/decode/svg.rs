//! SVG by resvg: drawn at the size that is wanted, on a transparent ground.
//!
//! The file is read in three steps, and each bounds what the next one can be made to do: [`scan`] looks at the text before
//! it is parsed, [`weigh`] at the parsed text before its references are followed, and [`toll`] at the finished drawing
//! before it is drawn. Nothing is opened or fetched: what the file refers to outside of itself is left out; its text is
//! written with the [`letters`] that the process has. Scripts and animations are not carried out.

mod embedded;
mod letters;
mod scan;
mod toll;
mod weigh;

use std::borrow::Cow;
use std::io::Read;
use std::sync::Arc;

use flate2::read::GzDecoder;
use resvg::tiny_skia::{IntSize, Pixmap, Transform};
use resvg::usvg::{self, Options, Size, Tree};
use roxmltree::{Document, ParsingOptions};

use super::super::picture::{Channels, Decode, Pixels};
use super::super::probe::{Header, corrupt, svg, unsupported};
use super::still::StillDecoder;
use super::{Wanted, area, buffer, metadata};
use crate::error::{Error, Kind};
use crate::plan::Format;
use embedded::Embedded;

/// Stack of the thread that parses and draws: both descend with the depth of the file and along its references, by less
/// than 10 KiB a step, and [`weigh`] lets no more than [`weigh::DEEPEST`] steps pass. Only what is used becomes memory.
const STACK: usize = 64 << 20;
/// Bytes a pixel of the result that layers may take.
const EACH: u64 = 40;
/// Bytes that it may take whatever the size: 195,000 pieces took 155 MiB.
const SLACK: u64 = 160 << 20;

/// What drawing takes at most, in bytes, for a result of so many pixels.
pub(crate) fn most_bytes(pixels: u64) -> u64 {
    pixels.saturating_mul(EACH).saturating_add(SLACK)
}

/// Opens an SVG. With a size to shrink to, it is drawn at exactly that size, which may be a larger one.
pub(super) fn open<'a>(bytes: &'a [u8], header: &Header, wanted: &Wanted) -> Result<Box<dyn Decode + 'a>, Error> {
    let (header, wanted) = (*header, *wanted);
    let (width, height) =
        wanted.shrink.map_or((header.source.width, header.source.height), |to| (to.min_width, to.min_height));
    if u64::from(width) * u64::from(height) > wanted.limits.source_pixels {
        let most = wanted.limits.source_pixels;
        let message = format!("the SVG original would be drawn at {width} x {height} pixels; at most {most} are");
        return Err(Error::new(Kind::SourcePixels, message));
    }
    Ok(StillDecoder::open(metadata(&header, None), move || {
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().name("svg".into()).stack_size(STACK);
            let work = || draw(bytes, &header, &wanted, (width, height));
            let thread = thread.spawn_scoped(scope, work).map_err(|error| {
                Error::new(Kind::OutOfMemory, format!("no thread to draw the SVG original: {error}"))
            })?;
            // A panic goes on to whoever catches them all.
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }))
}

fn draw(bytes: &[u8], header: &Header, wanted: &Wanted, size: (u32, u32)) -> Result<Pixels, Error> {
    let text = unpack(bytes, wanted.limits.source_bytes)?;
    let text = std::str::from_utf8(&text).map_err(|_| damaged("it is not UTF-8"))?;
    let text = scan::scan(text.strip_prefix('\u{feff}').unwrap_or(text))?;
    let parsing = ParsingOptions { allow_dtd: false, nodes_limit: scan::MOST_NODES, ..ParsingOptions::default() };
    let xml = Document::parse_with_options(&text, parsing).map_err(|error| damaged(&error.to_string()))?;
    weigh::check(&xml)?;
    let letters = match weigh::texts(&xml).next() {
        Some(_) => letters::letters().checked()?,
        None => letters::none(),
    };
    let embedded = Embedded::new(wanted);
    let options = Options {
        font_size: svg::EM as f32,
        default_size: Size::from_wh(svg::DEFAULT.0 as f32, svg::DEFAULT.1 as f32)
            .ok_or_else(|| Error::new(Kind::Internal, "the size to draw the SVG at is missing"))?,
        image_href_resolver: embedded.resolver(),
        font_family: letters::DEFAULT.to_owned(),
        font_resolver: letters.resolver(),
        fontdb: Arc::clone(&letters.db),
        ..Options::default()
    };
    let tree = Tree::from_xmltree(&xml, &options).map_err(|error| failed(&error))?;
    drop(options);
    embedded.verdict()?;
    let near = |told: u32, length: f32| {
        let found = svg::pixels(length.into());
        told.abs_diff(found) <= 1 + told / 100_000
    };
    if !near(header.source.width, tree.size().width()) || !near(header.source.height, tree.size().height()) {
        return Err(unsupported(Format::Svg, "its size is told in a way that is not understood"));
    }
    let (width, height) = size;
    let scale = Transform::from_scale(width as f32 / tree.size().width(), height as f32 / tree.size().height());
    toll::check(&tree, scale, size)?;
    let mut canvas = IntSize::from_wh(width, height)
        .zip(Some(buffer(area(width, height, 4)?)?))
        .and_then(|(size, data)| Pixmap::from_vec(data, size))
        .ok_or_else(|| Error::new(Kind::OutOfMemory, format!("no memory for {width} x {height} pixels")))?;
    resvg::render(&tree, scale, &mut canvas.as_mut());
    Pixels::new(width, height, Channels::Rgba, canvas.take_demultiplied())
}

/// The text, unpacked up to a limit.
fn unpack(bytes: &[u8], most: u64) -> Result<Cow<'_, [u8]>, Error> {
    if !svg::is_packed(bytes) {
        return Ok(Cow::Borrowed(bytes));
    }
    let mut text = Vec::new();
    let read = GzDecoder::new(bytes).take(most.saturating_add(1)).read_to_end(&mut text);
    read.map_err(|error| damaged(&format!("it cannot be unpacked: {error}")))?;
    if text.len() as u64 > most {
        let message = format!("the SVG original has more than {most} bytes when it is unpacked");
        return Err(Error::new(Kind::SourceBytes, message));
    }
    Ok(Cow::Owned(text))
}

fn failed(error: &usvg::Error) -> Error {
    match error {
        usvg::Error::ElementsLimitReached | usvg::Error::ParsingFailed(roxmltree::Error::NodesLimitReached) => {
            too_much("its references lead too far")
        }
        error => damaged(&error.to_string()),
    }
}

fn damaged(what: &str) -> Error {
    corrupt(Format::Svg, what)
}

/// Refuses what would take longer, or more memory, than any picture should.
fn too_much(what: &str) -> Error {
    unsupported(Format::Svg, &format!("{what}; simplify it, or convert it to another format"))
}

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod text_tests;
