//! What a site decides about its pictures where the rule says nothing.

use serde::{Deserialize, Serialize};

/// A site's decisions. Part of every conversion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// What is carried along of the original's metadata.
    pub metadata: Carry,
    /// Which colours are written.
    pub gamut: Gamut,
    /// In which light pictures are resampled.
    pub resample: Light,
    /// The SSIMULACRA2 that a picture without a number for its quality is written at, 1..=100, with as few bytes as reach
    /// it; 0 writes it at its format's default quality.
    pub auto_quality: u8,
    /// How far a WebP without loss may be from the original: 1..=99 as libwebp has it, where less is more loss; 0 is not at
    /// all. On photographs 60 takes a third off the bytes.
    pub near_lossless: u8,
    /// Whether WebP is written by libwebp's ordinary method, 4, in place of 6: half the CPU for 5 % more bytes.
    pub ordinary_webp: bool,
    /// Whether JPEG XL originals are read.
    pub jxl: bool,
    /// Whether SVG originals are drawn. Their text is written with the fonts of `[engine.fonts]`.
    pub svg: bool,
}

/// What is carried along of the original's metadata, unless the rule strips it. The orientation is always told the truth
/// about, and the colours are always right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Carry {
    /// Nothing: the smallest files, and no place where somebody lives.
    #[default]
    Nothing,
    /// Who made it and whose it is.
    Copyright,
    /// All EXIF.
    Exif,
}

/// Which colours are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Gamut {
    /// sRGB always.
    #[default]
    Srgb,
    /// Display P3 where the original has a wider gamut than sRGB and the target can say so; else sRGB.
    P3,
}

/// In which light pictures are resampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Light {
    /// On the encoded values, as nearly everybody does, and as those do whose URLs this serves.
    #[default]
    Gamma,
    /// On amounts of light: fine bright detail keeps its brightness. On Kodak's photographs
    /// (768 x 512 to 500 x 333) SSIMULACRA2 of 76.2 in place of 66.7, 2 % more bytes, 1.35 times the CPU.
    Linear,
}
