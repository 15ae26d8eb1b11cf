//! A request as signatures see it.

use std::borrow::Cow;

use http::HeaderMap;

use super::Why;
use super::encode::{decoded, form_decoded, pieces};

/// The most parameters and fields that are looked at, and the most values of `Host`.
pub(super) const MOST_PARAMETERS: usize = 512;
/// See [`MOST_PARAMETERS`].
pub(super) const MOST_FIELDS: usize = 256;
/// See [`MOST_PARAMETERS`].
pub(super) const MOST_HOSTS: usize = 4;

/// A request that may be signed, taken apart once. What is verified here must be what is decided on and carried out: the same
/// parameters, decoded in the same way.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    /// The method as sent.
    pub method: &'a str,
    /// The path as sent: percent-encoded, beginning with a slash, without the query.
    pub path: &'a str,
    /// All parameters in their order, see [`Parameter::all`]. Whoever takes a piece of the query as a whole (an image rule of
    /// Tencent's, in which `=` and `+` mean nothing) gives it as a name with an empty value.
    pub query: &'a [Parameter<'a>],
    /// The header fields.
    pub headers: &'a HeaderMap,
    /// What `Host` may have been where the request was signed, the request's own first; of more than four the rest is not
    /// tried. A port is tried without being asked for: COS's Python SDK signs the host without it.
    pub hosts: &'a [&'a str],
    /// The bucket that the request is for, as clients know it; empty for calls of the service itself.
    pub bucket: &'a str,
    /// The region that clients sign for.
    pub region: &'a str,
    /// The object's key, decoded, without the slash before it and without the bucket; empty for calls of the bucket.
    pub key: &'a [u8],
}

/// A parameter of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter<'a> {
    /// The name, decoded.
    pub name: Cow<'a, [u8]>,
    /// The value, decoded; empty where there is none.
    pub value: Cow<'a, [u8]>,
    /// Whether there was a `=`.
    pub equals: bool,
}

impl<'a> Parameter<'a> {
    /// Takes a raw query (without `?`) apart, as [`super::encode::parse_query`] does.
    pub fn all(raw: &'a str) -> Vec<Self> {
        pieces(raw)
            .map(|(name, value)| Self {
                name: form_decoded(name),
                value: form_decoded(value.unwrap_or_default()),
                equals: value.is_some(),
            })
            .collect()
    }
}

impl<'a> Message<'a> {
    /// The path, decoded.
    pub(super) fn decoded_path(&self) -> Cow<'a, [u8]> {
        decoded(self.path)
    }

    /// The first value of a parameter.
    pub(super) fn parameter(&self, name: &str) -> Option<&'a [u8]> {
        self.query.iter().find(|parameter| *parameter.name == *name.as_bytes()).map(|parameter| &*parameter.value)
    }

    /// The value of a parameter that is a part of a signature: there once, and text.
    pub(super) fn text_of(&self, name: &'static str) -> Result<Option<&'a str>, Why> {
        let mut values = self.query.iter().filter(|parameter| *parameter.name == *name.as_bytes());
        let Some(parameter) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(Why::Malformed("a part of the signature stands twice"));
        }
        let text = std::str::from_utf8(&parameter.value);
        text.map(Some).map_err(|_| Why::Malformed("a part of the signature is no text"))
    }

    /// The first value of a field, without blanks around it. `name` is in lower case.
    pub(super) fn field(&self, name: &str) -> Option<&'a [u8]> {
        self.headers.get(name).map(|value| value.as_bytes().trim_ascii())
    }

    /// What `Host` may have been: each value as it is, then without its port.
    pub(super) fn hosts(&self) -> impl Iterator<Item = &'a str> {
        self.hosts.iter().take(MOST_HOSTS).flat_map(|host| {
            let portless = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|digit| digit.is_ascii_digit()));
            std::iter::once(*host).chain(portless.map(|(name, _)| name))
        })
    }

    /// Whether there is more than anyone signs.
    pub(super) fn is_too_long(&self) -> bool {
        self.query.len() > MOST_PARAMETERS || self.headers.len() > MOST_FIELDS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_tried_with_and_without_port() {
        let headers = HeaderMap::new();
        let message = Message {
            method: "GET",
            path: "/a%20b",
            query: &[],
            headers: &headers,
            hosts: &["a:80", "[::1]", "[::1]:8080", "b"],
            bucket: "",
            region: "",
            key: b"",
        };
        let hosts: Vec<_> = message.hosts().collect();
        assert_eq!(hosts, ["a:80", "a", "[::1]", "[::1]:8080", "[::1]", "b"]);
        assert_eq!(*message.decoded_path(), *b"/a b");
    }

    #[test]
    fn parameters_know_their_equals_sign() {
        let all = Parameter::all("a&b=&c=%26+1");
        let parts: Vec<_> = all.iter().map(|one| (&*one.name, &*one.value, one.equals)).collect();
        assert_eq!(parts, [(&b"a"[..], &b""[..], false), (b"b", b"", true), (b"c", b"& 1", true)]);
    }
}
