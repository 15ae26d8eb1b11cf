//! The other way: what a request has signed.

use zeroize::Zeroizing;

use super::super::chunks::ChunkChain;
use super::super::clock::{decimal, http_date, iso_basic};
use super::super::encode::{Empty, path_encode, sorted_query};
use super::super::fields::{canonical_fields, listed};
use super::super::hash::same;
use super::super::key::find;
use super::super::scoped::{ScopedKey, parts, signature};
use super::super::{
    AccessKey, Clock, Compared, Covered, CoveredParameters, Denied, Message, Scheme, SignedBody, Verified, Why,
};
use super::{amz_date, string_to_sign};

/// The longest that a URL holds, in seconds: seven days.
pub const LONGEST: i64 = 604_800;

/// The last part of a scope.
const END: &str = "aws4_request";

/// A signature as it came, in a header field or in the URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigV4Claim<'a> {
    /// Access key, day, region and service.
    pub credential: ScopedKey<'a>,
    /// The fields that are signed, separated by semicolons.
    pub signed_headers: &'a str,
    /// In hex.
    pub signature: &'a str,
    /// As in `20130524T000000Z`.
    pub date: String,
    /// In a URL: `X-Amz-Expires`, in seconds from the date on.
    pub expires: Option<&'a str>,
    /// What is said of the body: `x-amz-content-sha256`, or what stands for it in a URL.
    pub payload: &'a str,
}

impl<'a> SigV4Claim<'a> {
    /// Reads what follows the algorithm in `Authorization`.
    pub(in super::super) fn from_text(message: &Message<'a>, text: &'a str) -> Result<Self, Why> {
        let [credential, signed_headers, signature] = parts(text, ["Credential", "SignedHeaders", "Signature"])?;
        Ok(Self {
            credential: ScopedKey::read(credential.ok_or(Why::Incomplete("Credential"))?, END)?,
            signed_headers: signed_headers.ok_or(Why::Incomplete("SignedHeaders"))?,
            signature: signature.ok_or(Why::Incomplete("Signature"))?,
            date: header_date(message).ok_or(Why::NoDate)?,
            expires: None,
            payload: hash_field(message)?.ok_or(Why::Incomplete("x-amz-content-sha256"))?,
        })
    }

    /// Reads the parameters of a presigned URL.
    pub(in super::super) fn from_query(message: &Message<'a>) -> Result<Self, Why> {
        let part = |name| message.text_of(name)?.ok_or(Why::Incomplete(name));
        if part("X-Amz-Algorithm")? != super::ALGORITHM {
            return Err(Why::Malformed("X-Amz-Algorithm is not AWS4-HMAC-SHA256"));
        }
        let payload = match hash_field(message)? {
            Some(text) => text,
            None => message.text_of("X-Amz-Content-Sha256")?.unwrap_or("UNSIGNED-PAYLOAD"),
        };
        Ok(Self {
            credential: ScopedKey::read(part("X-Amz-Credential")?, END)?,
            signed_headers: part("X-Amz-SignedHeaders")?,
            signature: part("X-Amz-Signature")?,
            date: part("X-Amz-Date")?.to_owned(),
            expires: Some(part("X-Amz-Expires")?),
            payload,
        })
    }
}

/// `x-amz-date`, else `Date` in the other spelling.
fn header_date(message: &Message<'_>) -> Option<String> {
    let text = |name| message.field(name).map(|date| std::str::from_utf8(date).ok());
    match text("x-amz-date") {
        Some(date) => date.map(str::to_owned),
        None => http_date(text("date")??).map(amz_date),
    }
}

fn hash_field<'a>(message: &Message<'a>) -> Result<Option<&'a str>, Why> {
    let field = message.field("x-amz-content-sha256").map(std::str::from_utf8).transpose();
    field.map_err(|_| Why::Malformed("x-amz-content-sha256 is no text"))
}

/// The canonical request of what came. `path`: encoded once; `names`: in lower case, sorted; `host`: the value of that field.
pub fn canonical_of(message: &Message<'_>, path: &str, names: &[String], host: &str, payload: &str) -> Vec<u8> {
    let signed = message.query.iter().filter(|parameter| *parameter.name != *b"X-Amz-Signature");
    let query = sorted_query(signed.map(|parameter| (&*parameter.name, &*parameter.value, Empty::Equals)));
    let mut text = format!("{}\n{path}\n{query}\n", message.method).into_bytes();
    let signs = |name: &str| names.binary_search_by(|known| known.as_str().cmp(name)).is_ok();
    text.extend(canonical_fields(message.headers, Some(host), true, signs));
    text.extend_from_slice(format!("\n{}\n{payload}", names.join(";")).as_bytes());
    text
}

/// Verifies a signature. Of a body that comes in chunks it says how these are signed; whoever reads it verifies them.
///
/// # Errors
/// Says why it does not hold.
pub fn verify<'a>(
    message: &Message<'a>,
    claim: &SigV4Claim<'_>,
    keys: &[AccessKey],
    clock: &Clock,
) -> Result<Verified<'a>, Denied> {
    let denied = |why| Denied::new(Scheme::SigV4, why).of(claim.credential.access_key);
    let expires = expires(claim, clock).map_err(denied)?;
    claim.credential.check(&claim.date, message.region, "s3").map_err(denied)?;
    let (place, key) = find(keys, claim.credential.access_key, clock).map_err(denied)?;
    key.check_token([message.field("x-amz-security-token"), message.parameter("X-Amz-Security-Token")])
        .map_err(denied)?;
    let mut names = signed_names(message, claim).map_err(denied)?;

    let signing_key = claim.credential.signing_key("AWS4", key.secret(), END);
    let scope = claim.credential.scope(END);
    // S3 encodes the decoded path again. A client that writes it otherwise (`%2F` in a key) may have signed what it wrote; both
    // are encoded, so that neither can stand for another key.
    let again = path_encode(&message.decoded_path());
    let as_sent = (again != message.path).then_some(message.path);
    let mut first = None;
    let holds = std::iter::once(again.as_str()).chain(as_sent).any(|path| {
        message.hosts().any(|host| {
            let canonical = canonical_of(message, path, &names, host, claim.payload);
            let string = string_to_sign(&claim.date, &scope, &canonical);
            let right = Zeroizing::new(signature(&signing_key, &string));
            first.get_or_insert((string, canonical));
            same(right.as_bytes(), claim.signature.as_bytes())
        })
    });
    if !holds {
        let compared = first.map(|(string, canonical)| {
            let provided = claim.signature.to_owned();
            Box::new(Compared { string_to_sign: string.into_bytes(), canonical_request: Some(canonical), provided })
        });
        return Err(Denied { compared, ..denied(Why::Mismatch) });
    }
    let body = match claim.payload {
        "UNSIGNED-PAYLOAD" => SignedBody::Unsigned,
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => SignedBody::UnsignedChunks,
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" | "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => {
            let trailer = claim.payload.ends_with("-TRAILER");
            let chain = ChunkChain::new(signing_key, &claim.date, &scope, claim.signature, trailer);
            SignedBody::Chunks(Box::new(chain))
        }
        text => {
            let unknown = || denied(Why::Malformed("x-amz-content-sha256 is neither a hash nor a known word"));
            SignedBody::hash(text.as_bytes()).ok_or_else(unknown)?
        }
    };
    if message.headers.contains_key("x-amz-content-sha256") {
        names.push("x-amz-content-sha256".to_owned());
        names.sort_unstable();
        names.dedup();
    }
    Ok(Verified {
        scheme: Scheme::SigV4,
        presigned: claim.expires.is_some(),
        key: place,
        covered: Covered { parameters: CoveredParameters::All, fields: names, prefix: None },
        expires,
        body,
        path: message.path,
    })
}

fn expires(claim: &SigV4Claim<'_>, clock: &Clock) -> Result<i64, Why> {
    let date = iso_basic(&claim.date).ok_or(Why::NoDate)?;
    let Some(text) = claim.expires else { return clock.near(date) };
    let seconds = decimal(text).filter(|seconds| (1..=LONGEST).contains(seconds));
    let seconds = seconds.ok_or(Why::Malformed("X-Amz-Expires is not between 1 and 604800 seconds"))?;
    clock.begun(date)?;
    clock.until(date.saturating_add(seconds))
}

/// Reads the list of signed fields: all must be there, and `host` and all `x-amz-*` that are there must be among them, as S3
/// has it. Not the hash of the body, which is signed in its own place, nor what CloudFront adds on its way.
fn signed_names(message: &Message<'_>, claim: &SigV4Claim<'_>) -> Result<Vec<String>, Why> {
    let names = listed(claim.signed_headers).ok_or(Why::Malformed("SignedHeaders is too long or names one twice"))?;
    let signs = |name: &str| names.binary_search_by(|known| known.as_str().cmp(name)).is_ok();
    if !signs("host") {
        return Err(Why::NotSigned("host".to_owned()));
    }
    if let Some(name) = names.iter().find(|name| *name != "host" && !message.headers.contains_key(*name)) {
        return Err(Why::Missing(name.clone()));
    }
    let free = ["x-amz-content-sha256", "x-amz-cf-id"];
    let unsigned = message.headers.keys().map(http::HeaderName::as_str);
    let mut unsigned = unsigned.filter(|name| name.starts_with("x-amz-") && !free.contains(name) && !signs(name));
    unsigned.next().map_or(Ok(()), |name| Err(Why::NotSigned(name.to_owned())))?;
    Ok(names)
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
