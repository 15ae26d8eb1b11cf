// Requests as bytes, signed in every way, and an oracle for what a signature leaves open: written on its own, from the vendors'
// pages. Used by unit tests, benches and the fuzzer; whoever includes it has a `sign`, the room of the service.

#![allow(dead_code)]

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::sign::sigv4::{self, amz_date};
use super::sign::{
    AccessKey, Claim, Clock, Credentials, Denied, Message, Parameter, Secret, Verified, cos, oss_v1, oss_v2, oss_v4,
    verify,
};

/// When all requests are signed, and until when those whose signer says so hold.
pub const NOW: i64 = 1_700_000_000;
pub const UNTIL: i64 = NOW + 600;

const HOST: &str = "bucket.example.com";

/// A way to sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    Cos,
    CosUrl,
    OssV1,
    OssV1Url,
    OssV2,
    OssV2Url,
    OssV4,
    OssV4Url,
    SigV4,
    SigV4Url,
}

impl How {
    pub const ALL: [Self; 10] = [
        Self::Cos,
        Self::CosUrl,
        Self::OssV1,
        Self::OssV1Url,
        Self::OssV2,
        Self::OssV2Url,
        Self::OssV4,
        Self::OssV4Url,
        Self::SigV4,
        Self::SigV4Url,
    ];
}

/// A request as it is on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wire {
    pub method: String,
    /// Path and query.
    pub target: String,
    /// In their order, names in lower case.
    pub fields: Vec<(String, Vec<u8>)>,
}

pub fn credentials() -> Credentials {
    Credentials { access_key: "AKID".into(), secret_key: Secret::new("secret") }
}

impl Wire {
    /// Reads `METHOD TARGET` and then a `name: value` a line; `None`: no server would.
    pub fn read(text: &[u8]) -> Option<Self> {
        let mut lines = text.split(|byte| *byte == b'\n');
        let first = std::str::from_utf8(lines.next()?).ok()?;
        let (method, target) = first.split_once(' ')?;
        let visible = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        let mut fields = Vec::new();
        for line in lines {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let name = HeaderName::from_bytes(&line[..colon]).ok()?;
            let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?;
            fields.push((name.as_str().to_owned(), value.as_bytes().to_vec()));
        }
        let good = visible(method) && visible(target) && target.starts_with('/') && !target.contains('#');
        let wire = Self { method: method.to_owned(), target: target.to_owned(), fields };
        // What has several hosts or lengths reaches nobody.
        good.then_some(wire).filter(|wire| wire.fields.iter().filter(|(name, _)| name == "host").count() <= 1)
    }

    /// What [`Self::read`] reads.
    pub fn text(&self) -> Vec<u8> {
        let mut text = format!("{} {}", self.method, self.target).into_bytes();
        for (name, value) in &self.fields {
            text.extend([b"\n", name.as_bytes(), b": ", value].concat());
        }
        text
    }

    pub fn field(&mut self, name: &str, value: &str) {
        self.fields.push((name.to_owned(), value.as_bytes().to_vec()));
    }

    fn parts(&self) -> (&str, &str) {
        self.target.split_once('?').unwrap_or((&self.target, ""))
    }

    fn pieces(&self) -> impl Iterator<Item = &str> {
        self.parts().1.split('&').filter(|piece| !piece.is_empty())
    }

    /// Shows the request to a function.
    pub fn message<T>(&self, see: impl FnOnce(&Message<'_>) -> T) -> T {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.fields {
            if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value)) {
                headers.append(name, value);
            }
        }
        let host = self.fields.iter().find(|(name, _)| name == "host");
        let host = host.and_then(|(_, value)| std::str::from_utf8(value).ok()).unwrap_or_default();
        let (path, query) = self.parts();
        let (query, key) = (Parameter::all(query), decode(&path[1..], false));
        see(&Message {
            method: &self.method,
            path,
            query: &query,
            headers: &headers,
            hosts: &[host],
            bucket: "bucket",
            region: "region",
            key: &key,
        })
    }

    /// What is said of its signature at a time; `None`: it has none.
    pub fn check(&self, now: i64) -> Option<Result<Verified<'static>, Denied>> {
        let keys = [AccessKey::new(credentials())];
        self.message(|message| match Claim::of(message) {
            Ok(None) => None,
            Ok(Some(claim)) => {
                Some(verify(message, &claim, &keys, &Clock::at(now)).map(|verified| Verified { path: "", ..verified }))
            }
            Err(denied) => Some(Err(denied)),
        })
    }

    /// The same with a signature. What is there must not be one.
    pub fn signed(&self, how: How) -> Self {
        let mut signed = self.clone();
        signed.fields.retain(|(name, _)| name != "host");
        signed.field("host", HOST);
        let (key, iso) = (credentials(), amz_date(NOW));
        match how {
            How::OssV1 | How::OssV2 => signed.field("date", "Tue, 14 Nov 2023 22:13:20 GMT"),
            How::OssV4 => signed.fields.extend([
                ("x-oss-date".to_owned(), iso.into_bytes()),
                ("x-oss-content-sha256".to_owned(), b"UNSIGNED-PAYLOAD".to_vec()),
            ]),
            How::SigV4 => signed.fields.extend([
                ("x-amz-date".to_owned(), iso.into_bytes()),
                ("x-amz-content-sha256".to_owned(), b"UNSIGNED-PAYLOAD".to_vec()),
            ]),
            _ => {}
        }
        let window = (NOW - 10, UNTIL);
        let made = signed.message(|message| match how {
            How::Cos => cos::authorize(message, &key, window),
            How::CosUrl => cos::presign(message, &key, window),
            How::OssV1 => oss_v1::authorize(message, &key),
            How::OssV1Url => {
                let parts = oss_v1::presign(message, &key, UNTIL);
                parts.map(|(name, value)| format!("{name}={}", value.replace('+', "%2B"))).join("&")
            }
            How::OssV2 => oss_v2::authorize(message, &key, &["host"]),
            How::OssV2Url => oss_v2::presign(message, &key, UNTIL, &["host"]),
            How::OssV4 => oss_v4::authorize(message, &key, &["host"]),
            How::OssV4Url => oss_v4::presign(message, &key, NOW, 600, &["host"]),
            How::SigV4 | How::SigV4Url => signed.sigv4(message, how, &key),
        });
        let (path, query) = signed.parts();
        match how {
            How::CosUrl | How::OssV1Url if query.is_empty() => signed.target = format!("{path}?{made}"),
            How::CosUrl | How::OssV1Url => signed.target = format!("{path}?{query}&{made}"),
            How::OssV2Url | How::OssV4Url | How::SigV4Url => signed.target = format!("{path}?{made}"),
            _ => signed.field("authorization", &made),
        }
        signed
    }

    fn sigv4(&self, message: &Message<'_>, how: How, key: &Credentials) -> String {
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let headers: Vec<_> = self.fields.iter().map(|(name, value)| (name.clone(), text(value))).collect();
        let query: Vec<_> =
            message.query.iter().map(|parameter| (parameter.name.to_vec(), parameter.value.to_vec())).collect();
        let path = super::sign::encode::path_encode(&decode(message.path, false));
        let payload = &sigv4::Payload::Unsigned;
        let request =
            sigv4::SignableRequest { method: message.method, path: &path, query: &query, headers: &headers, payload };
        let signer = sigv4::Signer { credentials: key, region: "region", now: NOW };
        match how {
            How::SigV4 => sigv4::authorize(&request, &signer),
            _ => sigv4::presign(&request, &signer, 600),
        }
    }
}

fn decode(text: &str, plus: bool) -> Vec<u8> {
    let (bytes, mut out, mut at) = (text.as_bytes(), Vec::new(), 0);
    while at < bytes.len() {
        let escape = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        let escape = escape.filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match escape.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(if plus && bytes[at] == b'+' { b' ' } else { bytes[at] });
                at += 1;
            }
        }
    }
    out
}

type Pairs = BTreeMap<(Vec<u8>, Vec<u8>), usize>;

/// The parameters of a request, each with how often it stands there.
fn parameters(wire: &Wire, keep: impl Fn(&[u8]) -> bool, fold: bool) -> Pairs {
    let mut pairs = Pairs::new();
    for piece in wire.pieces() {
        let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
        let (mut name, value) = (decode(name, true), decode(value, true));
        if keep(&name) {
            if fold {
                name.make_ascii_lowercase();
            }
            *pairs.entry((name, value)).or_default() += 1;
        }
    }
    pairs
}

/// The fields of a request by their names.
fn fields(wire: &Wire, keep: impl Fn(&str) -> bool, one_space: bool) -> BTreeMap<&str, Vec<Vec<u8>>> {
    let mut kept = BTreeMap::<&str, Vec<Vec<u8>>>::new();
    for (name, value) in wire.fields.iter().filter(|(name, _)| keep(name)) {
        let words = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect::<Vec<_>>();
        let value = if one_space { words.join(&b' ') } else { value.trim_ascii().to_vec() };
        kept.entry(name).or_default().push(value);
    }
    kept
}

const V1: [&str; 8] =
    ["acl", "callback", "response-content-type", "security-token", "uploadId", "versionId", "x-oss-process", "uploads"];

/// What V1 signs of path and query, which it does not keep apart.
fn resource(wire: &Wire) -> Vec<u8> {
    let mut text = decode(wire.parts().0, false);
    let mut signed: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    for ((name, value), times) in parameters(wire, |name| V1.iter().any(|known| known.as_bytes() == name), false) {
        signed.extend(std::iter::repeat_n((name, value), times));
    }
    for (number, (name, value)) in signed.into_iter().enumerate() {
        text.push(if number == 0 { b'?' } else { b'&' });
        text.extend(name);
        if !value.is_empty() {
            text.push(b'=');
            text.extend(value);
        }
    }
    text
}

/// What differs between a request as it was signed and one that was taken for it, though the signature should cover it.
pub fn differs(how: How, signed: &Wire, taken: &Wire) -> Option<&'static str> {
    let cos = matches!(how, How::Cos | How::CosUrl);
    let v1 = matches!(how, How::OssV1 | How::OssV1Url);
    let aws = matches!(how, How::SigV4 | How::SigV4Url);
    let same_method = match cos {
        true => signed.method.eq_ignore_ascii_case(&taken.method),
        false => signed.method == taken.method,
    };
    let path = |wire: &Wire| decode(wire.parts().0, false);
    if !same_method {
        return Some("the method");
    }
    if v1 {
        if resource(signed) != resource(taken) {
            return Some("the resource");
        }
    } else if path(signed) != path(taken) {
        return Some("the path");
    }
    if cos {
        // What was not there may come, but not under a name that was.
        let keep = |name: &[u8]| !name.starts_with(b"q-");
        let (was, is) = (parameters(signed, keep, true), parameters(taken, keep, true));
        let names: Vec<&Vec<u8>> = was.keys().map(|(name, _)| name).collect();
        let is: Pairs = is.into_iter().filter(|((name, _), _)| names.contains(&name)).collect();
        if was != is {
            return Some("a parameter");
        }
    } else if !v1 {
        let keep = |name: &[u8]| name != b"x-oss-signature" && name != b"X-Amz-Signature";
        if parameters(signed, keep, false) != parameters(taken, keep, false) {
            return Some("a parameter");
        }
    }
    let covered = |name: &str| match how {
        How::Cos | How::CosUrl => name == "host" || name == "content-type" || name.starts_with("x-cos-"),
        How::SigV4 | How::SigV4Url => signed.fields.iter().any(|(known, _)| known == name) && name != "authorization",
        _ => {
            let date = name == "date" && matches!(how, How::OssV1 | How::OssV2);
            let host = name == "host" && !v1;
            date || host || name == "content-type" || name.starts_with("x-oss-")
        }
    };
    let (was, mut is) = (fields(signed, covered, aws), fields(taken, covered, aws));
    if cos {
        is.retain(|name, _| was.contains_key(name));
    }
    // An empty field of V1's and V2's is one that is not there.
    let mut was = was;
    if v1 || matches!(how, How::OssV2 | How::OssV2Url) {
        for map in [&mut was, &mut is] {
            map.retain(|name, values| *name != "content-type" || values.iter().any(|value| !value.is_empty()));
        }
    }
    // Several of a name are one with commas, as HTTP has it.
    let joined = |map: BTreeMap<&str, Vec<Vec<u8>>>| -> BTreeMap<String, Vec<u8>> {
        map.into_iter()
            .map(|(name, values)| (name.to_owned(), if cos { values.join(&b'\n') } else { values.join(&b',') }))
            .collect()
    };
    (joined(was) != joined(is)).then_some("a field")
}
