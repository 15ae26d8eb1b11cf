//! Any bytes as one of the small XML documents that stores and clients send: read without a panic, nothing in it grows when
//! it is read, and what is written is read again as the same.

use pictor::http::named::Named;
use pictor::origin::{store_error_code, store_page};
use pictor::sign::encode::path_encode;
use pictor::xml::{element, walk};

/// A document.
pub fn check(body: &[u8]) {
    let (mut started, mut ended, mut texts) = (0_usize, 0_usize, 0_usize);
    let mut keys = Vec::new();
    let walked = walk(body, |path, text| {
        assert!((1..=16).contains(&path.len()), "{path:?}");
        match text {
            None => started += 1,
            Some(text) => {
                ended += 1;
                texts += text.len();
                if let ["Delete", "Object", "Key"] = path {
                    keys.push(text.to_owned());
                }
            }
        }
    });
    assert!(ended <= started && started <= body.len() && texts <= body.len(), "{started} {ended} {texts}");
    if walked.is_ok() {
        assert_eq!(started, ended);
    }

    let text = String::from_utf8_lossy(body);
    let mut written = String::new();
    element(&mut written, "Name", &text);
    let mut read = None;
    walk(written.as_bytes(), |path, text| {
        assert_eq!(path, ["Name"]);
        read = text.map(str::to_owned);
    })
    .expect("what was written");
    let strange = |c: char| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}');
    let want: String = text.chars().map(|c| if strange(c) { '\u{fffd}' } else { c }).collect();
    assert_eq!(read.as_deref(), Some(want.as_str()));

    if let Some(code) = store_error_code(body) {
        assert!(code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.'), "{code}");
    }
    if let Ok(page) = store_page(body) {
        assert!(page.entries.len() <= started);
        let last = page.entries.last().map(|entry| &entry.key);
        assert!(page.next.is_none() || page.next.as_ref() == last);
    }
    named(body, if walked.is_ok() { &keys } else { &[] });
}

/// A list of objects to delete is the same however the network cuts it, and has every name that an XML reader finds.
fn named(body: &[u8], keys: &[String]) {
    // Beyond this an element is given up, and where that is depends on the pieces.
    if body.len() > 4 << 10 {
        return;
    }
    let paths = |piece: usize| {
        let mut named = Named::list();
        let taken = body.chunks(piece).try_for_each(|piece| named.add(piece));
        taken.map(|()| named.paths("")).map_err(|error| error.kind)
    };
    let whole = paths(body.len().max(1));
    for piece in [1, 7, 64] {
        assert_eq!(paths(piece), whole, "{piece}");
    }
    // A list of clients has neither comments nor the like, in which tags could stand that are none.
    let plain =
        !body.windows(2).any(|two| two == b"<!" || two == b"<?") && !body.iter().any(|byte| b"\"'".contains(byte));
    if let (true, Ok(paths)) = (plain, whole) {
        for key in keys.iter().filter(|key| !key.is_empty()) {
            assert!(paths.contains(&format!("/{}", path_encode(key.as_bytes()))), "{key:?} is not in {paths:?}");
        }
    }
    let mut form = Named::form();
    form.add(body).expect("a form is never too long");
    form.paths("");
}
