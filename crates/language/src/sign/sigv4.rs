//! AWS Signature Version 4 for S3 ("Authenticating Requests: Using the Authorization Header", "... Using Query
//! Parameters"). Each step is a function; [`authorize`] and [`presign`] put them together.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::macros::format_description;

use super::encode::uri_encode;
use super::{Credentials, Secret};

/// The only algorithm there is.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The SHA-256 of nothing, in hex.
pub const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// What the signature says about the body; its text goes into `x-amz-content-sha256`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// The body is not covered.
    Unsigned,
    /// There is no body.
    Empty,
    /// The body's SHA-256 in lower-case hex, or another value that the protocol knows (a streaming mode).
    Hash(String),
}

/// The parts of a request that are signed.
#[derive(Debug, Clone, Copy)]
pub struct SignableRequest<'a> {
    /// In capitals.
    pub method: &'a str,
    /// The path, encoded once as [`super::encode::path_encode`] does: S3, alone among the services, does not encode twice.
    pub path: &'a str,
    /// Decoded names and values, in any order.
    pub query: &'a [(Vec<u8>, Vec<u8>)],
    /// Names in any case, values as sent; must hold `host`. All of them are signed.
    pub headers: &'a [(String, String)],
    /// What is said about the body.
    pub payload: &'a Payload,
}

/// Whose signature, for where and when.
#[derive(Debug, Clone, Copy)]
pub struct Signer<'a> {
    /// The key pair.
    pub credentials: &'a Credentials,
    /// The region, `us-east-1` for stores that have none.
    pub region: &'a str,
    /// Seconds since 1970.
    pub now: i64,
}

impl Payload {
    /// The hash of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        if bytes.is_empty() { Self::Empty } else { Self::Hash(sha256_hex(bytes)) }
    }

    /// The value of `x-amz-content-sha256` and the last line of the canonical request.
    pub fn text(&self) -> &str {
        match self {
            Self::Unsigned => "UNSIGNED-PAYLOAD",
            Self::Empty => EMPTY_SHA256,
            Self::Hash(text) => text,
        }
    }
}

/// The value of `Authorization`. `request.headers` must hold `host`, `x-amz-date` (see [`amz_date`]) and
/// `x-amz-content-sha256`.
pub fn authorize(request: &SignableRequest<'_>, signer: &Signer<'_>) -> String {
    let (headers, names) = canonical_headers(request.headers);
    let canonical = canonical_request(request, &canonical_query(request.query), &headers, &names);
    let date = amz_date(signer.now);
    let scope = scope(&date, signer.region);
    let signature = signature(
        &signing_key(&signer.credentials.secret_key, &date, signer.region, "s3"),
        &string_to_sign(&date, &scope, &canonical),
    );
    format!(
        "{ALGORITHM} Credential={}/{scope},SignedHeaders={names},Signature={signature}",
        signer.credentials.access_key
    )
}

/// The whole query of a URL that is valid for `expires` seconds (1 to 604800), the request's own parameters included.
/// `request.payload` is [`Payload::Unsigned`] and `request.headers` is usually `host` alone.
pub fn presign(request: &SignableRequest<'_>, signer: &Signer<'_>, expires: u32) -> String {
    let (headers, names) = canonical_headers(request.headers);
    let date = amz_date(signer.now);
    let scope = scope(&date, signer.region);
    let mut pairs = request.query.to_vec();
    for (name, value) in [
        ("X-Amz-Algorithm", ALGORITHM.to_owned()),
        ("X-Amz-Credential", format!("{}/{scope}", signer.credentials.access_key)),
        ("X-Amz-Date", date.clone()),
        ("X-Amz-Expires", expires.to_string()),
        ("X-Amz-SignedHeaders", names.clone()),
    ] {
        pairs.push((name.into(), value.into()));
    }
    let query = canonical_query(&pairs);
    let canonical = canonical_request(request, &query, &headers, &names);
    let signature = signature(
        &signing_key(&signer.credentials.secret_key, &date, signer.region, "s3"),
        &string_to_sign(&date, &scope, &canonical),
    );
    format!("{query}&X-Amz-Signature={signature}")
}

/// `20130524T000000Z`. A time that no calendar holds becomes 1970: the store then refuses the request as too old.
pub fn amz_date(unix: i64) -> String {
    OffsetDateTime::from_unix_timestamp(unix)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
        .format(format_description!("[year][month][day]T[hour][minute][second]Z"))
        .unwrap_or_default()
}

/// `20130524/us-east-1/s3/aws4_request`
pub fn scope(amz_date: &str, region: &str) -> String {
    format!("{}/{region}/s3/aws4_request", day(amz_date))
}

fn day(amz_date: &str) -> &str {
    amz_date.get(..8).unwrap_or(amz_date)
}

/// Encoded, then sorted by name and value, always with `=`.
pub fn canonical_query(pairs: &[(Vec<u8>, Vec<u8>)]) -> String {
    let mut encoded: Vec<_> = pairs.iter().map(|(name, value)| (uri_encode(name), uri_encode(value))).collect();
    encoded.sort();
    let pieces: Vec<_> = encoded.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pieces.join("&")
}

/// The block of canonical headers (each line ended) and the list of their names. Values are trimmed and their runs of
/// spaces become one; headers that occur more than once are joined with commas in the order of their coming.
pub fn canonical_headers(headers: &[(String, String)]) -> (String, String) {
    let mut sorted: Vec<(String, String)> = headers
        .iter()
        .map(|(name, value)| {
            (
                name.to_ascii_lowercase(),
                value.split([' ', '\t']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" "),
            )
        })
        .collect();
    // Stable: equal names stay in their order.
    sorted.sort_by(|a, b| a.0.cmp(&b.0));
    let mut merged: Vec<(String, String)> = Vec::with_capacity(sorted.len());
    for (name, value) in sorted {
        match merged.last_mut() {
            Some(last) if last.0 == name => {
                last.1.push(',');
                last.1.push_str(&value);
            }
            _ => merged.push((name, value)),
        }
    }
    let block = merged.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let names: Vec<_> = merged.into_iter().map(|(name, _)| name).collect();
    (block, names.join(";"))
}

/// The canonical request of the parts.
pub fn canonical_request(request: &SignableRequest<'_>, query: &str, headers: &str, signed_names: &str) -> String {
    // CanonicalHeaders ends with a newline of its own, hence the empty line before SignedHeaders.
    format!("{}\n{}\n{query}\n{headers}\n{signed_names}\n{}", request.method, request.path, request.payload.text())
}

/// The string to sign.
pub fn string_to_sign(amz_date: &str, scope: &str, canonical_request: &str) -> String {
    format!("{ALGORITHM}\n{amz_date}\n{scope}\n{}", sha256_hex(canonical_request.as_bytes()))
}

/// The key of one day, region and service.
pub fn signing_key(secret: &Secret, amz_date: &str, region: &str, service: &str) -> zeroize::Zeroizing<Vec<u8>> {
    let start = zeroize::Zeroizing::new(format!("AWS4{}", secret.expose()));
    let mut key = hmac_sha256(start.as_bytes(), day(amz_date).as_bytes());
    for part in [region, service, "aws4_request"] {
        key = hmac_sha256(&key, part.as_bytes());
    }
    key
}

/// The signature in hex.
pub fn signature(signing_key: &[u8], string_to_sign: &str) -> String {
    hex::encode(hmac_sha256(signing_key, string_to_sign.as_bytes()).as_slice())
}

fn hmac_sha256(key: &[u8], message: &[u8]) -> zeroize::Zeroizing<Vec<u8>> {
    // HMAC takes keys of any length; the error type is that of block ciphers.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return zeroize::Zeroizing::default() };
    mac.update(message);
    zeroize::Zeroizing::new(mac.finalize().into_bytes().to_vec())
}

fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
#[path = "sigv4_tests.rs"]
mod tests;
