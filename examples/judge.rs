//! Decodes one picture as a conversion would, for a judge that compares it with independent decoders (`benches/judge.py`).
//!
//! `judge FILE [OUT]` writes one line of JSON: the size upright, the frames and their delays, the time, the peak of resident
//! memory, or the error. OUT gets the pixels of all frames, upright, rows from top to bottom, in the channels that the line
//! tells.

use std::error::Error;
use std::io::Write;
use std::time::Instant;

use pictor::imaging::decode::{Wanted, open};
use pictor::imaging::{Channels, Frame, probe, transform};
use pictor::plan::Limits;
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let file = arguments.next().ok_or("usage: judge FILE [OUT]")?;
    let bytes = std::fs::read(file)?;
    let mut out = arguments.next().map(std::fs::File::create).transpose()?;
    let start = Instant::now();
    let mut line = decode(&bytes, &mut |frame| {
        if let Some(out) = &mut out {
            out.write_all(frame.pixels.data())?;
        }
        Ok(())
    })
    .unwrap_or_else(|error| match error.downcast::<pictor::error::Error>() {
        Ok(error) => json!({ "kind": format!("{:?}", error.kind), "error": error.to_string() }),
        Err(error) => json!({ "kind": "Io", "error": error.to_string() }),
    });
    if let Some(line) = line.as_object_mut() {
        line.insert("ms".to_owned(), json!(start.elapsed().as_secs_f64() * 1000.0));
        line.insert("kib".to_owned(), json!(peak()));
    }
    println!("{line}");
    Ok(())
}

type Taken<'a> = &'a mut dyn FnMut(&Frame) -> Result<(), Box<dyn Error>>;

fn decode(bytes: &[u8], taken: Taken<'_>) -> Result<Value, Box<dyn Error>> {
    let header = probe(bytes)?;
    // The frames of the longest animation of the corpus.
    let limits = Limits { frames: 400, ..Limits::default() };
    let mut decoder = open(bytes, &header, &Wanted { limits, ..Wanted::default() })?;
    let orientation = decoder.metadata().orientation;
    let mut delays = Vec::new();
    let mut size = (0, 0, Channels::Rgb);
    while let Some(frame) = decoder.next_frame()? {
        let pixels = transform::orient(frame.pixels, orientation)?;
        size = (pixels.width(), pixels.height(), pixels.channels());
        delays.push(frame.delay_ms);
        taken(&Frame { pixels, ..frame })?;
    }
    Ok(json!({
        "format": header.source.format.name(), "width": size.0, "height": size.1, "channels": size.2.count(),
        "orientation": orientation, "delays": delays,
    }))
}

/// The most memory that was resident at any time, in KiB; 0 where the system does not tell.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}
