#![allow(clippy::unwrap_used)]

use std::time::UNIX_EPOCH;

use super::*;
use crate::plan::geometry::Source;

fn at(millis: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(millis)
}

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
        made: at(2_500),
        source_format: Format::Png,
        source_bytes: u64::MAX,
        times: Times { decode: 1, transform: 2, encode: 3 },
        provisional: Some(Duration::from_millis(60_001)),
    }
}

fn known() -> Known {
    let etag = Some("W/\"x\"".into());
    Known { version: u128::MAX - 1, etag, last_modified: Some(at(1_001)), checked: Checked::now(), generation: 7 }
}

#[test]
fn what_is_kept_comes_back() {
    let bare = VariantMeta { format: None, facts: None, last_modified: None, provisional: None, ..metadata() };
    for meta in [metadata(), bare] {
        assert_eq!(VariantMeta::from_bytes(&meta.to_bytes().unwrap()), Ok(meta));
    }
    let bare = Known { version: 0, etag: None, last_modified: None, ..known() };
    for known in [known(), bare] {
        let bytes = known.to_bytes().unwrap();
        assert_eq!(Known::from_bytes(&bytes, 7), Ok(known.clone()));
        // The generation is this process's, not that of who wrote it.
        assert_eq!(Known::from_bytes(&bytes, 8), Ok(Known { generation: 8, ..known }));
    }
}

/// What lies on a disk has this form.
#[test]
fn forms_never_change() {
    let facts = metadata().facts.map(|facts| Facts { exif: Vec::new(), md5: None, average: None, ..facts });
    let bytes = VariantMeta { facts, ..metadata() }.to_bytes().unwrap();
    assert_eq!(String::from_utf8(bytes).unwrap(), format!("PVM\x01{METADATA_JSON}"));
    let read = Known::from_bytes(format!("POK\x01{KNOWN_JSON}").as_bytes(), 0).unwrap();
    assert_eq!(String::from_utf8(read.to_bytes().unwrap()).unwrap(), format!("POK\x01{KNOWN_JSON}"));
    assert_eq!((read.version, read.last_modified), (0xab, Some(at(1_500))));
}

const METADATA_JSON: &str = concat!(
    r#"{"format":"webp","width":3,"height":4,"facts":{"header":{"source":{"format":"png","width":1,"height":2,"orientation":1,"frames":1,"alpha":true},"#,
    r#""depth":8,"channels":4,"progressive":false,"quality":5},"#,
    r#""bytes":6,"md5":null,"average":null,"exif":[]},"#,
    r#""etag":"\"abc\"","last_modified":{"secs_since_epoch":1,"nanos_since_epoch":0},"#,
    r#""made":{"secs_since_epoch":2,"nanos_since_epoch":500000000},"source_format":"png","source_bytes":18446744073709551615,"#,
    r#""times":{"decode":1,"transform":2,"encode":3},"provisional":{"secs":60,"nanos":1000000}}"#,
);

const KNOWN_JSON: &str = concat!(
    r#"{"version":"000000000000000000000000000000ab","etag":"\"x\"","#,
    r#""last_modified":{"secs_since_epoch":1,"nanos_since_epoch":500000000},"#,
    r#""checked":{"secs":1,"nanos":5}}"#,
);

#[test]
fn what_is_not_known_is_refused() {
    let (meta, known) = (metadata().to_bytes().unwrap(), known().to_bytes().unwrap());
    for end in 0..meta.len() {
        let why = if end < METADATA.len() { Unreadable::Unknown } else { Unreadable::Damaged };
        assert_eq!(VariantMeta::from_bytes(&meta[..end]), Err(why));
    }
    // The one is not the other, and a later form is neither.
    assert_eq!(VariantMeta::from_bytes(&known), Err(Unreadable::Unknown));
    assert_eq!(Known::from_bytes(&meta, 0), Err(Unreadable::Unknown));
    for (place, bytes) in [meta, known].iter_mut().enumerate() {
        bytes[3] += 1;
        let read = if place == 0 { VariantMeta::from_bytes(bytes).err() } else { Known::from_bytes(bytes, 0).err() };
        assert_eq!(read, Some(Unreadable::Unknown));
    }
    let more = format!("POK\x01{}", KNOWN_JSON.replace("\"etag\"", "\"more\":1,\"etag\""));
    assert_eq!(Known::from_bytes(more.as_bytes(), 0), Err(Unreadable::Damaged));
}

/// A clock that was ahead when this was written must not make it fresh until then.
#[test]
fn what_was_checked_in_the_future_is_old() {
    let ahead = KNOWN_JSON.replace(r#""checked":{"secs":1,"#, r#""checked":{"secs":99999999999,"#);
    let known = Known::from_bytes(format!("POK\x01{ahead}").as_bytes(), 0).unwrap();
    assert!(known.checked.age() > Duration::from_secs(86_400));
}

#[test]
fn times_before_all_times_are_not_kept() {
    assert_eq!(VariantMeta { made: UNIX_EPOCH - Duration::from_secs(1), ..metadata() }.to_bytes(), None);
}
