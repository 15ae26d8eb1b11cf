//! Styles: by query, by path, and what cannot be one.

use super::*;

fn styles(separators: &str, rules: &[(&str, &str)]) -> Styles {
    let mut styles = Styles::new(separators).unwrap();
    for (name, rule) in rules {
        styles.add(name, rule, &Dialect::ALL).unwrap();
    }
    styles
}

fn plan_of(query: &str, styles: &Styles) -> Result<String, Error> {
    match recognise(query, &Dialect::ALL, styles) {
        Recognised::Rule { plan, .. } => plan.map(|plan| plan.to_string()),
        Recognised::None => panic!("{query} is no rule"),
    }
}

fn written(rule: &str) -> String {
    plan_of(rule, &Styles::default()).unwrap()
}

const SMALL: &str = "imageMogr2/thumbnail/100x/format/webp";

#[test]
fn a_style_is_the_rule_that_it_stands_for() {
    let styles = styles(
        "",
        &[("small", SMALL), ("oss", "image/resize,w_100/format,webp"), ("yunstyle", "imageMogr2/rotate/90")],
    );
    for query in ["style/small", "style%2Fsmall", "style%2Fsmall=", "versionId=1&style/small", "style/small/"] {
        assert_eq!(plan_of(query, &styles).unwrap(), written(SMALL), "{query}");
    }
    for query in ["x-oss-process=style/oss", "x-oss-process=style%2Foss"] {
        assert_eq!(
            plan_of(query, &styles).unwrap(),
            written("x-oss-process=image/resize,w_100/format,webp"),
            "{query}"
        );
    }
    let both = "imageMogr2/rotate/90|imageMogr2/thumbnail/100x/format/webp";
    assert_eq!(plan_of("style/yunstyle|style/small", &styles).unwrap(), written(both));
    assert_eq!(plan_of("style/yunstyle|imageMogr2/thumbnail/100x/format/webp", &styles).unwrap(), written(both));
    assert_eq!(
        plan_of("x-oss-process=style/oss|image/rotate,90", &styles).unwrap(),
        written("x-oss-process=image/resize,w_100/format,webp|image/rotate,90")
    );
}

/// Tencent's rows after 108: `/a.jpg!s1`, with the separator on and off.
#[test]
fn a_path_ends_in_a_style() {
    let rules = [("s1", "imageMogr2/rotate/90"), ("1", SMALL), ("oss", "image/rotate,90")];
    let all = styles("-_/!", &rules);
    let split = |styles: &Styles, path: &str| styles.split(path).map(|(key, rule)| (key.to_owned(), rule));
    for path in ["/a.jpg!s1", "/a.jpg-s1", "/a.jpg_s1", "/a.jpg/s1", "/a.jpg%21s1", "/a.jpg%2fs1", "/a.jpg%5Fs1"] {
        assert_eq!(split(&all, path), Some(("/a.jpg".into(), "style/s1".into())), "{path}");
    }
    assert_eq!(split(&all, "/a.jpg!oss").unwrap().1, "x-oss-process=style/oss");
    // The last separator counts: of `s1-1` the style is `1`.
    assert_eq!(split(&all, "/a!s1-1"), Some(("/a!s1".into(), "style/1".into())));
    for path in ["/a.jpg", "/a.jpg!s2", "/a.jpgs1", "!s1", "/!s1", "//s1x", "/s1", "s1", "", "/a.jpg!s1/b"] {
        assert_eq!(split(&all, path), None, "{path}");
    }
    let underscore = styles("_", &rules);
    assert_eq!(split(&underscore, "/a.jpg!s1"), None);
    assert_eq!(split(&underscore, "/a.jpg_s1").unwrap().0, "/a.jpg");
    assert_eq!(split(&styles("", &rules), "/a.jpg!s1"), None);
}

#[test]
fn a_style_that_is_not_there_is_404_in_both_shapes() {
    let styles = styles("!", &[("oss", "image/rotate,90")]);
    for (query, dialect, number) in
        [("style/none", Dialect::Tencent, Some("-105")), ("x-oss-process=style/not-there", Dialect::Aliyun, None)]
    {
        let error = plan_of(query, &styles).unwrap_err();
        assert_eq!(error.kind, Kind::NoSuchStyle, "{query}");
        let shaped = error_body(Some(dialect), &error, "/a.jpg", "host", "1", false);
        assert_eq!(shaped.status, 404);
        assert!(shaped.body.contains("<Code>NoSuchStyle</Code>"), "{}", shaped.body);
        if let Some(number) = number {
            assert!(shaped.headers.iter().any(|(_, value)| value == number), "{:?}", shaped.headers);
        }
    }
    // Written for the other vendor.
    assert_eq!(plan_of("style/oss", &styles).unwrap_err().kind, Kind::BadRule);
    for query in ["style/", "x-oss-process=style", "x-oss-process=style/"] {
        assert!(matches!(plan_of(query, &styles).unwrap_err().kind, Kind::NoSuchStyle | Kind::BadRule), "{query}");
    }
}

#[test]
fn what_cannot_be_a_style_is_refused_with_its_name() {
    let refuse = |separators: &str, name: &str, rule: &str, part: &str| {
        let error = Styles::new(separators).and_then(|mut styles| styles.add(name, rule, &[Dialect::Tencent]));
        let message = error.unwrap_err().message;
        assert!(message.contains(part), "{message}");
    };
    refuse("+", "a", SMALL, "`+`");
    refuse("", "", SMALL, "1 to 63");
    refuse("", "a b", SMALL, "letters");
    refuse("", &"a".repeat(64), SMALL, "1 to 63");
    refuse("-", "a-b", SMALL, "separator");
    refuse("", "a", "style/b", "style a");
    refuse("", "a", "imageMogr2/thumbnail/0x", "style a");
    refuse("", "a", "thumbnail/100x", "begins with");
    refuse("", "a", "image/resize,w_1", "aliyun");
    let mut full = Styles::default();
    for number in 0..100 {
        full.add(&format!("s{number}"), SMALL, &Dialect::ALL).unwrap();
    }
    assert!(full.add("more", SMALL, &Dialect::ALL).is_err());
    full.add("s7", "imageMogr2/rotate/90", &Dialect::ALL).unwrap();
    assert_eq!(plan_of("style/s7", &full).unwrap(), written("imageMogr2/rotate/90"));
}

#[test]
fn only_a_style_is_only_a_style() {
    let styles = styles("", &[("s", SMALL), ("oss", "image/rotate,90")]);
    for (query, only) in [
        ("style/s", true),
        ("style%2Fs=", true),
        ("versionId=3&style/s", true),
        ("x-oss-process=style/oss", true),
        ("style/s|imageMogr2/rotate/90", false),
        ("style/s&imageMogr2/rotate/90", false),
        ("style/s&style/s", false),
        ("style/none", false),
        ("imageMogr2/rotate/90", false),
        ("x-oss-process=image/rotate,90", false),
        ("x-oss-process", false),
        ("", false),
    ] {
        assert_eq!(styles.only_style(RequestQuery::of(query).pieces().iter()), only, "{query}");
    }
}

/// A name of two letters stands for a rule of kilobytes: what has too many stages is refused before they are looked up.
#[test]
fn a_rule_of_too_many_styles_never_becomes_long() {
    let long = format!("imageMogr2/thumbnail/20x{}", "/strip".repeat(600));
    let styles = styles("", &[("t", &long), ("a", "image/resize,w_20")]);
    for (name, dialect) in [("t", Dialect::Tencent), ("a", Dialect::Aliyun)] {
        let rule = |count: usize| vec![format!("style/{name}"); count].join("|");
        assert!(styles.expand(&rule(10), dialect).unwrap().len() > rule(10).len());
        assert_eq!(styles.expand(&rule(11), dialect).unwrap(), rule(11));
    }
    assert_eq!(plan_of(&vec!["style/t"; 8000].join("|"), &styles).unwrap_err().kind, Kind::BadRule);
    let many = format!("x-oss-process={}", vec!["style/a"; 8000].join("|"));
    assert_eq!(plan_of(&many, &styles).unwrap_err().kind, Kind::BadRule);
}
