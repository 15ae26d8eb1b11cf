//! The reference's test table for Tencent, by row. Rows of operations that are not here yet are in
//! [`known_by_name_only`].

use super::*;
use crate::plan::{Frames, GeometryOp, Quality, Rgb, Target};
use Format::*;

fn source(name: char) -> Source {
    match name {
        'A' => still(Jpeg, 1000, 500),
        'B' => still(Jpeg, 1500, 1200),
        'C' => Source { alpha: true, ..still(Png, 300, 200) },
        'D' => Source { frames: 60, ..still(Gif, 400, 300) },
        'E' => still(Jpeg, 500, 1000),
        'F' => Source { orientation: 6, ..still(Jpeg, 800, 600) },
        'G' => still(Jpeg, 960, 540),
        other => panic!("no source {other}"),
    }
}

#[test]
fn sizes_frames_and_formats() {
    let rows: &[(u16, char, &str, (u32, u32, u32, Format))] = &[
        (1, 'A', "imageMogr2/thumbnail/!50p", (500, 250, 1, Jpeg)),
        (2, 'G', "imageMogr2/thumbnail/!50p", (480, 270, 1, Jpeg)),
        (3, 'A', "imageMogr2/thumbnail/!50px", (500, 500, 1, Jpeg)),
        (4, 'A', "imageMogr2/thumbnail/!x50p", (1000, 250, 1, Jpeg)),
        (5, 'A', "imageMogr2/thumbnail/!200p", (2000, 1000, 1, Jpeg)),
        (6, 'A', "imageMogr2/thumbnail/300x", (300, 150, 1, Jpeg)),
        (7, 'A', "imageMogr2/thumbnail/x300", (600, 300, 1, Jpeg)),
        (8, 'A', "imageMogr2/thumbnail/300x300", (300, 150, 1, Jpeg)),
        (9, 'A', "imageMogr2/thumbnail/2000x2000", (2000, 1000, 1, Jpeg)),
        (10, 'A', "imageMogr2/thumbnail/!300x300r", (600, 300, 1, Jpeg)),
        (11, 'E', "imageMogr2/thumbnail/!300x300r", (300, 600, 1, Jpeg)),
        (12, 'A', "imageMogr2/thumbnail/300x300>", (300, 150, 1, Jpeg)),
        (13, 'A', "imageMogr2/thumbnail/2000x1200>", (1000, 500, 1, Jpeg)),
        (14, 'A', "imageMogr2/thumbnail/2000x300>", (600, 300, 1, Jpeg)),
        (15, 'A', "imageMogr2/thumbnail/3000x3000<", (3000, 1500, 1, Jpeg)),
        (16, 'A', "imageMogr2/thumbnail/300x300<", (1000, 500, 1, Jpeg)),
        (17, 'A', "imageMogr2/thumbnail/3000x300<", (1000, 500, 1, Jpeg)),
        (18, 'A', "imageMogr2/thumbnail/300x300!", (300, 300, 1, Jpeg)),
        (19, 'A', "imageMogr2/thumbnail/20000@", (200, 100, 1, Jpeg)),
        (20, 'A', "imageMogr2/thumbnail/9000000@", (1000, 500, 1, Jpeg)),
        (21, 'G', "imageMogr2/thumbnail/600x600/pad/1/color/IzNEM0QzRA", (600, 600, 1, Jpeg)),
        (22, 'A', "imageMogr2/thumbnail/600x600/pad/1", (600, 600, 1, Jpeg)),
        (23, 'A', "imageMogr2/thumbnail/600x600/pad/0", (600, 300, 1, Jpeg)),
        (24, 'C', "imageMogr2/thumbnail/100x100/pad/1", (100, 100, 1, Png)),
        (25, 'G', "imageMogr2/cut/600x400x100x10", (600, 400, 1, Jpeg)),
        (26, 'A', "imageMogr2/cut/600x600x100x10", (600, 490, 1, Jpeg)),
        (27, 'B', "imageMogr2/crop/600x600", (600, 600, 1, Jpeg)),
        (28, 'B', "imageMogr2/crop/300x400/gravity/center", (300, 400, 1, Jpeg)),
        (29, 'B', "imageMogr2/gravity/west/crop/300x400", (300, 400, 1, Jpeg)),
        (30, 'B', "imageMogr2/crop/300x400/gravity/southeast", (300, 400, 1, Jpeg)),
        (31, 'B', "imageMogr2/crop/500x", (500, 1200, 1, Jpeg)),
        (32, 'B', "imageMogr2/crop/x500", (1500, 500, 1, Jpeg)),
        (33, 'B', "imageMogr2/crop/!600x600a20a20", (600, 600, 1, Jpeg)),
        (34, 'B', "imageMogr2/crop/!600x600-20a20", (580, 600, 1, Jpeg)),
        (41, 'A', "imageMogr2/rotate/90", (500, 1000, 1, Jpeg)),
        (42, 'A', "imageMogr2/rotate/180", (1000, 500, 1, Jpeg)),
        (35, 'B', "imageMogr2/scrop/300x400", (1500, 1200, 1, Jpeg)),
        (36, 'B', "imageMogr2/scrop/300x400/crop/300x400", (300, 400, 1, Jpeg)),
        (37, 'A', "imageMogr2/iradius/200", (400, 400, 1, Jpeg)),
        (38, 'C', "imageMogr2/iradius/80", (160, 160, 1, Png)),
        (39, 'A', "imageMogr2/rradius/100", (1000, 500, 1, Jpeg)),
        (72, 'A', "imageMogr2/blur/8x5", (1000, 500, 1, Jpeg)),
        (73, 'A', "imageMogr2/bright/70", (1000, 500, 1, Jpeg)),
        (74, 'A', "imageMogr2/contrast/-50", (1000, 500, 1, Jpeg)),
        (75, 'A', "imageMogr2/sharpen/70", (1000, 500, 1, Jpeg)),
        (76, 'A', "imageMogr2/grayscale/1", (1000, 500, 1, Jpeg)),
        (77, 'A', "imageMogr2/grayscale/0", (1000, 500, 1, Jpeg)),
        (0, 'A', "imageMogr2/indexcrop/width/300/height/300/index/3", (100, 300, 1, Jpeg)),
        (0, 'A', "imageMogr2/indexcrop/width/300/index/9", (1000, 500, 1, Jpeg)),
        (43, 'A', "imageMogr2/rotate/270", (500, 1000, 1, Jpeg)),
        (44, 'A', "imageMogr2/rotate/0", (1000, 500, 1, Jpeg)),
        (45, 'A', "imageMogr2/rotate/45", (1061, 1061, 1, Jpeg)),
        (46, 'F', "imageMogr2/auto-orient", (600, 800, 1, Jpeg)),
        (47, 'F', "imageMogr2/auto-orient/thumbnail/300x", (300, 400, 1, Jpeg)),
        (48, 'A', "imageMogr2/flip/horizontal", (1000, 500, 1, Jpeg)),
        (49, 'A', "imageMogr2/format/png", (1000, 500, 1, Png)),
        (50, 'A', "imageMogr2/format/webp", (1000, 500, 1, WebP)),
        (51, 'A', "imageMogr2/format/avif", (1000, 500, 1, Avif)),
        (52, 'A', "imageMogr2/format/heif", (1000, 500, 1, Heif)),
        (53, 'A', "imageMogr2/format/bmp", (1000, 500, 1, Bmp)),
        (54, 'A', "imageMogr2/format/gif", (1000, 500, 1, Gif)),
        (55, 'A', "imageMogr2/format/yjpeg", (1000, 500, 1, Jpeg)),
        (56, 'C', "imageMogr2/format/jpg", (300, 200, 1, Jpeg)),
        (57, 'D', "imageMogr2/format/webp", (400, 300, 60, WebP)),
        (58, 'D', "imageMogr2/format/png", (400, 300, 1, Png)),
        (59, 'D', "imageMogr2/thumbnail/200x", (200, 150, 60, Gif)),
        (60, 'D', "imageMogr2/thumbnail/800x", (400, 300, 60, Gif)),
        (61, 'D', "imageMogr2/cgif/1", (400, 300, 30, Gif)),
        (62, 'D', "imageMogr2/cgif/10", (400, 300, 10, Gif)),
        (64, 'A', "imageMogr2/interlace/1", (1000, 500, 1, Jpeg)),
        (65, 'A', "imageMogr2/format/png/interlace/1", (1000, 500, 1, Png)),
        (81, 'A', "imageMogr2/strip", (1000, 500, 1, Jpeg)),
        (83, 'A', "imageView2/1/w/500/h/400", (500, 400, 1, Jpeg)),
        (84, 'A', "imageView2/2/w/500/h/400", (500, 250, 1, Jpeg)),
        (85, 'A', "imageView2/3/w/500/h/400", (800, 400, 1, Jpeg)),
        (86, 'A', "imageView2/0/w/500/h/400", (500, 250, 1, Jpeg)),
        (87, 'A', "imageView2/4/w/500/h/400", (800, 400, 1, Jpeg)),
        (88, 'A', "imageView2/5/w/500/h/400", (500, 400, 1, Jpeg)),
        (89, 'E', "imageView2/4/w/500/h/400", (400, 800, 1, Jpeg)),
        (90, 'E', "imageView2/5/w/500/h/400", (400, 500, 1, Jpeg)),
        (91, 'E', "imageView2/2/w/400", (400, 800, 1, Jpeg)),
        (92, 'A', "imageView2/1/w/300", (300, 300, 1, Jpeg)),
        (93, 'A', "imageView2/3/w/400", (800, 400, 1, Jpeg)),
        (94, 'B', "imageView2/1/w/400/h/600/q/85", (400, 600, 1, Jpeg)),
        (95, 'C', "imageView2/format/png", (300, 200, 1, Png)),
        (96, 'B', "imageView2/3/w/400/format/png", (500, 400, 1, Png)),
        (98, 'A', "imageMogr2/thumbnail/300x300|imageMogr2/crop/100x100", (100, 100, 1, Jpeg)),
        (100, 'A', "imageMogr2/rotate/90|imageMogr2/thumbnail/!50p", (250, 500, 1, Jpeg)),
        (107, 'A', "imageMogr2/thumbnail/20000x", (10_000, 5000, 1, Jpeg)),
        // Section 7.1: a result may have 50,000 pixels a side and 250 million in all; what is compressed further 9,999.
        (0, 'E', "imageMogr2/thumbnail/20000x", (10_000, 20_000, 1, Jpeg)),
        (0, 'A', "imageMogr2/thumbnail/x20000", (20_000, 10_000, 1, Jpeg)),
        (0, 'A', "imageMogr2/thumbnail/20000x/format/png", (10_000, 5000, 1, Png)),
        (0, 'A', "imageMogr2/thumbnail/20000x/format/webp", (10_000, 5000, 1, WebP)),
        (0, 'A', "imageMogr2/thumbnail/9999x/format/avif", (9999, 5000, 1, Avif)),
        (0, 'A', "imageMogr2/thumbnail/9999x/format/heif", (9999, 5000, 1, Heif)),
    ];
    for (row, name, rule, want) in rows {
        assert_eq!(run(rule, &source(*name)), Ok(*want), "row {row}: {rule}");
    }
}

fn ops(rule: &str, name: char) -> Vec<GeometryOp> {
    lay_out(&plan(rule).unwrap(), &source(name), Jpeg, &limits()).unwrap().ops
}

/// Section 2.9: animated formats convert among each other; of two names for PNG one moves.
#[test]
fn animations_stay_animations() {
    for (rule, frames, format) in [
        ("imageMogr2/format/apng", 60, Png),
        ("imageMogr2/format/png", 1, Png),
        ("imageMogr2/format/avif", 60, Avif),
        ("imageMogr2/format/webp", 60, WebP),
        ("imageMogr2/format/jpg", 1, Jpeg),
        ("imageMogr2/cgif/5/egif/2/format/webp", 5, WebP),
        ("imageMogr2/egif/2", 30, Gif),
        ("imageMogr2/cgif/5/format/jpg", 1, Jpeg),
        ("imageMogr2/frame/7", 1, Gif),
        ("imageMogr2/format/avif/frame/7", 1, Avif),
    ] {
        let layout = lay_out(&plan(rule).unwrap(), &source('D'), format, &limits()).unwrap();
        assert_eq!(layout.frames, frames, "{rule}");
    }
}

#[test]
fn places() {
    let resize = |width, height| GeometryOp::Resize { width, height };
    let crop = |x, y, width, height| GeometryOp::Crop { x, y, width, height };
    let grey = Rgb { r: 0x3d, g: 0x3d, b: 0x3d };
    let pad = |x, y, side, color| GeometryOp::Pad { width: side, height: side, x, y, color };
    // The rows that say where things are, by number.
    let rows: &[(u16, char, &str, Vec<GeometryOp>)] = &[
        (
            21,
            'G',
            "imageMogr2/thumbnail/600x600/pad/1/color/IzNEM0QzRA",
            vec![resize(600, 338), pad(0, 131, 600, grey)],
        ),
        (22, 'A', "imageMogr2/thumbnail/600x600/pad/1", vec![resize(600, 300), pad(0, 150, 600, Rgb::WHITE)]),
        (24, 'C', "imageMogr2/thumbnail/100x100/pad/1", vec![resize(100, 67), pad(0, 16, 100, Rgb::WHITE)]),
        (25, 'G', "imageMogr2/cut/600x400x100x10", vec![crop(100, 10, 600, 400)]),
        (27, 'B', "imageMogr2/crop/600x600", vec![resize(750, 600), crop(75, 0, 600, 600)]),
        (28, 'B', "imageMogr2/crop/300x400/gravity/center", vec![resize(500, 400), crop(100, 0, 300, 400)]),
        (29, 'B', "imageMogr2/gravity/west/crop/300x400", vec![resize(500, 400), crop(0, 0, 300, 400)]),
        (30, 'B', "imageMogr2/crop/300x400/gravity/SouthEast", vec![resize(500, 400), crop(200, 0, 300, 400)]),
        (31, 'B', "imageMogr2/crop/500x", vec![crop(500, 0, 500, 1200)]),
        (33, 'B', "imageMogr2/crop/!600x600a20a20", vec![crop(20, 20, 600, 600)]),
        (34, 'B', "imageMogr2/crop/!600x600-20a20", vec![crop(0, 20, 580, 600)]),
        (83, 'A', "imageView2/1/w/500/h/400", vec![resize(800, 400), crop(150, 0, 500, 400)]),
        (
            98,
            'A',
            "imageMogr2/thumbnail/300x300|imageMogr2/crop/100x100",
            vec![resize(300, 150), resize(200, 100), crop(50, 0, 100, 100)],
        ),
        (0, 'B', "imageMogr2/crop/300x400/gravity/southeast/dx/20", vec![resize(500, 400), crop(180, 0, 300, 400)]),
        (0, 'B', "imageMogr2/cut/300x400x100x10/gravity/southeast", vec![crop(1100, 790, 300, 400)]),
        // A side that the source has not is not enlarged: what there is of it is taken.
        (0, 'A', "imageMogr2/crop/300x900", vec![crop(350, 0, 300, 500)]),
    ];
    for (row, name, rule, want) in rows {
        assert_eq!(ops(rule, *name), *want, "row {row}: {rule}");
    }
}

#[test]
fn encoding() {
    let output = |rule: &str| plan(rule).unwrap().output().unwrap().clone();
    assert!(output("imageMogr2/interlace/1").progressive, "row 64");
    assert!(!output("imageMogr2/format/png/interlace/1").progressive, "row 65");
    assert_eq!(output("imageMogr2/quality/60").quality, Quality::Capped(60), "row 66");
    assert_eq!(output("imageMogr2/quality/95").quality, Quality::Capped(95), "row 67");
    assert_eq!(output("imageMogr2/quality/95!").quality, Quality::Forced(95), "row 68");
    assert_eq!(output("imageMogr2/rquality/50").quality, Quality::Relative(50), "row 69");
    assert_eq!(output("imageMogr2/lquality/95").quality_floor, Some(95), "row 70");
    assert!(output("imageMogr2/strip").strip, "row 81");
    assert_eq!(output("imageView2/1/w/400/h/600/q/85").quality, Quality::Capped(85), "row 94");
    let both = output("imageView2/format/webp/rq/80/lq/70");
    assert_eq!((both.quality, both.quality_floor), (Quality::Relative(80), Some(70)));
    let auto = |rule: &str| output(rule).quality;
    assert_eq!(auto("imageMogr2/quality/auto"), Quality::AUTO);
    assert_eq!(auto("imageMogr2/quality/auto75"), Quality::Auto(75));
    assert_eq!(auto("imageView2/2/w/100/q/auto90"), Quality::Auto(90));
    let limit = |rule: &str| output(rule).size_limit.map(|limit| (limit.bytes, limit.or_original));
    assert_eq!(limit("imageMogr2/strip/format/jpg/size-limit/15k!"), Some((15 << 10, true)), "row 82");
    assert_eq!(limit("imageMogr2/size-limit/2m"), Some((2 << 20, false)));
    assert_eq!(limit("imageMogr2/size-limit/96.3k!"), Some((98_611, true)));
    assert_eq!(limit("imageMogr2/format/png/size-limit/15k"), None);
    // Settings of an earlier stage reach the one encode at the end.
    let piped = output("imageMogr2/format/webp/strip|imageMogr2/thumbnail/300x/quality/50");
    assert_eq!((piped.target, piped.strip, piped.quality), (Target::Fixed(WebP), true, Quality::Capped(50)));
}

#[test]
fn errors() {
    let rows: &[(u16, char, &str, Kind, i32)] = &[
        (63, 'D', "imageMogr2/format/heif", Kind::UnsupportedTarget, -441),
        (99, 'A', "imageMogr2/thumbnail/300x300|crop/100x100", Kind::BadRule, -103),
        (108, 'A', "imageMogr2/thumbnail/0x", Kind::BadRule, -103),
        (109, 'A', "imageMogr2/nosuch/1", Kind::BadRule, -103),
        (40, 'A', "imageMogr2/iradius/300/ignore-error/1", Kind::CropOutside, -103),
        (0, 'A', "imageMogr2/rradius/250", Kind::CropOutside, -103),
        (0, 'A', "imageMogr2/iradius/0", Kind::BadRule, -103),
        (0, 'A', "imageMogr2/thumbnail/20000x/format/avif", Kind::OutputTooLarge, -447),
        (0, 'A', "imageMogr2/thumbnail/20000x/format/heif", Kind::OutputTooLarge, -447),
        (0, 'E', "imageMogr2/thumbnail/20000x/format/webp", Kind::OutputTooLarge, -447),
        (0, 'A', "imageMogr2/thumbnail/20000x20000!/format/bmp|imageMogr2/thumbnail/!300p", Kind::OutputTooLarge, -447),
        (78, 'A', "imageMogr2/bright/101", Kind::BadRule, -103),
        (79, 'A', "imageMogr2/sharpen/9", Kind::BadRule, -103),
        (80, 'A', "imageMogr2/blur/51x5", Kind::BadRule, -103),
        (0, 'A', "imageMogr2/blur/8", Kind::BadRule, -103),
        (0, 'A', "imageMogr2/blur/8x0", Kind::BadRule, -103),
        (0, 'A', "imageMogr2/indexcrop/index/2", Kind::BadRule, -103),
        (0, 'A', "imageMogr2/scrop/300", Kind::BadRule, -103),
        (0, 'A', "imageMogr2", Kind::BadRule, -103),
        (0, 'A', "imageMogr2/", Kind::BadRule, -103),
        (0, 'A', "imageMogr2/thumbnail", Kind::BadRule, -103),
        (0, 'A', "imageMogr2/thumbnail//", Kind::BadRule, -103),
        (0, 'A', "imageMogr2/rotate/361", Kind::BadRule, -103),
        (0, 'A', "imageMogr2/rotate/-90", Kind::BadRule, -103),
        (0, 'A', "imageMogr2/quality/101", Kind::BadRule, -103),
        (0, 'A', "imageMogr2/quality/auto0", Kind::BadRule, -103),
        (0, 'A', "imageMogr2/quality/auto101", Kind::BadRule, -103),
        (0, 'A', "imageMogr2/quality/auto75!", Kind::BadRule, -103),
        (0, 'A', "imageMogr2/size-limit/15", Kind::BadRule, -103),
        (0, 'A', "imageMogr2/size-limit/0k", Kind::BadRule, -103),
        (0, 'A', "imageMogr2/size-limit/-1k!", Kind::BadRule, -103),
        (0, 'A', "imageMogr2/flip/diagonal", Kind::BadRule, -103),
        (0, 'A', "imageMogr2/format/jp3", Kind::BadRule, -103),
        (0, 'A', "imageMogr2/format/tpg", Kind::UnsupportedTarget, -441),
        (0, 'A', "imageMogr2/format/psd", Kind::UnsupportedRule, -60998),
        (0, 'A', "imageMogr2/pad/1", Kind::BadRule, -103),
        (0, 'A', "imageMogr2/thumbnail/300x/pad/1", Kind::BadRule, -103),
        (0, 'A', "imageMogr2/thumbnail/300x300/pad/1/color/xyz", Kind::BadRule, -103),
        (0, 'A', "imageMogr2/cut/10x10x2000x0", Kind::CropOutside, -103),
        (0, 'A', "imageView2", Kind::BadRule, -103),
        (0, 'A', "imageView2/6/w/100", Kind::BadRule, -103),
        (0, 'A', "imageView2/w/100", Kind::BadRule, -103),
        (0, 'A', "imageView2/2/w/0", Kind::BadRule, -103),
        (0, 'A', "imageInfo/1", Kind::BadRule, -103),
        (0, 'A', "imageInfo|imageMogr2/strip", Kind::BadRule, -103),
        (0, 'A', "imageMogr2/thumbnail/%0A300x", Kind::BadRule, -103),
        (0, 'A', "imageMogr2/thumbnail/30 0x", Kind::BadRule, -103),
        (0, 'A', "ci-process=detect-label", Kind::UnsupportedRule, -60998),
    ];
    for (row, name, rule, kind, number) in rows {
        let error = run(rule, &source(*name)).expect_err(rule);
        let body = error_body(Some(Dialect::Tencent), &error, "/a.jpg", "h", "r", false);
        let header = body.headers.iter().find(|(name, _)| *name == "x-errno").map(|(_, value)| value.clone());
        assert_eq!((error.kind, header), (*kind, Some(number.to_string())), "row {row}: {rule}: {error}");
    }
}

#[test]
fn known_by_name_only() {
    let rules = [(0, "watermark/3/type/2/image/aHR0cDovLw"), (0, "imageMogr2/animate/1")];
    for (row, rule) in rules {
        let error = plan(rule).expect_err(rule);
        assert_eq!(error.kind, Kind::UnsupportedRule, "row {row}: {rule}");
    }
}

/// What is not published is decided: the order of the words does not matter, and one frame is one frame.
#[test]
fn frames_are_picked() {
    let frames = |rule: &str| plan(rule).unwrap().output().unwrap().frames;
    for (rule, want) in [
        ("imageMogr2/cgif/1", Frames::Every { step: 1, most: 30 }),
        ("imageMogr2/egif/3/cgif/10", Frames::Every { step: 3, most: 10 }),
        ("imageMogr2/cgif/10/egif/3", Frames::Every { step: 3, most: 10 }),
        ("imageMogr2/egif/1", Frames::All),
        ("imageMogr2/frame/4/format/png", Frames::Only(4)),
        ("imageMogr2/format/png/frame/4", Frames::Only(4)),
        ("imageMogr2/cgif/10/frame/4", Frames::Only(4)),
        ("imageMogr2/frame/1", Frames::First),
        ("imageMogr2/cgif/10/format/png", Frames::First),
        ("imageMogr2/cgif/10/format/jpg", Frames::First),
    ] {
        assert_eq!(frames(rule), want, "{rule}");
    }
    for rule in
        ["imageMogr2/cgif/0", "imageMogr2/cgif/101", "imageMogr2/egif/0", "imageMogr2/frame/0", "imageMogr2/frame/x"]
    {
        assert_eq!(plan(rule).unwrap_err().kind, Kind::BadRule, "{rule}");
    }
}

#[test]
fn stages_are_counted() {
    let stages = |n: usize| vec!["imageMogr2/rotate/90"; n].join("|");
    assert!(plan(&stages(10)).is_ok());
    assert_eq!(plan(&stages(11)).unwrap_err().kind, Kind::BadRule);
}

#[test]
fn orientation_comes_first_and_geometry_as_written() {
    let same = [
        "imageMogr2/auto-orient/thumbnail/300x/rotate/90",
        "imageMogr2/thumbnail/300x/rotate/90/auto-orient",
        "imageMogr2/strip/thumbnail/300x/auto-orient/rotate/90",
    ];
    assert_eq!(canonical(same[0]), "orient;fit,w=300,up=allow;turn,deg=90|source");
    assert_eq!(canonical(same[1]), canonical(same[0]));
    assert_eq!(canonical(same[2]), "orient;fit,w=300,up=allow;turn,deg=90|source,strip");
    assert_eq!(canonical("imageMogr2/rotate/90/thumbnail/300x"), "turn,deg=90;fit,w=300,up=allow|source");
    // The last of a repeated keyword counts, where it stands.
    assert_eq!(
        canonical("imageMogr2/thumbnail/300x/rotate/90/thumbnail/200x"),
        "turn,deg=90;fit,w=200,up=allow|source"
    );
}

#[test]
fn ignore_error_covers_ranges_and_not_words() {
    let original = |rule: &str| match recognise(rule, &Dialect::ALL, &Styles::default()) {
        Recognised::Rule { original_on_error, .. } => original_on_error,
        Recognised::None => panic!("{rule}"),
    };
    assert!(original("imageMogr2/rotate/400/ignore-error/1"));
    assert!(original("imageMogr2/ignore-error/1/quality/101"));
    assert!(original("imageMogr2/ignore-error/1/format/png"));
    assert!(!original("imageMogr2/rotate/400"));
    assert!(!original("imageMogr2/rotate/400/ignore-error/0"));
    assert!(!original("imageMogr2/nosuch/1/ignore-error/1"));
    assert!(!original("imageMogr2/animate/1/ignore-error/1"));
    assert!(plan("imageMogr2/ignore-error/1/format/png").unwrap().original_on_error);
}

#[test]
fn facts_are_asked_for() {
    assert_eq!(canonical("imageInfo"), "|facts,average,md5", "row 104");
    // Facts as the last stage are about the result.
    let told = "fit,w=20,up=allow|webp,tell=facts+average+md5";
    assert_eq!(canonical("imageMogr2/thumbnail/20x/format/webp|imageInfo"), told);
    assert_eq!(canonical("imageMogr2/rotate/90|imageAve"), "turn,deg=90|only-gif,tell=facts+average");
    assert_eq!(canonical("imageAve"), "|facts,average", "row 105");
    assert_eq!(canonical("exif"), "|facts,exif", "row 106");
}
