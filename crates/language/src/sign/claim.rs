//! Which signature a request carries, if any.

use http::header::AUTHORIZATION;

use super::cdn::CdnType;
use super::cos::CosClaim;
use super::oss_v1::OssV1Claim;
use super::oss_v2::OssV2Claim;
use super::oss_v4::{self, OssV4Claim};
use super::sigv4::{self, SigV4Claim};
use super::{Denied, Message, Why};

/// Whose rules a signature follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Tencent COS, `q-sign-algorithm=sha1`.
    Cos,
    /// Aliyun OSS, version 1.
    OssV1,
    /// Aliyun OSS, version 2.
    OssV2,
    /// Aliyun OSS, version 4.
    OssV4,
    /// AWS, version 4.
    SigV4,
    /// A CDN's secret.
    Cdn(CdnType),
}

/// A signature as it came, taken apart. That it can be is all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim<'a> {
    /// Tencent COS.
    Cos(CosClaim<'a>),
    /// Aliyun OSS, version 1.
    OssV1(OssV1Claim<'a>),
    /// Aliyun OSS, version 2.
    OssV2(OssV2Claim<'a>),
    /// Aliyun OSS, version 4.
    OssV4(OssV4Claim<'a>),
    /// AWS, version 4.
    SigV4(SigV4Claim<'a>),
}

/// Fields of which signatures know one value: with two, another than was signed could count.
const SINGLE: [&str; 7] =
    ["content-md5", "content-type", "date", "x-amz-content-sha256", "x-amz-date", "x-oss-content-sha256", "x-oss-date"];

impl<'a> Claim<'a> {
    /// Finds the signature of a request in its header or its URL. `None`: it has none. URLs that a CDN's secret signs are found
    /// by [`super::cdn`], because nothing but a site's configuration tells them.
    ///
    /// # Errors
    /// There are two, or it cannot be read.
    pub fn of(message: &Message<'a>) -> Result<Option<Self>, Denied> {
        if message.is_too_long() {
            return Err(unknown(Why::Malformed("there are too many parameters or header fields")));
        }
        let found = match (in_header(message)?, in_query(message)?) {
            (Some(_), Some(_)) => return Err(unknown(Why::Several)),
            (one, other) => one.or(other),
        };
        let Some(found) = found else { return Ok(None) };
        let twice = SINGLE.iter().any(|name| message.headers.get_all(*name).iter().nth(1).is_some());
        let denied = |why| Denied::new(found.scheme, why);
        if twice {
            return Err(denied(Why::Malformed("a header field that is signed stands twice")));
        }
        found.read(message).map(Some).map_err(denied)
    }

    /// Whose rules it follows.
    pub fn scheme(&self) -> Scheme {
        match self {
            Self::Cos(_) => Scheme::Cos,
            Self::OssV1(_) => Scheme::OssV1,
            Self::OssV2(_) => Scheme::OssV2,
            Self::OssV4(_) => Scheme::OssV4,
            Self::SigV4(_) => Scheme::SigV4,
        }
    }

    /// The access key that it names.
    pub fn access_key(&self) -> &str {
        match self {
            Self::Cos(claim) => claim.access_key,
            Self::OssV1(claim) => claim.access_key,
            Self::OssV2(claim) => claim.access_key,
            Self::OssV4(claim) => claim.credential.access_key,
            Self::SigV4(claim) => claim.credential.access_key,
        }
    }
}

/// Where a signature was found.
#[derive(Clone, Copy)]
struct Found<'a> {
    scheme: Scheme,
    /// In the header, or in the one parameter that stands for all: its text. Else it is in the query's own parameters.
    text: Option<&'a str>,
    presigned: bool,
}

fn unknown(why: Why) -> Denied {
    Denied { scheme: None, why, access_key: None, compared: None }
}

fn in_header<'a>(message: &Message<'a>) -> Result<Option<Found<'a>>, Denied> {
    let mut values = message.headers.get_all(AUTHORIZATION).iter();
    let value = match (values.next(), values.next()) {
        (None, _) => return Ok(None),
        (Some(value), None) => value.to_str().map_err(|_| unknown(Why::Unsupported))?.trim(),
        (Some(_), Some(_)) => return Err(unknown(Why::Several)),
    };
    let found = |scheme, text| Ok(Some(Found { scheme, text: Some(text), presigned: false }));
    match value.split_once(' ') {
        // COS's SDKs send an empty field for anonymous requests.
        None if value.is_empty() => Ok(None),
        _ if value.starts_with("q-sign-algorithm=") => found(Scheme::Cos, value),
        Some(("OSS", rest)) => found(Scheme::OssV1, rest),
        Some(("OSS2", rest)) => found(Scheme::OssV2, rest),
        Some((oss_v4::ALGORITHM, rest)) => found(Scheme::OssV4, rest),
        Some((sigv4::ALGORITHM, rest)) => found(Scheme::SigV4, rest),
        _ => Err(unknown(Why::Unsupported)),
    }
}

fn in_query<'a>(message: &Message<'a>) -> Result<Option<Found<'a>>, Denied> {
    let mut found: Option<Found<'a>> = None;
    let mut unnamed = false;
    for parameter in message.query {
        let mut text = None;
        let scheme = match &*parameter.name {
            b"q-sign-algorithm" | b"q-signature" => Scheme::Cos,
            // The Go SDK's merged form.
            b"sign" if parameter.value.starts_with(b"q-sign-algorithm=") => {
                let no_text = |_| Denied::new(Scheme::Cos, Why::Malformed("the signature is no text"));
                text = Some(std::str::from_utf8(&parameter.value).map_err(no_text)?);
                Scheme::Cos
            }
            b"OSSAccessKeyId" | b"Signature" => Scheme::OssV1,
            b"x-oss-signature-version" => match &*parameter.value {
                b"OSS2" => Scheme::OssV2,
                version if version == oss_v4::ALGORITHM.as_bytes() => Scheme::OssV4,
                _ => return Err(unknown(Why::Unsupported)),
            },
            b"x-oss-signature" => {
                unnamed = true;
                continue;
            }
            b"X-Amz-Algorithm" | b"X-Amz-Credential" | b"X-Amz-Signature" => Scheme::SigV4,
            // AWS's version 2, which has other parameters of V1's names.
            b"AWSAccessKeyId" => return Err(unknown(Why::Unsupported)),
            _ => continue,
        };
        match &found {
            None => found = Some(Found { scheme, text, presigned: true }),
            Some(known) if known.scheme == scheme && known.text.is_none() && text.is_none() => {}
            Some(_) => return Err(unknown(Why::Several)),
        }
    }
    match &found {
        None if unnamed => Err(Denied::new(Scheme::OssV4, Why::Incomplete("x-oss-signature-version"))),
        Some(known) if unnamed && !matches!(known.scheme, Scheme::OssV2 | Scheme::OssV4) => Err(unknown(Why::Several)),
        _ => Ok(found),
    }
}

impl<'a> Found<'a> {
    fn read(self, message: &Message<'a>) -> Result<Claim<'a>, Why> {
        match (self.scheme, self.text) {
            (Scheme::Cos, Some(text)) => CosClaim::from_text(text, self.presigned).map(Claim::Cos),
            (Scheme::Cos, None) => CosClaim::from_query(message.query).map(Claim::Cos),
            (Scheme::OssV1, Some(text)) => OssV1Claim::from_text(text).map(Claim::OssV1),
            (Scheme::OssV1, None) => OssV1Claim::from_query(message).map(Claim::OssV1),
            (Scheme::OssV2, Some(text)) => OssV2Claim::from_text(text).map(Claim::OssV2),
            (Scheme::OssV2, None) => OssV2Claim::from_query(message).map(Claim::OssV2),
            (Scheme::OssV4, Some(text)) => OssV4Claim::from_text(message, text).map(Claim::OssV4),
            (Scheme::OssV4, None) => OssV4Claim::from_query(message).map(Claim::OssV4),
            (Scheme::SigV4, Some(text)) => SigV4Claim::from_text(message, text).map(Claim::SigV4),
            (Scheme::SigV4, None) => SigV4Claim::from_query(message).map(Claim::SigV4),
            (Scheme::Cdn(_), _) => Err(Why::Unsupported),
        }
    }
}
