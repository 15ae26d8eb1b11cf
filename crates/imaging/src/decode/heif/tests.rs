#![allow(clippy::unwrap_used, clippy::expect_used)]
use super::*;
use crate::at_hand::{corpus, missing};
use crate::decode::{Wanted, open};
use crate::probe::probe;

/// A black and a white square in video range, made by avifenc: grey of 8 and of 10 bits, and RGB as it is.
const HALVES: [(&str, &str); 3] = [
    (
        "8-bit grey",
        "0000001c667479706176696600000000617669666d6966316d696166000000f06d657461000000000000002868646c720000000000000000\
         706963740000000000000000000000006c696261766966000000000e7069746d0000000000010000001e696c6f6300000000440000010001\
         00000001000001140000001b0000002869696e660000000000010000001a696e6665020000000001000061763031436f6c6f720000000068\
         69707270000000496970636f00000014697370650000000000000010000000080000000e706978690000000001080000000c617631438100\
         1c0000000013636f6c726e636c780001000d0006000000001769706d61000000000000000100010401028304000000236d64617412000a08\
         180cbfb0c0434188320d1000b6ff1c3911a1763848f40d",
    ),
    (
        "10-bit grey",
        "0000001c667479706176696600000000617669666d6966316d696166000000f06d657461000000000000002868646c720000000000000000\
         706963740000000000000000000000006c696261766966000000000e7069746d0000000000010000001e696c6f6300000000440000010001\
         00000001000001140000001c0000002869696e660000000000010000001a696e6665020000000001000061763031436f6c6f720000000068\
         69707270000000496970636f00000014697370650000000000000010000000080000000e7069786900000000010a0000000c617631438100\
         5c0000000013636f6c726e636c780001000d0006000000001769706d61000000000000000100010401028304000000246d64617412000a08\
         180cbfb1c0434188320e1000b6ff1c3891df6763848ca2c3",
    ),
    (
        "identity",
        "00000020667479706176696600000000617669666d6966316d6961664d413141000000f26d657461000000000000002868646c7200000000\
         00000000706963740000000000000000000000006c696261766966000000000e7069746d0000000000010000001e696c6f63000000004400\
         00010001000000010000011a0000002f0000002869696e660000000000010000001a696e6665020000000001000061763031436f6c6f7200\
         0000006a697072700000004b6970636f0000001469737065000000000000001000000008000000107069786900000000030808080000000c\
         617631438120000000000013636f6c726e636c780001000d0000000000001769706d61000000000000000100010401028304000000376d64\
         617412000a08380cbfb0808680103221100000b6fc328a2cf1f5e28edb80637df7fa2e58610c51b5c195e5e5fe1c888f4e",
    ),
];

#[test]
fn video_range_is_brought_to_black_and_white() {
    for (name, hex) in HALVES {
        let bytes = hex::decode(hex).unwrap();
        let header = probe(&bytes).unwrap();
        let frame = open(&bytes, &header, &Wanted::default()).unwrap().next_frame().unwrap().unwrap();
        let n = frame.pixels.channels().count();
        let row = frame.pixels.rows().nth(4).unwrap();
        assert_eq!((&row[2 * n..][..n], &row[12 * n..][..n]), (&[0, 0, 0][..n], &[255, 255, 255][..n]), "{name}");
    }
}

#[test]
fn colours_of_a_matrix_that_nobody_knows_are_refused() {
    let identity = HALVES[2].1;
    for matrix in ["000f", "0010", "0011", "ffff"] {
        let hex = identity.replace("6e636c780001000d0000", &format!("6e636c780001000d{matrix}"));
        assert_ne!(hex, identity);
        let bytes = hex::decode(hex).unwrap();
        let header = probe(&bytes).unwrap();
        let error = open(&bytes, &header, &Wanted::default()).map(|_| ()).unwrap_err();
        assert_eq!(error.kind, Kind::UnsupportedSource, "{matrix}: {error}");
        assert!(error.message.contains("matrix"), "{error}");
    }
}

/// Pixels by avifdec, from a PNG of its.
fn judged(path: &std::path::Path) -> Option<Pixels> {
    let folder = tempfile::tempdir().unwrap();
    let png = folder.path().join("judged.png");
    let ran = std::process::Command::new("avifdec").args(["-d", "8"]).arg(path).arg(&png).output().ok()?;
    ran.status.success().then_some(())?;
    let bytes = std::fs::read(png).unwrap();
    let header = probe(&bytes).unwrap();
    Some(open(&bytes, &header, &Wanted::default()).unwrap().next_frame().unwrap().unwrap().pixels)
}

fn psnr(one: &Pixels, other: &Pixels) -> f64 {
    let sum: f64 = one.data().iter().zip(other.data()).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2)).sum();
    10.0 * (255.0 * 255.0 * one.data().len() as f64 / sum.max(1e-9)).log10()
}

/// Of the same samples libavif makes the same colours, but for what its quicker arithmetic rounds away.
#[test]
fn colours_are_those_of_libavif() {
    let Some(root) = corpus() else { return };
    if std::process::Command::new("avifdec").arg("--help").output().is_err() {
        return missing("avifdec");
    }
    for (name, least) in [
        ("fox.profile0.8bpc.yuv420.avif", 45.0),
        ("fox.profile0.10bpc.yuv420.odd-width.odd-height.avif", 45.0),
        ("fox.profile1.10bpc.yuv444.avif", 48.0),
        ("fox.profile2.12bpc.yuv422.avif", 45.0),
        ("kodim23_yuv420_8bpc.avif", 45.0),
    ] {
        let path = root.join("avif").join(name);
        let bytes = std::fs::read(&path).unwrap();
        let header = probe(&bytes).unwrap();
        let ours = open(&bytes, &header, &Wanted::default()).unwrap().next_frame().unwrap().unwrap().pixels;
        let theirs = judged(&path).unwrap();
        assert_eq!(
            (ours.width(), ours.height(), ours.channels()),
            (theirs.width(), theirs.height(), theirs.channels())
        );
        let psnr = psnr(&ours, &theirs);
        println!("{name}: {psnr:.1} dB");
        assert!(psnr > least, "{name}: {psnr:.1} dB");
    }
}
