//! Aliyun OSS, version 2: HMAC-SHA256 in base64 of a text like V1's, in which all parameters stand, encoded. Few use it; the
//! Python SDK oss2 can be told to.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::clock::{decimal, http_date};
use super::encode::{Empty, push_encoded, sorted_query, uri_encode};
use super::fields::canonical_fields;
use super::hash::{hmac_sha256, same};
use super::key::find;
use super::{
    AccessKey, Clock, Compared, Covered, CoveredParameters, Credentials, Denied, Message, Parameter, Scheme, Secret,
    SignedBody, Verified, Why,
};

/// A signature as it came, in a header field or in the URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OssV2Claim<'a> {
    /// The access key.
    pub access_key: &'a str,
    /// In base64.
    pub signature: &'a str,
    /// The fields that are signed besides `x-oss-*`, separated by semicolons.
    pub additional_headers: &'a str,
    /// In a URL: `x-oss-expires`, in seconds since 1970.
    pub expires: Option<&'a str>,
}

impl<'a> OssV2Claim<'a> {
    /// Reads what follows `OSS2 ` in `Authorization`.
    pub(super) fn from_text(text: &'a str) -> Result<Self, Why> {
        let [mut access_key, mut additional, mut signature] = [None; 3];
        for part in text.split(',') {
            let Some((name, value)) = part.trim().split_once(':') else {
                return Err(Why::Malformed("a part of the signature is not NAME:VALUE"));
            };
            let place = match name {
                "AccessKeyId" => &mut access_key,
                "AdditionalHeaders" => &mut additional,
                "Signature" => &mut signature,
                _ => return Err(Why::Malformed("a part of the signature is not known")),
            };
            if place.replace(value).is_some() {
                return Err(Why::Malformed("a part of the signature stands twice"));
            }
        }
        Ok(Self {
            access_key: access_key.ok_or(Why::Incomplete("AccessKeyId"))?,
            signature: signature.ok_or(Why::Incomplete("Signature"))?,
            additional_headers: additional.unwrap_or_default(),
            expires: None,
        })
    }

    /// Reads the parameters of a presigned URL.
    pub(super) fn from_query(message: &Message<'a>) -> Result<Self, Why> {
        let part = |name| message.text_of(name)?.ok_or(Why::Incomplete(name));
        let additional = message.text_of("x-oss-additional-headers")?;
        if additional == Some("") {
            // EC 0002-00000076.
            return Err(Why::Malformed("x-oss-additional-headers is empty"));
        }
        Ok(Self {
            access_key: part("x-oss-access-key-id")?,
            signature: part("x-oss-signature")?,
            additional_headers: additional.unwrap_or_default(),
            expires: Some(part("x-oss-expires")?),
        })
    }
}

/// `CanonicalizedResource`: bucket and key encoded, slashes too; then all parameters but the signature.
pub fn canonical_resource(message: &Message<'_>) -> String {
    let mut resource = String::new();
    push_encoded(&mut resource, b"/", false);
    if !message.bucket.is_empty() {
        push_encoded(&mut resource, message.bucket.as_bytes(), false);
        push_encoded(&mut resource, b"/", false);
    }
    push_encoded(&mut resource, message.key, false);
    let signed = message.query.iter().filter(|parameter| *parameter.name != *b"x-oss-signature");
    let query = sorted_query(signed.map(|parameter| (&*parameter.name, &*parameter.value, Empty::Bare)));
    if !query.is_empty() {
        resource.push('?');
        resource.push_str(&query);
    }
    resource
}

/// The string to sign. `date`: that of the header, or of a URL the second at which it expires. `additional`: names in lower
/// case, sorted. `host`: its value, for when it is among them.
pub fn string_to_sign(message: &Message<'_>, date: &[u8], additional: &[String], host: Option<&str>) -> Vec<u8> {
    let signs = |name: &str| additional.binary_search_by(|known| known.as_str().cmp(name)).is_ok();
    let mut text = message.method.as_bytes().to_vec();
    let part = |name| message.field(name).unwrap_or_default();
    for part in [part("content-md5"), part("content-type"), date] {
        text.push(b'\n');
        text.extend_from_slice(part);
    }
    text.push(b'\n');
    let host = host.filter(|_| signs("host"));
    text.extend(canonical_fields(message.headers, host, false, |name| name.starts_with("x-oss-") || signs(name)));
    text.extend_from_slice(additional.join(";").as_bytes());
    text.push(b'\n');
    text.extend_from_slice(canonical_resource(message).as_bytes());
    text
}

/// The signature in base64.
pub fn signature(secret: &Secret, string_to_sign: &[u8]) -> String {
    STANDARD.encode(*hmac_sha256(secret.expose().as_bytes(), string_to_sign))
}

/// Verifies a signature.
///
/// # Errors
/// Says why it does not hold.
pub fn verify<'a>(
    message: &Message<'a>,
    claim: &OssV2Claim<'_>,
    keys: &[AccessKey],
    clock: &Clock,
) -> Result<Verified<'a>, Denied> {
    let denied = |why| Denied::new(Scheme::OssV2, why).of(claim.access_key);
    let (date, expires) = match claim.expires {
        Some(text) => {
            let end = decimal(text).ok_or_else(|| denied(Why::Malformed("x-oss-expires is no number of seconds")))?;
            (text.as_bytes(), clock.until(end).map_err(denied)?)
        }
        None => {
            let date = message.field("date").ok_or_else(|| denied(Why::NoDate))?;
            let read = std::str::from_utf8(date).ok().and_then(http_date).ok_or_else(|| denied(Why::NoDate))?;
            (date, clock.near(read).map_err(denied)?)
        }
    };
    let (place, key) = find(keys, claim.access_key, clock).map_err(denied)?;
    key.check_token([message.field("x-oss-security-token"), message.parameter("security-token")]).map_err(denied)?;
    let additional = super::oss::additional(message, claim.additional_headers).map_err(denied)?;

    let mut first = None;
    let holds = super::oss::hosts(message, &additional).any(|host| {
        let string = string_to_sign(message, date, &additional, host);
        let right = zeroize::Zeroizing::new(signature(key.secret(), &string));
        first.get_or_insert(string);
        same(right.as_bytes(), claim.signature.as_bytes())
    });
    if !holds {
        let provided = claim.signature.to_owned();
        let compared =
            first.map(|string| Box::new(Compared { string_to_sign: string, canonical_request: None, provided }));
        return Err(Denied { compared, ..denied(Why::Mismatch) });
    }
    let presigned = claim.expires.is_some();
    let date = (!presigned).then_some("date");
    Ok(Verified {
        scheme: Scheme::OssV2,
        presigned,
        key: place,
        covered: Covered {
            parameters: CoveredParameters::All,
            fields: super::oss::covered(additional, date),
            prefix: Some("x-oss-"),
        },
        expires,
        body: SignedBody::Unsigned,
        path: message.path,
    })
}

/// Signs a request, whose fields must have a `Date`: the value of `Authorization`. `additional`: the fields to be signed
/// besides `x-oss-*`, of those that are there.
pub fn authorize(message: &Message<'_>, credentials: &Credentials, additional: &[&str]) -> String {
    let additional = super::oss::present(message, additional);
    let date = message.field("date").unwrap_or_default();
    let string = string_to_sign(message, date, &additional, message.hosts.first().copied());
    let signature = signature(&credentials.secret_key, &string);
    let named =
        if additional.is_empty() { String::new() } else { format!("AdditionalHeaders:{},", additional.join(";")) };
    format!("OSS2 AccessKeyId:{},{named}Signature:{signature}", credentials.access_key)
}

/// Signs a URL that holds until `expires`, in seconds since 1970: the message's parameters and those of the signature, as one
/// query. `additional`: as for [`authorize`].
pub fn presign(message: &Message<'_>, credentials: &Credentials, expires: i64, additional: &[&str]) -> String {
    let additional = super::oss::present(message, additional);
    let expires = expires.to_string();
    let mut query = message.query.to_vec();
    let mut add = |name: &'static str, value: &str| {
        query.push(Parameter { name: name.as_bytes().into(), value: value.as_bytes().to_vec().into(), equals: true });
    };
    add("x-oss-signature-version", "OSS2");
    add("x-oss-expires", &expires);
    add("x-oss-access-key-id", &credentials.access_key);
    if !additional.is_empty() {
        add("x-oss-additional-headers", &additional.join(";"));
    }
    let message = Message { query: &query, ..*message };
    let string = string_to_sign(&message, expires.as_bytes(), &additional, message.hosts.first().copied());
    let signature = uri_encode(signature(&credentials.secret_key, &string).as_bytes());
    let query = query.iter().map(|parameter| (&*parameter.name, &*parameter.value, Empty::Bare));
    format!("{}&x-oss-signature={signature}", sorted_query(query))
}

#[cfg(test)]
#[path = "oss_v2_tests.rs"]
mod tests;
