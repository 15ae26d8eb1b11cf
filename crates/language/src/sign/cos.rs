//! Tencent COS: `q-sign-algorithm=sha1` (Request Signature, product 436, page 7778; presigned URLs, 436/14114). What is signed is
//! what two lists in the signature name, and nothing else.

use std::borrow::Cow;
use std::fmt::Write;

use http::HeaderMap;
use zeroize::Zeroizing;

use super::clock::decimal;
use super::encode::{decoded, pieces, push_encoded, uri_encode};
use super::hash::{hmac_sha1, same, sha1_hex};
use super::key::find;
use super::message::{MOST_FIELDS, MOST_PARAMETERS};
use super::{
    AccessKey, Clock, Compared, Covered, CoveredParameters, Credentials, Denied, Message, Parameter, Scheme, Secret,
    SignedBody, Verified, Why,
};

/// A signature as it came, in a header field or in the URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CosClaim<'a> {
    /// It stands in the URL.
    pub presigned: bool,
    /// `q-ak`
    pub access_key: &'a str,
    /// `q-sign-time`: the window, as text.
    pub sign_time: &'a str,
    /// `q-key-time`
    pub key_time: &'a str,
    /// `q-header-list`
    pub header_list: &'a str,
    /// `q-url-param-list`. Encoded once or, in URLs that were decoded once, not at all.
    pub param_list: &'a str,
    /// `q-signature`
    pub signature: &'a str,
}

/// The seven names, and their places in what [`CosClaim::of`] collects.
const NAMES: [&str; 7] =
    ["q-sign-algorithm", "q-ak", "q-sign-time", "q-key-time", "q-header-list", "q-url-param-list", "q-signature"];

/// Fields that the SDKs sign where they are there, besides all that begin with `x-cos-` and `x-ci-`.
const SIGNED_FIELDS: [&str; 17] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-length",
    "content-md5",
    "content-type",
    "expect",
    "expires",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-unmodified-since",
    "origin",
    "pic-operations",
    "range",
    "transfer-encoding",
];

impl<'a> CosClaim<'a> {
    /// Reads the value of `Authorization`, or of the parameter `sign` that stands for it.
    pub(super) fn from_text(text: &'a str, presigned: bool) -> Result<Self, Why> {
        Self::of(pieces(text).map(|(name, value)| (name.as_bytes(), value.unwrap_or_default().as_bytes())), presigned)
    }

    /// Reads the parameters of a presigned URL.
    pub(super) fn from_query(query: &'a [Parameter<'_>]) -> Result<Self, Why> {
        Self::of(query.iter().map(|parameter| (&*parameter.name, &*parameter.value)), true)
    }

    fn of(pairs: impl Iterator<Item = (&'a [u8], &'a [u8])>, presigned: bool) -> Result<Self, Why> {
        let mut parts: [Option<&'a str>; 7] = [None; 7];
        for (name, value) in pairs.filter(|(name, _)| name.starts_with(b"q-")) {
            let Some(place) = NAMES.iter().position(|known| known.as_bytes() == name) else { continue };
            let value = std::str::from_utf8(value).map_err(|_| Why::Malformed("a part of the signature is no text"))?;
            if parts[place].replace(value).is_some() {
                return Err(Why::Malformed("a part of the signature stands twice"));
            }
        }
        let part = |place: usize| parts[place].ok_or(Why::Incomplete(NAMES[place]));
        if part(0)? != "sha1" {
            return Err(Why::Malformed("q-sign-algorithm is not sha1"));
        }
        Ok(Self {
            presigned,
            access_key: part(1)?,
            sign_time: part(2)?,
            key_time: part(3)?,
            header_list: part(4)?,
            param_list: part(5)?,
            signature: part(6)?,
        })
    }
}

/// A pair that is signed: the name encoded and in lower case, the value encoded.
type Pair = (String, String);

/// A name as it is signed and listed: encoded, then in lower case, its escapes too.
pub fn folded(name: &[u8]) -> String {
    let mut text = uri_encode(name);
    text.make_ascii_lowercase();
    text
}

/// `HttpParameters` and `HttpHeaders`: pairs that are encoded and in order.
fn joined(pairs: &[Pair]) -> String {
    let mut text = String::new();
    for (number, (name, value)) in pairs.iter().enumerate() {
        // Writing to a String cannot fail.
        let _ = write!(text, "{}{name}={value}", if number > 0 { "&" } else { "" });
    }
    text
}

/// `HttpString`. `path`: decoded, with its slash.
pub fn http_string(method: &str, path: &[u8], parameters: &str, headers: &str) -> Vec<u8> {
    let mut text = method.to_ascii_lowercase().into_bytes();
    text.push(b'\n');
    text.extend_from_slice(path);
    for part in ["\n", parameters, "\n", headers, "\n"] {
        text.extend_from_slice(part.as_bytes());
    }
    text
}

/// `StringToSign`.
pub fn string_to_sign(sign_time: &str, http_string: &[u8]) -> String {
    format!("sha1\n{sign_time}\n{}\n", sha1_hex(http_string))
}

/// `SignKey`: the key of a window, whose hex text is the next step's key.
pub fn sign_key(secret: &Secret, key_time: &str) -> Zeroizing<String> {
    Zeroizing::new(hex::encode(*hmac_sha1(secret.expose().as_bytes(), key_time.as_bytes())))
}

/// `Signature`.
pub fn signature(sign_key: &str, string_to_sign: &str) -> String {
    hex::encode(*hmac_sha1(sign_key.as_bytes(), string_to_sign.as_bytes()))
}

/// Signs a request: the value of `Authorization`. All parameters are signed, and of the header fields those that the SDKs
/// sign; `host` is the first of the message's. `window`: the seconds since 1970 between which it holds.
pub fn authorize(message: &Message<'_>, credentials: &Credentials, window: (i64, i64)) -> String {
    let signed = |name: &str| SIGNED_FIELDS.contains(&name) || name.starts_with("x-cos-") || name.starts_with("x-ci-");
    let host = message.hosts.first().map(|host| ("host".to_owned(), uri_encode(host.as_bytes())));
    let fields = message.headers.iter().filter(|(name, _)| *name != "host" && signed(name.as_str()));
    let mut headers: Vec<Pair> = fields
        .map(|(name, value)| (folded(name.as_str().as_bytes()), uri_encode(value.as_bytes())))
        .chain(host)
        .collect();
    let mut parameters: Vec<Pair> =
        message.query.iter().map(|parameter| (folded(&parameter.name), uri_encode(&parameter.value))).collect();
    headers.sort();
    parameters.sort();
    let list = |pairs: &[Pair]| pairs.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";");
    let time = format!("{};{}", window.0, window.1);
    let http = http_string(message.method, &message.decoded_path(), &joined(&parameters), &joined(&headers));
    let signature = signature(&sign_key(&credentials.secret_key, &time), &string_to_sign(&time, &http));
    format!(
        "q-sign-algorithm=sha1&q-ak={}&q-sign-time={time}&q-key-time={time}&q-header-list={}&q-url-param-list={}&q-signature={signature}",
        credentials.access_key,
        list(&headers),
        list(&parameters)
    )
}

/// Signs a URL: what is to be added to its query. As [`authorize`]; lists are encoded once more, as the vendor's page has it.
pub fn presign(message: &Message<'_>, credentials: &Credentials, window: (i64, i64)) -> String {
    let mut query = String::new();
    for (name, value) in pieces(&authorize(message, credentials, window)) {
        if !query.is_empty() {
            query.push('&');
        }
        query.push_str(name);
        query.push('=');
        push_encoded(&mut query, value.unwrap_or_default().as_bytes(), false);
    }
    query
}

/// Verifies a signature.
///
/// # Errors
/// Says why it does not hold.
pub fn verify<'a>(
    message: &Message<'a>,
    claim: &CosClaim<'_>,
    keys: &[AccessKey],
    clock: &Clock,
) -> Result<Verified<'a>, Denied> {
    let denied = |why| Denied::new(Scheme::Cos, why).of(claim.access_key);
    let (place, key) = find(keys, claim.access_key, clock).map_err(denied)?;
    let expires = window(claim, clock).map_err(denied)?;
    // The Node SDK sends tokens to the processing service's hosts under another name.
    let given = ["x-cos-security-token", "x-ci-security-token"];
    let given = given.into_iter().flat_map(|name| [message.field(name), message.parameter(name)]);
    key.check_token(given).map_err(denied)?;
    let (places, parameters) = listed_parameters(message.query, claim.param_list).map_err(denied)?;
    let (fields, headers) = listed_headers(message.headers, claim.header_list).map_err(denied)?;

    let sign_key = sign_key(key.secret(), claim.key_time);
    let path = message.decoded_path();
    let mut first = None;
    let mut holds = |parameters: &str, headers: &[Pair]| {
        let http = http_string(message.method, &path, parameters, &joined(headers));
        let string = string_to_sign(claim.sign_time, &http);
        let right = Zeroizing::new(signature(&sign_key, &string));
        first.get_or_insert((string, http));
        same(right.as_bytes(), claim.signature.as_bytes())
    };
    let mut any_host = |parameters: &str| with_hosts(message, &headers).any(|headers| holds(parameters, &headers));
    let page = joined(&parameters);
    let verified = any_host(&page)
        || by_plain_names(message.query, &places).is_some_and(|order| order != page && any_host(&order));
    if verified {
        return Ok(Verified {
            scheme: Scheme::Cos,
            presigned: claim.presigned,
            key: place,
            covered: Covered { parameters: CoveredParameters::Folded(places), fields, prefix: None },
            expires,
            body: SignedBody::Unsigned,
            path: message.path,
        });
    }
    let compared = first.map(|(string, http)| {
        let provided = claim.signature.to_owned();
        Box::new(Compared { string_to_sign: string.into_bytes(), canonical_request: Some(http), provided })
    });
    Err(Denied { compared, ..denied(Why::Mismatch) })
}

/// Both windows, which are one in all SDKs, must hold.
fn window(claim: &CosClaim<'_>, clock: &Clock) -> Result<i64, Why> {
    let mut until = i64::MAX;
    for text in [claim.sign_time, claim.key_time] {
        let window = text.split_once(';').and_then(|(start, end)| Some((decimal(start)?, decimal(end)?)));
        let Some((start, end)) = window.filter(|(start, end)| start <= end) else {
            return Err(Why::Malformed("a window of time is not START;END"));
        };
        clock.begun(start)?;
        until = until.min(clock.until(end)?);
    }
    Ok(until)
}

/// The entries of a list, in lower case, sorted; each with how often it stands there.
fn entries(list: &str, most: usize) -> Result<Vec<(String, usize)>, Why> {
    let mut names: Vec<String> =
        list.split(';').filter(|name| !name.is_empty()).take(most + 1).map(str::to_ascii_lowercase).collect();
    if names.len() > most {
        return Err(Why::Malformed("a list of what is signed is too long"));
    }
    names.sort_unstable();
    let mut counted: Vec<(String, usize)> = Vec::with_capacity(names.len());
    for name in names {
        match counted.last_mut() {
            Some((last, times)) if *last == name => *times += 1,
            _ => counted.push((name, 1)),
        }
    }
    Ok(counted)
}

/// Finds the parameters that a list names: their places, and the pairs, both in their own order. A parameter that stands more
/// often than the list has it could be another than was signed.
fn listed_parameters(query: &[Parameter<'_>], list: &str) -> Result<(Vec<usize>, Vec<Pair>), Why> {
    let entries = entries(list, MOST_PARAMETERS)?;
    if entries.is_empty() {
        return Ok(Default::default());
    }
    let own = |name: &[u8]| name.starts_with(b"q-") && NAMES.iter().any(|known| known.as_bytes() == name);
    let mut known: Vec<(String, usize)> = query
        .iter()
        .enumerate()
        .filter(|(_, parameter)| !own(&parameter.name))
        .map(|(place, parameter)| (folded(&parameter.name), place))
        .collect();
    known.sort_unstable();
    let group = |name: &str| {
        let start = known.partition_point(|(known, _)| known.as_str() < name);
        let end = known.partition_point(|(known, _)| known.as_str() <= name);
        &known[start..end]
    };
    let (mut places, mut pairs) = (Vec::new(), Vec::new());
    for (entry, times) in entries {
        // In a URL a list may be encoded twice (Python, Go, the vendor's page) or once (Node): the latter leaves plain names.
        let mut found = group(&entry);
        let again;
        if found.is_empty() {
            again = folded(entry.as_bytes());
            found = group(&again);
        }
        if found.len() != times {
            return Err(Why::Missing(entry));
        }
        for (name, place) in found {
            places.push(*place);
            pairs.push((name.clone(), uri_encode(&query[*place].value)));
        }
    }
    places.sort_unstable();
    // Two entries that mean one name.
    if places.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Why::Malformed("a list of what is signed names a parameter twice"));
    }
    pairs.sort_unstable();
    Ok((places, pairs))
}

/// Finds the header fields that a list names, `host` with an empty value: see [`with_hosts`].
fn listed_headers(headers: &HeaderMap, list: &str) -> Result<(Vec<String>, Vec<Pair>), Why> {
    let (mut names, mut pairs) = (Vec::new(), Vec::new());
    for (entry, times) in entries(list, MOST_FIELDS)? {
        let name = match entry.contains('%') {
            true => String::from_utf8_lossy(&decoded(&entry)).into_owned(),
            false => entry.clone(),
        };
        let before = pairs.len();
        if name == "host" {
            pairs.push((name.clone(), String::new()));
        } else {
            let values = headers.get_all(&name).iter().take(times + 1);
            pairs.extend(values.map(|value| (folded(name.as_bytes()), uri_encode(value.as_bytes()))));
        }
        if pairs.len() - before != times {
            return Err(Why::Missing(entry));
        }
        names.push(name);
    }
    names.sort_unstable();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Why::Malformed("a list of what is signed names a field twice"));
    }
    pairs.sort_unstable();
    Ok((names, pairs))
}

/// The signed fields with each value that `host` may have had.
fn with_hosts<'p>(message: &Message<'p>, pairs: &'p [Pair]) -> impl Iterator<Item = Cow<'p, [Pair]>> {
    let host = pairs.iter().position(|(name, _)| name == "host");
    let plain = host.is_none().then_some(Cow::Borrowed(pairs));
    let hosts = host.map(|place| {
        message.hosts().map(move |host| {
            let mut pairs = pairs.to_vec();
            pairs[place].1 = uri_encode(host.as_bytes());
            Cow::Owned(pairs)
        })
    });
    plain.into_iter().chain(hosts.into_iter().flatten())
}

/// `HttpParameters` as the Node SDK has it: in the order of the names as they are, where the page's is that of encoded names.
/// Both cover the same. `None`: there is but one order.
fn by_plain_names(query: &[Parameter<'_>], places: &[usize]) -> Option<String> {
    let mut plain: Vec<_> = places.iter().map(|place| &query[*place]).collect();
    plain.sort_by_cached_key(|parameter| (parameter.name.to_ascii_lowercase(), parameter.value.clone()));
    let pairs: Vec<Pair> =
        plain.into_iter().map(|parameter| (folded(&parameter.name), uri_encode(&parameter.value))).collect();
    (places.len() > 1).then(|| joined(&pairs))
}

#[cfg(test)]
#[path = "cos_tests.rs"]
mod tests;
