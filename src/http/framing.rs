//! What is refused of a request's head whatever it asks for: too many bytes, and lengths that two parsers could read
//! differently.

use http::header;
use pingora::http::RequestHeader;

use super::incoming;
use crate::error::{Error, Kind};

/// Checks a head; `most`: bytes of its fields and target.
///
/// # Errors
/// [`Kind::HeaderTooLarge`]; [`Kind::BadRequest`] for more than one `Content-Length`, or one that is a list
/// (RFC 9110 §8.6 lets a recipient refuse what says the same twice, and nobody who is honest says it twice).
pub fn check(head: &RequestHeader, most: usize) -> Result<(), Error> {
    if incoming::size(head) > most {
        let message = format!("the request's headers have more than {most} bytes");
        return Err(Error::new(Kind::HeaderTooLarge, message));
    }
    let mut lengths = head.headers.get_all(header::CONTENT_LENGTH).iter();
    let Some(length) = lengths.next() else { return Ok(()) };
    let digits = !length.is_empty() && length.as_bytes().iter().all(u8::is_ascii_digit);
    if lengths.next().is_some() || !digits {
        return Err(Error::new(Kind::BadRequest, "Content-Length must be one number, and stand once"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn head(fields: &[(&'static str, &str)]) -> RequestHeader {
        let mut head = RequestHeader::build("PUT", b"/a", None).unwrap();
        for (name, value) in fields {
            head.append_header(*name, *value).unwrap();
        }
        head
    }

    #[test]
    fn one_length_is_one_number() {
        for lengths in [&[][..], &["0"], &["5"], &["18446744073709551616"]] {
            let fields: Vec<_> = lengths.iter().map(|length| ("content-length", *length)).collect();
            assert_eq!(check(&head(&fields), 1000), Ok(()), "{lengths:?}");
        }
        for lengths in [&["5", "5"][..], &["5, 5"], &["5,"], &["+5"], &["-5"], &["0x5"], &["5 "], &["5", "6"], &[""]] {
            let fields: Vec<_> = lengths.iter().map(|length| ("content-length", *length)).collect();
            assert_eq!(check(&head(&fields), 1000).unwrap_err().kind, Kind::BadRequest, "{lengths:?}");
        }
    }

    #[test]
    fn too_much_is_its_own_error() {
        let long = "x".repeat(100);
        assert_eq!(check(&head(&[("x-long", &long)]), 100).unwrap_err().kind, Kind::HeaderTooLarge);
        assert_eq!(check(&head(&[("x-long", &long)]), 200), Ok(()));
    }
}
