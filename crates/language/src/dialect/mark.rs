//! What both dialects say about marks.

use base64::Engine;

use crate::plan::Rgb;

/// Bytes of a font's name.
pub(super) const MAX_FONT_NAME: usize = 128;

/// A text as one line: control characters are blanks. `None` if nothing is left.
pub(super) fn line(text: &str) -> Option<String> {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    (!line.trim().is_empty()).then_some(line)
}

/// Text as URL-safe base64 without padding.
pub(super) fn encode(text: &str) -> String {
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
}

/// Names of colours that old rules have.
pub(super) fn color_name(name: &str) -> Option<Rgb> {
    let [_, r, g, b] = u32::to_be_bytes(match name.to_ascii_lowercase().as_str() {
        "black" => 0x00_0000,
        "white" => 0xff_ffff,
        "red" => 0xff_0000,
        "lime" => 0x00_ff00,
        "green" => 0x00_8000,
        "blue" => 0x00_00ff,
        "yellow" => 0xff_ff00,
        "cyan" | "aqua" => 0x00_ffff,
        "magenta" | "fuchsia" => 0xff_00ff,
        "gray" | "grey" => 0x80_8080,
        "silver" => 0xc0_c0c0,
        "maroon" => 0x80_0000,
        "olive" => 0x80_8000,
        "navy" => 0x00_0080,
        "purple" => 0x80_0080,
        "teal" => 0x00_8080,
        "orange" => 0xff_a500,
        _ => return None,
    });
    Some(Rgb { r, g, b })
}
