//! Keys that are made of a secret for one day, region and service: S3's V4, and OSS's, which is made after it.

use zeroize::Zeroizing;

use super::hash::hmac_sha256;
use super::{Credentials, Secret, Why};

/// An access key and what a signature by it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScopedKey<'a> {
    /// The access key.
    pub access_key: &'a str,
    /// The day, as in `20130524`.
    pub day: &'a str,
    /// The region.
    pub region: &'a str,
    /// The service: `s3`, `oss`.
    pub service: &'a str,
}

impl<'a> ScopedKey<'a> {
    /// Reads `ACCESSKEY/DAY/REGION/SERVICE/END`.
    pub(super) fn read(text: &'a str, end: &str) -> Result<Self, Why> {
        let mut parts = text.rsplitn(5, '/');
        let mut next = || parts.next().filter(|part| !part.is_empty());
        match (next(), next(), next(), next(), next()) {
            (Some(last), Some(service), Some(region), Some(day), Some(access_key)) if last == end => {
                Ok(Self { access_key, day, region, service })
            }
            _ => Err(Why::Malformed("the credential is not KEY/DAY/REGION/SERVICE/REQUEST")),
        }
    }

    /// The scope of a signer at a date, as in `20130524T000000Z`.
    pub(super) fn of(credentials: &'a Credentials, date: &'a str, region: &'a str, service: &'a str) -> Self {
        Self { access_key: &credentials.access_key, day: date.get(..8).unwrap_or(date), region, service }
    }

    /// Compares what it is for with what it should be.
    pub(super) fn check(&self, date: &str, region: &str, service: &str) -> Result<(), Why> {
        match () {
            () if date.get(..8) != Some(self.day) => Err(Why::Scope("day")),
            () if self.region != region => Err(Why::Scope("region")),
            () if self.service != service => Err(Why::Scope("service")),
            () => Ok(()),
        }
    }

    /// `20130524/us-east-1/s3/aws4_request`
    pub fn scope(&self, end: &str) -> String {
        format!("{}/{}/{}/{end}", self.day, self.region, self.service)
    }

    /// The key that signs within the scope. `start` is put before the secret.
    pub fn signing_key(&self, start: &str, secret: &Secret, end: &str) -> Zeroizing<[u8; 32]> {
        let start = Zeroizing::new([start, secret.expose()].concat());
        let mut key = hmac_sha256(start.as_bytes(), self.day.as_bytes());
        for part in [self.region, self.service, end] {
            key = hmac_sha256(&*key, part.as_bytes());
        }
        key
    }
}

/// The signature in hex.
pub(super) fn signature(signing_key: &[u8; 32], string_to_sign: &str) -> String {
    hex::encode(*hmac_sha256(signing_key, string_to_sign.as_bytes()))
}

/// Reads `NAME=VALUE` parts that are separated by commas, in any order, with blanks or without.
pub(super) fn parts<'a, const N: usize>(text: &'a str, names: [&'static str; N]) -> Result<[Option<&'a str>; N], Why> {
    let mut found = [None; N];
    for part in text.split(',') {
        let known = part
            .trim()
            .split_once('=')
            .and_then(|(name, value)| Some((names.iter().position(|known| *known == name.trim())?, value.trim())));
        let Some((place, value)) = known else {
            return Err(Why::Malformed("a part of the signature is not known"));
        };
        if found[place].replace(value).is_some() {
            return Err(Why::Malformed("a part of the signature stands twice"));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_read_from_their_end() {
        let read = |text| ScopedKey::read(text, "aws4_request");
        let key = ScopedKey { access_key: "A/K", day: "20130524", region: "us-east-1", service: "s3" };
        assert_eq!(read("A/K/20130524/us-east-1/s3/aws4_request"), Ok(key));
        for wrong in [
            "",
            "AK",
            "AK/20130524/us-east-1/s3/other",
            "20130524/us-east-1/s3/aws4_request",
            "/20130524/r/s3/aws4_request",
            "AK//r/s3/aws4_request",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert_eq!(key.check("20130524T000000Z", "us-east-1", "s3"), Ok(()));
        assert_eq!(key.check("20130525T000000Z", "us-east-1", "s3"), Err(Why::Scope("day")));
        assert_eq!(key.check("20130524T000000Z", "r", "s3"), Err(Why::Scope("region")));
        assert_eq!(key.check("20130524T000000Z", "us-east-1", "oss"), Err(Why::Scope("service")));
    }

    #[test]
    fn parts_come_in_any_order() {
        let names = ["A", "B"];
        assert_eq!(parts("B=2=, A=1", names), Ok([Some("1"), Some("2=")]));
        assert_eq!(parts("A=1", names), Ok([Some("1"), None]));
        for wrong in ["", "A", "C=1", "A=1,A=1", "A=1,", "A=1 B=2,B=3,B=4"] {
            assert!(parts(wrong, names).is_err(), "{wrong}");
        }
    }
}
