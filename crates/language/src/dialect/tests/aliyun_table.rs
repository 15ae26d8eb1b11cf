//! The reference's test table for Aliyun, by row. Rows of operations that are not here yet are in
//! [`known_by_name_only`]; rows of marks are in `marks`; rows of the store's business (99 to 102, 106) are the server's.

use super::*;
use crate::plan::{GeometryOp, Quality, Rgb};
use Format::*;

fn source(name: char) -> Source {
    match name {
        'A' => still(Jpeg, 400, 267),
        'B' => still(Jpeg, 200, 100),
        'C' => Source { orientation: 7, ..still(Jpeg, 424, 333) },
        'D' => still(Jpeg, 3924, 2550),
        'E' => Source { alpha: true, ..still(Png, 1000, 800) },
        'G' => Source { frames: 10, ..still(Gif, 300, 200) },
        'H' => still(Jpeg, 5100, 3000),
        'J' => still(Jpeg, 20_000, 13_000),
        'P' => Source { alpha: true, ..still(Png, 100, 100) },
        'T' => still(Jpeg, 400, 40),
        'U' => still(Jpeg, 2000, 10),
        other => panic!("no source {other}"),
    }
}

fn query(process: &str) -> String {
    format!("x-oss-process={process}")
}

#[test]
fn sizes_frames_and_formats() {
    let rows: &[(u16, char, &str, (u32, u32, u32, Format))] = &[
        (1, 'B', "image/resize,m_lfit,w_150,h_80", (150, 75, 1, Jpeg)),
        (2, 'B', "image/resize,m_mfit,w_150,h_80", (160, 80, 1, Jpeg)),
        (3, 'B', "image/resize,m_fill,w_150,h_80", (150, 80, 1, Jpeg)),
        (4, 'B', "image/resize,m_pad,w_150,h_80", (150, 80, 1, Jpeg)),
        (5, 'B', "image/resize,m_fixed,w_150,h_80", (150, 80, 1, Jpeg)),
        (6, 'B', "image/resize,h_100,m_fixed", (100, 100, 1, Jpeg)),
        (7, 'B', "image/resize,h_50", (100, 50, 1, Jpeg)),
        (8, 'A', "image/resize,m_fixed,w_100,h_100", (100, 100, 1, Jpeg)),
        (9, 'A', "image/resize,h_100,m_lfit", (150, 100, 1, Jpeg)),
        (10, 'A', "image/resize,l_100", (100, 67, 1, Jpeg)),
        (11, 'A', "image/resize,s_100", (150, 100, 1, Jpeg)),
        (12, 'C', "image/resize,w_100/auto-orient,1", (79, 100, 1, Jpeg)),
        (13, 'C', "image/auto-orient,1/resize,w_100", (100, 127, 1, Jpeg)),
        (14, 'C', "image/resize,w_100/auto-orient,0", (100, 79, 1, Jpeg)),
        (15, 'A', "image/resize,w_500", (400, 267, 1, Jpeg)),
        (16, 'A', "image/resize,w_500,limit_0", (500, 334, 1, Jpeg)),
        (17, 'A', "image/resize,m_fill,h_100,w_100", (100, 100, 1, Jpeg)),
        (18, 'A', "image/resize,m_pad,h_100,w_100,color_FF0000", (100, 100, 1, Jpeg)),
        (19, 'E', "image/resize,p_50", (500, 400, 1, Png)),
        (20, 'E', "image/resize,p_33", (330, 264, 1, Png)),
        (21, 'A', "image/resize,w_300,h_300", (300, 200, 1, Jpeg)),
        (22, 'D', "image/resize,l_900,h_600", (923, 600, 1, Jpeg)),
        (23, 'E', "image/resize,w_333", (333, 266, 1, Png)),
        (24, 'E', "image/resize,m_mfit,w_300,h_300", (375, 300, 1, Png)),
        (25, 'E', "image/resize,w_100,p_50", (100, 80, 1, Png)),
        (26, 'A', "image/crop,x_100,y_50", (300, 217, 1, Jpeg)),
        (27, 'A', "image/crop,x_100,y_50,w_100,h_100", (100, 100, 1, Jpeg)),
        (28, 'A', "image/crop,w_100,h_100,x_100,y_100,r_1", (100, 100, 1, Jpeg)),
        (29, 'A', "image/crop,w_200,h_200,g_se", (200, 200, 1, Jpeg)),
        (30, 'A', "image/crop,w_200,h_200,g_se,x_10,y_10", (190, 190, 1, Jpeg)),
        (34, 'A', "image/circle,r_100", (201, 201, 1, Jpeg)),
        (35, 'A', "image/circle,r_100/format,png", (201, 201, 1, Png)),
        (36, 'A', "image/circle,r_1000", (267, 267, 1, Jpeg)),
        (37, 'A', "image/rounded-corners,r_30", (400, 267, 1, Jpeg)),
        (38, 'A', "image/crop,w_100,h_100/rounded-corners,r_10/format,png", (100, 100, 1, Png)),
        (39, 'A', "image/indexcrop,x_100,i_0", (100, 267, 1, Jpeg)),
        (40, 'A', "image/indexcrop,y_100,i_10", (400, 267, 1, Jpeg)),
        (41, 'A', "image/indexcrop,x_100,y_50,i_0", (400, 50, 1, Jpeg)),
        (48, 'A', "image/blur,r_3,s_2", (400, 267, 1, Jpeg)),
        (49, 'A', "image/bright,50", (400, 267, 1, Jpeg)),
        (50, 'A', "image/bright,-50", (400, 267, 1, Jpeg)),
        (51, 'A', "image/contrast,-50", (400, 267, 1, Jpeg)),
        (52, 'A', "image/sharpen,100", (400, 267, 1, Jpeg)),
        (31, 'A', "image/crop,w_200,h_101,g_center", (200, 101, 1, Jpeg)),
        (33, 'A', "image/crop,w_1000,h_1000", (400, 267, 1, Jpeg)),
        (42, 'A', "image/rotate,90", (267, 400, 1, Jpeg)),
        (43, 'A', "image/rotate,180", (400, 267, 1, Jpeg)),
        (44, 'A', "image/rotate,70", (388, 467, 1, Jpeg)),
        (45, 'A', "image/resize,w_200/rotate,90", (134, 200, 1, Jpeg)),
        (47, 'H', "image/auto-orient,0/resize,m_lfit,h_2000,w_2000,limit_1/rotate,90", (1176, 2000, 1, Jpeg)),
        (53, 'A', "image/resize,w_300/interlace,1", (300, 200, 1, Jpeg)),
        (54, 'P', "image/format,jpg/interlace,1", (100, 100, 1, Jpeg)),
        (55, 'A', "image/resize,w_100/quality,q_80", (100, 67, 1, Jpeg)),
        (56, 'A', "image/resize,w_100/quality,Q_80", (100, 67, 1, Jpeg)),
        (58, 'A', "image/format,png", (400, 267, 1, Png)),
        (59, 'A', "image/resize,w_300/format,webp", (300, 200, 1, WebP)),
        (60, 'A', "image/format,gif", (400, 267, 1, Jpeg)),
        (61, 'G', "image/format,png", (300, 200, 1, Png)),
        (62, 'G', "image/resize,w_100", (100, 67, 10, Gif)),
        (63, 'G', "image/resize,p_50", (150, 100, 1, Gif)),
        (64, 'G', "image/resize,w_600,limit_0", (300, 200, 10, Gif)),
        (65, 'G', "image/rotate,90", (200, 300, 1, Gif)),
        (74, 'D', "image/resize,l_923,h_600/format,heic", (923, 600, 1, Heif)),
        (75, 'D', "image/format,heic", (3924, 2550, 1, Heif)),
        (94, 'A', "image/resize,w_100|image/format,jpg", (100, 67, 1, Jpeg)),
        // What section 2.16 says of animations.
        (0, 'G', "image/format,gif", (300, 200, 10, Gif)),
        (0, 'G', "image/resize,w_100/format,gif", (100, 67, 10, Gif)),
        (0, 'G', "image/crop,w_100,h_100", (100, 100, 1, Gif)),
        (0, 'G', "image/quality,Q_50", (300, 200, 1, Gif)),
        (0, 'G', "image/auto-orient,1", (300, 200, 1, Gif)),
        (0, 'G', "image/auto-orient,0/rotate,0", (300, 200, 10, Gif)),
        (0, 'G', "image/format,webp", (300, 200, 1, WebP)),
        (0, 'D', "image/resize,w_8000", (3924, 2550, 1, Jpeg)),
        // Section 2.1: 16,384 a side, 16,777,216 pixels.
        (0, 'A', "image/resize,m_fixed,w_12000,h_1000,limit_0", (12_000, 1000, 1, Jpeg)),
        (0, 'A', "image/resize,m_fixed,w_16384,h_1024,limit_0", (16_384, 1024, 1, Jpeg)),
        (0, 'A', "image/resize,m_fill,w_16384,h_100,limit_0", (16_384, 100, 1, Jpeg)),
        (0, 'T', "image/resize,w_12000,limit_0", (12_000, 1200, 1, Jpeg)),
        (0, 'T', "image/resize,p_1000", (4000, 400, 1, Jpeg)),
        (0, 'U', "image/resize,m_fill,w_500,h_500,limit_0", (500, 500, 1, Jpeg)),
    ];
    for (row, name, process, want) in rows {
        assert_eq!(run(&query(process), &source(*name)), Ok(*want), "row {row}: {process}");
    }
}

#[test]
fn places() {
    let resize = |width, height| GeometryOp::Resize { width, height };
    let crop = |x, y, width, height| GeometryOp::Crop { x, y, width, height };
    let red = Rgb { r: 255, g: 0, b: 0 };
    let rows: &[(u16, char, &str, Vec<GeometryOp>)] = &[
        (3, 'B', "image/resize,m_fill,w_150,h_80", vec![resize(160, 80), crop(5, 0, 150, 80)]),
        (
            4,
            'B',
            "image/resize,m_pad,w_150,h_80",
            vec![resize(150, 75), GeometryOp::Pad { width: 150, height: 80, x: 0, y: 2, color: Rgb::WHITE }],
        ),
        (
            18,
            'A',
            "image/resize,m_pad,h_100,w_100,color_FF0000",
            vec![resize(100, 67), GeometryOp::Pad { width: 100, height: 100, x: 0, y: 16, color: red }],
        ),
        (29, 'A', "image/crop,w_200,h_200,g_se", vec![crop(200, 67, 200, 200)]),
        (30, 'A', "image/crop,w_200,h_200,g_se,x_10,y_10", vec![crop(210, 77, 190, 190)]),
        (31, 'A', "image/crop,w_200,h_101,g_center", vec![crop(100, 83, 200, 101)]),
    ];
    for (row, name, process, want) in rows {
        let plan = plan(&query(process)).unwrap();
        assert_eq!(lay_out(&plan, &source(*name), Jpeg, &limits()).unwrap().ops, *want, "row {row}: {process}");
    }
}

#[test]
fn qualities() {
    let quality = |process: &str| plan(&query(process)).unwrap().output().unwrap().quality;
    assert_eq!(quality("image/resize,w_100/quality,q_80"), Quality::Relative(80), "row 55");
    assert_eq!(quality("image/resize,w_100/quality,Q_80"), Quality::Capped(80), "row 56");
    assert_eq!(quality("image/quality,q_50,Q_90"), Quality::Capped(90), "row 57");
    assert_eq!(quality("image/format,webp/quality,lossless"), Quality::Lossless);
    assert_eq!(quality("image/quality,auto"), Quality::AUTO);
    assert_eq!(quality("image/format,webp/quality,auto_75"), Quality::Auto(75));
    assert_eq!(quality("image/quality,auto_75,q_50"), Quality::Relative(50));
}

#[test]
fn errors() {
    let six = ["image/resize,w_100"; 7].join("|");
    let rows: &[(u16, char, &str, Kind, Option<&str>)] = &[
        (32, 'A', "image/crop,x_500,y_0", Kind::CropOutside, Some("0040-00000205")),
        (46, 'H', "image/rotate,90", Kind::RotateTooLarge, Some("0040-00000006")),
        (76, 'D', "image/format,avif", Kind::OutputTooLarge, Some("0040-00000014")),
        (77, 'A', "image/resize,m_fixed,w_5000,h_5000,limit_0", Kind::OutputTooLarge, Some("0040-00000007")),
        (0, 'A', "image/resize,w_16384,limit_0", Kind::OutputTooLarge, Some("0040-00000007")),
        (0, 'A', "image/resize,m_fixed,w_16384,h_1025,limit_0", Kind::OutputTooLarge, Some("0040-00000007")),
        (0, 'A', "image/resize,w_12000,limit_0", Kind::OutputTooLarge, Some("0040-00000007")),
        (0, 'U', "image/resize,p_1000", Kind::OutputTooLarge, Some("0040-00000007")),
        (78, 'J', "image/format,jpg", Kind::SourcePixels, Some("0040-00000012")),
        (79, 'A', "image/resize,w_0", Kind::BadRule, Some("0040-00000312")),
        (0, 'A', "image/resize,w_0,h_0", Kind::BadRule, Some("0040-00000321")),
        (0, 'A', "image/resize,w_16385", Kind::BadRule, Some("0040-00000312")),
        (0, 'A', "image/resize,l_0", Kind::BadRule, Some("0040-00000314")),
        (0, 'A', "image/resize,s_x", Kind::BadRule, Some("0040-00000315")),
        (80, 'A', "image/resize,w_100,m_abc", Kind::BadRule, Some("0040-00000311")),
        (81, 'A', "image/resize,w_100,limit_3", Kind::BadRule, Some("0040-00000319")),
        (82, 'A', "image/resize,p_0", Kind::BadRule, Some("0040-00000317")),
        (0, 'A', "image/resize", Kind::BadRule, Some("0016-00000502")),
        (83, 'A', "image/crop,x_100,y_50,w_-1,h_100", Kind::BadRule, Some("0040-00000225")),
        (0, 'A', "image/crop,h_a", Kind::BadRule, Some("0040-00000226")),
        (84, 'A', "image/crop,w_500,h_500,g_fac", Kind::BadRule, Some("0040-00000209")),
        (0, 'A', "image/crop,w_500,h_500,g_face", Kind::UnsupportedRule, None),
        (85, 'A', "image/rotate,400", Kind::BadRule, Some("0040-00000217")),
        (86, 'A', "image/rotate,90,200,300", Kind::BadRule, Some("0040-00000203")),
        (87, 'A', "image/sharpen,10", Kind::BadRule, Some("0040-00000280")),
        (104, 'A', "image/indexcrop,x_0,i_0", Kind::BadRule, Some("0040-00000230")),
        (105, 'A', "image/circle,r_5000", Kind::BadRule, Some("0040-00000233")),
        (0, 'A', "image/rounded-corners,r_0", Kind::BadRule, Some("0040-00000237")),
        (0, 'A', "image/blur,r_51,s_2", Kind::BadRule, Some("0040-00000241")),
        (0, 'A', "image/blur,r_3", Kind::BadRule, Some("0040-00000242")),
        (0, 'A', "image/bright", Kind::BadRule, Some("0040-00000245")),
        (0, 'A', "image/bright,101", Kind::BadRule, Some("0040-00000246")),
        (88, 'A', "image/quality,Q_200", Kind::BadRule, Some("0040-00000308")),
        (89, 'A', "image/quality", Kind::BadRule, Some("0040-00000307")),
        (90, 'A', "image/format,dng", Kind::BadRule, Some("0040-00000206")),
        (0, 'A', "image/format", Kind::BadRule, Some("0040-00000207")),
        (91, 'A', "image/slim,1", Kind::BadRule, Some("0040-00000213")),
        (92, 'A', "image/", Kind::BadRule, Some("0040-00000212")),
        (0, 'A', "image", Kind::BadRule, Some("0040-00000212")),
        (0, 'A', "image/resize,w_100/", Kind::BadRule, Some("0040-00000212")),
        (0, 'A', "image//resize,w_100", Kind::BadRule, Some("0040-00000212")),
        (0, 'A', "resize,w_100", Kind::BadRule, Some("0040-00000213")),
        (0, 'A', "", Kind::BadRule, Some("0040-00000213")),
        (93, 'A', &six, Kind::BadRule, Some("0040-00000211")),
        (103, 'A', "image/auto-orient,10", Kind::BadRule, Some("0040-00000215")),
        (0, 'A', "image/auto-orient", Kind::BadRule, Some("0040-00000214")),
        (0, 'A', "image/interlace,2", Kind::BadRule, Some("0040-00000282")),
        (107, 'A', "image/resize,w_100|sys/saveas,o_dGVzdC5qcGc", Kind::BadRule, Some("0016-00000502")),
        (0, 'A', "image/info/resize,w_100", Kind::BadRule, Some("0016-00000502")),
        (0, 'A', "video/snapshot,t_1000", Kind::UnsupportedRule, None),
    ];
    for (row, name, process, kind, ec) in rows {
        let error = run(&query(process), &source(*name)).expect_err(process);
        let body = error_body(Some(Dialect::Aliyun), &error, "/a.jpg", "b.oss", "57ABD896CCB80C366955", false);
        let header = body.headers.iter().find(|(name, _)| *name == "x-oss-ec").map(|(_, value)| value.as_str());
        assert_eq!((error.kind, header), (*kind, *ec), "row {row}: {process}: {error}");
        if let Some(ec) = ec {
            assert!(body.body.contains(&format!("<EC>{ec}</EC>")), "row {row}: {}", body.body);
        }
    }
}

#[test]
fn known_by_name_only() {
    let rules = [(0, "image/blindwatermark,content_SGk")];
    for (row, process) in rules {
        let error = plan(&query(process)).expect_err(process);
        assert_eq!(error.kind, Kind::UnsupportedRule, "row {row}: {process}");
    }
}

#[test]
fn the_vendors_sentences_are_kept() {
    let body = |process: &str, name| {
        let error = run(&query(process), &source(name)).expect_err(process);
        error_body(Some(Dialect::Aliyun), &error, "/a.jpg", "h", "r", false).body
    };
    assert!(
        body("image/crop,x_500,y_0", 'A').contains("<Message>Advance cut&apos;s position is out of image.</Message>")
    );
    let rotate = "<Message>Picture exceed the maximum allowable rotation range.</Message>";
    assert!(body("image/rotate,90", 'H').contains(rotate));
    assert!(body("image/resize,w_0", 'A').contains("<Message>The value: 0 of parameter: w is invalid."));
}

#[test]
fn a_limit_is_in_the_plan_only_where_it_can_bite() {
    assert_eq!(canonical("x-oss-process=image/resize,w_900"), "fit,w=900,up=skip|source");
    assert_eq!(canonical("x-oss-process=image/resize,w_900,h_800"), canonical("imageMogr2/thumbnail/900x800>"));
    assert_eq!(
        canonical("x-oss-process=image/resize,w_4000"),
        "fit,w=4000,up=skip;ceiling,px=16777216,code=7,spare=1|source"
    );
    // Not resized after all: the source passes as it is.
    let large = still(Jpeg, 6000, 4000);
    assert_eq!(run("x-oss-process=image/resize,w_8000", &large), Ok((6000, 4000, 1, Jpeg)));
    assert_eq!(run("x-oss-process=image/resize,w_5900", &large).unwrap_err().kind, Kind::OutputTooLarge);
}

#[test]
fn actions_are_counted() {
    let actions = |n: usize| format!("x-oss-process=image/{}", vec!["rotate,30"; n].join("/"));
    assert!(plan(&actions(32)).is_ok());
    assert_eq!(plan(&actions(33)).unwrap_err().kind, Kind::BadRule);
}
