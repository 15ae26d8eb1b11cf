//! The table of tencent-ci §9.

use super::Check::*;
use super::*;

const A: (&str, u32, u32) = ("a.jpg", 1000, 500);
const B: (&str, u32, u32) = ("b.jpg", 1500, 1200);
const C: (&str, u32, u32) = ("c.png", 300, 200);
const D: (&str, u32, u32) = ("d.gif", 400, 300);
const E: (&str, u32, u32) = ("e.jpg", 500, 1000);
const F: (&str, u32, u32) = ("f.jpg", 800, 600);
const G: (&str, u32, u32) = ("g.jpg", 960, 540);
/// An edge: see [`sources::edge`].
const EDGE: (&str, u32, u32) = ("edge.jpg", 400, 200);

/// Rows that are not met, and why.
const NOT_MET: &[(u16, &str)] = &[
    (1005, "processing on upload is refused as a whole (501), before its rules are counted"),
    (1006, "there is no processing on upload, so that nothing is stored under a fileid"),
];

const WHITE: [u8; 3] = [255; 3];

fn jpeg(width: u32, height: u32) -> Want {
    Want::Picture("image/jpeg", width, height)
}

fn png(width: u32, height: u32) -> Want {
    Want::Picture("image/png", width, height)
}

fn gif(width: u32, height: u32) -> Want {
    Want::Picture("image/gif", width, height)
}

fn is(media: &'static str, width: u32, height: u32) -> Want {
    Want::Picture(media, width, height)
}

const BAD: Want = Want::Refused(400, "-103");

fn thumbnails() -> Vec<Row> {
    let t = |number, source, rule: &str, want| Row::new(number, source, format!("imageMogr2/thumbnail/{rule}"), want);
    vec![
        t(1, A, "!50p", jpeg(500, 250)).and(From((0, 0), (0, 0))).and(From((400, 100), (800, 200))),
        t(2, G, "!50p", jpeg(480, 270)),
        t(3, A, "!50px", jpeg(500, 500)).and(From((400, 100), (800, 100))),
        t(4, A, "!x50p", jpeg(1000, 250)).and(From((400, 100), (400, 200))),
        t(5, A, "!200p", jpeg(2000, 1000)),
        t(6, A, "300x", jpeg(300, 150)),
        t(7, A, "x300", jpeg(600, 300)),
        t(8, A, "300x300", jpeg(300, 150)),
        t(9, A, "2000x2000", jpeg(2000, 1000)),
        t(10, A, "!300x300r", jpeg(600, 300)),
        t(11, E, "!300x300r", jpeg(300, 600)),
        t(12, A, "300x300>", jpeg(300, 150)),
        t(13, A, "2000x1200>", jpeg(1000, 500)),
        t(14, A, "2000x300>", jpeg(600, 300)),
        t(15, A, "3000x3000<", jpeg(3000, 1500)),
        t(16, A, "300x300<", jpeg(1000, 500)),
        t(17, A, "3000x300<", jpeg(1000, 500)),
        t(18, A, "300x300!", jpeg(300, 300)).and(From((150, 150), (500, 250))),
        t(19, A, "20000@", jpeg(200, 100)),
        t(20, A, "9000000@", jpeg(1000, 500)),
        t(21, G, "600x600/pad/1/color/IzNEM0QzRA", jpeg(600, 600))
            .and(Is((300, 0), [0x3d; 3]))
            .and(Is((300, 120), [0x3d; 3]))
            .and(From((300, 300), (480, 270)))
            .and(Is((300, 599), [0x3d; 3])),
        t(22, A, "600x600/pad/1", jpeg(600, 600))
            .and(Is((300, 140), WHITE))
            .and(From((300, 160), (500, 17)))
            .and(From((300, 440), (500, 484)))
            .and(Is((300, 460), WHITE)),
        t(23, A, "600x600/pad/0", jpeg(600, 300)),
        t(24, C, "100x100/pad/1", png(100, 100)).and(Is((50, 10), WHITE)).and(Is((50, 90), WHITE)),
        t(107, A, "20000x", jpeg(10_000, 5_000)),
        t(108, A, "0x", BAD),
    ]
}

fn crops() -> Vec<Row> {
    let m = |number, source, rule: &str, want| Row::new(number, source, format!("imageMogr2/{rule}"), want);
    vec![
        m(25, G, "cut/600x400x100x10", jpeg(600, 400)).and(From((0, 0), (100, 10))).and(From((599, 399), (699, 409))),
        m(26, A, "cut/600x600x100x10", jpeg(600, 490)).and(From((0, 489), (100, 499))),
        m(27, B, "crop/600x600", jpeg(600, 600)).and(From((0, 0), (150, 0))).and(From((599, 599), (1349, 1199))),
        m(28, B, "crop/300x400/gravity/center", jpeg(300, 400)).and(From((0, 0), (300, 0))),
        m(29, B, "gravity/west/crop/300x400", jpeg(300, 400)).and(From((0, 0), (0, 0))),
        m(30, B, "crop/300x400/gravity/southeast", jpeg(300, 400)).and(From((0, 0), (600, 0))),
        m(31, B, "crop/500x", jpeg(500, 1200)).and(From((0, 0), (500, 0))),
        m(32, B, "crop/x500", jpeg(1500, 500)).and(From((0, 0), (0, 350))),
        m(33, B, "crop/!600x600a20a20", jpeg(600, 600)).and(From((0, 0), (20, 20))),
        m(34, B, "crop/!600x600-20a20", jpeg(580, 600)).and(From((0, 0), (0, 20))),
        m(35, B, "scrop/300x400", jpeg(1500, 1200)),
        m(36, B, "scrop/300x400/crop/300x400", jpeg(300, 400)).and(From((0, 0), (300, 0))),
        m(37, A, "iradius/200", jpeg(400, 400))
            .and(Is((0, 0), WHITE))
            .and(Is((399, 399), WHITE))
            .and(From((200, 200), (500, 250)))
            .and(From((200, 4), (500, 54))),
        m(38, C, "iradius/80", png(160, 160)).and(Clear((0, 0))).and(Clear((159, 0))).and(Clear((159, 159))),
        m(39, A, "rradius/100", jpeg(1000, 500))
            .and(Is((0, 0), WHITE))
            .and(Is((999, 499), WHITE))
            .and(From((500, 1), (500, 1)))
            .and(From((1, 250), (1, 250))),
        m(40, A, "iradius/300/ignore-error/1", jpeg(1000, 500)).and(Original),
        m(41, A, "rotate/90", jpeg(500, 1000)).and(From((10, 20), (20, 489))),
        m(42, A, "rotate/180", jpeg(1000, 500)).and(From((10, 20), (989, 479))),
        m(43, A, "rotate/270", jpeg(500, 1000)).and(From((10, 20), (979, 10))),
        m(44, A, "rotate/0", jpeg(1000, 500)).and(From((10, 20), (10, 20))),
        m(45, A, "rotate/45", jpeg(1061, 1061)).and(Give(2)).and(Is((0, 0), WHITE)).and(From((530, 530), (500, 250))),
        m(46, F, "auto-orient", jpeg(600, 800)).and(From((10, 20), (20, 589))).and(NoExif),
        m(47, F, "auto-orient/thumbnail/300x", jpeg(300, 400)).and(From((10, 20), (40, 578))),
        m(48, A, "flip/horizontal", jpeg(1000, 500)).and(From((10, 20), (989, 20))),
    ]
}

fn formats() -> Vec<Row> {
    let m = |number, source, rule: &str, want| Row::new(number, source, format!("imageMogr2/{rule}"), want);
    vec![
        m(49, A, "format/png", png(1000, 500)),
        m(50, A, "format/webp", is("image/webp", 1000, 500)),
        m(51, A, "format/avif", is("image/avif", 1000, 500)),
        m(52, A, "format/heif", is("image/heif", 1000, 500)),
        m(53, A, "format/bmp", is("image/bmp", 1000, 500)),
        m(54, A, "format/gif", gif(1000, 500)),
        m(55, A, "format/yjpeg", jpeg(1000, 500)),
        m(56, C, "format/jpg", jpeg(300, 200)).and(Is((225, 100), WHITE)),
        m(57, D, "format/webp", is("image/webp", 400, 300)).and(Frames(60)),
        m(58, D, "format/png", png(400, 300)).and(Is((5, 5), WHITE)).and(Is((15, 5), [0, 0, 128])),
        m(59, D, "thumbnail/200x", gif(200, 150)).and(Frames(60)),
        m(60, D, "thumbnail/800x", gif(400, 300)).and(Frames(60)),
        m(61, D, "cgif/1", gif(400, 300)).and(Frames(30)),
        m(62, D, "cgif/10", gif(400, 300)).and(Frames(10)),
        m(63, D, "format/heif", Want::Refused(400, "-441")),
        m(64, A, "interlace/1", jpeg(1000, 500)).and(Progressive),
        m(65, A, "format/png/interlace/1", png(1000, 500)),
        m(66, A, "quality/60", jpeg(1000, 500)).and(Quality(60)),
        m(67, A, "quality/95", jpeg(1000, 500)).and(Quality(90)),
        m(68, A, "quality/95!", jpeg(1000, 500)).and(Quality(95)),
        m(69, A, "rquality/50", jpeg(1000, 500)).and(Quality(45)),
        m(70, A, "lquality/95", jpeg(1000, 500)).and(Quality(95)),
        m(71, A, "lquality/80", jpeg(1000, 500)).and(Quality(90)),
        m(72, A, "blur/8x5", jpeg(1000, 500)).and(From((500, 250), (500, 250))),
        // A normal distribution of 5 pixels, cut off at 8: 155 at 2.5 pixels from the edge, 128 in its middle.
        m(72, EDGE, "blur/8x5", jpeg(400, 200))
            .and(Within((202, 100), (148, 162)))
            .and(Within((197, 100), (94, 108)))
            .and(Within((230, 100), (189, 195))),
        m(73, A, "bright/70", jpeg(1000, 500)).and(Brighter(true)),
        m(74, A, "contrast/-50", jpeg(1000, 500)).and(Flatter),
        m(75, A, "sharpen/70", jpeg(1000, 500)).and(From((500, 250), (500, 250))),
        m(75, EDGE, "sharpen/70", jpeg(400, 200))
            .and(Within((200, 100), (210, 235)))
            .and(Within((199, 100), (20, 46)))
            .and(Within((230, 100), (189, 195))),
        m(76, A, "grayscale/1", jpeg(1000, 500)).and(Grey(true)),
        m(77, A, "grayscale/0", jpeg(1000, 500)).and(Grey(false)),
        m(78, A, "bright/101", BAD).and(IgnoreError),
        m(79, A, "sharpen/9", BAD).and(IgnoreError),
        m(80, A, "blur/51x5", BAD).and(IgnoreError),
        m(81, A, "strip", jpeg(1000, 500)).and(NoExif),
        m(81, F, "strip", jpeg(800, 600)).and(NoExif),
        m(82, C, "strip/format/jpg/size-limit/15k!", jpeg(300, 200)).and(AtMost(15 << 10)),
    ]
}

fn views() -> Vec<Row> {
    let v = |number, source, rule: &str, want| Row::new(number, source, format!("imageView2/{rule}"), want);
    vec![
        v(83, A, "1/w/500/h/400", jpeg(500, 400)).and(From((0, 0), (188, 0))).and(From((499, 399), (811, 499))),
        v(84, A, "2/w/500/h/400", jpeg(500, 250)),
        v(85, A, "3/w/500/h/400", jpeg(800, 400)),
        v(86, A, "0/w/500/h/400", jpeg(500, 250)),
        v(87, A, "4/w/500/h/400", jpeg(800, 400)),
        v(88, A, "5/w/500/h/400", jpeg(500, 400)),
        v(89, E, "4/w/500/h/400", jpeg(400, 800)),
        v(90, E, "5/w/500/h/400", jpeg(400, 500)).and(From((0, 0), (0, 187))),
        v(91, E, "2/w/400", jpeg(400, 800)),
        v(92, A, "1/w/300", jpeg(300, 300)).and(From((0, 0), (250, 0))),
        v(93, A, "3/w/400", jpeg(800, 400)),
        v(94, B, "1/w/400/h/600/q/85", jpeg(400, 600)).and(Quality(85)),
        v(95, C, "format/png", png(300, 200)),
        v(96, B, "3/w/400/format/png", png(500, 400)),
    ]
}

fn pipelines_marks_and_facts() -> Vec<Row> {
    let b64 = |text: &str| base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, text);
    let half = "imageMogr2/thumbnail/!50p";
    let image = |url: &str| format!("watermark/1/image/{}/gravity/northwest", b64(url));
    vec![
        Row::new(
            97,
            G,
            format!("{half}|watermark/2/text/SGk/fill/I0ZGRkZGRg==/fontsize/30/dx/20/dy/20"),
            jpeg(480, 270),
        )
        .and(Marked(half, (360, 190, 462, 252))),
        Row::new(98, A, "imageMogr2/thumbnail/300x300|imageMogr2/crop/100x100", jpeg(100, 100))
            .and(From((0, 0), (250, 0)))
            .and(From((99, 99), (749, 499))),
        Row::new(99, A, "imageMogr2/thumbnail/300x300|crop/100x100", BAD),
        Row::new(100, A, "imageMogr2/rotate/90|imageMogr2/thumbnail/!50p", jpeg(250, 500))
            .and(From((5, 10), (20, 488))),
        Row::new(101, G, image("http://bucket-1250000000.cos.ap-guangzhou.myqcloud.com/mark.png"), jpeg(960, 540))
            .and(Marked("imageMogr2/rotate/0", (0, 0, 60, 40)))
            .and(Is((1, 1), [230, 0, 13])),
        Row::new(102, G, image("https://bucket-1250000000.cos.ap-guangzhou.myqcloud.com/mark.png"), BAD),
        Row::new(103, G, "watermark/2/text/SGk/gravity/center/dx/50/dy/50", jpeg(960, 540))
            .and(Marked("imageMogr2/rotate/0", (465, 255, 495, 285)))
            .and(Same("watermark/2/text/SGk/gravity/center")),
        Row::new(
            104,
            G,
            "imageInfo",
            Want::Facts(vec![("/width", "960"), ("/height", "540"), ("/format", "jpeg"), ("/photo_rgb", "~0x7f7f80")]),
        ),
        Row::new(105, G, "imageAve", Want::Facts(vec![("/RGB", "~0x7f7f80")])),
        Row::new(106, C, "exif", Want::Facts(vec![("/error", "no exif data")])),
        Row::new(109, A, "imageMogr2/nosuch/1", BAD),
    ]
}

/// A signature as SDKs write it. Nobody checks it where the origin is a folder.
const SIGNED: &str = "q-sign-algorithm=sha1&q-ak=id&q-sign-time=1700000000;4100000000&q-key-time=1700000000;4100000000\
                      &q-header-list=&q-url-param-list=response-content-type&q-signature=0123456789012345678901234567890123456789";

/// One rule more than there may be.
const SIX: &str = r#"{"rules":[{"fileid":"1","rule":"imageMogr2/strip"},{"fileid":"2","rule":"imageMogr2/strip"},{"fileid":"3","rule":"imageMogr2/strip"},{"fileid":"4","rule":"imageMogr2/strip"},{"fileid":"5","rule":"imageMogr2/strip"},{"fileid":"6","rule":"imageMogr2/strip"}]}"#;

/// One absolute and one relative name.
const FILEIDS: &str = r#"{"rules":[{"fileid":"/t/x.png","rule":"imageMogr2/format/png"},{"fileid":"y.png","rule":"imageMogr2/thumbnail/!50p/format/png"}]}"#;

/// The request-form cases, in their order.
fn forms() -> Vec<Row> {
    let half = "imageMogr2/thumbnail/!50p";
    let small = || sources::jpeg(16, 16, 90);
    let stored = Want::Stored("<UploadResult>", "image/png", vec![("/t/x.png", 16, 16), ("/p/y.png", 8, 8)]);
    vec![
        Row::new(1001, A, "imageMogr2%2Fthumbnail%2F%2150p=", jpeg(500, 250)).and(Same(half)),
        Row::new(1002, A, format!("{SIGNED}&response-content-type=image/x-test&{half}"), jpeg(500, 250))
            .and(Header("content-type", "image/x-test")),
        Row::new(1003, A, "/a.jpg!s1", jpeg(500, 1000)).and(Same("imageMogr2/rotate/90")),
        Row::new(1003, A, "/a.jpg!s1", Want::Refused(404, "")).on("underscore.example"),
        Row::new(1004, A, "", Want::Refused(403, "-154")).on("protected.example"),
        Row::new(1004, A, "/a.jpg!s1", jpeg(500, 1000)).on("protected.example"),
        Row::new(1005, ("six.jpg", 16, 16), "", Want::Refused(400, "-60997")).by(Method::PUT, small(), Some(SIX)),
        Row::new(1006, ("p/a.jpg", 16, 16), "", stored).by(Method::PUT, small(), Some(FILEIDS)),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_of_tencents_table() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: Vec<u8>| std::fs::write(folder.path().join(name), bytes).unwrap();
    for (name, width, height) in [A, B, E, G] {
        write(name, sources::jpeg(width, height, 90));
    }
    write("edge.jpg", sources::edge(400, 200));
    write("f.jpg", sources::oriented(sources::jpeg(800, 600, 90), 6));
    write("c.png", sources::png_alpha(300, 200));
    write("d.gif", sources::gif(400, 300, 60));
    write("mark.png", sources::png_flat(60, 40, [255, 0, 0]));
    let site = |name: &str, more: &str| {
        format!(
            "[[site]]\nname = \"{name}\"\n{more}\nrules.s1 = \"imageMogr2/rotate/90\"\n\
             [site.origin]\nkind = \"dir\"\npath = \"{}\"\n",
            folder.path().display()
        )
    };
    let config = [
        site("t", "hosts = [\"*\"]\n[site.access]\nanonymous_overrides = true\n[site.styles]\nseparators = \"!\""),
        site("u", "hosts = [\"underscore.example\"]\n[site.styles]\nseparators = \"_\""),
        site("p", "hosts = [\"protected.example\"]\n[site.styles]\nseparators = \"!\"\nprotect = true"),
    ];
    let pictor = Pictor::start(&config.concat()).await;
    let rows = [thumbnails(), crops(), formats(), views(), pipelines_marks_and_facts(), forms()].concat();
    let table = Table { name: "tencent-ci", rows, not_met: NOT_MET };
    complete(&table, 109, 6);
    prove(table, folder.path(), &pictor).await;
}
