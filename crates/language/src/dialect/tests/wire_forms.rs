//! Every encoding of a rule that clients send is one plan.

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;

use super::*;

#[test]
fn tencent_on_the_wire() {
    let want = "scale,x=5000,y=5000,up=allow|source";
    let forms = [
        "imageMogr2/thumbnail/!50p",
        "?imageMogr2/thumbnail/!50p",
        "imageMogr2%2Fthumbnail%2F%2150p=",
        "imageMogr2%2Fthumbnail%2F%2150p",
        "imageMogr2%2fthumbnail%2f!50p",
        "imageMogr2%252Fthumbnail%252F%252150p",
        "imageMogr2%252Fthumbnail%252F%252150p=",
        "versionId=V&imageMogr2%2Fthumbnail%2F%2150p",
        "q-sign-algorithm=sha1&q-ak=x&q-signature=y&imageMogr2/thumbnail/!50p",
        "imageMogr2/thumbnail/!50p&q-sign-algorithm=sha1&q-signature=y",
        "response-content-type=image/x-test&imageMogr2/thumbnail/!50p",
        "a=1&&imageMogr2/thumbnail/!50p&",
        "imageMogr2/thumbnail/!50p/",
    ];
    for form in forms {
        assert_eq!(canonical(form), want, "{form}");
    }
    // Names are case-sensitive.
    assert_eq!(recognise("imagemogr2/thumbnail/!50p", &Dialect::ALL, &Styles::default()), Recognised::None);
}

#[test]
fn pipes_on_the_wire() {
    let want = canonical("imageMogr2/thumbnail/300x300|imageMogr2/crop/100x100");
    for form in [
        "imageMogr2/thumbnail/300x300%7CimageMogr2/crop/100x100",
        "imageMogr2/thumbnail/300x300%7cimageMogr2%2Fcrop%2F100x100=",
        "imageMogr2/thumbnail/300x300|?imageMogr2/crop/100x100",
        "imageMogr2/thumbnail/300x300%257CimageMogr2/crop/100x100",
        "imageMogr2/thumbnail/300x300&imageMogr2/crop/100x100",
        "imageMogr2/thumbnail/300x300=&q-ak=1&imageMogr2/crop/100x100=",
    ] {
        assert_eq!(canonical(form), want, "{form}");
    }
}

#[test]
fn an_equals_sign_in_the_middle_does_not_end_a_rule() {
    // Padding of base64, raw and encoded.
    let want = canonical("imageMogr2/thumbnail/600x600/pad/1/color/I0ZGMDAwMA");
    assert_eq!(want, "pad,w=600,h=600,color=ff0000,up=allow|source");
    for form in [
        "imageMogr2/thumbnail/600x600/pad/1/color/I0ZGMDAwMA==",
        "imageMogr2/thumbnail/600x600/pad/1/color/I0ZGMDAwMA==/ignore-error/0",
        "imageMogr2/thumbnail/600x600/color/I0ZGMDAwMA%3D%3D/pad/1",
    ] {
        assert_eq!(canonical(form), want, "{form}");
    }
}

#[test]
fn aliyun_on_the_wire() {
    let want = "fit,w=100,up=skip;turn,deg=90,max=4096|source,first";
    for form in [
        "x-oss-process=image/resize,w_100/rotate,90",
        "?x-oss-process=image/resize,w_100/rotate,90",
        "x-oss-process=image%2Fresize%2Cw_100%2Frotate%2C90",
        "x-oss-process=image%252Fresize%252Cw_100%252Frotate%252C90",
        "x%2Doss%2Dprocess=image/resize,w_100/rotate,90",
        "x-oss-process%3Dimage%2Fresize,w_100/rotate,90",
        "x-oss-process=image/resize,w_100|image/rotate,90",
        "x-oss-process=image/resize,w_100%7Cimage/rotate,90",
        "x-oss-process=image/resize,w_100/rotate,90=",
        "OSSAccessKeyId=k&Expires=1&Signature=a%2Bb%3D&x-oss-process=image/resize,w_100/rotate,90",
        "x-oss-process=image/resize,w_100/rotate,90&versionId=V",
        "x-oss-process=image/auto-orient,0/resize,m_lfit,limit_1,w_100/rotate,90",
        "x-oss-process=image/resize,w_50,w_100/rotate,90",
    ] {
        assert_eq!(canonical(form), want, "{form}");
    }
}

#[test]
fn meanings_that_coincide_share_a_text() {
    let same = [
        ["imageMogr2/thumbnail/!100p/strip", "imageMogr2/strip/rotate/0"],
        ["imageMogr2/quality/80/format/webp", "imageMogr2/format/webp/quality/80"],
        ["imageMogr2/rotate/90/flip/vertical", "imageMogr2/rotate/90|imageMogr2/flip/vertical"],
        ["imageView2/2/w/300/h/200", "imageMogr2/thumbnail/300x200>"],
        ["imageView2/2/w/300", "imageMogr2/thumbnail/300x>"],
        ["imageView2/1/w/300", "imageMogr2/crop/300x300"],
        ["imageMogr2/format/jpg", "imageMogr2/format/yjpeg"],
        ["imageMogr2/blur/8x5/bright/-20", "x-oss-process=image/blur,r_8,s_5/bright,-20"],
        ["imageMogr2/grayscale/0/contrast/0/thumbnail/50x", "imageMogr2/thumbnail/50x"],
        ["x-oss-process=image/resize,l_100", "x-oss-process=image/resize,w_100,h_100"],
        ["x-oss-process=image/resize,s_100", "x-oss-process=image/resize,w_100,h_100,m_mfit"],
        ["x-oss-process=image/resize,h_100,m_fixed", "x-oss-process=image/resize,w_100,h_100,m_fixed"],
        ["x-oss-process=image/resize,w_300,h_200", "imageMogr2/thumbnail/300x200>"],
    ];
    for [one, other] in same {
        assert!(plan(one).is_ok(), "{one}");
        assert_eq!(canonical(one), canonical(other), "{one} and {other}");
    }
}

#[test]
fn what_is_no_rule_is_none() {
    let all = &Dialect::ALL;
    for query in [
        "",
        "?",
        "a=b",
        "imageMogr",
        "imageMogr22/thumbnail/300x",
        "a=imageMogr2/thumbnail/300x",
        "exifs",
        "watermark",
        "style",
        "x-oss-processor=image/info",
        "ci-process=originImage",
        "uploads",
        "versionId=1",
    ] {
        assert_eq!(recognise(query, all, &Styles::default()), Recognised::None, "{query}");
    }
    // A dialect that the site does not speak is not looked for.
    assert_eq!(recognise("imageMogr2/rotate/90", &[Dialect::Aliyun], &Styles::default()), Recognised::None);
    assert_eq!(recognise("x-oss-process=image/info", &[Dialect::Tencent], &Styles::default()), Recognised::None);
}

#[test]
fn two_rules_that_disagree_are_refused() {
    let kind = |query: &str| plan(query).unwrap_err().kind;
    assert_eq!(kind("imageMogr2/rotate/90&x-oss-process=image/rotate,90"), Kind::BadRequest);
    assert_eq!(kind("x-oss-process=image/info&x-oss-process=image/info"), Kind::BadRequest);
}

#[test]
fn rules_on_the_command_line() {
    let read = |text: &str| parse_rule(text).map(|(dialect, plan)| (dialect, plan.to_string()));
    let avif = Ok((Dialect::Tencent, "|avif".to_owned()));
    for text in [
        "imageMogr2/format/avif",
        "?imageMogr2/format/avif",
        " imageMogr2/format/avif\n",
        "http://h/a.jpg?imageMogr2/format/avif",
    ] {
        assert_eq!(read(text), avif, "{text}");
    }
    let small = Ok((Dialect::Aliyun, "fit,w=100,up=skip|source".to_owned()));
    for text in [
        "image/resize,w_100",
        "x-oss-process=image/resize,w_100",
        "?x-oss-process=image/resize,w_100",
        "/a.jpg?x-oss-process=image%2Fresize,w_100",
    ] {
        assert_eq!(read(text), small, "{text}");
    }
    assert_eq!(read("format/avif").unwrap_err().kind, Kind::BadRule);
    assert_eq!(read("").unwrap_err().kind, Kind::BadRule);
}

#[test]
fn every_operation_is_documented() {
    for dialect in Dialect::ALL {
        assert_eq!(Dialect::from_name(dialect.name()), Some(dialect));
        for entry in dialect.operations() {
            assert!(!entry.doc.is_empty(), "{entry:?}");
            assert!(!entry.available || !entry.accepts.is_empty() || entry.module == entry.name, "{entry:?}");
        }
    }
}

/// Rules made of pieces that mean something, and some that do not.
fn any_rule() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("imageMogr2/thumbnail/300x200>"),
        Just("imageMogr2/crop/!600x600a20-20/gravity/SouthEast"),
        Just("imageMogr2/thumbnail/60x60/pad/1/color/I0ZGMDAwMA=="),
        Just("imageView2/5/w/500/h/400/q/80!"),
        Just("imageMogr2/cut/600x400x100x10/auto-orient/ignore-error/1"),
        Just("imageInfo"),
        Just("watermark/2/text/SGk"),
        Just("imageMogr2/nosuch"),
    ];
    let tencent = proptest::collection::vec(word, 1..4).prop_map(|words| words.join("|"));
    let action = prop_oneof![
        Just("resize,m_pad,w_100,h_50,color_00ff00"),
        Just("crop,w_10,h_10,g_se,x_5"),
        Just("quality,Q_80"),
        Just("format,gif"),
        Just("rotate,45"),
        Just("blur,r_1,s_1"),
        Just("resize,w_0"),
    ];
    let aliyun = proptest::collection::vec(action, 1..4)
        .prop_map(|actions| format!("x-oss-process=image/{}", actions.join("/")));
    prop_oneof![tencent, aliyun]
}

/// What a careful client leaves alone; another one encodes everything.
const CAREFUL: &AsciiSet = &CONTROLS.add(b'|').add(b'>').add(b'<').add(b'/').add(b'!').add(b',').add(b'%');

proptest! {
    #[test]
    fn encodings_change_nothing(rule in any_rule(), before in "[a-z]{0,3}", after in "[a-z]{0,3}") {
        let want = canonical(&rule);
        let careful = utf8_percent_encode(&rule, CAREFUL).to_string();
        let full = utf8_percent_encode(&rule, NON_ALPHANUMERIC).to_string();
        let lower = full.replace("%2F", "%2f").replace("%7C", "%7c");
        let twice = utf8_percent_encode(&full, NON_ALPHANUMERIC).to_string();
        for form in [careful, lower, twice, format!("{full}="), full] {
            prop_assert_eq!(canonical(&format!("z{before}=1&{form}&z{after}")), want.as_str(), "{}", form);
        }
    }

    #[test]
    fn a_plan_parses_back_from_its_text(rule in any_rule()) {
        if let Ok(plan) = plan(&rule) {
            prop_assert_eq!(plan.to_string().parse::<Plan>(), Ok(plan.clone()));
            prop_assert_eq!(plan.clone().normalise(), plan);
        }
    }

    #[test]
    fn no_text_is_a_panic(
        start in prop_oneof![
            Just("imageMogr2/thumbnail/"), Just("imageMogr2/crop/!"), Just("imageMogr2/"), Just("imageView2/"),
            Just("x-oss-process=image/resize,"), Just("x-oss-process=image/crop,"), Just("x-oss-process="), Just(""),
        ],
        text in "[0-9a-z!x@<>|/,_%&=?.*-]{0,40}|.{0,40}",
    ) {
        let query = format!("{start}{text}");
        let _ = recognise(&query, &Dialect::ALL, &Styles::default());
        let _ = RequestQuery::of(&query).without_rule();
        let _ = parse_rule(&query);
    }

    #[test]
    fn whatever_parses_can_be_laid_out(
        start in prop_oneof![
            Just("imageMogr2/thumbnail/"), Just("imageMogr2/crop/"), Just("imageMogr2/crop/!"), Just("imageMogr2/cut/"),
        ],
        text in "[1-9][0-9]{0,5}[x@p]{0,2}[0-9]{0,5}[!<>arx-]?[0-9]{0,4}[ax-]?[0-9]{0,4}",
        width in 1u32..30_000, height in 1u32..8000,
    ) {
        if let Ok((w, h, _, _)) = run(&format!("{start}{text}"), &still(Format::Jpeg, width, height)) {
            prop_assert!(w >= 1 && h >= 1);
            prop_assert!(w.max(h) <= limits().output_side || (w, h) == (width, height));
        }
    }
}
