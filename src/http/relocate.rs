//! The answer to the end of an upload in parts says where the object is: at the store. Clients are told where it is for
//! them. The answer is not held: a store sends blanks for as long as it works, so that nobody gives up.

use bytes::Bytes;
use http::header;
use pingora::http::ResponseHeader;

use super::answer::set;
use crate::xml::element;

const OPEN: &[u8] = b"<Location>";
const CLOSE: &[u8] = b"</Location>";
/// Bytes of a place: an endpoint, a bucket and a key, escaped twice.
const MOST: usize = 16 << 10;

/// An answer that goes by.
#[derive(Debug)]
pub struct Relocate {
    /// The element that is put in the place of the store's.
    place: Bytes,
    held: Vec<u8>,
    done: bool,
}

/// Whether an answer may hold such a place: a document.
pub fn may(head: &ResponseHeader) -> bool {
    let kind = head.headers.get(header::CONTENT_TYPE).map_or(&b""[..], |kind| kind.as_bytes());
    head.status.is_success() && kind.windows(3).any(|part| part.eq_ignore_ascii_case(b"xml"))
}

impl Relocate {
    /// Makes an answer's head ready for a body of another length. `place` is the object's URL for the client.
    pub fn begin(head: &mut ResponseHeader, place: &str, chunks: bool) -> Self {
        head.remove_header(&header::CONTENT_LENGTH);
        if chunks {
            head.set_version(http::Version::HTTP_11);
            set(head, header::TRANSFER_ENCODING, "chunked");
        }
        let mut text = String::new();
        element(&mut text, "Location", place);
        Self { place: Bytes::from(text), held: Vec::new(), done: false }
    }

    /// Takes a piece of the store's body, and gives what of it can go on.
    pub fn piece(&mut self, body: Option<&Bytes>, end: bool) -> Bytes {
        self.held.extend_from_slice(body.map_or(&b""[..], |body| body));
        let mut out = Vec::new();
        if !self.done {
            let Some(at) = find(&self.held, OPEN) else {
                // The beginning of the element may be at the end.
                let sure = if end { self.held.len() } else { self.held.len().saturating_sub(OPEN.len() - 1) };
                return self.held.drain(..sure).collect::<Vec<u8>>().into();
            };
            out.extend(self.held.drain(..at));
            match find(&self.held, CLOSE) {
                Some(stop) => {
                    out.extend_from_slice(&self.place);
                    self.held.drain(..stop + CLOSE.len());
                    self.done = true;
                }
                // What has no end says nothing, and nothing of it goes on.
                None if end || self.held.len() > MOST => {
                    self.held.clear();
                    self.held.extend_from_slice(OPEN);
                    if end {
                        self.held.clear();
                    }
                }
                None => {}
            }
        }
        if self.done {
            out.append(&mut self.held);
        }
        out.into()
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn through(body: &str, piece: usize) -> String {
        let mut head = ResponseHeader::build(200, None).unwrap();
        let mut relocate = Relocate::begin(&mut head, "http://h/a&b", true);
        let body = Bytes::copy_from_slice(body.as_bytes());
        let mut out = Vec::new();
        for at in (0..body.len()).step_by(piece) {
            out.extend(relocate.piece(Some(&body.slice(at..body.len().min(at + piece))), false));
        }
        out.extend(relocate.piece(None, true));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_stores_place_never_goes_on_however_the_body_is_cut() {
        let long = format!("<a/><Location>{}", "hush".repeat(20_000));
        for piece in [1, 2, 5, 9, 10, 11, 4096, 1 << 20] {
            let whole = "  <R><Location>http://hush/b/k</Location><Key>k</Key><Location2/></R>";
            let want = "  <R><Location>http://h/a&amp;b</Location><Key>k</Key><Location2/></R>";
            assert_eq!(through(whole, piece), want, "{piece}");
            for same in ["", "<R><Key>k</Key></R>", "<Loc", "<<Location"] {
                assert_eq!(through(same, piece), same, "{piece}");
            }
            for broken in ["<R><Location>hush", "<R><Location>hush</Loca", long.as_str()] {
                assert!(!through(broken, piece).contains("hush"), "{piece}");
            }
        }
    }
}
