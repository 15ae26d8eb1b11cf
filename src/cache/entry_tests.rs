#![allow(clippy::unwrap_used)]

use std::time::UNIX_EPOCH;

use super::*;
use crate::error::Kind;
use crate::plan::geometry::Source;

fn at(millis: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(millis)
}

/// When what is written here is read.
const NOW: Timestamp = Timestamp::at(Duration::from_secs(1_000_000));

fn metadata() -> VariantMeta {
    let source = Source { format: Format::Png, width: 1, height: 2, orientation: 1, frames: 1, alpha: true };
    VariantMeta {
        format: Some(Format::WebP),
        width: 3,
        height: 4,
        facts: Some(Facts {
            header: Header { source, depth: 8, channels: 4, progressive: false, quality: Some(5) },
            bytes: 6,
            md5: Some("0123".into()),
            average: Some([7, 8, 9]),
            exif: vec![("Make".into(), "\"小\"\n".into())],
        }),
        etag: "\"abc\"".into(),
        last_modified: Some(at(1_000)),
        made: Timestamp::at(Duration::from_millis(2_500)),
        source_format: Format::Png,
        source_bytes: u64::MAX,
        times: Times { decode: 1, transform: 2, encode: 3 },
        provisional: Some(Duration::from_millis(60_001)),
        tags: Tags::of("s", Some("red blue"), None),
        epoch: Epoch::numbered(8),
    }
}

fn known() -> Known {
    let etag = Some("W/\"x\"".into());
    Known {
        version: u128::MAX - 1,
        etag,
        last_modified: Some(at(1_001)),
        tags: Tags::of("s", Some("red"), None),
        checked: NOW,
        epoch: Epoch::numbered(u64::MAX),
    }
}

#[test]
fn what_is_kept_comes_back() {
    let bare = VariantMeta { format: None, facts: None, last_modified: None, provisional: None, ..metadata() };
    let bare = VariantMeta { tags: Tags::default(), epoch: Epoch::default(), ..bare };
    for meta in [metadata(), bare] {
        assert_eq!(VariantMeta::from_bytes(&meta.to_bytes().unwrap(), NOW), Ok(meta));
    }
    let bare = Known { version: 0, etag: None, last_modified: None, tags: Tags::default(), ..known() };
    for known in [known(), bare] {
        assert_eq!(Known::from_bytes(&known.to_bytes().unwrap(), NOW), Ok(known));
    }
}

/// What lies on a disk has this form.
#[test]
fn forms_never_change() {
    let facts = metadata().facts.map(|facts| Facts { exif: Vec::new(), md5: None, average: None, ..facts });
    let bytes = VariantMeta { facts, ..metadata() }.to_bytes().unwrap();
    assert_eq!(String::from_utf8(bytes).unwrap(), format!("PVM\x02{METADATA_JSON}"));
    let read = Known::from_bytes(format!("POK\x02{KNOWN_JSON}").as_bytes(), NOW).unwrap();
    assert_eq!(String::from_utf8(read.to_bytes().unwrap()).unwrap(), format!("POK\x02{KNOWN_JSON}"));
    assert_eq!((read.version, read.last_modified), (0xab, Some(at(1_500))));
}

const METADATA_JSON: &str = concat!(
    r#"{"format":"webp","width":3,"height":4,"facts":{"header":{"source":{"format":"png","width":1,"height":2,"orientation":1,"frames":1,"alpha":true},"#,
    r#""depth":8,"channels":4,"progressive":false,"quality":5},"#,
    r#""bytes":6,"md5":null,"average":null,"exif":[]},"#,
    r#""etag":"\"abc\"","last_modified":{"secs_since_epoch":1,"nanos_since_epoch":0},"#,
    r#""made":{"secs":2,"nanos":500000000},"source_format":"png","source_bytes":18446744073709551615,"#,
    r#""times":{"decode":1,"transform":2,"encode":3},"provisional":{"secs":60,"nanos":1000000},"tags":[6884291622036868670,15034192855657888644],"epoch":8}"#,
);

const KNOWN_JSON: &str = concat!(
    r#"{"version":"000000000000000000000000000000ab","etag":"\"x\"","#,
    r#""last_modified":{"secs_since_epoch":1,"nanos_since_epoch":500000000},"#,
    r#""tags":[1,18446744073709551615],"checked":{"secs":1,"nanos":5},"epoch":9}"#,
);

#[test]
fn what_is_not_known_is_refused() {
    let (meta, known) = (metadata().to_bytes().unwrap(), known().to_bytes().unwrap());
    for end in 0..meta.len() {
        let why = if end < METADATA.len() { Unreadable::Unknown } else { Unreadable::Damaged };
        assert_eq!(VariantMeta::from_bytes(&meta[..end], NOW), Err(why));
    }
    // The one is not the other.
    assert_eq!(VariantMeta::from_bytes(&known, NOW), Err(Unreadable::Unknown));
    assert_eq!(Known::from_bytes(&meta, NOW), Err(Unreadable::Unknown));
    for (place, bytes) in [meta, known].iter_mut().enumerate() {
        // A later form, and the one before.
        for form in [3, 1] {
            bytes[3] = form;
            let read = if place == 0 {
                VariantMeta::from_bytes(bytes, NOW).err()
            } else {
                Known::from_bytes(bytes, NOW).err()
            };
            assert_eq!(read, Some(Unreadable::Unknown));
        }
    }
    let more = format!("POK\x02{}", KNOWN_JSON.replace("\"etag\"", "\"more\":1,\"etag\""));
    assert_eq!(Known::from_bytes(more.as_bytes(), NOW), Err(Unreadable::Damaged));
}

/// A clock that was ahead when this was written must not make it fresh until then.
#[test]
fn what_was_checked_in_the_future_is_old() {
    let ahead = KNOWN_JSON.replace(r#""checked":{"secs":1,"#, r#""checked":{"secs":99999999999,"#);
    let known = Known::from_bytes(format!("POK\x02{ahead}").as_bytes(), NOW).unwrap();
    assert_eq!(known.checked.age(NOW), Duration::from_secs(1_000_000));
    let later = VariantMeta { made: NOW.after(Duration::from_secs(1)), ..metadata() };
    let meta = VariantMeta::from_bytes(&later.to_bytes().unwrap(), NOW).unwrap();
    assert!(later.lasts(NOW) && !meta.lasts(NOW), "nor what was hurried good until then");
}

#[test]
fn times_before_all_times_are_not_kept() {
    let changed = Some(UNIX_EPOCH - Duration::from_secs(1));
    assert_eq!(VariantMeta { last_modified: changed, ..metadata() }.to_bytes(), None);
    assert_eq!(Known { last_modified: changed, ..known() }.to_bytes(), None);
}

/// Each counts until its time is over, and not a moment longer.
#[test]
fn what_is_kept_lasts_as_long_as_it_may() {
    let moment = Duration::from_nanos(1);
    for (time, lasts) in [(Duration::ZERO, true), (MINUTE - moment, true), (MINUTE, false), (2 * MINUTE, false)] {
        let now = NOW.after(time);
        assert_eq!(known().is_fresh(MINUTE, now), lasts, "{time:?}");
        let hurried = VariantMeta { made: NOW, provisional: Some(MINUTE), ..metadata() };
        assert_eq!(hurried.lasts(now), lasts, "{time:?}");
        assert!(VariantMeta { provisional: None, ..hurried }.lasts(now));
        let error = Error::new(Kind::Corrupt, "");
        assert_eq!(error.kind.remember(), MINUTE);
        assert_eq!(Remembered { error, since: NOW, epoch: Epoch::default() }.lasts(now), lasts, "{time:?}");
    }
    assert!(!known().is_fresh(Duration::ZERO, NOW), "nothing is fresh for no time");
}

const MINUTE: Duration = Duration::from_secs(60);
