//! Any path and query: read without a panic, to a plan whose canonical text means the same plan, and whose sizes stay
//! within the limits over any source. Also what an error looks like in either dress.

use pictor::dialect::translate::{as_query, translate};
use pictor::dialect::{Dialect, Language, Recognised, RequestQuery, Styles, error_body, recognise};
use pictor::plan::geometry::{check_source, lay_out};
use pictor::plan::{Format, GeometryOp, Limits, Plan, Source};
use pictor::sign::encode::uri_encode;

/// Twelve bytes are the source's size and kind; the rest is path and query.
pub fn check(data: &[u8]) {
    let Some((head, text)) = data.split_first_chunk::<12>() else { return };
    let text = String::from_utf8_lossy(text);
    let styles = styles();
    let (path, query) = text.split_once('?').unwrap_or(("", &text));
    if let Some((key, rule)) = styles.split(path) {
        assert!(path.starts_with(key));
        one_rule(&rule, &styles, head);
    }
    one_rule(query, &styles, head);
    spelled(query, &styles);
    requested(path, query, styles, head);
}

/// A whole request, with the older syntax in its path: a strict site takes no more than a lenient one, and what it takes is
/// the same. What is translated into the other language is read there.
fn requested(path: &str, query: &str, styles: Styles, head: &[u8; 12]) {
    let mut language = Language { dialects: Dialect::ALL.to_vec(), styles, strict: false, legacy: true };
    let query = &RequestQuery::of(query);
    let _ = query.without_rule();
    let lenient = language.read(path, query, true);
    assert!(path.starts_with(lenient.path));
    language.strict = true;
    let strict = language.read(path, query, true);
    let Recognised::Rule { dialect, plan: Ok(plan), ignored, .. } = lenient.recognised else { return };
    sound(&plan, head);
    let Recognised::Rule { plan: strictly, .. } = strict.recognised else { panic!("a strict site saw no rule") };
    assert_eq!(strictly.is_ok(), ignored.is_empty(), "{ignored:?}");
    if let Ok(strictly) = strictly {
        assert_eq!(strictly, plan);
    }
    let other = if dialect == Dialect::Tencent { Dialect::Aliyun } else { Dialect::Tencent };
    let Ok(translated) = translate(&plan, other, &[]) else { return };
    let read = recognise(&as_query(other, &translated.rule), &[other], &Styles::default());
    assert!(matches!(read, Recognised::Rule { plan: Ok(_), .. }), "{}", translated.rule);
}

/// A rule means the same in every encoding that clients send: raw, escaped once or twice, with `=` behind it, between
/// other parameters.
fn spelled(query: &str, styles: &Styles) {
    // An escape of its own would be undone once more; ci-process is a parameter with a value, and no rule without one.
    if query.starts_with("ci-process") || query.contains(['%', '&', '\u{fffd}']) || query.starts_with('?') {
        return;
    }
    let plan = |query: &str| match recognise(query, &Dialect::ALL, styles) {
        Recognised::Rule { dialect, plan, .. } => {
            Some((dialect, plan.map(|plan| plan.to_string()).map_err(|error| error.kind)))
        }
        Recognised::None => None,
    };
    let raw = plan(query);
    let once = uri_encode(query.as_bytes());
    let twice = uri_encode(once.as_bytes());
    for other in
        [format!("?{once}"), twice, format!("a=1&{once}&versionId=x"), format!("{once}="), format!("{query}&q-ak=1")]
    {
        assert_eq!(plan(&other), raw, "{query:?} as {other:?}");
    }
}

fn styles() -> Styles {
    let mut styles = Styles::new("!_").expect("separators");
    for (name, rule) in [("t", "imageMogr2/thumbnail/30x/format/webp"), ("a", "image/resize,w_30|image/rotate,90")] {
        styles.add(name, rule, &Dialect::ALL).expect(rule);
    }
    styles
}

fn one_rule(query: &str, styles: &Styles, head: &[u8; 12]) {
    for enabled in [&Dialect::ALL[..], &[Dialect::Tencent], &[Dialect::Aliyun], &[]] {
        let Recognised::Rule { dialect, plan, .. } = recognise(query, enabled, styles) else { continue };
        assert!(enabled.contains(&dialect));
        match plan {
            Ok(plan) => sound(&plan, head),
            Err(error) => {
                for is_head in [false, true] {
                    let body = error_body(Some(dialect), &error, "/a.jpg", "h", "r", is_head);
                    assert!((400..600).contains(&body.status), "{}", body.status);
                }
            }
        }
    }
}

/// The canonical text parses back to the plan; normalising again changes nothing; sizes are possible ones.
fn sound(plan: &Plan, head: &[u8; 12]) {
    let text = plan.to_string();
    let again: Plan = text.parse().unwrap_or_else(|error| panic!("{text}: {error:?}"));
    assert_eq!(&again, plan, "{text}");
    assert_eq!(again.clone().normalise().to_string(), text);

    let number = |at: usize| u32::from(u16::from_le_bytes([head[at], head[at + 1]]));
    let format = |at: usize| Format::ALL[usize::from(head[at]) % Format::ALL.len()];
    let source = Source {
        format: format(0),
        width: number(2).max(1),
        height: number(4).max(1),
        orientation: head[6] % 9,
        frames: u32::from(head[7] % 8).max(1),
        alpha: head[8] & 1 == 1,
    };
    let limits = Limits { output_side: number(9).clamp(16, 20_000), ..Limits::default() };
    if check_source(&source, &limits).is_err() {
        return;
    }
    let target = format(1);
    let Ok(layout) = lay_out(plan, &source, target, &limits) else { return };
    assert!(layout.width > 0 && layout.height > 0, "{text} over {source:?}: {layout:?}");
    assert!((1..=source.frames).contains(&layout.frames), "{text} over {source:?}: {layout:?}");
    // No step goes beyond the limit, unless the source itself was larger.
    let most = limits.output_side.max(source.width).max(source.height);
    let (mut width, mut height) = (source.width, source.height);
    for op in &layout.ops {
        match *op {
            GeometryOp::Resize { width: w, height: h } | GeometryOp::Rotate { width: w, height: h, .. } => {
                (width, height) = (w, h);
            }
            GeometryOp::Crop { x, y, width: w, height: h } => {
                assert!(u64::from(x) + u64::from(w) <= u64::from(width), "{text} over {source:?}: {layout:?}");
                assert!(u64::from(y) + u64::from(h) <= u64::from(height), "{text} over {source:?}: {layout:?}");
                (width, height) = (w, h);
            }
            GeometryOp::Pad { width: w, height: h, x, y, .. } => {
                assert!(x + width <= w && y + height <= h, "{text} over {source:?}: {layout:?}");
                (width, height) = (w, h);
            }
            GeometryOp::Orient(5..) | GeometryOp::Turn(1 | 3) => std::mem::swap(&mut width, &mut height),
            _ => {}
        }
        assert!(width > 0 && height > 0 && width <= most && height <= most, "{text} over {source:?}: {layout:?}");
    }
    assert_eq!((width, height), (layout.width, layout.height), "{text} over {source:?}: {layout:?}");
}
