//! Aliyun's older syntax, after an `@` in the path (aliyun-oss §1.5).

use super::*;

fn language() -> Language {
    let mut styles = Styles::new("!").unwrap();
    styles.add("small", "image/resize,w_100", &Dialect::ALL).unwrap();
    styles.add("mogr", "imageMogr2/thumbnail/300x", &Dialect::ALL).unwrap();
    Language { dialects: Dialect::ALL.to_vec(), styles, strict: false, legacy: true }
}

/// Path and canonical text of what is read, or the error's code and sentence.
fn read(path: &str) -> (String, String) {
    let language = language();
    let reading = language.read(path, &RequestQuery::of(""), true);
    let text = match reading.recognised {
        Recognised::None => "none".to_owned(),
        Recognised::Rule { plan: Ok(plan), .. } => plan.to_string(),
        Recognised::Rule { plan: Err(error), .. } => format!("{:?}: {}", error.code, error.message),
    };
    (reading.path.to_owned(), text)
}

#[test]
fn says_what_the_language_of_today_says() {
    for (legacy, today, rest) in [
        // Three defaults are the other way around: enlarging, JPEG, black.
        ("100w_100h", "image/resize,w_100,h_100,limit_0", "jpeg,first,ground=000000"),
        ("100h_100w.jpg", "image/resize,w_100,h_100,limit_0", "jpeg,first,ground=000000"),
        ("100w_1l_1wh", "image/resize,w_100", "jpeg,first"),
        ("100w_100h_1e.png", "image/resize,m_mfit,w_100,h_100,limit_0", "png,first"),
        ("100w_100h_2e.webp", "image/resize,m_fixed,w_100,h_100,limit_0", "webp,first"),
        ("100w_100h_4e_255-0-0bgc.bmp", "image/resize,m_pad,w_100,h_100,limit_0,color_FF0000", "bmp,first"),
        ("100w_100h_1c.png", "image/resize,m_fill,w_100,h_100,limit_0", "png,first"),
        // "Of any order": scaled to fit 100 x 100, then doubled.
        ("2x_100w_100h.png", "image/resize,w_100,h_100,limit_0/resize,p_200", "png,first"),
        ("0.5x", "image/resize,p_50", "jpeg,first,ground=000000"),
        ("1.5x.png", "image/resize,p_150", "png,first"),
        ("50p.src", "image/resize,p_50", "only-gif,first"),
        ("50p_1an.gif", "image/resize,p_50", "only-gif"),
        ("10-20-300-400a.png", "image/crop,x_10,y_20,w_300,h_400", "png,first"),
        ("300x400-5rc.png", "image/crop,w_300,h_400,g_center", "png,first"),
        ("300x-9rc.png", "image/crop,w_300,g_se", "png,first"),
        ("100-1ci.png", "image/circle,r_100", "png,first"),
        ("30-2ci.png", "image/rounded-corners,r_30", "png,first"),
        (
            "3-2bl_-50b_20d_100sh_90r.png",
            "image/rotate,90/blur,r_3,s_2/bright,-50/contrast,20/sharpen,100",
            "png,first",
        ),
        ("1o_100w.png", "image/resize,w_100,limit_0/auto-orient,1", "png,first"),
        ("2o_100w.png", "image/auto-orient,1/resize,w_100,limit_0", "png,first"),
        ("90Q", "image/quality,Q_90", "jpeg,q=cap90,first,ground=000000"),
        ("80q_1pr", "image/quality,q_80/interlace,1", "jpeg,q=rel80,prog,first,ground=000000"),
        ("losslessQ.webp", "image/quality,lossless", "webp,q=lossless,first"),
        ("100w%7C90r.png", "image/resize,w_100,limit_0/rotate,90", "png,first"),
        (
            "watermark=2&text=SGVsbG8&size=30&color=I0ZGMDAwMA==&s=50&t=80&p=1&x=5&y=6.png",
            "image/watermark,text_SGVsbG8,size_30,color_FF0000,shadow_50,t_80,g_nw,x_5,y_6",
            "png,first",
        ),
        (
            // panda.png@30P
            "100w|watermark=1&object=cGFuZGEucG5nQDMwUA.png",
            "image/resize,w_100,limit_0/watermark,image_cGFuZGEucG5nP3gtb3NzLXByb2Nlc3M9aW1hZ2UvcmVzaXplLFBfMzA",
            "png,first",
        ),
    ] {
        let steps = canonical(&format!("x-oss-process={today}"));
        let steps = steps.split('|').next().unwrap();
        let (path, text) = read(&format!("/a/b.jpg@{legacy}"));
        assert_eq!((path.as_str(), text.as_str()), ("/a/b.jpg", format!("{steps}|{rest}").as_str()), "{legacy}");
        assert_eq!(read(&format!("/a/b.jpg%40{legacy}")).1, text, "{legacy}");
        assert_eq!(text.parse::<Plan>().unwrap().to_string(), text, "{legacy}");
    }
}

#[test]
fn a_style_follows_an_exclamation_mark() {
    assert_eq!(read("/a.jpg@!small"), ("/a.jpg".into(), canonical("x-oss-process=image/resize,w_100")));
    assert_eq!(read("/a.jpg@!mogr").1, canonical("imageMogr2/thumbnail/300x"));
    assert!(read("/a.jpg@!other").1.contains("there is no style"));
    let by_style = |path: &str| language().read(path, &RequestQuery::of(""), true).by_style;
    assert!(by_style("/a.jpg@!small"));
    assert!(!by_style("/a.jpg@100w") && !by_style("/a.jpg@!other"));
}

#[test]
fn what_can_be_no_rule_belongs_to_the_key() {
    for path in [
        "/me@example.com.jpg",
        "/a@/b.jpg",
        "/@100w",
        "/a/@100w",
        "/a.jpg@",
        "/a@100w/b.jpg",
        "/a.jpg",
        "/a@!",
        "/a@!x%26imageInfo",
        "/a@!x%7Cy",
    ] {
        assert_eq!(read(path), (path.to_owned(), "none".to_owned()));
    }
    let off = Language { legacy: false, ..language() };
    assert_eq!(off.read("/a.jpg@100w", &RequestQuery::of(""), true).recognised, Recognised::None);
}

#[test]
fn what_is_wrong_is_named() {
    for (rule, want) in [
        ("0w", "w is invalid. After `@` it takes 1 to 4096"),
        ("5000w", "1 to 4096"),
        ("100w_5e", "e is invalid"),
        ("100w_3e", "0, 1, 2 or 4"),
        ("100w_9y", "`9y` is no word"),
        ("100w.gifv", "`.gifv` is no format"),
        ("1-2-3a", "<x>-<y>-<width>-<height>"),
        ("100x100-10rc", "<1 to 9>"),
        ("300-0-0bgc_10w_4e", "0 to 255 each"),
        ("1w|1w|1w|1w|1w", "at most 4"),
        ("watermark=1&object=cGFu,fill_1", "letters, digits"),
        ("watermark=3&text=SGVsbG8", "1 (a picture) or 2 (text)"),
        ("watermark=2&text=SGVsbG8&p=10", "1 to 9"),
        ("100-0ci", "is not available here yet"),
        ("11x", "a factor of 0.01 to 10"),
    ] {
        let (_, text) = read(&format!("/a.jpg@{rule}"));
        assert!(text.contains(want), "{rule}: {text}");
    }
}

#[test]
fn two_rules_are_one_too_many() {
    let language = language();
    let Recognised::Rule { plan, .. } =
        language.read("/a.jpg@100w", &RequestQuery::of("x-oss-process=image/info"), true).recognised
    else {
        panic!("no rule");
    };
    assert_eq!(plan.unwrap_err().kind, Kind::BadRequest);
}

proptest::proptest! {
    #[test]
    fn nothing_that_follows_an_at_panics(rule in "[0-9a-zA-Z_|.&=!@%-]{0,60}") {
        let (_, text) = read(&format!("/a.jpg@{rule}"));
        if let Ok(plan) = text.parse::<Plan>() {
            proptest::prop_assert_eq!(plan.to_string(), text);
        }
    }
}
