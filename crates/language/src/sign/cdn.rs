//! URLs that a CDN's secret signs, types A, B, C, D and F of Tencent's CDN and EdgeOne (228/35222 to 35225, 228/41625; EdgeOne
//! 1145/62475 to 62478) and of Aliyun's CDN. All are MD5 over the path as it stands in the URL, a time and the secret:
//! neither method nor host nor any parameter is covered.
//!
//! | type | URL | hashed |
//! | --- | --- | --- |
//! | A | `/path?sign=TIME-RAND-UID-MD5`, Aliyun: `auth_key` | `path-TIME-RAND-UID-secret` |
//! | B | `/YYYYMMDDHHMM/MD5/path` | `secret YYYYMMDDHHMM path` |
//! | C | `/MD5/TIME/path`, Aliyun's second: `/path?KEY1=MD5&KEY2=TIME` | `secret path TIME`, or `secret TIME path` |
//! | D | `/path?sign=MD5&t=TIME` | `secret path TIME` |
//! | F | `/path?sign=MD5&time=TIME` | `secret path TIME` |

use time::{Date, Month, Time};

use super::clock::decimal;
use super::encode::uri_encode;
use super::hash::{md5_hex, same};
use super::{Clock, Covered, CoveredParameters, Denied, Message, Scheme, Secret, SignedBody, Verified, Why};

/// A type of signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CdnType {
    /// A parameter of four parts.
    A,
    /// Two segments before the path, the time first.
    B,
    /// Two segments before the path, the hash first; or two parameters.
    C,
    /// Two parameters.
    D,
    /// Two parameters, likewise, of which one has another name.
    F,
}

/// What a site's CDN signs with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CdnKeys {
    /// The types that are looked for.
    pub types: Vec<CdnType>,
    /// The secrets, any of which verifies: while one takes another's place both are in use.
    pub secrets: Vec<Secret>,
    /// How many seconds a URL holds from the time in it on.
    pub ttl: u32,
    /// The name of the parameter with the signature in types A, D and F, where it is not the vendor's.
    pub sign_name: Option<String>,
    /// The name of the parameter with the time in types D and F, likewise.
    pub time_name: Option<String>,
}

/// A signature as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CdnClaim<'a> {
    /// Its type.
    pub kind: CdnType,
    /// The path that is signed, as it stands in the URL.
    pub path: &'a str,
    /// The time as text.
    pub time: &'a str,
    /// Type A: `RAND-UID`.
    pub salt: &'a str,
    /// The MD5 in lower-case hex.
    pub hash: &'a str,
}

impl CdnKeys {
    /// Finds the signature of a URL. `None`: it has none of the types that are looked for.
    ///
    /// # Errors
    /// It has several.
    pub fn claim<'a>(&self, message: &Message<'a>) -> Result<Option<CdnClaim<'a>>, Denied> {
        let mut found: Option<CdnClaim<'a>> = None;
        if message.is_too_long() {
            let why = Why::Malformed("there are too many parameters or header fields");
            return Err(Denied { scheme: None, why, access_key: None, compared: None });
        }
        for claim in self.types.iter().filter_map(|kind| self.read(*kind, message)) {
            if found.is_some() {
                return Err(Denied { scheme: None, why: Why::Several, access_key: None, compared: None });
            }
            found = Some(claim);
        }
        Ok(found)
    }

    fn read<'a>(&self, kind: CdnType, message: &Message<'a>) -> Option<CdnClaim<'a>> {
        let path = message.path;
        // Of a parameter that stands twice nobody knows which one counts: it is none.
        let one = |name: &str| {
            let mut values = message.query.iter().filter(|parameter| *parameter.name == *name.as_bytes());
            let value = values.next().filter(|_| values.next().is_none())?;
            std::str::from_utf8(&value.value).ok()
        };
        let signed = |names: &[&str]| match &self.sign_name {
            Some(name) => one(name),
            None => names.iter().find_map(|name| one(name)),
        };
        let two = |hash: &'a str, time: &'a str| is_hash(hash).then_some(CdnClaim { kind, path, time, salt: "", hash });
        match kind {
            CdnType::A => {
                let (time, rest) = signed(&["sign", "auth_key"])?.split_once('-')?;
                let (salt, hash) = rest.rsplit_once('-')?;
                let (rand, uid) = salt.split_once('-')?;
                let word = |text: &str| text.len() <= 100 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
                (word(rand) && word(uid) && is_hash(hash)).then_some(CdnClaim { kind, path, time, salt, hash })
            }
            CdnType::B => {
                let (time, hash, path) = segments(path)?;
                let digits = time.len() == 12 && time.bytes().all(|byte| byte.is_ascii_digit());
                (digits && is_hash(hash)).then_some(CdnClaim { kind, path, time, salt: "", hash })
            }
            CdnType::C => {
                let in_path = segments(path).filter(|(hash, time, _)| is_hash(hash) && unix_time(time).is_some());
                match in_path {
                    Some((hash, time, path)) => Some(CdnClaim { kind, path, time, salt: "", hash }),
                    None => two(one("KEY1")?, one("KEY2")?),
                }
            }
            CdnType::D => two(signed(&["sign"])?, one(self.time_name.as_deref().unwrap_or("t"))?),
            CdnType::F => two(signed(&["sign"])?, one(self.time_name.as_deref().unwrap_or("time"))?),
        }
    }

    /// The names of the parameters that are a claim, which are not to go on to an origin or into a cache's key.
    pub fn names(&self, kind: CdnType) -> Vec<&str> {
        let sign = |names: &[&'static str]| self.sign_name.as_deref().map_or_else(|| names.to_vec(), |name| vec![name]);
        let time = |name| self.time_name.as_deref().unwrap_or(name);
        match kind {
            CdnType::A => sign(&["sign", "auth_key"]),
            CdnType::B => Vec::new(),
            CdnType::C => vec!["KEY1", "KEY2"],
            CdnType::D => [sign(&["sign"]), vec![time("t")]].concat(),
            CdnType::F => [sign(&["sign"]), vec![time("time")]].concat(),
        }
    }
}

/// The first two segments of a path, and the rest with its slash.
fn segments(path: &str) -> Option<(&str, &str, &str)> {
    let (first, rest) = path.strip_prefix('/')?.split_once('/')?;
    let slash = rest.find('/')?;
    Some((first, &rest[..slash], &rest[slash..]))
}

fn is_hash(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Ten decimal digits or eight hexadecimal ones: each spells the seconds of our time, and none can be read as the other.
fn unix_time(text: &str) -> Option<i64> {
    match text.len() {
        10 => decimal(text),
        8 => i64::from_str_radix(text, 16).ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_hexdigit())),
        _ => None,
    }
}

/// `202407151533` by the clocks of Beijing.
fn beijing_time(text: &str) -> Option<i64> {
    let part = |from, to| u8::try_from(decimal(text.get(from..to)?)?).ok();
    let year = i32::try_from(decimal(text.get(..4)?)?).ok()?;
    let date = Date::from_calendar_date(year, Month::try_from(part(4, 6)?).ok()?, part(6, 8)?).ok()?;
    let time = Time::from_hms(part(8, 10)?, part(10, 12)?, 0).ok()?;
    Some(date.with_time(time).assume_utc().unix_timestamp().saturating_sub(8 * 3600))
}

/// The hash of a type A.
pub fn hash_a(path: &str, time: &str, salt: &str, secret: &Secret) -> String {
    md5_hex(&[path, "-", time, "-", salt, "-", secret.expose()].map(str::as_bytes)).to_string()
}

/// The hash of types C, D and F: the time is the last.
pub fn hash_time_last(path: &str, time: &str, secret: &Secret) -> String {
    md5_hex(&[secret.expose(), path, time].map(str::as_bytes)).to_string()
}

/// The hash of type B, and of C as one revision of Tencent's page has it: the path is the last.
pub fn hash_path_last(path: &str, time: &str, secret: &Secret) -> String {
    md5_hex(&[secret.expose(), time, path].map(str::as_bytes)).to_string()
}

/// Verifies a signature by any of the secrets; which one is [`Verified::key`].
///
/// # Errors
/// Says why it does not hold.
pub fn verify<'a>(claim: &CdnClaim<'a>, keys: &CdnKeys, clock: &Clock) -> Result<Verified<'a>, Denied> {
    let denied = |why| Denied::new(Scheme::Cdn(claim.kind), why);
    let CdnClaim { kind, path, time, salt, hash } = *claim;
    let begun = if kind == CdnType::B { beijing_time(time) } else { unix_time(time) };
    let begun = begun.ok_or_else(|| denied(Why::Malformed("the time of the signature is none")))?;
    let expires = clock.until(begun.saturating_add(i64::from(keys.ttl))).map_err(denied)?;
    let right = |secret: &Secret| {
        let is = |text: String| same(zeroize::Zeroizing::new(text).as_bytes(), hash.as_bytes());
        match kind {
            CdnType::A => is(hash_a(path, time, salt, secret)),
            CdnType::B => is(hash_path_last(path, time, secret)),
            // No text of the one order is one of the other: a path begins with a slash, a time does not.
            CdnType::C => is(hash_time_last(path, time, secret)) || is(hash_path_last(path, time, secret)),
            CdnType::D | CdnType::F => is(hash_time_last(path, time, secret)),
        }
    };
    let key = keys.secrets.iter().position(right).ok_or_else(|| denied(Why::Mismatch))?;
    Ok(Verified {
        scheme: Scheme::Cdn(kind),
        presigned: true,
        key,
        covered: Covered { parameters: CoveredParameters::These(Vec::new()), fields: Vec::new(), prefix: None },
        expires,
        body: SignedBody::Unsigned,
        path,
    })
}

/// Signs a URL: the path, and what is to be added to the query. `path`: percent-encoded; `now`: seconds since 1970; `rand`: for
/// type A, up to 100 letters and digits. `None`: there is no secret, or no such time.
pub fn sign(kind: CdnType, keys: &CdnKeys, path: &str, now: i64, rand: &str) -> Option<(String, String)> {
    let secret = keys.secrets.first()?;
    let sign = uri_encode(keys.sign_name.as_deref().unwrap_or("sign").as_bytes());
    let time_name = |name: &str| uri_encode(keys.time_name.as_deref().unwrap_or(name).as_bytes());
    let time = now.to_string();
    unix_time(&time)?;
    Some(match kind {
        CdnType::A => {
            let salt = format!("{rand}-0");
            (path.to_owned(), format!("{sign}={time}-{salt}-{}", hash_a(path, &time, &salt, secret)))
        }
        CdnType::B => {
            let date = super::sigv4::amz_date(now.checked_add(8 * 3600)?);
            let time = [date.get(..8)?, date.get(9..13)?].concat();
            (format!("/{time}/{}{path}", hash_path_last(path, &time, secret)), String::new())
        }
        CdnType::C => {
            let time = format!("{now:08x}");
            (format!("/{}/{time}{path}", hash_time_last(path, &time, secret)), String::new())
        }
        CdnType::D => {
            (path.to_owned(), format!("{sign}={}&{}={time}", hash_time_last(path, &time, secret), time_name("t")))
        }
        CdnType::F => {
            (path.to_owned(), format!("{sign}={}&{}={time}", hash_time_last(path, &time, secret), time_name("time")))
        }
    })
}

#[cfg(test)]
#[path = "cdn_tests.rs"]
mod tests;
