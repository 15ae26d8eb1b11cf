//! Answers opened by programs that are not ours: libvips for sizes, frames and pixels, ImageMagick for JPEG's scans.

use std::path::Path;
use std::process::Command;

use crate::support::have;

/// What independent programs see in an answer.
#[derive(Debug)]
pub struct Seen {
    pub width: u32,
    pub height: u32,
    pub frames: u32,
    /// Of a JPEG.
    pub progressive: bool,
}

fn run(program: &str, arguments: &[&str]) -> Result<String, String> {
    assert!(have(program), "{program} is not here; run scripts/setup test");
    let done = Command::new(program).args(arguments).output().unwrap();
    if !done.status.success() {
        return Err(format!("{program}: {}", String::from_utf8_lossy(&done.stderr).trim()));
    }
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}

/// Opens a file. Its extension says what it must be.
pub fn seen(file: &Path) -> Result<Seen, String> {
    let path = file.to_str().unwrap();
    let header = run("vipsheader", &["-a", path])?;
    let field = |name: &str| header.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")?.parse().ok());
    let height = field("page-height").or_else(|| field("height")).ok_or("no height")?;
    let mut seen = Seen {
        width: field("width").ok_or("no width")?,
        height,
        frames: field("n-pages").unwrap_or(1),
        progressive: false,
    };
    if path.ends_with(".jpg") {
        seen.progressive = run("identify", &["-format", "%[interlace]", path])? != "None";
    }
    Ok(seen)
}

/// The pixels of a picture's first frame, RGBA.
pub struct Canvas {
    pub width: u32,
    pub height: u32,
    data: Vec<u8>,
}

impl Canvas {
    pub fn open(file: &Path) -> Result<Self, String> {
        let png = file.with_extension("seen.png");
        // libvips takes BMP through ImageMagick; either is a decoder of its own.
        run("vips", &["copy", file.to_str().unwrap(), png.to_str().unwrap()])?;
        Self::read(&std::fs::read(png).unwrap())
    }

    /// A PNG of eight bits.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
        decoder.set_transformations(png::Transformations::normalize_to_color8());
        let mut reader = decoder.read_info().map_err(|error| error.to_string())?;
        let mut raw = vec![0; reader.output_buffer_size().ok_or("a large picture")?];
        let info = reader.next_frame(&mut raw).map_err(|error| error.to_string())?;
        let samples = info.color_type.samples();
        let rgba = |pixel: &[u8]| match *pixel {
            [grey] => [grey, grey, grey, 255],
            [grey, alpha] => [grey, grey, grey, alpha],
            [r, g, b] => [r, g, b, 255],
            [r, g, b, a] => [r, g, b, a],
            _ => unreachable!(),
        };
        let data = raw[..info.buffer_size()].chunks_exact(samples).flat_map(rgba).collect();
        Ok(Self { width: info.width, height: info.height, data })
    }

    pub fn at(&self, x: u32, y: u32) -> [u8; 4] {
        let at = (y as usize * self.width as usize + x as usize) * 4;
        self.data.get(at..at + 4).map_or([0; 4], |pixel| pixel.try_into().unwrap())
    }

    /// Mean and standard deviation of the brightness.
    pub fn brightness(&self) -> (f64, f64) {
        let grey = |pixel: &[u8]| pixel[..3].iter().map(|part| f64::from(*part)).sum::<f64>() / 3.0;
        let count = self.data.len() as f64 / 4.0;
        let mean = self.data.chunks_exact(4).map(grey).sum::<f64>() / count;
        let spread = self.data.chunks_exact(4).map(|pixel| (grey(pixel) - mean).powi(2)).sum::<f64>() / count;
        (mean, spread.sqrt())
    }

    /// How far red, green and blue lie apart at most.
    pub fn colourfulness(&self) -> u8 {
        let apart = |pixel: &[u8]| pixel[..3].iter().max().unwrap() - pixel[..3].iter().min().unwrap();
        self.data.chunks_exact(4).map(apart).max().unwrap_or(0)
    }

    /// Pixels that differ from the other picture's by more than a codec's noise.
    pub fn changed(&self, other: &Self, region: impl Fn(u32, u32) -> bool) -> usize {
        let differs = |at: &usize| {
            let (x, y) = ((at % self.width as usize) as u32, (at / self.width as usize) as u32);
            region(x, y) && self.at(x, y).iter().zip(other.at(x, y)).any(|(a, b)| a.abs_diff(b) > 40)
        };
        (0..self.data.len() / 4).filter(differs).count()
    }
}
