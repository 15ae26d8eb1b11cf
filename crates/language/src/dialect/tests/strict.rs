//! What the vendors ignore in silence: noted, and refused by a site that is strict.

use super::*;

fn language(strict: bool) -> Language {
    Language { dialects: Dialect::ALL.to_vec(), strict, ..Language::default() }
}

fn read(query: &str, strict: bool) -> (Result<Plan, Error>, Vec<String>) {
    match language(strict).read("/a.jpg", &RequestQuery::of(query), true).recognised {
        Recognised::Rule { plan, ignored, .. } => (plan, ignored),
        Recognised::None => panic!("no rule in {query}"),
    }
}

#[test]
fn what_changes_nothing_is_named_and_refused() {
    for (rule, plain, why) in [
        // The vendor's own test suites send this `r_1`.
        ("image/crop,w_100,h_100,x_100,y_100,r_1", "image/crop,w_100,h_100,x_100,y_100", "crop does not know `r_1`"),
        ("image/resize,w_100,w_200", "image/resize,w_200", "w stands more than once"),
        ("image/resize,l_900,h_600", "image/resize,h_600", "l and s do nothing beside w or h"),
        ("image/resize,w_100,p_50", "image/resize,w_100", "p does nothing beside"),
        ("image/resize,w_100,color_FF0000", "image/resize,w_100", "color goes with m_pad"),
        ("image/quality,q_50,Q_90", "image/quality,Q_90", "one of Q, q"),
        ("image/indexcrop,x_100,y_50,i_0", "image/indexcrop,y_50,i_0", "x does nothing beside y"),
        ("image/watermark,text_SGk,padx_5", "image/watermark,text_SGk", "go with fill_1"),
        ("image/watermark,text_SGk,order_1", "image/watermark,text_SGk", "go with both"),
        ("image/watermark,text_SGk,g_north,x_7", "image/watermark,text_SGk,g_north", "x does nothing"),
        ("imageMogr2/thumbnail/100x/thumbnail/200x", "imageMogr2/thumbnail/200x", "imageMogr2/thumbnail stands more"),
        ("imageMogr2/gravity/west/thumbnail/200x", "imageMogr2/thumbnail/200x", "gravity goes with crop and cut"),
        ("imageMogr2/crop/200x100/gravity/north/dx/5", "imageMogr2/crop/200x100/gravity/north", "dx goes with"),
        ("imageMogr2/thumbnail/9x9/color/I0ZGMDAwMA", "imageMogr2/thumbnail/9x9", "color goes with pad/1"),
        ("imageMogr2/format/png/interlace/1", "imageMogr2/format/png", "interlace is for JPEG, the format is png"),
        ("imageMogr2/format/png/quality/50", "imageMogr2/format/png", "quality is for JPEG, WebP"),
        ("imageMogr2/thumbnail/9x9/index/4", "imageMogr2/thumbnail/9x9", "index goes with indexcrop"),
        ("imageView2/2/format/png", "imageView2/format/png", "its mode changes nothing"),
        ("watermark/2/text/SGk/gravity/center/dx/50", "watermark/2/text/SGk/gravity/center", "dx does nothing"),
        ("watermark/2/text/SGk/degree/45", "watermark/2/text/SGk", "degree goes with batch/1"),
        ("watermark/2/text/SGk/scatype/1", "watermark/2/text/SGk", "scatype needs spcent"),
    ] {
        let query =
            |rule: &str| if rule.starts_with("image/") { format!("x-oss-process={rule}") } else { rule.to_owned() };
        let (lenient, ignored) = read(&query(rule), false);
        assert!(lenient.is_ok(), "{rule}: {lenient:?}");
        assert!(ignored.iter().any(|sentence| sentence.contains(why)), "{rule}: {ignored:?}");
        let refused = read(&query(rule), true).0.unwrap_err();
        assert_eq!(refused.kind, Kind::BadRule, "{rule}");
        // Without it the rule means the same, and a strict site takes it.
        let (strict, ignored) = read(&query(plain), true);
        assert_eq!(ignored, [""; 0], "{plain}");
        assert!(strict.is_ok(), "{plain}: {strict:?}");
        if !rule.contains("format/png") {
            assert_eq!(strict.unwrap().to_string(), lenient.unwrap().to_string(), "{rule}");
        }
    }
}

#[test]
fn what_is_wrong_stays_wrong_in_its_own_words() {
    let (plan, ignored) = read("x-oss-process=image/resize,w_0,w_0", true);
    assert_eq!(plan.unwrap_err().code, Some(312));
    assert!(ignored.is_empty());
}

#[test]
fn notes_are_bounded() {
    let (_, ignored) = read(&format!("x-oss-process=image/resize,w_1{}", ",z_1".repeat(500)), false);
    assert_eq!(ignored.len(), 16);
}
