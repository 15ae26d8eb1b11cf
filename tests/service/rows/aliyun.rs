//! The table of aliyun-oss §8.

use super::Check::*;
use super::*;

const A: (&str, u32, u32) = ("example.jpg", 400, 267);
const B: (&str, u32, u32) = ("b.jpg", 200, 100);
const C: (&str, u32, u32) = ("f.jpg", 424, 333);
const D: (&str, u32, u32) = ("d.jpg", 3924, 2550);
const E: (&str, u32, u32) = ("e.png", 1000, 800);
/// An edge: see [`sources::edge`].
const EDGE: (&str, u32, u32) = ("edge.jpg", 400, 200);
const G: (&str, u32, u32) = ("g.gif", 300, 200);
const H: (&str, u32, u32) = ("h.jpg", 5100, 3000);
const J: (&str, u32, u32) = ("j.jpg", 20_000, 13_000);
const P: (&str, u32, u32) = ("panda.png", 100, 100);

/// Rows that are not met, and why.
const NOT_MET: &[(u16, &str)] = &[(106, "nothing is stored: POST with sys/saveas is refused as not supported (501)")];

const WHITE: [u8; 3] = [255; 3];
const RED: [u8; 3] = [255, 0, 0];

fn jpeg(width: u32, height: u32) -> Want {
    Want::Picture("image/jpeg", width, height)
}

fn is(media: &'static str, width: u32, height: u32) -> Want {
    Want::Picture(media, width, height)
}

fn ec(number: &str) -> Want {
    Want::Refused(400, format!("0040-00000{number}").leak())
}

fn r(number: u16, source: (&'static str, u32, u32), process: &str, want: Want) -> Row {
    Row::new(number, source, format!("x-oss-process={process}"), want)
}

fn resizes() -> Vec<Row> {
    vec![
        r(1, B, "image/resize,m_lfit,w_150,h_80", jpeg(150, 75)),
        r(2, B, "image/resize,m_mfit,w_150,h_80", jpeg(160, 80)),
        r(3, B, "image/resize,m_fill,w_150,h_80", jpeg(150, 80))
            .and(From((0, 0), (6, 0)))
            .and(From((149, 79), (193, 99))),
        r(4, B, "image/resize,m_pad,w_150,h_80", jpeg(150, 80))
            .and(Is((75, 0), WHITE))
            .and(Is((75, 79), WHITE))
            .and(From((75, 40), (100, 50))),
        r(5, B, "image/resize,m_fixed,w_150,h_80", jpeg(150, 80)).and(From((149, 79), (199, 99))),
        r(6, B, "image/resize,h_100,m_fixed", jpeg(100, 100)),
        r(7, B, "image/resize,h_50", jpeg(100, 50)),
        r(8, A, "image/resize,m_fixed,w_100,h_100", jpeg(100, 100)),
        r(9, A, "image/resize,h_100,m_lfit", jpeg(150, 100)),
        r(10, A, "image/resize,l_100", jpeg(100, 67)),
        r(11, A, "image/resize,s_100", jpeg(150, 100)),
        r(12, C, "image/resize,w_100/auto-orient,1", jpeg(79, 100)).and(From((10, 20), (336, 288))),
        r(13, C, "image/auto-orient,1/resize,w_100", jpeg(100, 127)),
        r(14, C, "image/resize,w_100/auto-orient,0", jpeg(100, 79)).and(From((10, 20), (44, 86))),
        r(15, A, "image/resize,w_500", jpeg(400, 267)),
        r(16, A, "image/resize,w_500,limit_0", jpeg(500, 334)),
        r(17, A, "image/resize,m_fill,h_100,w_100", jpeg(100, 100)),
        r(18, A, "image/resize,m_pad,h_100,w_100,color_FF0000", jpeg(100, 100))
            .and(Is((50, 2), RED))
            .and(Is((50, 97), RED))
            .and(From((50, 50), (200, 133))),
        r(19, E, "image/resize,p_50", is("image/png", 500, 400)),
        r(20, E, "image/resize,p_33", is("image/png", 330, 264)),
        r(21, A, "image/resize,w_300,h_300", jpeg(300, 200)),
        r(22, D, "image/resize,l_900,h_600", jpeg(923, 600)),
        r(23, E, "image/resize,w_333", is("image/png", 333, 266)),
        r(24, E, "image/resize,m_mfit,w_300,h_300", is("image/png", 375, 300)),
        r(25, E, "image/resize,w_100,p_50", is("image/png", 100, 80)),
        r(77, A, "image/resize,m_fixed,w_5000,h_5000,limit_0", ec("007")),
        r(79, A, "image/resize,w_0", ec("312")),
        r(80, A, "image/resize,w_100,m_abc", ec("311")),
        r(81, A, "image/resize,w_100,limit_3", ec("319")),
        r(82, A, "image/resize,p_0", ec("317")),
    ]
}

fn crops_and_turns() -> Vec<Row> {
    vec![
        r(26, A, "image/crop,x_100,y_50", jpeg(300, 217)).and(From((0, 0), (100, 50))),
        r(27, A, "image/crop,x_100,y_50,w_100,h_100", jpeg(100, 100)).and(From((99, 99), (199, 149))),
        r(28, A, "image/crop,w_100,h_100,x_100,y_100,r_1", jpeg(100, 100)).and(From((0, 0), (100, 100))),
        r(29, A, "image/crop,w_200,h_200,g_se", jpeg(200, 200)).and(From((0, 0), (200, 67))),
        r(30, A, "image/crop,w_200,h_200,g_se,x_10,y_10", jpeg(190, 190)).and(From((0, 0), (210, 77))),
        r(31, A, "image/crop,w_200,h_101,g_center", jpeg(200, 101)).and(From((0, 0), (100, 83))),
        r(32, A, "image/crop,x_500,y_0", ec("205")),
        r(33, A, "image/crop,w_1000,h_1000", jpeg(400, 267)),
        r(34, A, "image/circle,r_100", jpeg(201, 201)).and(Is((0, 0), WHITE)).and(From((100, 100), (199, 133))),
        r(35, A, "image/circle,r_100/format,png", is("image/png", 201, 201)).and(Clear((0, 0))).and(Clear((200, 200))),
        r(36, A, "image/circle,r_1000", jpeg(267, 267)).and(From((133, 2), (199, 2))),
        r(37, A, "image/rounded-corners,r_30", jpeg(400, 267)).and(Is((0, 0), WHITE)).and(From((200, 1), (200, 1))),
        r(38, A, "image/crop,w_100,h_100/rounded-corners,r_10/format,png", is("image/png", 100, 100))
            .and(Clear((0, 0)))
            .and(Clear((99, 99)))
            .and(From((50, 0), (50, 0))),
        r(39, A, "image/indexcrop,x_100,i_0", jpeg(100, 267)),
        r(40, A, "image/indexcrop,y_100,i_10", jpeg(400, 267)),
        r(41, A, "image/indexcrop,x_100,y_50,i_0", jpeg(400, 50)),
        r(42, A, "image/rotate,90", jpeg(267, 400)).and(From((10, 20), (20, 256))),
        r(43, A, "image/rotate,180", jpeg(400, 267)).and(From((10, 20), (389, 246))),
        r(44, A, "image/rotate,70", jpeg(388, 467))
            .and(Give(1))
            .and(Is((0, 0), WHITE))
            .and(From((194, 233), (200, 133))),
        r(45, A, "image/resize,w_200/rotate,90", jpeg(134, 200)).and(Give(1)),
        r(46, H, "image/rotate,90", ec("006")),
        r(47, H, "image/auto-orient,0/resize,m_lfit,h_2000,w_2000,limit_1/rotate,90", jpeg(1176, 2000)),
        r(83, A, "image/crop,x_100,y_50,w_-1,h_100", ec("225")),
        r(84, A, "image/crop,w_500,h_500,g_fac", ec("209")),
        r(85, A, "image/rotate,400", ec("217")),
        r(86, A, "image/rotate,90,200,300", ec("203")),
        r(103, A, "image/auto-orient,10", ec("215")),
        r(104, A, "image/indexcrop,x_0,i_0", ec("230")),
        r(105, A, "image/circle,r_5000", ec("233")),
    ]
}

fn effects_and_formats() -> Vec<Row> {
    vec![
        r(48, A, "image/blur,r_3,s_2", jpeg(400, 267)),
        // A normal distribution of 2 pixels, cut off at 3: 143 at half a pixel from the edge, 168 at one and a half.
        r(48, EDGE, "image/blur,r_3,s_2", jpeg(400, 200))
            .and(Within((200, 100), (136, 150)))
            .and(Within((201, 100), (160, 176)))
            .and(Within((199, 100), (106, 120)))
            .and(Within((230, 100), (189, 195))),
        r(49, A, "image/bright,50", jpeg(400, 267)).and(Brighter(true)),
        r(50, A, "image/bright,-50", jpeg(400, 267)).and(Brighter(false)),
        r(51, A, "image/contrast,-50", jpeg(400, 267)).and(Flatter),
        r(52, A, "image/sharpen,100", jpeg(400, 267)),
        r(52, EDGE, "image/sharpen,100", jpeg(400, 200))
            .and(Within((200, 100), (218, 250)))
            .and(Within((199, 100), (6, 38)))
            .and(Within((230, 100), (189, 195))),
        r(53, A, "image/resize,w_300/interlace,1", jpeg(300, 200)).and(Progressive),
        r(54, P, "image/format,jpg/interlace,1", jpeg(100, 100)).and(Progressive).and(Is((2, 2), WHITE)),
        // The source has quality 90.
        r(55, A, "image/resize,w_100/quality,q_80", jpeg(100, 67)).and(Quality(72)),
        r(56, A, "image/resize,w_100/quality,Q_80", jpeg(100, 67)).and(Quality(80)),
        r(57, A, "image/quality,q_50,Q_90", jpeg(400, 267)).and(Quality(90)),
        r(58, A, "image/format,png", is("image/png", 400, 267)),
        r(59, A, "image/resize,w_300/format,webp", is("image/webp", 300, 200)),
        r(60, A, "image/format,gif", jpeg(400, 267)),
        r(61, G, "image/format,png", is("image/png", 300, 200)),
        r(62, G, "image/resize,w_100", is("image/gif", 100, 67)).and(Frames(10)),
        r(63, G, "image/resize,p_50", is("image/gif", 150, 100)),
        r(64, G, "image/resize,w_600,limit_0", is("image/gif", 300, 200)).and(Frames(10)),
        r(65, G, "image/rotate,90", is("image/gif", 200, 300)),
        r(74, D, "image/resize,l_923,h_600/format,heic", is("image/heic", 923, 600)),
        r(75, D, "image/format,heic", is("image/heic", 3924, 2550)),
        r(76, D, "image/format,avif", ec("014")),
        r(78, J, "image/format,jpg", ec("012")),
        r(87, A, "image/sharpen,10", ec("280")),
        r(88, A, "image/quality,Q_200", ec("308")),
        r(89, A, "image/quality", ec("307")),
        r(90, A, "image/format,dng", ec("206")),
        r(91, A, "image/slim,1", ec("213")),
        r(92, A, "image/", ec("212")),
        r(
            93,
            A,
            "image/resize,w_100|image/resize,w_90|image/resize,w_80|image/resize,w_70|image/resize,w_60|image/resize,w_50|\
             image/format,webp",
            ec("211"),
        ),
        r(94, A, "image/resize,w_100|image/format,jpg", jpeg(100, 67)),
    ]
}

fn marks() -> Vec<Row> {
    let plain = "x-oss-process=image/rotate,0";
    let four = "image/watermark,image_cGFuZGEucG5n,g_nw/watermark,image_cGFuZGEucG5n,g_ne/watermark,image_cGFuZGEucG5n,g_sw/\
                watermark,image_cGFuZGEucG5n,g_se";
    vec![
        r(66, G, "image/watermark,image_cGFuZGEucG5n,x_10,y_10,animation_1/format,gif", is("image/gif", 300, 200))
            .and(Frames(10))
            .and(Marked("x-oss-process=image/format,gif", (190, 90, 290, 190))),
        r(67, A, "image/watermark,text_SGVsbG8gV29ybGQ", jpeg(400, 267)).and(Marked(plain, (130, 205, 392, 259))),
        r(68, A, "image/watermark,text_SGVsbG8g5Zu-54mH5pyN5YqhIQ", jpeg(400, 267)).and(Marked(plain, (60, 205, 392, 259))),
        r(
            69,
            A,
            "image/resize,w_300/watermark,image_cGFuZGEucG5nP3gtb3NzLXByb2Nlc3M9aW1hZ2UvcmVzaXplLFBfMzA,t_90,g_se,x_10,y_10",
            jpeg(300, 200),
        )
        .and(Marked("x-oss-process=image/resize,w_300", (229, 129, 291, 191))),
        r(70, A, "image/watermark,image_cGFuZGEucG5n,text_SGVsbG8gV29ybGQ", jpeg(400, 267))
            .and(Marked(plain, (20, 150, 392, 259))),
        r(95, A, "image/watermark", ec("278")),
        r(96, A, "image/watermark,image_notbase64", ec("265")),
        r(97, A, "image/watermark,text_SGVsbG8gV29ybGQ,size_2000", ec("256")),
        r(98, A, four, ec("026")),
        r(
            108,
            A,
            "image/resize,m_fill,w_300,h_300,limit_0/auto-orient,0/quality,q_90/watermark,image_cGFuZGEucG5n,t_61,g_se,y_10,x_10",
            jpeg(300, 300),
        )
        .and(Marked("x-oss-process=image/resize,m_fill,w_300,h_300,limit_0", (190, 190, 290, 290))),
    ]
}

fn facts_and_the_store() -> Vec<Row> {
    let info = |facts: &[(&'static str, &'static str)]| Want::Facts(facts.to_vec());
    vec![
        r(
            71,
            A,
            "image/info",
            info(&[
                ("/ImageWidth/value", "400"),
                ("/ImageHeight/value", "267"),
                ("/FileSize/value", "21839"),
                ("/Format/value", "jpg"),
            ]),
        ),
        r(
            72,
            C,
            "image/info",
            info(&[("/Orientation/value", "7"), ("/ImageWidth/value", "424"), ("/ImageHeight/value", "333")]),
        ),
        r(73, A, "image/average-hue", Want::Text("~0x7f7f80")),
        r(99, A, "style/not-there", Want::Refused(404, "")),
        r(100, ("missing.jpg", 1, 1), "image/format,jpg", Want::Refused(404, "0040-00000024")),
        r(101, A, "image/format,webp", Want::Refused(403, "0040-00000031")).on("protected.example"),
        r(102, A, "style/webp", is("image/webp", 400, 267)).on("protected.example"),
        Row::new(
            106,
            A,
            "x-oss-process",
            Want::Stored("\"status\": \"OK\"", "image/jpeg", vec![("/test.jpg", 100, 100)]),
        )
        .by(
            Method::POST,
            b"x-oss-process=image/resize,m_fixed,w_100,h_100|sys/saveas,o_dGVzdC5qcGc".to_vec(),
            None,
        ),
        r(107, A, "image/resize,w_100|sys/saveas,o_dGVzdC5qcGc", Want::Refused(400, "0016-00000502")),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_of_aliyuns_table() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: Vec<u8>| std::fs::write(folder.path().join(name), bytes).unwrap();
    write("example.jpg", sources::filled(sources::jpeg(400, 267, 90), 21_839));
    for (name, width, height) in [B, D, H] {
        write(name, sources::jpeg(width, height, 90));
    }
    write("edge.jpg", sources::edge(400, 200));
    write("f.jpg", sources::oriented(sources::jpeg(424, 333, 90), 7));
    write("e.png", sources::png_alpha(1000, 800));
    write("g.gif", sources::gif(300, 200, 10));
    write("j.jpg", sources::claimed(sources::jpeg(16, 16, 90), 20_000, 13_000));
    write("panda.png", sources::panda(100));
    let site = |name: &str, more: &str| {
        format!(
            "[[site]]\nname = \"{name}\"\n{more}\nrules.webp = \"image/format,webp\"\n\
             [site.origin]\nkind = \"dir\"\npath = \"{}\"\n",
            folder.path().display()
        )
    };
    let config = [
        site("a", "hosts = [\"*\"]\n[site.styles]"),
        site("p", "hosts = [\"protected.example\"]\n[site.styles]\nprotect = true"),
    ];
    let pictor = Pictor::start(&config.concat()).await;
    let rows = [resizes(), crops_and_turns(), effects_and_formats(), marks(), facts_and_the_store()].concat();
    let table = Table { name: "aliyun-oss", rows, not_met: NOT_MET };
    complete(&table, 108, 0);
    prove(table, folder.path(), &pictor).await;
}
