//! Cutting a rectangle out.

use super::super::picture::Pixels;
use crate::error::{Error, Kind};

/// Keeps a rectangle that lies wholly inside. The rows are moved within the memory that is there.
pub(super) fn crop(pixels: Pixels, x: u32, y: u32, width: u32, height: u32) -> Result<Pixels, Error> {
    let inside =
        |start: u32, part: u32, whole: u32| part > 0 && start.checked_add(part).is_some_and(|end| end <= whole);
    if !inside(x, width, pixels.width()) || !inside(y, height, pixels.height()) {
        let (whole_width, whole_height) = (pixels.width(), pixels.height());
        return Err(Error::new(
            Kind::Internal,
            format!("a crop of {width} x {height} at ({x}, {y}) of {whole_width} x {whole_height} pixels"),
        ));
    }
    let (channels, stride) = (pixels.channels(), pixels.stride());
    let (row, left) = (width as usize * channels.count(), x as usize * channels.count());
    let mut data = pixels.into_data();
    for at in 0..height as usize {
        let from = (y as usize + at) * stride + left;
        data.copy_within(from..from + row, at * row);
    }
    data.truncate(row * height as usize);
    data.shrink_to_fit();
    Pixels::new(width, height, channels, data)
}
