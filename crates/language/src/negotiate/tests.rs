#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;

use super::*;
use crate::plan::{Frames, Limits, Quality};

const OFFERED: [Format; 4] = [Format::Avif, Format::WebP, Format::Jxl, Format::Heif];

fn source(format: Format) -> Source {
    Source { format, width: 400, height: 300, orientation: 1, frames: 1, alpha: false }
}

fn of(accept: &str) -> String {
    class([accept], &OFFERED).name()
}

#[test]
fn clients_as_they_are() {
    let cases = [
        // Chrome, img element.
        ("image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8", "avif+webp"),
        // Chrome 65 to 84.
        ("image/webp,image/apng,image/*,*/*;q=0.8", "webp"),
        // Chrome 32 to 64.
        ("image/webp,image/*,*/*;q=0.8", "webp"),
        // Chrome, page navigation.
        (
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,\
             application/signed-exchange;v=b3;q=0.7",
            "avif+webp",
        ),
        // Firefox 128 and later, img.
        ("image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5", "avif+webp"),
        // Firefox 92 to 127.
        ("image/avif,image/webp,*/*", "avif+webp"),
        // Firefox 65 to 91.
        ("image/webp,*/*", "webp"),
        // Firefox 47 to 64.
        ("*/*", "base"),
        // Firefox, page navigation.
        (
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/png,image/svg+xml,\
             */*;q=0.8",
            "avif+webp",
        ),
        // Safari 17 and later.
        (
            "image/webp,image/avif,image/jxl,image/heic,image/heic-sequence,video/*;q=0.8,image/png,image/svg+xml,\
             image/*;q=0.8,*/*;q=0.5",
            "avif+webp+jxl+heif",
        ),
        // Safari 14 to 16.
        ("image/webp,image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5", "webp"),
        // Safari 11 to 13.
        ("image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5", "base"),
        // Safari, page navigation.
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "base"),
        // Edge 18.
        ("image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5", "base"),
        // Internet Explorer 11.
        ("image/png, image/svg+xml, image/jxr, image/*; q=0.8, */*; q=0.5", "base"),
        // Internet Explorer 8.
        ("image/gif, image/jpeg, image/pjpeg, image/x-xbitmap, */*", "base"),
        // QQ Browser.
        ("image/avif,image/tpg,image/webp,image/apng,image/*,*/*;q=0.8", "avif+webp"),
        // WeChat on Android.
        ("image/wxpic,image/tpg,image/webp,image/apng,image/*,*/*;q=0.8", "webp"),
        // Opera Mini.
        (
            "text/html, application/xml;q=0.9, application/xhtml+xml, image/png, image/webp, image/jpeg, */*;q=0.1",
            "webp",
        ),
        // Samsung Internet.
        ("image/avif,image/webp,image/apng,image/*,*/*;q=0.8", "avif+webp"),
        // curl, wget, Go, Python.
        ("*/*", "base"),
        // Glide and SDWebImage.
        ("image/webp,image/*;q=0.8", "webp"),
        ("image/*,*/*;q=0.8", "base"),
        // Googlebot-Image.
        ("image/webp,image/apng,image/*,*/*;q=0.8", "webp"),
        // Feed readers and mail.
        ("image/jpeg,image/png,image/gif", "base"),
    ];
    for (accept, want) in cases {
        assert_eq!(of(accept), want, "{accept}");
    }
}

#[test]
fn clients_as_they_should_not_be() {
    let cases = [
        ("", "base"),
        (",,,;;;,=,\"", "base"),
        ("image/avif;q=0", "base"),
        ("image/avif;q=0.000, image/webp", "webp"),
        ("image/avif;q=abc, image/webp;q=", "base"),
        ("image/avif;q=1.5", "base"),
        ("image/avif;q=-1", "base"),
        ("IMAGE/AVIF;Q=0.9 , Image/WebP ; q=1.0", "webp+avif"),
        ("image/avif;v=1;q=0.5;ext=2", "avif"),
        ("image/avif, image/avif;q=0", "base"),
        ("image/avif;q=0, */*", "base"),
        ("image/*;q=0, image/webp", "webp"),
        ("image/heic", "heif"),
        ("image/avifx, ximage/avif, avif", "base"),
        ("image/avif\u{0}", "base"),
        ("*/*;q=0", "base"),
        // The source's own type is preferred to what is offered.
        ("image/jpeg, image/avif;q=0.5", "jpeg+avif"),
        ("image/*, image/webp;q=0.9", "jpeg+png+gif+webp"),
        ("image/webp, image/png;q=0.9, image/avif;q=0.5", "webp+png+avif"),
    ];
    for (accept, want) in cases {
        assert_eq!(of(accept), want, "{accept}");
    }
}

#[test]
fn several_lines_are_one_list_and_none_is_base() {
    assert_eq!(class(["image/webp;q=0.5", "image/avif;q=0.4"], &OFFERED).name(), "webp+avif");
    assert_eq!(class([], &OFFERED).name(), "base");
    assert_eq!(class(["image/avif"], &[]), Class::default());
    // What is not offered does not split classes.
    assert_eq!(class(["image/avif,image/webp"], &[Format::WebP]), class(["image/webp"], &[Format::WebP]));
}

fn pick(accept: &str, source: &Source, output: &Output) -> Result<Format, Kind> {
    let class = class([accept], &OFFERED);
    let writable = |format| !matches!(format, Format::Jxl | Format::Heif | Format::Tpg | Format::Svg);
    let fits = |format: Format| source.width.max(source.height) <= Limits::default().side_in(format);
    choose(output, source, class, &OFFERED, &writable, &fits).map_err(|error| error.kind)
}

#[test]
fn the_client_and_the_source_decide() {
    let any = Output::default();
    let jpeg = source(Format::Jpeg);
    assert_eq!(pick("image/avif,image/webp,*/*", &jpeg, &any), Ok(Format::Avif));
    assert_eq!(pick("image/webp,image/avif;q=0.9", &jpeg, &any), Ok(Format::WebP));
    assert_eq!(pick("*/*", &jpeg, &any), Ok(Format::Jpeg));
    // What cannot be written is passed over.
    assert_eq!(pick("image/jxl,image/webp;q=0.5", &jpeg, &any), Ok(Format::WebP));
    // The client likes JPEG better, and has no word for PNG.
    assert_eq!(pick("image/jpeg,image/avif;q=0.5", &jpeg, &any), Ok(Format::Jpeg));
    assert_eq!(pick("image/jpeg,image/avif;q=0.5", &source(Format::Png), &any), Ok(Format::Avif));
}

#[test]
fn animations_stay_animations() {
    let gif = Source { frames: 10, ..source(Format::Gif) };
    let any = Output::default();
    assert_eq!(pick("image/avif,image/webp", &gif, &any), Ok(Format::Avif));
    assert_eq!(pick("image/webp", &gif, &any), Ok(Format::WebP));
    assert_eq!(pick("image/jxl,image/heif,image/png", &gif, &any), Ok(Format::Gif));
    let first = Output { frames: Frames::First, ..Output::default() };
    assert_eq!(pick("image/avif,image/webp", &gif, &first), Ok(Format::Avif));
    assert_eq!(pick("image/avif", &source(Format::Gif), &any), Ok(Format::Avif));
}

/// HEIF holds one picture here: it is given for a still source, and for one frame of an animation.
#[test]
fn one_picture_needs_no_format_that_moves() {
    let pick = |source: &Source, frames: Frames| {
        let (class, output) = (class(["image/heic"], &OFFERED), Output { frames, ..Output::default() });
        choose(&output, source, class, &OFFERED, &|_| true, &|_| true).unwrap()
    };
    let moving = Source { frames: 10, ..source(Format::Gif) };
    assert_eq!(pick(&source(Format::Jpeg), Frames::All), Format::Heif);
    assert_eq!(pick(&source(Format::Jpeg), Frames::First), Format::Heif);
    assert_eq!(pick(&moving, Frames::First), Format::Heif);
    assert_eq!(pick(&moving, Frames::All), Format::Gif);
}

#[test]
fn what_a_format_cannot_hold_is_not_negotiated() {
    let wide = Source { width: 20_000, ..source(Format::Jpeg) };
    assert_eq!(pick("image/webp", &wide, &Output::default()), Ok(Format::Jpeg));
    // Nor what the vendors bind more tightly, where something else will do.
    let both = "image/avif, image/webp;q=0.9";
    for (width, want) in [(9_999, Format::Avif), (10_000, Format::WebP), (16_383, Format::WebP), (16_384, Format::Jpeg)]
    {
        let wide = Source { width, ..source(Format::Jpeg) };
        assert_eq!(pick(both, &wide, &Output::default()), Ok(want), "{width}");
    }
}

#[test]
fn a_rule_that_names_a_format_is_obeyed_or_refused() {
    let to = |format| Output { target: Target::Fixed(format), quality: Quality::Default, ..Output::default() };
    let jpeg = source(Format::Jpeg);
    assert_eq!(pick("image/avif", &jpeg, &to(Format::Png)), Ok(Format::Png));
    assert_eq!(pick("", &jpeg, &to(Format::Avif)), Ok(Format::Avif));
    assert_eq!(pick("", &jpeg, &to(Format::Tpg)), Err(Kind::UnsupportedTarget));
    let all = |_| true;
    let gif = Source { frames: 60, ..source(Format::Gif) };
    let heif = choose(&to(Format::Heif), &gif, Class::default(), &[], &all, &all).map_err(|error| error.kind);
    assert_eq!(heif, Err(Kind::UnsupportedTarget));
    let first = Output { frames: Frames::First, ..to(Format::Heif) };
    assert_eq!(choose(&first, &gif, Class::default(), &[], &all, &all), Ok(Format::Heif));
}

#[test]
fn what_is_advanced_is_refused_by_name_where_it_is_off() {
    for format in Format::ALL {
        let output = Output { target: Target::Fixed(format), ..Output::default() };
        let refused = allowed(&output, false).map_err(|error| error.kind);
        let advanced = matches!(format, Format::Avif | Format::Heif | Format::Tpg);
        assert_eq!(refused, if advanced { Err(Kind::AdvancedOff) } else { Ok(()) }, "{format:?}");
        assert_eq!(allowed(&output, true), Ok(()));
        assert_eq!(allowed(&Output { target: Target::OnlyIfSource(format), ..Output::default() }, false), Ok(()));
    }
    assert_eq!(allowed(&Output::default(), false), Ok(()));
}

#[test]
fn gif_only_if_it_was_one() {
    let output = Output { target: Target::OnlyIfSource(Format::Gif), ..Output::default() };
    assert_eq!(pick("image/avif", &source(Format::Gif), &output), Ok(Format::Gif));
    assert_eq!(pick("image/avif", &source(Format::Jpeg), &output), Ok(Format::Jpeg));
}

#[test]
fn sources_that_cannot_be_written_fall_back() {
    let heif = source(Format::Heif);
    assert_eq!(pick("*/*", &heif, &Output::default()), Ok(Format::Jpeg));
    assert_eq!(pick("*/*", &Source { alpha: true, ..heif }, &Output::default()), Ok(Format::Png));
    let none = |_| false;
    let refused = choose(&Output::default(), &heif, Class::default(), &[], &none, &|_| true);
    assert_eq!(refused.map_err(|error| error.kind), Err(Kind::UnsupportedTarget));
}

proptest! {
    #[test]
    fn nothing_unnamed_is_ever_in_a_class(accept in "[a-z/*;=,. \"0-9q]{0,200}|.{0,100}") {
        let class = class([accept.as_str()], &OFFERED);
        let lower = accept.to_ascii_lowercase();
        for format in class.preference(&OFFERED) {
            let named = match format {
                Format::Heif => lower.contains("image/hei"),
                other => lower.contains(other.media_type()),
            };
            prop_assert!(named, "{} from {}", format.name(), accept);
        }
        prop_assert!(class.formats().count() <= 7);
    }
}
