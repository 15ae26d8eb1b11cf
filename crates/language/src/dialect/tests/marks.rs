//! Marks of both dialects: rows of the references' tables, and what the rules mean.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;

use super::*;
use crate::plan::{Frames, Gap, Gravity, Mark, Rgb, Scale, Step, Subject};

fn b64(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

fn oss(process: &str) -> String {
    format!("x-oss-process={process}")
}

/// The only mark of a rule.
fn mark(query: &str) -> Mark {
    let plan = plan(query).unwrap_or_else(|error| panic!("{query}: {error}"));
    let mut marks = plan.steps.into_iter().filter_map(|step| match step {
        Step::Mark(mark) => Some(*mark),
        _ => None,
    });
    let mark = marks.next().expect("a mark");
    assert!(marks.next().is_none());
    mark
}

const URL: &str = "http://examplebucket-1250000000.cos.ap-shanghai.myqcloud.com/shuiyin_2.png";
const URL_B64: &str =
    "aHR0cDovL2V4YW1wbGVidWNrZXQtMTI1MDAwMDAwMC5jb3MuYXAtc2hhbmdoYWkubXlxY2xvdWQuY29tL3NodWl5aW5fMi5wbmc";

#[test]
fn the_size_never_changes() {
    let jpeg = still(Format::Jpeg, 960, 540);
    let gif = Source { frames: 10, ..still(Format::Gif, 300, 200) };
    let small = still(Format::Jpeg, 400, 267);
    let rows: [(u16, String, Source, (u32, u32, u32, Format)); 10] = [
        (
            97,
            "imageMogr2/thumbnail/!50p|watermark/2/text/SGk/fill/I0ZGRkZGRg==/fontsize/30/dx/20/dy/20".into(),
            jpeg,
            (480, 270, 1, Format::Jpeg),
        ),
        (101, format!("watermark/1/image/{URL_B64}/gravity/northwest"), jpeg, (960, 540, 1, Format::Jpeg)),
        (103, "watermark/2/text/SGk/gravity/center/dx/50/dy/50".into(), jpeg, (960, 540, 1, Format::Jpeg)),
        (
            66,
            oss("image/watermark,image_cGFuZGEucG5n,x_10,y_10,animation_1/format,gif"),
            gif,
            (300, 200, 10, Format::Gif),
        ),
        (67, oss("image/watermark,text_SGVsbG8gV29ybGQ"), small, (400, 267, 1, Format::Jpeg)),
        (68, oss("image/watermark,text_SGVsbG8g5Zu-54mH5pyN5YqhIQ"), small, (400, 267, 1, Format::Jpeg)),
        (
            69,
            oss(
                "image/resize,w_300/watermark,image_cGFuZGEucG5nP3gtb3NzLXByb2Nlc3M9aW1hZ2UvcmVzaXplLFBfMzA,t_90,g_se,x_10,y_10",
            ),
            small,
            (300, 200, 1, Format::Jpeg),
        ),
        (70, oss("image/watermark,image_cGFuZGEucG5n,text_SGVsbG8gV29ybGQ"), small, (400, 267, 1, Format::Jpeg)),
        (
            108,
            oss(
                "image/resize,m_fill,w_300,h_300,limit_0/auto-orient,0/quality,q_90/watermark,image_cGFuZGEucG5n,t_61,g_se,y_10,x_10",
            ),
            small,
            (300, 300, 1, Format::Jpeg),
        ),
        // The limit on sides is one of resizing.
        (0, "watermark/2/text/SGk".into(), still(Format::Jpeg, 20_000, 900), (20_000, 900, 1, Format::Jpeg)),
    ];
    for (row, rule, source, want) in rows {
        assert_eq!(run(&rule, &source), Ok(want), "row {row}: {rule}");
    }
}

#[test]
fn tencents_defaults_stand_in_the_plan() {
    assert_eq!(
        canonical("imageMogr2/thumbnail/!50p|watermark/2/text/SGk/fill/I0ZGRkZGRg==/fontsize/30/dx/20/dy/20"),
        "scale,x=5000,y=5000,up=allow;mark,text=Hi,font=tahoma%2Ettf,size=30,color=ffffff,o=90,at=southeast,dx=20,dy=20|source",
        "row 97"
    );
    let plain = mark("watermark/2/text/SGk");
    let text = plain.text().unwrap();
    assert_eq!((text.size, text.color, text.shadow), (13, Rgb { r: 0x3d, g: 0x3d, b: 0x3d }, 0));
    assert_eq!((plain.opacity, plain.gravity, plain.dx, plain.dy, plain.tiles), (90, Gravity::SouthEast, 0, 0, None));
    let centre = mark("watermark/2/text/SGk/gravity/center/dx/50/dy/50");
    assert_eq!((centre.dx, centre.dy), (0, 0), "row 103");
    let tiled = mark(
        "watermark/2/text/SGVsbG8/fill/I0ZGMDAwMA/fontsize/20/dissolve/50/gravity/northeast/dx/20/dy/20/batch/1/degree/45",
    );
    assert_eq!((tiled.tiles, tiled.text().unwrap().degrees, tiled.opacity), (Some(Gap::Percent(10)), 45, 50));
    // Only repeated marks turn, and a relative size needs both words.
    assert_eq!(mark("watermark/2/text/SGk/degree/45/scatype/1").text().unwrap().degrees, 0);
    assert_eq!(mark("watermark/2/text/SGk/spcent/40/scatype/2").text().unwrap().scale, Some(Scale::Height(40)));
    assert_eq!(mark("watermark/2/text/SGk/fill/d2hpdGU").text().unwrap().color, Rgb::WHITE, "old rules name colours");
}

#[test]
fn tencents_pictures_are_named_by_url_or_key() {
    let named = mark(&format!("watermark/1/image/{URL_B64}"));
    assert_eq!(b64(URL), URL_B64);
    let image = named.image().unwrap();
    assert_eq!(image.object, "shuiyin_2.png");
    assert_eq!(image.host.as_deref(), Some("examplebucket-1250000000.cos.ap-shanghai.myqcloud.com"));
    let signed = mark(&format!(
        "watermark/1/image/{}",
        b64("http://B.example:80/a%20b/%E6%B0%B4.png?q-sign-algorithm=sha1&q-ak=x")
    ));
    assert_eq!(signed.image().unwrap().object, "a b/水.png", "a signature is not needed");
    assert_eq!(signed.image().unwrap().host.as_deref(), Some("b.example:80"));
    let key = mark(&format!("watermark/1/image_key/{}/blogo/1/scatype/3/spcent/250", b64("/marks/a.png")));
    let image = key.image().unwrap();
    assert_eq!((image.object.as_str(), &image.host, image.shrink), ("marks/a.png", &None, true));
    assert_eq!(image.scale, Some(Scale::Area(250)));
}

#[test]
fn aliyuns_defaults_stand_in_the_plan() {
    assert_eq!(
        canonical(&oss(
            "image/resize,w_300/watermark,type_d3F5LXplbmhlaQ,size_30,text_SGVsbG8gV29ybGQ,color_FFFFFF,shadow_50,t_100,g_se,x_10,y_10"
        )),
        "fit,w=300,up=skip;mark,text=Hello%20World,font=wqy%2Dzenhei,size=30,color=ffffff,shadow=50,o=100,at=southeast,dx=10,dy=10|source,first"
    );
    assert_eq!(
        canonical(&oss("image/watermark,text_SGk")),
        "mark,text=Hi,font=wqy%2Dzenhei,size=40,color=000000,o=100,at=southeast,dx=10,dy=10|source,first"
    );
    let cells = [("nw", 7, 8), ("north", 0, 8), ("ne", 7, 8), ("west", 7, -9), ("center", 0, -9), ("east", 7, -9)];
    for (g, dx, dy) in cells {
        let mark = mark(&oss(&format!("image/watermark,text_SGk,g_{g},x_7,y_8,voffset_-9")));
        assert_eq!((mark.dx, mark.dy), (dx, dy), "{g}");
    }
    let tiled = mark(&oss("image/watermark,text_SGk,fill_1,padx_5,rotate_360"));
    assert_eq!((tiled.tiles, tiled.text().unwrap().degrees), (Some(Gap::Pixels(5, 0)), 0));
    let both = oss("image/watermark,image_cGFuZGEucG5n,text_SGVsbG8gV29ybGQ,order_1,align_1,interval_7");
    assert!(canonical(&both).contains(",first=text,align=middle,gap=7,"), "{}", canonical(&both));
}

#[test]
fn a_marks_picture_may_be_processed_first() {
    let with = |process: &str| {
        let object = b64(&format!("panda.png?x-oss-process=image/{process}"));
        plan(&oss(&format!("image/watermark,image_{object}")))
    };
    let plain = with("resize,P_30").unwrap();
    let image = plain.mark_images().next().unwrap();
    assert_eq!((image.object.as_str(), image.scale), ("panda.png", Some(Scale::Within(30))));
    assert!(image.before.is_empty() && image.after.is_empty());
    let turned = with("rotate,90/resize,P_10/rounded-corners,r_5").unwrap();
    let image = turned.mark_images().next().unwrap();
    assert_eq!((image.before.len(), image.after.len()), (1, 1));
    for (process, kind) in [
        ("blur,r_3,s_2", Kind::BadRule),
        ("watermark,text_SGk", Kind::BadRule),
        ("resize,P_101", Kind::BadRule),
        ("resize,P_0", Kind::BadRule),
        ("resize,P_30/resize,P_30", Kind::BadRule),
        ("resize,w_0", Kind::BadRule),
        ("format,png", Kind::BadRule),
        ("resize,w_10|image/rotate,90", Kind::BadRule),
        ("", Kind::BadRule),
    ] {
        assert_eq!(with(process).unwrap_err().kind, kind, "{process}");
    }
    let query = oss(&format!("image/watermark,image_{}", b64("panda.png?a=b")));
    assert_eq!(plan(&query).unwrap_err().code, Some(265));
}

#[test]
fn aliyuns_errors() {
    let image = "image/watermark,image_cGFuZGEucG5n";
    let four = [&image[6..]; 4].join("/");
    let long = b64(&"水".repeat(22));
    let rows: [(u16, &str, i32); 17] = [
        (95, "watermark", 278),
        (0, "watermark,t_50", 278),
        (96, "watermark,image_notbase64", 265),
        (0, "watermark,text_notbase64", 265),
        (97, "watermark,text_SGVsbG8gV29ybGQ,size_2000", 256),
        (98, &four, 26),
        (0, "watermark,text_SGk,shadow_101", 255),
        (0, "watermark,text_SGk,x_4097", 262),
        (0, "watermark,text_SGk,t_101", 263),
        (0, "watermark,text_SGk,voffset_1001", 268),
        (0, "watermark,text_SGk,order_2", 269),
        (0, "watermark,text_SGk,interval_1001", 270),
        (0, "watermark,text_SGk,align_3", 271),
        (0, "watermark,text_SGk,rotate_361", 272),
        (0, "watermark,text_SGk,fill_2", 274),
        (0, "watermark,text_SGk,padx_4097", 276),
        (0, "watermark,image_Lw", 265),
    ];
    for (row, process, code) in rows {
        let error = plan(&oss(&format!("image/{process}"))).expect_err(process);
        assert_eq!((error.kind, error.code), (Kind::BadRule, Some(code)), "row {row}: {process}: {error}");
    }
    for process in ["text_SGk,g_middle", "text_SGk,color_red", "text_SGk,y_9999", &format!("text_{long}"), "text_IA"] {
        let error = plan(&oss(&format!("image/watermark,{process}"))).expect_err(process);
        assert_eq!((error.kind, error.code), (Kind::BadRule, None), "{process}: {error}");
    }
    assert!(plan(&oss(&format!("image/watermark,text_{}", b64(&"水".repeat(21))))).is_ok(), "21 of three bytes");
    let four_texts = ["watermark,text_SGk"; 4].join("/");
    assert!(plan(&oss(&format!("image/{four_texts}"))).is_ok(), "only pictures are counted");
}

#[test]
fn tencents_errors() {
    let url = |url: &str| format!("watermark/1/image/{}", b64(url));
    for rule in [
        url("https://b.example/a.png"),
        url("b.example/a.png"),
        url("http://b.example"),
        url("http://b.example/"),
        url("http:///a.png"),
        url("http://user@b.example/a.png"),
        url("http://b.example/%FF"),
        "watermark/1/gravity/center".into(),
        "watermark/1/image/a".into(),
        "watermark/2/fontsize/20".into(),
        "watermark/2/text/".into(),
        "watermark/2/text/SGk/image/SGk".into(),
        "watermark/2/text/SGk/fill/SGk".into(),
        "watermark/2/text/SGk/dissolve/0".into(),
        "watermark/2/text/SGk/fontsize/1001".into(),
        "watermark/2/text/SGk/scatype/3/spcent/251".into(),
        format!("watermark/2/text/{}", b64(&"a".repeat(513))),
        "watermark/5/text/SGk".into(),
        vec![format!("watermark/1/image_key/{}", b64("a")); 11].join("|"),
    ] {
        let error = plan(&rule).expect_err(&rule);
        assert_eq!((error.kind, error.code), (Kind::BadRule, Some(-103)), "{rule}: {error}");
    }
    assert!(plan(&vec![format!("watermark/1/image_key/{}", b64("a")); 10].join("|")).is_ok());
    for rule in [
        url("http://b.example/a.png?imageMogr2/rotate/90"),
        url("http://b.example/a.png?versionId=1"),
        "watermark/4/type/1".into(),
    ] {
        assert_eq!(plan(&rule).expect_err(&rule).kind, Kind::UnsupportedRule, "{rule}");
    }
}

#[test]
fn what_nobody_sees_is_not_in_the_plan() {
    assert_eq!(canonical(&oss("image/watermark,text_SGk,t_0")), "|source,first");
}

#[test]
fn marks_of_animations() {
    let frames = |process: &str| plan(&oss(process)).unwrap().output().unwrap().frames;
    assert_eq!(frames("image/watermark,image_YQ,animation_1/format,gif"), Frames::All, "row 66");
    assert_eq!(frames("image/format,gif/watermark,image_YQ,animation_1"), Frames::All);
    assert_eq!(frames("image/watermark,image_YQ,animation_1"), Frames::First);
    assert_eq!(frames("image/watermark,image_YQ/format,gif"), Frames::First);
    assert_eq!(frames("image/watermark,text_YQ,animation_1/format,gif"), Frames::First);
    assert_eq!(plan("watermark/2/text/SGk").unwrap().output().unwrap().frames, Frames::All);
}

#[test]
fn a_mark_that_is_missing_is_the_vendors_error() {
    let body = |dialect, kind| error_body(Some(dialect), &Error::new(kind, "m"), "/a", "h", "r", false);
    let ec = |body: &ErrorBody| body.headers.iter().find(|(name, _)| *name == "x-oss-ec").unwrap().1.clone();
    let (missing, unusable) = (body(Dialect::Aliyun, Kind::MarkNotFound), body(Dialect::Aliyun, Kind::MarkUnusable));
    assert_eq!((missing.status, ec(&missing).as_str()), (400, "0040-00000025"));
    assert_eq!((unusable.status, ec(&unusable).as_str()), (400, "0040-00000027"));
    assert!(missing.body.contains("<Code>WatermarkError</Code>"));
    assert_eq!(body(Dialect::Tencent, Kind::MarkNotFound).status, 400);
}

#[test]
fn a_line_has_no_control_characters() {
    let Subject::Text(text) = mark(&format!("watermark/2/text/{}", b64("a\nb\tc"))).subject else { panic!() };
    assert_eq!(text.text, "a b c");
}

proptest! {
    #[test]
    fn any_text_survives_the_canonical_form(text in "[^\\p{C}]{1,16}", font in "[^\\p{C}]{1,9}", dx in 0u32..99) {
        prop_assume!(!text.trim().is_empty() && !font.trim().is_empty() && text.len() <= 64);
        for rule in [
            format!("watermark/2/text/{}/font/{}/dx/{dx}", b64(&text), b64(&font)),
            oss(&format!("image/watermark,text_{},type_{},x_{dx}", b64(&text), b64(&font))),
        ] {
            let plan = plan(&rule).unwrap();
            prop_assert_eq!(&plan.marks().next().unwrap().text().unwrap().text, &text);
            prop_assert_eq!(plan.to_string().parse::<Plan>(), Ok(plan.clone()));
            prop_assert_eq!(plan.clone().normalise(), plan);
        }
    }

    #[test]
    fn no_value_is_a_panic(
        start in prop_oneof![Just("watermark/1/image/"), Just("watermark/2/text/SGk/"), Just("x-oss-process=image/watermark,")],
        key in "(text_|image_|x_|voffset_|fill/|font/|dx/)?", value in "[A-Za-z0-9_=/,.-]{0,30}",
    ) {
        let _ = recognise(&format!("{start}{key}{value}"), &Dialect::ALL, &Styles::default());
    }
}
