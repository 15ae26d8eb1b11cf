//! Writes whose body says what they write: a list of objects to delete, and a form. Only the names are kept, within bounds.

use crate::error::{Error, Kind};
use crate::sign::encode::path_encode;
use crate::xml::walk;

/// Names of one list: the most of every store.
const MOST_NAMES: usize = 1000;
/// Bytes of all of them: so many of the greatest length that a store takes.
const MOST_BYTES: usize = MOST_NAMES * 1024;
/// Bytes of one element with a name, written with references.
const MOST_ELEMENT: usize = 8 << 10;
/// Bytes of a form before its file: the stores' own limit for its fields is less than half of it.
const MOST_FIELDS: usize = 64 << 10;

/// The names that a body holds, read as it goes by.
#[derive(Debug)]
pub enum Named {
    /// `<Delete><Object><Key>...`
    List {
        /// Names that have been read.
        keys: Vec<String>,
        /// The beginning of an element that has not ended.
        rest: Vec<u8>,
        /// Bytes of the names.
        size: usize,
    },
    /// `multipart/form-data`: its beginning.
    Form(Vec<u8>),
}

impl Named {
    /// A list of objects to delete.
    pub fn list() -> Self {
        Self::List { keys: Vec::new(), rest: Vec::new(), size: 0 }
    }

    /// A form with a file.
    pub fn form() -> Self {
        Self::Form(Vec::new())
    }

    /// Takes a piece of the body.
    ///
    /// # Errors
    /// [`Kind::BadDocument`] for more names than any store takes, as the stores say it.
    pub fn add(&mut self, piece: &[u8]) -> Result<(), Error> {
        match self {
            Self::Form(start) => {
                let room = MOST_FIELDS.saturating_sub(start.len());
                start.extend_from_slice(&piece[..piece.len().min(room)]);
            }
            Self::List { keys, rest, size } => {
                // By pieces, so that no more than an element is ever held, whatever a piece's size.
                for piece in piece.chunks(MOST_ELEMENT) {
                    rest.extend_from_slice(piece);
                    let known = keys.len();
                    let used = read_keys(rest, keys);
                    *size += keys.iter().skip(known).map(String::len).sum::<usize>();
                    rest.drain(..used);
                    if rest.len() > MOST_ELEMENT {
                        rest.clear();
                    }
                    if keys.len() > MOST_NAMES || *size > MOST_BYTES {
                        let message =
                            format!("a list of objects to delete has {MOST_NAMES} at most, of 1024 bytes each");
                        return Err(Error::new(Kind::BadDocument, message));
                    }
                }
            }
        }
        Ok(())
    }

    /// The paths of the named objects below the path of the bucket, in the spellings that clients use.
    pub fn paths(&self, base: &str) -> Vec<String> {
        let keys = match self {
            Self::List { keys, .. } => keys.clone(),
            Self::Form(start) => form_key(start).into_iter().collect(),
        };
        let spelled = keys.iter().flat_map(|key| {
            let plain = key.replace('%', "%25").replace('?', "%3F").replace('#', "%23");
            [format!("{base}/{}", path_encode(key.as_bytes())), format!("{base}/{plain}")]
        });
        let mut paths: Vec<String> = spelled.collect();
        paths.dedup();
        paths
    }
}

/// Reads the names of complete elements; gives how many bytes need not be kept.
fn read_keys(bytes: &[u8], keys: &mut Vec<String>) -> usize {
    let mut at = 0;
    while let Some(open) = find(&bytes[at..], b"<").map(|found| at + found) {
        let Some(end) = find(&bytes[open..], b">").map(|found| open + found) else { return open };
        let tag = &bytes[open + 1..end];
        let name = tag.split(|byte| byte.is_ascii_whitespace() || *byte == b'/').next().unwrap_or_default();
        let local = name.rsplit(|byte| *byte == b':').next().unwrap_or_default();
        if local != b"Key" || tag.starts_with(b"/") || tag.ends_with(b"/") {
            at = end + 1;
            continue;
        }
        let Some((stop, next)) = end_tag(bytes, end, name) else { return open };
        if let Some(key) = text(&bytes[end + 1..stop]) {
            keys.push(key);
        }
        at = next;
    }
    bytes.len()
}

/// Where the end tag of an element begins and what follows it begins, looked for from `from` on. Blanks may stand before its
/// `>` (XML 1.0, `ETag`).
fn end_tag(bytes: &[u8], from: usize, name: &[u8]) -> Option<(usize, usize)> {
    let start = [b"</", name].concat();
    let mut at = from;
    loop {
        let stop = at + find(&bytes[at..], &start)?;
        let behind = stop + start.len();
        let blanks = bytes[behind..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        match bytes.get(behind + blanks)? {
            b'>' => return Some((stop, behind + blanks + 1)),
            _ => at = behind,
        }
    }
}

/// The text of an element, its references resolved.
fn text(inner: &[u8]) -> Option<String> {
    let mut found = None;
    walk(&[b"<Key>", inner, b"</Key>"].concat(), |_, text| found = text.map(str::to_owned)).ok()?;
    found.filter(|key| !key.is_empty())
}

/// The field `key` of a form; `${filename}` in it stands for the name of the file.
fn form_key(start: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(start);
    let part = |name: &str| {
        let lower = text.to_ascii_lowercase();
        let at = [format!("name=\"{name}\""), format!("name={name}\r\n")].iter().find_map(|field| {
            lower.match_indices(field.as_str()).map(|(at, _)| at).find(|at| lower[..*at].ends_with([' ', ';', '\t']))
        })?;
        Some(&text[at..])
    };
    let (_, value) = part("key")?.split_once("\r\n\r\n")?;
    let (value, _) = value.split_once("\r\n--")?;
    if !value.contains("${filename}") {
        return Some(value.to_owned());
    }
    let (_, file) = part("file")?.split_once("filename=\"")?;
    let (file, _) = file.split_once('"')?;
    Some(value.replace("${filename}", file.rsplit(['/', '\\']).next().unwrap_or(file)))
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn keys(body: &str, piece: usize) -> Vec<String> {
        let mut named = Named::list();
        for piece in body.as_bytes().chunks(piece) {
            named.add(piece).unwrap();
        }
        match named {
            Named::List { keys, .. } => keys,
            Named::Form(_) => Vec::new(),
        }
    }

    #[test]
    fn names_are_found_however_the_body_is_cut() {
        let body = "<?xml version=\"1.0\"?><Delete xmlns=\"x\"><Object><Key>a &amp; b.jpg</Key></Object>\
                    <Object><Key >c/d.png</Key ><VersionId>1</VersionId></Object><s:Object><s:Key><![CDATA[e<f]]></s:Key>\
                    </s:Object><Object><Key/></Object><Object><Key>&#x4e2d;.gif</Key></Object></Delete>";
        for piece in [1, 2, 3, 7, 64, 10_000] {
            assert_eq!(keys(body, piece), ["a & b.jpg", "c/d.png", "e<f", "中.gif"], "{piece}");
        }
    }

    #[test]
    fn no_more_is_held_than_names() {
        let mut named = Named::list();
        for _ in 0..1000 {
            named.add(&[b'<'; 4096]).unwrap();
            named.add(b"<Key>").unwrap();
            named.add(&[b'x'; 4096]).unwrap();
        }
        let Named::List { keys, rest, .. } = &named else { panic!("no list") };
        assert!(rest.len() <= 2 * MOST_ELEMENT && keys.is_empty(), "{} {}", rest.len(), keys.len());
    }

    #[test]
    fn a_list_has_as_many_names_as_stores_take() {
        for piece in [1 << 20, 7, 1] {
            let (body, one) = ("<Object><Key>a</Key></Object>".repeat(MOST_NAMES), b"<Object><Key>b</Key></Object>");
            let mut named = Named::list();
            for piece in body.as_bytes().chunks(piece) {
                named.add(piece).unwrap();
            }
            assert_eq!(named.paths("").len(), 1, "the same name in the same spelling");
            assert_eq!(named.add(one).unwrap_err().kind, Kind::BadDocument);
        }
    }

    #[test]
    fn few_names_that_are_long_are_too_much_as_well() {
        let one = format!("<Key>{}</Key>", "a".repeat(7 << 10));
        let mut named = Named::list();
        let taken = (0..MOST_NAMES).take_while(|_| named.add(one.as_bytes()).is_ok()).count();
        assert_eq!(taken, MOST_BYTES / (7 << 10));
    }

    #[test]
    fn a_form_names_its_object() {
        let form = |key: &str| {
            format!(
                "--b\r\nContent-Disposition: form-data; name=\"x-key\"\r\n\r\nno\r\n--b\r\nContent-Disposition: form-data; \
                 name=\"key\"\r\n\r\n{key}\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; \
                 filename=\"C:\\\\b.jpg\"\r\n\r\nbytes\r\n--b--\r\n"
            )
        };
        for (key, path) in [("up/a b.jpg", "/up/a%20b.jpg"), ("up/${filename}", "/up/b.jpg")] {
            let mut named = Named::form();
            for piece in form(key).as_bytes().chunks(11) {
                named.add(piece).unwrap();
            }
            assert_eq!(named.paths("")[0], path);
        }
        let mut none = Named::form();
        none.add(&[b'x'; 200_000]).unwrap();
        assert!(none.paths("").is_empty());
        assert!(matches!(none, Named::Form(start) if start.len() == MOST_FIELDS));
    }
}
