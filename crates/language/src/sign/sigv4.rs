//! AWS Signature Version 4 for S3 ("Authenticating Requests: Using the Authorization Header", "... Using Query
//! Parameters"). Each step is a function; [`authorize`] and [`presign`] put them together, [`verify`] takes apart what came.

use time::OffsetDateTime;
use time::macros::format_description;
use zeroize::Zeroizing;

use super::encode::{Empty, sorted_query};
use super::hash::{hmac_sha256, sha256_hex};
use super::scoped::ScopedKey;
use super::{Credentials, Secret};

mod verify;

pub use super::hash::EMPTY_SHA256;
pub use verify::{LONGEST, SigV4Claim, canonical_of, verify};

/// The only algorithm there is.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";

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
        &*signing_key(&signer.credentials.secret_key, &date, signer.region, "s3"),
        &string_to_sign(&date, &scope, canonical.as_bytes()),
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
        &*signing_key(&signer.credentials.secret_key, &date, signer.region, "s3"),
        &string_to_sign(&date, &scope, canonical.as_bytes()),
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
    sorted_query(pairs.iter().map(|(name, value)| (name.as_slice(), value.as_slice(), Empty::Equals)))
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
pub fn string_to_sign(amz_date: &str, scope: &str, canonical_request: &[u8]) -> String {
    format!("{ALGORITHM}\n{amz_date}\n{scope}\n{}", sha256_hex(canonical_request))
}

/// The key of one day, region and service.
pub fn signing_key(secret: &Secret, amz_date: &str, region: &str, service: &str) -> Zeroizing<[u8; 32]> {
    let scope = ScopedKey { access_key: "", day: day(amz_date), region, service };
    scope.signing_key("AWS4", secret, "aws4_request")
}

/// The signature in hex.
pub fn signature(signing_key: &[u8], string_to_sign: &str) -> String {
    hex::encode(*hmac_sha256(signing_key, string_to_sign.as_bytes()))
}

#[cfg(test)]
#[path = "sigv4_tests.rs"]
mod tests;
