//! From one language to the other: the references' tables by row, what has no counterpart, and properties over rules of
//! both languages.

use proptest::prelude::*;

use super::super::translate::{translate, write_rule};
use super::*;
use crate::plan::Assumption::{self, Large, Small, Still};
use crate::plan::canonical::tests::any_plan;
use crate::plan::{Axes, GeometryOp, Mode, Resize, Step, Subject};

const TENCENT: Dialect = Dialect::Tencent;
const ALIYUN: Dialect = Dialect::Aliyun;

fn both(rule: &str) -> (Dialect, Plan, Dialect) {
    let (from, plan) = parse_rule(rule).unwrap_or_else(|error| panic!("{rule}: {error}"));
    (from, plan, if from == TENCENT { ALIYUN } else { TENCENT })
}

/// The rule in the other language and what it was equal under; or everything that is missing.
fn other(rule: &str, given: &[Assumption]) -> Result<(String, Vec<Assumption>), Vec<String>> {
    let (from, plan, to) = both(rule);
    match translate(&plan, to, given) {
        Ok(done) => Ok((done.rule, done.assumed)),
        Err(missing) => Err(missing.iter().map(|missing| missing.told(from)).collect()),
    }
}

#[test]
fn rows_of_the_references_tables() {
    const ALWAYS: &[Assumption] = &[];
    // Row of the table (a: aliyun-oss §8, m: its mapping §7.1, t: tencent-ci §9), rule, counterpart, what it holds under.
    let rows: &[(&str, &str, &str, &[Assumption])] = &[
        ("a1", "image/resize,m_lfit,w_150,h_80", "imageMogr2/thumbnail/150x80>", ALWAYS),
        ("a2", "image/resize,m_mfit,w_150,h_80", "imageView2/3/w/150/h/80", ALWAYS),
        ("a3", "image/resize,m_fill,w_150,h_80", "imageMogr2/crop/150x80", &[Large]),
        ("a4", "image/resize,m_pad,w_150,h_80", "imageMogr2/thumbnail/150x80/pad/1", &[Large]),
        ("a5", "image/resize,m_fixed,w_150,h_80", "imageMogr2/thumbnail/150x80!", &[Large]),
        ("a6", "image/resize,h_100,m_fixed", "imageMogr2/thumbnail/100x100!", &[Large]),
        ("a7", "image/resize,h_50", "imageMogr2/thumbnail/x50>", ALWAYS),
        ("a10", "image/resize,l_100", "imageMogr2/thumbnail/100x100>", ALWAYS),
        ("a11", "image/resize,s_100", "imageView2/3/w/100/h/100", ALWAYS),
        (
            "a12",
            "image/resize,w_100/auto-orient,1",
            "imageMogr2/thumbnail/100x>|imageMogr2/auto-orient/frame/1",
            ALWAYS,
        ),
        ("a13", "image/auto-orient,1/resize,w_100", "imageMogr2/auto-orient/thumbnail/100x>/frame/1", ALWAYS),
        ("a16", "image/resize,w_500,limit_0", "imageMogr2/thumbnail/500x", ALWAYS),
        (
            "a17",
            "image/resize,m_fill,h_100,w_100,limit_0",
            "imageMogr2/thumbnail/!100x100r/cut/100x100x0x0/gravity/center",
            &[Still],
        ),
        (
            "a18",
            "image/resize,m_pad,h_100,w_100,color_FF0000,limit_0",
            "imageMogr2/thumbnail/100x100/pad/1/color/I0ZGMDAwMA",
            ALWAYS,
        ),
        ("a19", "image/resize,p_50", "imageMogr2/thumbnail/!50p/frame/1", &[Small]),
        ("a22", "image/resize,l_900,h_600", "imageMogr2/thumbnail/x600>", ALWAYS),
        ("a26", "image/crop,x_100,y_50", "imageMogr2/crop/!10000x10000a100a50/frame/1", &[Small]),
        ("a27", "image/crop,x_100,y_50,w_100,h_100", "imageMogr2/cut/100x100x100x50/frame/1", ALWAYS),
        ("a29", "image/crop,w_200,h_200,g_se", "imageMogr2/cut/200x200x0x0/gravity/southeast/frame/1", ALWAYS),
        (
            "a30",
            "image/crop,w_200,h_200,g_se,x_10,y_10",
            "imageMogr2/crop/!200x200a10a10/gravity/southeast/frame/1",
            ALWAYS,
        ),
        ("a37", "image/rounded-corners,r_30", "imageMogr2/rradius/30", &[Large]),
        ("a39", "image/indexcrop,x_100,i_0", "imageMogr2/indexcrop/width/100/index/0", ALWAYS),
        ("a42", "image/rotate,90", "imageMogr2/rotate/90/frame/1", &[Small]),
        ("a45", "image/resize,w_200,h_200/rotate,90", "imageMogr2/thumbnail/200x200>/rotate/90/frame/1", ALWAYS),
        ("a48", "image/blur,r_3,s_2", "imageMogr2/blur/3x2", ALWAYS),
        ("a49", "image/bright,50", "imageMogr2/bright/50", ALWAYS),
        ("a51", "image/contrast,-50", "imageMogr2/contrast/-50", ALWAYS),
        ("a52", "image/sharpen,100", "imageMogr2/sharpen/100", ALWAYS),
        ("a53", "image/resize,w_300/interlace,1", "imageMogr2/thumbnail/300x>/interlace/1", ALWAYS),
        ("a55", "image/resize,w_100/quality,q_80", "imageMogr2/thumbnail/100x>/frame/1/rquality/80", ALWAYS),
        ("a56", "image/resize,w_100/quality,Q_80", "imageMogr2/thumbnail/100x>/frame/1/quality/80", ALWAYS),
        ("a59", "image/resize,w_300/format,webp", "imageMogr2/thumbnail/300x>/format/webp/frame/1", ALWAYS),
        ("a61", "image/format,png", "imageMogr2/format/png", ALWAYS),
        (
            "a67",
            "image/watermark,text_SGVsbG8gV29ybGQ",
            "watermark/2/text/SGVsbG8gV29ybGQ/font/d3F5LXplbmhlaQ/fontsize/40/fill/IzAwMDAwMA/dx/10/dy/10/dissolve/100|imageMogr2/frame/1",
            ALWAYS,
        ),
        ("a73", "image/average-hue", "imageAve", ALWAYS),
        ("a74", "image/resize,l_923,h_600/format,heic", "imageMogr2/thumbnail/x600>/format/heif/frame/1", ALWAYS),
        ("a76", "image/format,avif", "imageMogr2/format/avif/frame/1", &[Small]),
        ("a94", "image/resize,w_100|image/format,jpg", "imageMogr2/thumbnail/100x>/format/jpg", ALWAYS),
        (
            "m t",
            "image/watermark,image_cGFuZGEucG5n,t_90",
            "watermark/1/image_key/cGFuZGEucG5n/dx/10/dy/10|imageMogr2/frame/1",
            ALWAYS,
        ),
        ("t1", "imageMogr2/thumbnail/!50p", "image/resize,p_50", &[Still, Small]),
        ("t6", "imageMogr2/thumbnail/300x", "image/resize,w_300,limit_0", ALWAYS),
        ("t8", "imageMogr2/thumbnail/300x300", "image/resize,w_300,h_300,limit_0", ALWAYS),
        ("t10", "imageMogr2/thumbnail/!300x300r", "image/resize,m_mfit,w_300,h_300,limit_0", ALWAYS),
        ("t12", "imageMogr2/thumbnail/300x300>", "image/resize,w_300,h_300", ALWAYS),
        ("t18", "imageMogr2/thumbnail/300x300!", "image/resize,m_fixed,w_300,h_300,limit_0", ALWAYS),
        (
            "t21",
            "imageMogr2/thumbnail/600x600/pad/1/color/IzNEM0QzRA",
            "image/resize,m_pad,w_600,h_600,color_3D3D3D,limit_0",
            ALWAYS,
        ),
        ("t25", "imageMogr2/cut/600x400x100x10", "image/crop,w_600,h_400,x_100,y_10", &[Still]),
        (
            "t27",
            "imageMogr2/crop/600x600/format/jpg",
            "image/resize,m_mfit,w_600,h_600/crop,w_600,h_600,g_center/format,jpg",
            ALWAYS,
        ),
        (
            "t30",
            "imageMogr2/crop/300x400/gravity/southeast",
            "image/resize,m_mfit,w_300,h_400/crop,w_300,h_400,g_se",
            &[Still],
        ),
        ("t31", "imageMogr2/crop/500x/format/png", "image/crop,w_500,g_north/format,png", ALWAYS),
        ("t33", "imageMogr2/crop/!600x600a20a20/format/jpg", "image/crop,w_600,h_600,x_20,y_20/format,jpg", ALWAYS),
        ("t35", "imageMogr2/scrop/300x400", "image/auto-orient,0", ALWAYS),
        ("t39", "imageMogr2/rradius/100", "image/rounded-corners,r_100", &[Large]),
        (
            "t47",
            "imageMogr2/auto-orient/thumbnail/300x/format/jpg",
            "image/auto-orient,1/resize,w_300,limit_0/format,jpg",
            ALWAYS,
        ),
        ("t50", "imageMogr2/format/webp", "image/format,webp", &[Still]),
        ("t52", "imageMogr2/format/heif", "image/format,heic", &[Still]),
        ("t55", "imageMogr2/format/yjpeg", "image/format,jpg", ALWAYS),
        ("t66", "imageMogr2/quality/60/format/jpg", "image/quality,Q_60/format,jpg", ALWAYS),
        ("t69", "imageMogr2/rquality/50/format/jpg", "image/quality,q_50/format,jpg", ALWAYS),
        ("t72", "imageMogr2/blur/8x5", "image/blur,r_8,s_5", ALWAYS),
        ("t75", "imageMogr2/sharpen/70", "image/sharpen,70", ALWAYS),
        ("t77", "imageMogr2/grayscale/0", "image/auto-orient,0", ALWAYS),
        ("t83", "imageView2/1/w/500/h/400", "image/resize,m_mfit,w_500,h_400/crop,w_500,h_400,g_center", &[Still]),
        ("t84", "imageView2/2/w/500/h/400", "image/resize,w_500,h_400", ALWAYS),
        ("t85", "imageView2/3/w/500/h/400", "image/resize,m_mfit,w_500,h_400", ALWAYS),
        ("t86", "imageView2/0/w/500/h/400", "image/resize,l_500,s_400", ALWAYS),
        ("t87", "imageView2/4/w/500/h/400", "image/resize,m_mfit,l_500,s_400", ALWAYS),
        ("t88", "imageView2/5/w/500/h/400", "image/resize,m_fill,l_500,s_400", &[Large]),
        ("t91", "imageView2/2/w/400", "image/resize,w_400", ALWAYS),
        (
            "t94",
            "imageView2/1/w/400/h/600/q/85/format/jpg",
            "image/resize,m_mfit,w_400,h_600/crop,w_400,h_600,g_center/quality,Q_85/format,jpg",
            ALWAYS,
        ),
        (
            "t97",
            "imageMogr2/thumbnail/300x|watermark/2/text/SGk/fill/I0ZGRkZGRg==/fontsize/30/dx/20/dy/20|imageMogr2/format/jpg",
            "image/resize,w_300,limit_0/watermark,text_SGk,type_dGFob21hLnR0Zg,color_FFFFFF,size_30,t_90,x_20,y_20/format,jpg",
            ALWAYS,
        ),
        (
            "t98",
            "imageMogr2/thumbnail/300x300|imageMogr2/crop/100x100/format/jpg",
            "image/resize,w_300,h_300,limit_0/resize,m_mfit,w_100,h_100/crop,w_100,h_100,g_center/format,jpg",
            ALWAYS,
        ),
        (
            "t100",
            "imageMogr2/rotate/90|imageMogr2/thumbnail/x300/format/jpg",
            "image/rotate,90/resize,h_300,limit_0/format,jpg",
            &[Small],
        ),
        (
            "t101",
            "watermark/1/image/aHR0cDovL2IuZXhhbXBsZS9tL2EucG5n/gravity/northwest|imageMogr2/format/jpg",
            "image/watermark,image_bS9hLnBuZw,t_90,g_nw,x_0,y_0/format,jpg",
            ALWAYS,
        ),
        ("t105", "imageAve", "image/average-hue", ALWAYS),
        ("", "imageMogr2/thumbnail/300x/frame/1", "image/crop,x_0,y_0/resize,w_300,limit_0", ALWAYS),
    ];
    let mut wrong = Vec::new();
    for (row, rule, want, under) in rows {
        let got = other(rule, &Assumption::ALL);
        if got != Ok(((*want).to_owned(), under.to_vec())) {
            wrong.push(format!("row {row}: {rule}: {got:?}"));
        }
        if !under.is_empty() {
            let refused = other(rule, &[]).expect_err(rule).join(" ");
            if !under.iter().all(|one| refused.contains(one.name())) {
                wrong.push(format!("row {row}, {rule}: {refused}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn everything_without_a_counterpart_is_named() {
    let rows: &[(&str, &[&str])] = &[
        (
            "imageMogr2/thumbnail/20000@/grayscale/1/strip/format/jpg/size-limit/15k!/lquality/50/ignore-error/1",
            &["thumbnail/20000@:", "grayscale/1:", "strip:", "size-limit/15k!:", "lquality/50:", "ignore-error/1:"],
        ),
        ("imageMogr2/flip/horizontal/quality/80!", &["flip/horizontal: aliyun has no mirroring", "quality/80!:"]),
        ("imageMogr2/iradius/100", &["iradius/100: aliyun's circle of the same radius is one pixel wider"]),
        ("imageMogr2/thumbnail/!33.3p/sharpen/20/blur/3x2.5", &["!33.3p:", "sharpen/20:", "blur/3x2.5:"]),
        ("imageMogr2/thumbnail/3000x3000<", &["thumbnail/3000x3000<: aliyun cannot enlarge without"]),
        ("imageMogr2/thumbnail/!50px", &["thumbnail/!50px: aliyun scales both sides"]),
        ("imageMogr2/cut/300x200x10x10/gravity/southeast", &["gravity/southeast: aliyun's offsets go right and down"]),
        ("imageMogr2/indexcrop/width/100/height/50/index/1", &["aliyun's indexcrop slices in one direction"]),
        ("imageMogr2/format/tpg", &["format/tpg: aliyun does not write this format"]),
        ("imageMogr2/format/gif", &["format/gif: aliyun's format,gif keeps a GIF"]),
        (
            "watermark/1/image_key/YS5wbmc/blogo/1/scatype/1/spcent/100/batch/1",
            &["does not shrink", "both of the picture's sides", "in percent"],
        ),
        ("watermark/2/text/SGk/scatype/2/spcent/40", &["aliyun has no size of text that is told by the picture's"]),
        ("imageInfo", &["imageInfo: aliyun's image/info answers with other members"]),
        ("exif", &["exif: aliyun's image/info"]),
        ("image/info", &["image/info: tencent's imageInfo and exif"]),
        ("image/circle,r_100", &["image/circle,r_100: tencent's circle of the same radius is one pixel narrower"]),
        (
            "image/sharpen,350/quality,lossless",
            &["image/sharpen,350: tencent sharpens by 10 to 300", "quality,lossless:"],
        ),
        ("image/format,gif", &["image/format,gif: tencent has no format that only an original of it keeps"]),
        ("image/resize,m_pad,l_300,s_200", &["image/resize,m_pad,l_300,s_200: tencent has no box of a long"]),
        ("image/resize,w_12000", &["image/resize,w_12000: tencent takes sides above 10000 for 10000"]),
        ("image/watermark,text_SGk,rotate_30", &["tencent turns repeated marks only"]),
        ("image/watermark,text_SGk,g_west,voffset_20", &["tencent does not move a mark along an axis"]),
        ("image/watermark,text_SGk,fill_1,padx_5", &["in percent of the mark, not in pixels"]),
        ("image/watermark,image_cGFuZGEucG5n,text_SGk", &["not both side by side"]),
        (
            "image/watermark,image_cGFuZGEucG5nP3gtb3NzLXByb2Nlc3M9aW1hZ2UvcmVzaXplLFBfMzA",
            &["tencent sizes a mark by the picture's width, height or area"],
        ),
    ];
    for (rule, wants) in rows {
        let missing = other(rule, &Assumption::ALL).expect_err(rule);
        for want in *wants {
            assert!(missing.iter().any(|text| text.contains(want)), "{rule}: {want} is not in {missing:?}");
        }
        assert_eq!(missing.len(), wants.len(), "{rule}: {missing:?}");
    }
}

#[test]
fn a_query_keeps_what_is_neither_rule_nor_signature() {
    let query =
        "a=1&imageMogr2%2Fthumbnail%2F%2150p=&q-sign-algorithm=sha1&q-ak=AK&response-content-type=x&versionId=2";
    let rewritten = rewrite(query, Some("x-oss-process=image/resize,p_50"));
    assert_eq!(rewritten, ("a=1&x-oss-process=image/resize,p_50&response-content-type=x&versionId=2".into(), true));
    assert_eq!(rewrite("x-oss-process=image/info&b", Some("imageInfo")), ("imageInfo&b".into(), false));
    assert_eq!(rewrite("OSSAccessKeyId=k&Expires=1&Signature=s&x-oss-signature=t", None), (String::new(), true));
}

#[test]
fn secrets_are_not_shown() {
    for (query, want) in [
        ("imageMogr2/thumbnail/300x&q-ak=AK&q-signature=SECRET", "imageMogr2/thumbnail/300x&q-ak=...&q-signature=..."),
        (
            "x-oss-process=image/info&Signature=SECRET&Expires=SECRET",
            "x-oss-process=image/info&Signature=...&Expires=...",
        ),
        ("X-Amz-Security-Token=SECRET&X%2DAmz%2DSignature=SECRET", "X-Amz-Security-Token=...&X%2DAmz%2DSignature=..."),
        ("a=1&auth_key=SECRET&sign=SECRET", "a=1&auth_key=...&sign=..."),
        // http://b/m.png?sign=SECRET
        ("watermark/1/image/aHR0cDovL2IvbS5wbmc_c2lnbj1TRUNSRVQ/dx/5", "watermark/1/image/.../dx/5"),
        ("", ""),
    ] {
        assert_eq!(redact(query), want);
    }
}

/// Whatever the rule says of the hosts of its marks.
fn hostless(mut plan: Plan) -> Plan {
    for step in &mut plan.steps {
        if let Step::Mark(mark) = step
            && let Subject::Image(image) | Subject::Both { image, .. } = &mut mark.subject
        {
            image.host = None;
        }
    }
    plan
}

fn pick(list: &'static [&'static str]) -> impl Strategy<Value = String> {
    (0..list.len()).prop_map(|at| list[at].to_owned())
}

/// A stage of Tencent's, with its words in any order.
fn tencent_stage() -> impl Strategy<Value = String> {
    let side = || prop_oneof![4 => 1u32..3000, 1 => 1u32..20_000];
    let gravity =
        || pick(&["northwest", "north", "northeast", "west", "center", "east", "southwest", "south", "southeast"]);
    let word = prop_oneof![
        (side(), side(), pick(&["", ">", "<", "!"])).prop_map(|(w, h, end)| format!("thumbnail/{w}x{h}{end}")),
        (side(), pick(&["", ">", "<"])).prop_map(|(w, end)| format!("thumbnail/{w}x{end}")),
        (side(), side()).prop_map(|(w, h)| format!("thumbnail/!{w}x{h}r")),
        (side(), side()).prop_map(|(w, h)| format!("thumbnail/{w}x{h}/pad/1/color/I0ZGMDAwMA")),
        (1u32..30_000, pick(&["!Np", "!Npx", "!xNp"]))
            .prop_map(|(k, form)| format!("thumbnail/{}", form.replace('N', &format!("{}.{:02}", k / 100, k % 100)))),
        (1u64..90_000_000).prop_map(|area| format!("thumbnail/{area}@")),
        (side(), side(), 0u32..900, 0u32..900).prop_map(|(w, h, x, y)| format!("cut/{w}x{h}x{x}x{y}")),
        (side(), side()).prop_map(|(w, h)| format!("crop/{w}x{h}")),
        side().prop_map(|w| format!("crop/{w}x")),
        side().prop_map(|h| format!("crop/x{h}")),
        (side(), side(), 0u32..900, 0u32..900).prop_map(|(w, h, x, y)| format!("crop/!{w}x{h}a{x}a{y}")),
        gravity().prop_map(|at| format!("gravity/{at}")),
        (0u32..900, 0u32..900).prop_map(|(x, y)| format!("dx/{x}/dy/{y}")),
        (0u16..=360).prop_map(|degrees| format!("rotate/{degrees}")),
        pick(&[
            "auto-orient",
            "flip/horizontal",
            "flip/vertical",
            "strip",
            "interlace/1",
            "grayscale/1",
            "ignore-error/1"
        ]),
        pick(&["format/jpg", "format/png", "format/apng", "format/webp", "format/avif", "format/heif", "format/gif"]),
        (0u8..=100, pick(&["quality/N", "quality/N!", "rquality/N", "lquality/N"]))
            .prop_map(|(q, form)| form.replace('N', &q.to_string())),
        (1u32..60, pick(&["cgif/N", "egif/N", "frame/N", "size-limit/Nk", "size-limit/N.5k!"]))
            .prop_map(|(n, form)| form.replace('N', &n.to_string())),
        (1u32..600, 0u32..9).prop_map(|(w, i)| format!("indexcrop/width/{w}/index/{i}")),
        (1u32..900, pick(&["iradius", "rradius"])).prop_map(|(r, name)| format!("{name}/{r}")),
        (1u8..=50, 1u32..6000).prop_map(|(r, s)| format!("blur/{r}x{}.{:02}", s / 100, s % 100)),
        (10u16..=300).prop_map(|percent| format!("sharpen/{percent}")),
        (-100i8..=100, pick(&["bright", "contrast"])).prop_map(|(percent, name)| format!("{name}/{percent}")),
    ];
    let mogr = proptest::collection::vec(word, 1..5).prop_map(|words| format!("imageMogr2/{}", words.join("/")));
    let view = (0u8..=5, side(), side()).prop_map(|(mode, w, h)| format!("imageView2/{mode}/w/{w}/h/{h}"));
    let mark = (
        pick(&[
            "1/image_key/bWFyay5wbmc",
            "1/image/aHR0cDovL2IuZXhhbXBsZS9tL2EucG5n/blogo/1",
            "2/text/SGVsbG8",
            "2/text/5Zu-/font/c2ltc3Vu/fontsize/30/fill/cmVk/shadow/50",
        ]),
        gravity(),
        0u32..300,
        0u32..300,
        1u8..=100,
        pick(&["", "/batch/1/degree/45", "/batch/1/spacing/0", "/scatype/1/spcent/300", "/scatype/3/spcent/100"]),
    )
        .prop_map(|(what, at, dx, dy, dissolve, more)| {
            format!("watermark/{what}/gravity/{at}/dx/{dx}/dy/{dy}/dissolve/{dissolve}{more}")
        });
    prop_oneof![6 => mogr, 1 => view, 1 => mark]
}

fn tencent_rule() -> impl Strategy<Value = String> {
    let facts = pick(&["imageInfo", "imageAve", "exif"]);
    prop_oneof![20 => proptest::collection::vec(tencent_stage(), 1..4).prop_map(|stages| stages.join("|")), 1 => facts]
}

fn aliyun_rule() -> impl Strategy<Value = String> {
    let side = || prop_oneof![4 => 1u32..3000, 1 => 1u32..=16_384];
    let gravity = || pick(&["nw", "north", "ne", "west", "center", "east", "sw", "south", "se"]);
    let action = prop_oneof![
        (pick(&["lfit", "mfit", "fill", "pad", "fixed"]), side(), side(), pick(&["", ",limit_0"]))
            .prop_map(|(m, w, h, limit)| format!("resize,m_{m},w_{w},h_{h}{limit}")),
        (
            pick(&["lfit", "mfit", "fill", "pad,color_00FF00", "fixed"]),
            pick(&["w", "h", "l", "s"]),
            side(),
            pick(&["", ",limit_0"])
        )
            .prop_map(|(m, key, side, limit)| format!("resize,m_{m},{key}_{side}{limit}")),
        (pick(&["lfit", "mfit", "fill"]), side(), side()).prop_map(|(m, l, s)| format!("resize,m_{m},l_{l},s_{s}")),
        (1u16..=300).prop_map(|percent| format!("resize,p_{percent}")),
        (side(), side(), 0u32..900, 0u32..900, gravity())
            .prop_map(|(w, h, x, y, at)| format!("crop,w_{w},h_{h},x_{x},y_{y},g_{at}")),
        (side(), gravity()).prop_map(|(w, at)| format!("crop,w_{w},g_{at}")),
        (0u32..900, 0u32..900).prop_map(|(x, y)| format!("crop,x_{x},y_{y}")),
        (0u16..=360).prop_map(|degrees| format!("rotate,{degrees}")),
        pick(&["auto-orient,1", "auto-orient,0", "interlace,1", "quality,lossless", "quality,auto"]),
        pick(&[
            "format,jpg",
            "format,png",
            "format,webp",
            "format,avif",
            "format,heic",
            "format,gif",
            "format,tiff",
            "format,bmp"
        ]),
        (1u8..=100, pick(&["q", "Q"])).prop_map(|(q, key)| format!("quality,{key}_{q}")),
        (1u32..900, pick(&["circle", "rounded-corners"])).prop_map(|(r, name)| format!("{name},r_{r}")),
        (1u32..600, 0u32..9, pick(&["x", "y"])).prop_map(|(side, i, key)| format!("indexcrop,{key}_{side},i_{i}")),
        (1u8..=50, 1u8..=50).prop_map(|(r, s)| format!("blur,r_{r},s_{s}")),
        (50u16..=399).prop_map(|percent| format!("sharpen,{percent}")),
        (-100i8..=100, pick(&["bright", "contrast"])).prop_map(|(percent, name)| format!("{name},{percent}")),
        (
            pick(&[
                "text_SGVsbG8",
                "text_5Zu-,type_c2ltc3Vu,color_FF0000,size_30,shadow_50,rotate_30",
                "image_cGFuZGEucG5n",
                "image_cGFuZGEucG5nP3gtb3NzLXByb2Nlc3M9aW1hZ2UvcmVzaXplLFBfMzA",
                "image_cGFuZGEucG5n,text_SGk,order_1,align_1"
            ]),
            gravity(),
            0u32..300,
            0u32..300,
            0u8..=100,
            pick(&["", ",fill_1", ",fill_1,padx_5,pady_6", ",voffset_-20", ",animation_1"]),
        )
            .prop_map(|(what, at, x, y, t, more)| format!("watermark,{what},g_{at},x_{x},y_{y},t_{t}{more}")),
    ];
    let facts = pick(&["image/info", "image/average-hue"]);
    prop_oneof![20 => proptest::collection::vec(action, 1..6).prop_map(|actions| format!("image/{}", actions.join("/"))), 1 => facts]
}

fn assumptions() -> impl Strategy<Value = Vec<Assumption>> {
    any::<[bool; 3]>().prop_map(|given| {
        Assumption::ALL.into_iter().zip(given).filter_map(|(one, given)| given.then_some(one)).collect()
    })
}

fn layout(plan: &Plan, source: &Source) -> Result<(Vec<GeometryOp>, u32, u32, u32), Kind> {
    let format = match plan.output().map(|output| output.target) {
        Some(crate::plan::Target::Fixed(format)) => format,
        _ => source.format,
    };
    lay_out(plan, source, format, &limits())
        .map(|layout| (layout.ops, layout.width, layout.height, layout.frames))
        .map_err(|error| error.kind)
}

/// Whether what is assumed is true of an original under a rule: looks at the picture before each step.
fn holds(plan: &Plan, source: &Source, assumed: &[Assumption]) -> bool {
    if !assumed.contains(&Small) && !assumed.contains(&Large) {
        return true;
    }
    (0..=plan.steps.len()).all(|count| {
        let before = Plan { steps: plan.steps[..count].to_vec(), ..plan.clone() };
        let Ok((_, width, height, _)) = layout(&before, source) else { return false };
        let small = width.max(height) <= 4096 && u64::from(width) * u64::from(height) <= 9_437_184;
        let large = plan.steps.get(count).is_none_or(|step| has_room(step, width, height));
        (small || !assumed.contains(&Small)) && (large || !assumed.contains(&Large))
    })
}

/// Whether a picture is no smaller than a step asks.
fn has_room(step: &Step, width: u32, height: u32) -> bool {
    match step {
        Step::Resize(Resize { mode, .. }) => match *mode {
            Mode::Fit(target)
            | Mode::Cover(target)
            | Mode::Fill(target, _)
            | Mode::Pad(target, _)
            | Mode::Exact(target) => {
                let swap = target.axes == Axes::LongShort && width < height;
                let (w, h) = if swap { (target.h, target.w) } else { (target.w, target.h) };
                w.is_none_or(|w| w <= width) && h.is_none_or(|h| h <= height)
            }
            Mode::Area(area) => area <= u64::from(width) * u64::from(height),
            Mode::Percent { .. } => true,
        },
        Step::Shape(shape) => shape.radius < width.min(height).div_ceil(2),
        _ => true,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// The whole way by canonical text: what was written means what was read.
    #[test]
    fn what_is_written_means_the_same(
        rule in prop_oneof![tencent_rule(), aliyun_rule()], given in assumptions(),
    ) {
        let Ok((from, plan)) = parse_rule(&rule) else { return Ok(()) };
        let to = if from == TENCENT { ALIYUN } else { TENCENT };
        match translate(&plan, to, &given) {
            Ok(done) => {
                let (language, read) = parse_rule(&done.rule).expect("it was read before");
                prop_assert_eq!(language, to);
                prop_assert!(done.assumed.iter().all(|one| given.contains(one)));
                let plain = |plan: Plan| hostless(plan).assuming(&done.assumed).to_string();
                prop_assert_eq!(plain(read), plain(plan), "{} to {}", rule, done.rule);
            }
            Err(missing) => prop_assert!(!missing.is_empty() && missing.iter().all(|one| !one.told(from).is_empty())),
        }
    }

    /// The same by what happens to pictures: equal operations on every original that the assumptions allow.
    #[test]
    fn what_is_written_does_the_same(
        rule in prop_oneof![tencent_rule(), aliyun_rule()], given in assumptions(),
        width in 1u32..9000, height in 1u32..9000, orientation in 1u8..=8, frames in 1u32..3,
    ) {
        let Ok((from, plan)) = parse_rule(&rule) else { return Ok(()) };
        let to = if from == TENCENT { ALIYUN } else { TENCENT };
        let Ok(done) = translate(&plan, to, &given) else { return Ok(()) };
        let Ok((_, read)) = parse_rule(&done.rule) else { return Ok(()) };
        let frames = if done.assumed.contains(&Still) { 1 } else { frames };
        let source = Source { format: Format::Gif, width, height, orientation, frames, alpha: false };
        if !holds(&plan, &source, &done.assumed) || !holds(&read, &source, &done.assumed) { return Ok(()) }
        // A limit that is never reached may be named by one and not by the other; the operations are the same.
        let (one, other) = (layout(&plan, &source), layout(&read, &source));
        let is_part = |op: &GeometryOp| matches!(op, GeometryOp::Part { .. });
        if [&one, &other].into_iter().flatten().any(|(ops, ..)| ops.iter().any(is_part)) {
            // What one language cuts out and enlarges, the other enlarges and cuts, or refuses because it cannot.
            return Ok(());
        }
        match (one, other) {
            (Ok((ops, width, height, frames)), Ok(other)) => {
                prop_assert_eq!((ops, width, height, frames), other, "{} to {}", rule, done.rule);
            }
            (one, other) => prop_assert_eq!(one.err(), other.err(), "{} to {}", rule, done.rule),
        }
    }

    /// A language can say whatever was said in it.
    #[test]
    fn each_language_says_its_own_rules(rule in prop_oneof![tencent_rule(), aliyun_rule()]) {
        let Ok((language, plan)) = parse_rule(&rule) else { return Ok(()) };
        match write_rule(language, &plan) {
            Ok(text) => {
                // A limit of a step that does nothing goes with the step.
                let plain = |plan: Plan| if language == ALIYUN { plan.assuming(&[Small]) } else { plan };
                let read = parse_rule(&text).map(|(_, plan)| plain(plan).to_string());
                prop_assert_eq!(read, Ok(plain(plan).to_string()), "{} as {}", rule, text);
            }
            // Words in an odd order need more stages.
            Err(missing) => prop_assert!(missing.iter().all(|one| one.part.is_none()), "{rule}: {missing:?}"),
        }
    }

    /// Plans that no rule gives are translated rightly or not at all.
    #[test]
    fn no_plan_is_translated_wrongly(plan in any_plan(), aliyun in any::<bool>()) {
        let (plan, to) = (plan.normalise(), if aliyun { ALIYUN } else { TENCENT });
        if let Ok(done) = translate(&plan, to, &[]) {
            let read = parse_rule(&done.rule).map(|(_, plan)| hostless(plan));
            prop_assert_eq!(read, Ok(hostless(plan)), "{}", done.rule);
        }
    }
}
