//! Aliyun OSS, version 1: HMAC-SHA1 in base64 ("Add a signature to the header", "Add signatures to a URL"). Of the query only
//! what is known as a sub-resource is signed. The parts of the resource are not kept apart from each other in what is
//! signed (`?` and `&` may stand in a key or a value as well), which is the vendor's to answer for: V4 keeps them apart.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::clock::{decimal, http_date};
use super::fields::canonical_fields;
use super::hash::{hmac_sha1, same};
use super::key::find;
use super::{
    AccessKey, Clock, Compared, Covered, CoveredParameters, Credentials, Denied, Message, Parameter, Scheme, Secret,
    SignedBody, Verified, Why,
};

/// A signature as it came, in a header field or in the URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OssV1Claim<'a> {
    /// The access key.
    pub access_key: &'a str,
    /// In base64.
    pub signature: &'a str,
    /// In a URL: `Expires`, in seconds since 1970.
    pub expires: Option<&'a str>,
}

/// What is signed of a query where it is there, in order: the vendor's list and those of the SDKs.
const SUBRESOURCES: [&str; 89] = [
    "accessPoint",
    "accessPointPolicy",
    "acl",
    "append",
    "asyncFetch",
    "bucketArchiveDirectRead",
    "bucketInfo",
    "callback",
    "callback-var",
    "cloudboxes",
    "cname",
    "comp",
    "continuation-token",
    "cors",
    "delete",
    "encryption",
    "endTime",
    "group",
    "httpsConfig",
    "img",
    "inventory",
    "inventoryId",
    "lifecycle",
    "link",
    "live",
    "location",
    "logging",
    "metaQuery",
    "objectInfo",
    "objectMeta",
    "partNumber",
    "policy",
    "position",
    "processConfiguration",
    "publicAccessBlock",
    "qos",
    "qosInfo",
    "qosRequester",
    "redundancyTransition",
    "referer",
    "regionList",
    "replication",
    "replicationLocation",
    "replicationProgress",
    "requestPayment",
    "requesterQosInfo",
    "resourceGroup",
    "resourcePool",
    "resourcePoolBuckets",
    "resourcePoolInfo",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "security-token",
    "sequential",
    "startTime",
    "stat",
    "status",
    "style",
    "styleName",
    "symlink",
    "tagging",
    "transferAcceleration",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "vod",
    "website",
    "worm",
    "wormExtend",
    "wormId",
    "x-oss-ac-forward-allow",
    "x-oss-ac-source-ip",
    "x-oss-ac-subnet-mask",
    "x-oss-ac-vpc-id",
    "x-oss-access-point-name",
    "x-oss-async-process",
    "x-oss-process",
    "x-oss-redundancy-transition-taskid",
    "x-oss-request-payer",
    "x-oss-target-redundancy-type",
    "x-oss-traffic-limit",
    "x-oss-write-get-object-response",
];

impl<'a> OssV1Claim<'a> {
    /// Reads what follows `OSS ` in `Authorization`.
    pub(super) fn from_text(text: &'a str) -> Result<Self, Why> {
        match text.trim().split_once(':') {
            Some((access_key, signature)) if !access_key.is_empty() && !signature.is_empty() => {
                Ok(Self { access_key, signature, expires: None })
            }
            _ => Err(Why::Malformed("the signature is not ACCESSKEYID:SIGNATURE")),
        }
    }

    /// Reads the parameters of a presigned URL, of each the first.
    pub(super) fn from_query(message: &Message<'a>) -> Result<Self, Why> {
        let part = |name: &'static str| {
            let value = message.parameter(name).ok_or(Why::Incomplete(name))?;
            std::str::from_utf8(value).map_err(|_| Why::Malformed("a part of the signature is no text"))
        };
        Ok(Self { access_key: part("OSSAccessKeyId")?, signature: part("Signature")?, expires: Some(part("Expires")?) })
    }
}

/// Whether V1 signs a parameter of this name.
pub fn is_subresource(name: &[u8]) -> bool {
    SUBRESOURCES.binary_search_by(|known| known.as_bytes().cmp(name)).is_ok()
}

/// `CanonicalizedResource`: bucket and key as they are, then the sub-resources. All of one name are signed, so that none can
/// be added to one that was.
pub fn canonical_resource(bucket: &str, key: &[u8], query: &[Parameter<'_>]) -> Vec<u8> {
    let mut resource = b"/".to_vec();
    if !bucket.is_empty() {
        resource.extend_from_slice(bucket.as_bytes());
        resource.push(b'/');
    }
    resource.extend_from_slice(key);
    let mut signed: Vec<_> = query.iter().filter(|parameter| is_subresource(&parameter.name)).collect();
    signed.sort_by(|a, b| (&a.name, &a.value).cmp(&(&b.name, &b.value)));
    for (number, parameter) in signed.into_iter().enumerate() {
        resource.push(if number == 0 { b'?' } else { b'&' });
        resource.extend_from_slice(&parameter.name);
        if !parameter.value.is_empty() {
            resource.push(b'=');
            resource.extend_from_slice(&parameter.value);
        }
    }
    resource
}

/// The string to sign. `date`: that of the header, or of a URL the second at which it expires.
pub fn string_to_sign(message: &Message<'_>, date: &[u8]) -> Vec<u8> {
    let mut text = message.method.as_bytes().to_vec();
    let part = |name| message.field(name).unwrap_or_default();
    for part in [part("content-md5"), part("content-type"), date] {
        text.push(b'\n');
        text.extend_from_slice(part);
    }
    text.push(b'\n');
    text.extend(canonical_fields(message.headers, None, false, |name| name.starts_with("x-oss-")));
    text.extend(canonical_resource(message.bucket, message.key, message.query));
    text
}

/// The signature in base64.
pub fn signature(secret: &Secret, string_to_sign: &[u8]) -> String {
    STANDARD.encode(*hmac_sha1(secret.expose().as_bytes(), string_to_sign))
}

/// The date of a request by its header: `x-oss-date`, else `Date`.
fn date<'a>(message: &Message<'a>) -> Option<&'a [u8]> {
    message.field("x-oss-date").or_else(|| message.field("date"))
}

/// Signs a request, whose fields must have a date: the value of `Authorization`.
pub fn authorize(message: &Message<'_>, credentials: &Credentials) -> String {
    let string = string_to_sign(message, date(message).unwrap_or_default());
    format!("OSS {}:{}", credentials.access_key, signature(&credentials.secret_key, &string))
}

/// Signs a URL: the parameters to be added. `expires`: until when it holds, in seconds since 1970. The token of temporary
/// credentials must be among the message's parameters already, as `security-token`.
pub fn presign(message: &Message<'_>, credentials: &Credentials, expires: i64) -> [(&'static str, String); 3] {
    let expires = expires.to_string();
    let signature = signature(&credentials.secret_key, &string_to_sign(message, expires.as_bytes()));
    [("OSSAccessKeyId", credentials.access_key.clone()), ("Expires", expires), ("Signature", signature)]
}

/// Verifies a signature.
///
/// # Errors
/// Says why it does not hold.
pub fn verify<'a>(
    message: &Message<'a>,
    claim: &OssV1Claim<'_>,
    keys: &[AccessKey],
    clock: &Clock,
) -> Result<Verified<'a>, Denied> {
    let denied = |why| Denied::new(Scheme::OssV1, why).of(claim.access_key);
    // The vendor looks at the time before it looks at the key.
    let (date, expires) = match claim.expires {
        Some(text) => {
            let end = decimal(text).ok_or_else(|| denied(Why::Malformed("Expires is no number of seconds")))?;
            (text.as_bytes(), clock.until(end).map_err(denied)?)
        }
        None => {
            let date = date(message).ok_or_else(|| denied(Why::NoDate))?;
            let read = std::str::from_utf8(date).ok().and_then(http_date).ok_or_else(|| denied(Why::NoDate))?;
            (date, clock.near(read).map_err(denied)?)
        }
    };
    let (place, key) = find(keys, claim.access_key, clock).map_err(denied)?;
    // The SDK alibabacloud-oss-v2 sends tokens in a field of another name.
    let fields = ["x-oss-security-token", "security-token"].map(|name| message.field(name));
    key.check_token(fields.into_iter().chain([message.parameter("security-token")])).map_err(denied)?;

    let string = string_to_sign(message, date);
    let right = zeroize::Zeroizing::new(signature(key.secret(), &string));
    if !same(right.as_bytes(), claim.signature.as_bytes()) {
        let provided = claim.signature.to_owned();
        let compared = Compared { string_to_sign: string, canonical_request: None, provided };
        return Err(Denied { compared: Some(Box::new(compared)), ..denied(Why::Mismatch) });
    }
    let presigned = claim.expires.is_some();
    let signed = |parameter: &Parameter<'_>| is_subresource(&parameter.name);
    let places = message.query.iter().enumerate().filter(|(_, parameter)| signed(parameter)).map(|(place, _)| place);
    let mut fields = vec!["content-md5".to_owned(), "content-type".to_owned()];
    if !presigned && message.field("x-oss-date").is_none() {
        fields.push("date".to_owned());
    }
    Ok(Verified {
        scheme: Scheme::OssV1,
        presigned,
        key: place,
        covered: Covered { parameters: CoveredParameters::These(places.collect()), fields, prefix: Some("x-oss-") },
        expires,
        body: SignedBody::Unsigned,
        path: message.path,
    })
}

#[cfg(test)]
#[path = "oss_v1_tests.rs"]
mod tests;
