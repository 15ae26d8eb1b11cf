//! Aliyun OSS, version 4: `OSS4-HMAC-SHA256` ("V4 signatures in headers", "V4 signatures in presigned URLs"). All parameters
//! and all `x-oss-*` fields are signed, and who else is named; a signature is for one day and region.

use super::clock::{decimal, iso_basic};
use super::encode::{Empty, push_encoded, sorted_query};
use super::fields::canonical_fields;
use super::hash::{same, sha256_hex};
use super::key::find;
use super::scoped::{ScopedKey, parts, signature};
use super::{
    AccessKey, Clock, Compared, Covered, CoveredParameters, Credentials, Denied, Message, Scheme, SignedBody, Verified,
    Why,
};

/// What `Authorization` begins with.
pub const ALGORITHM: &str = "OSS4-HMAC-SHA256";

/// What stands for the hash of a body that is not signed.
pub const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// The longest that a URL holds, in seconds: seven days.
pub const LONGEST: i64 = 604_800;

/// The last part of a scope.
const END: &str = "aliyun_v4_request";

/// A signature as it came, in a header field or in the URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OssV4Claim<'a> {
    /// Access key, day, region and product.
    pub credential: ScopedKey<'a>,
    /// In hex.
    pub signature: &'a str,
    /// The fields that are signed besides, separated by semicolons.
    pub additional_headers: &'a str,
    /// `x-oss-date`
    pub date: &'a str,
    /// In a URL: `x-oss-expires`, in seconds from `x-oss-date` on.
    pub expires: Option<&'a str>,
}

impl<'a> OssV4Claim<'a> {
    /// Reads what follows the algorithm in `Authorization`. The SDKs write the parts in two orders, with blanks or without.
    pub(super) fn from_text(message: &Message<'a>, text: &'a str) -> Result<Self, Why> {
        let [credential, additional, signature] = parts(text, ["Credential", "AdditionalHeaders", "Signature"])?;
        let date = message.field("x-oss-date").and_then(|date| std::str::from_utf8(date).ok()).ok_or(Why::NoDate)?;
        Ok(Self {
            credential: ScopedKey::read(credential.ok_or(Why::Incomplete("Credential"))?, END)?,
            signature: signature.ok_or(Why::Incomplete("Signature"))?,
            additional_headers: additional.unwrap_or_default(),
            date,
            expires: None,
        })
    }

    /// Reads the parameters of a presigned URL.
    pub(super) fn from_query(message: &Message<'a>) -> Result<Self, Why> {
        let part = |name| message.text_of(name)?.ok_or(Why::Incomplete(name));
        Ok(Self {
            credential: ScopedKey::read(part("x-oss-credential")?, END)?,
            signature: part("x-oss-signature")?,
            additional_headers: message.text_of("x-oss-additional-headers")?.unwrap_or_default(),
            date: part("x-oss-date")?,
            expires: Some(part("x-oss-expires")?),
        })
    }
}

/// `CanonicalURI`: bucket and key, whatever the URL's host.
pub fn canonical_uri(bucket: &str, key: &[u8]) -> String {
    let mut uri = String::from("/");
    if !bucket.is_empty() {
        push_encoded(&mut uri, bucket.as_bytes(), true);
        uri.push('/');
    }
    push_encoded(&mut uri, key, true);
    uri
}

/// The canonical request. `additional`: names in lower case, sorted; `host`: its value, for when it is among them; `as_sent`:
/// whether an empty value that came with `=` keeps it, as ali-oss has it, which differs from all others.
pub fn canonical_request(message: &Message<'_>, additional: &[String], host: Option<&str>, as_sent: bool) -> Vec<u8> {
    let signs = |name: &str| additional.binary_search_by(|known| known.as_str().cmp(name)).is_ok();
    let signed = message.query.iter().filter(|parameter| *parameter.name != *b"x-oss-signature");
    let query = sorted_query(signed.map(|parameter| {
        let empty = if as_sent && parameter.equals { Empty::Equals } else { Empty::Bare };
        (&*parameter.name, &*parameter.value, empty)
    }));
    let mut text =
        format!("{}\n{}\n{query}\n", message.method, canonical_uri(message.bucket, message.key)).into_bytes();
    let host = host.filter(|_| signs("host"));
    text.extend(canonical_fields(message.headers, host, false, |name| {
        super::oss::is_signed_anyway(name) || signs(name)
    }));
    text.push(b'\n');
    text.extend_from_slice(additional.join(";").as_bytes());
    text.push(b'\n');
    text.extend_from_slice(message.field("x-oss-content-sha256").unwrap_or(UNSIGNED.as_bytes()));
    text
}

/// The string to sign.
pub fn string_to_sign(date: &str, scope: &str, canonical_request: &[u8]) -> String {
    format!("{ALGORITHM}\n{date}\n{scope}\n{}", sha256_hex(canonical_request))
}

/// Verifies a signature.
///
/// # Errors
/// Says why it does not hold.
pub fn verify<'a>(
    message: &Message<'a>,
    claim: &OssV4Claim<'_>,
    keys: &[AccessKey],
    clock: &Clock,
) -> Result<Verified<'a>, Denied> {
    let denied = |why| Denied::new(Scheme::OssV4, why).of(claim.credential.access_key);
    let expires = expires(claim, clock).map_err(denied)?;
    // Sites write their region as endpoints do, or as scopes do.
    let region = message.region.strip_prefix("oss-").unwrap_or(message.region);
    claim.credential.check(claim.date, region, "oss").map_err(denied)?;
    let (place, key) = find(keys, claim.credential.access_key, clock).map_err(denied)?;
    key.check_token([message.field("x-oss-security-token"), message.parameter("x-oss-security-token")])
        .map_err(denied)?;
    let additional = super::oss::additional(message, claim.additional_headers).map_err(denied)?;
    let body = body(message).map_err(denied)?;

    let signing_key = claim.credential.signing_key("aliyun_v4", key.secret(), END);
    let scope = claim.credential.scope(END);
    let mut first = None;
    let empty_with_equals = message.query.iter().any(|parameter| parameter.value.is_empty() && parameter.equals);
    let spellings = [false, true].into_iter().take(1 + usize::from(empty_with_equals));
    let holds = spellings.into_iter().any(|as_sent| {
        super::oss::hosts(message, &additional).any(|host| {
            let canonical = canonical_request(message, &additional, host, as_sent);
            let string = string_to_sign(claim.date, &scope, &canonical);
            let right = zeroize::Zeroizing::new(signature(&signing_key, &string));
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
    Ok(Verified {
        scheme: Scheme::OssV4,
        presigned: claim.expires.is_some(),
        key: place,
        covered: Covered {
            parameters: CoveredParameters::All,
            fields: super::oss::covered(additional, None),
            prefix: Some("x-oss-"),
        },
        expires,
        body,
        path: message.path,
    })
}

fn expires(claim: &OssV4Claim<'_>, clock: &Clock) -> Result<i64, Why> {
    let date = iso_basic(claim.date).ok_or(Why::NoDate)?;
    let Some(text) = claim.expires else { return clock.near(date) };
    let seconds = decimal(text).filter(|seconds| (1..=LONGEST).contains(seconds));
    let seconds = seconds.ok_or(Why::Malformed("x-oss-expires is not between 1 and 604800 seconds"))?;
    clock.begun(date)?;
    clock.until(date.saturating_add(seconds))
}

fn body(message: &Message<'_>) -> Result<SignedBody, Why> {
    match message.field("x-oss-content-sha256") {
        None => Ok(SignedBody::Unsigned),
        Some(text) if text == UNSIGNED.as_bytes() => Ok(SignedBody::Unsigned),
        Some(text) => SignedBody::hash(text).ok_or(Why::Malformed("x-oss-content-sha256 is no hash")),
    }
}

/// Signs a request, whose fields must have `x-oss-date` and `x-oss-content-sha256`: the value of `Authorization`. `additional`:
/// the fields to be signed besides, of those that are there.
pub fn authorize(message: &Message<'_>, credentials: &Credentials, additional: &[&str]) -> String {
    let additional = super::oss::present(message, additional);
    let date = message.field("x-oss-date").and_then(|date| std::str::from_utf8(date).ok()).unwrap_or_default();
    let (credential, signature) = sign(message, credentials, date, &additional);
    let named =
        if additional.is_empty() { String::new() } else { format!("AdditionalHeaders={},", additional.join(";")) };
    format!("{ALGORITHM} Credential={credential},{named}Signature={signature}")
}

/// Signs a URL that holds for `expires` seconds (1 to 604800) from `now` on: the message's parameters and those of the
/// signature, as one query.
pub fn presign(
    message: &Message<'_>,
    credentials: &Credentials,
    now: i64,
    expires: u32,
    additional: &[&str],
) -> String {
    use super::Parameter;
    let additional = super::oss::present(message, additional);
    let date = super::sigv4::amz_date(now);
    let scoped = ScopedKey::of(credentials, &date, message.region, "oss");
    let mut query = message.query.to_vec();
    let mut add = |name: &'static str, value: String| {
        query.push(Parameter { name: name.as_bytes().into(), value: value.into_bytes().into(), equals: true });
    };
    add("x-oss-signature-version", ALGORITHM.to_owned());
    add("x-oss-credential", format!("{}/{}", credentials.access_key, scoped.scope(END)));
    add("x-oss-date", date.clone());
    add("x-oss-expires", expires.to_string());
    if !additional.is_empty() {
        add("x-oss-additional-headers", additional.join(";"));
    }
    let message = Message { query: &query, ..*message };
    let (_, signature) = sign(&message, credentials, &date, &additional);
    let query = query.iter().map(|parameter| (&*parameter.name, &*parameter.value, Empty::Bare));
    format!("{}&x-oss-signature={signature}", sorted_query(query))
}

/// What is named as the credential, and the signature.
fn sign(message: &Message<'_>, credentials: &Credentials, date: &str, additional: &[String]) -> (String, String) {
    let scoped = ScopedKey::of(credentials, date, message.region, "oss");
    let scope = scoped.scope(END);
    let canonical = canonical_request(message, additional, message.hosts.first().copied(), false);
    let string = string_to_sign(date, &scope, &canonical);
    let key = scoped.signing_key("aliyun_v4", &credentials.secret_key, END);
    (format!("{}/{scope}", credentials.access_key), signature(&key, &string))
}

#[cfg(test)]
#[path = "oss_v4_tests.rs"]
mod tests;
