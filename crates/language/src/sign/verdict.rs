//! What is said of a signature.

use std::fmt;

use super::Scheme;

/// A signature that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<'a> {
    /// Whose rules it follows.
    pub scheme: Scheme,
    /// It stands in the URL, so that whoever has the URL has the right.
    pub presigned: bool,
    /// Which of the keys, or of the CDN's secrets, it was made with.
    pub key: usize,
    /// What it covers. What it does not cover anybody may have written.
    pub covered: Covered,
    /// The last second, since 1970, at which it holds.
    pub expires: i64,
    /// What it says of the body.
    pub body: SignedBody,
    /// The path without a signature in it, percent-encoded: only CDN types B and C have one there.
    pub path: &'a str,
}

/// What a signature covers, besides method and path (of which a CDN's covers the path alone).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Covered {
    /// The parameters.
    pub parameters: CoveredParameters,
    /// The names of header fields, in lower case, sorted.
    pub fields: Vec<String>,
    /// Fields whose names begin so are covered as well, and that there are no others.
    pub prefix: Option<&'static str>,
}

/// Which parameters a signature covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CoveredParameters {
    /// All, and that there are no others.
    All,
    /// These, by their places in the query, ascending.
    These(Vec<usize>),
    /// These, likewise, but in their names capitals and small letters count the same. An image rule of Tencent's is such a
    /// name: base64 in it could be another text.
    Folded(Vec<usize>),
}

/// What a signature says of the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignedBody {
    /// Nothing, or what a covered `content-md5` says.
    Unsigned,
    /// Its SHA-256 is this.
    Sha256([u8; 32]),
    /// It comes in chunks ([`super::chunks`]).
    Chunks(Box<super::chunks::ChunkChain>),
    /// It comes in chunks that are not signed, with a checksum behind them.
    UnsignedChunks,
}

/// A signature that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// Whose rules it claims to follow; `None`: several, or none that is known.
    pub scheme: Option<Scheme>,
    /// What is wrong.
    pub why: Why,
    /// The access key that it names.
    pub access_key: Option<String>,
    /// For [`Why::Mismatch`]: what was compared.
    pub compared: Option<Box<Compared>>,
}

/// What was signed here and what came. For the client that sent it, which may be told both; not for logs, because headers of the
/// request stand in it. The right signature is not in here.
#[derive(Clone, PartialEq, Eq)]
pub struct Compared {
    /// The string to sign.
    pub string_to_sign: Vec<u8>,
    /// The canonical request, where the scheme has one (COS: `HttpString`).
    pub canonical_request: Option<Vec<u8>>,
    /// The signature that came.
    pub provided: String,
}

impl fmt::Debug for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compared").finish_non_exhaustive()
    }
}

/// Why a signature does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// Its text is none. The sentence says what of it.
    Malformed(&'static str),
    /// A part of it is not there; its name.
    Incomplete(&'static str),
    /// There is more than one.
    Several,
    /// Its scheme is not known here.
    Unsupported,
    /// There is no such key, or not at this time.
    UnknownKey,
    /// The request has no date that can be read.
    NoDate,
    /// The request's date is too far from ours.
    Skewed,
    /// It does not hold yet.
    NotYet,
    /// It held until then, in seconds since 1970.
    Expired(i64),
    /// It is for another store or day; which part of its scope.
    Scope(&'static str),
    /// The key's security token is missing, or another.
    Token,
    /// A header field or a parameter that it names is not there, or not as often; its name as named.
    Missing(String),
    /// This header field must be signed and is not; its name.
    NotSigned(String),
    /// It is not the one that belongs to this request and key.
    Mismatch,
}

impl Covered {
    /// Whether the parameter at this place of the query is covered.
    pub fn parameter(&self, place: usize) -> bool {
        match &self.parameters {
            CoveredParameters::All => true,
            CoveredParameters::These(places) | CoveredParameters::Folded(places) => {
                places.binary_search(&place).is_ok()
            }
        }
    }

    /// Whether a header field is covered. `name` is in lower case.
    pub fn field(&self, name: &str) -> bool {
        self.prefix.is_some_and(|prefix| name.starts_with(prefix))
            || self.fields.binary_search_by(|known| known.as_str().cmp(name)).is_ok()
    }
}

impl SignedBody {
    /// What a hash in hex says.
    pub(super) fn hash(text: &[u8]) -> Option<Self> {
        let mut hash = [0; 32];
        hex::decode_to_slice(text, &mut hash).ok().map(|()| Self::Sha256(hash))
    }
}

impl Denied {
    pub(super) fn new(scheme: Scheme, why: Why) -> Self {
        Self { scheme: Some(scheme), why, access_key: None, compared: None }
    }

    pub(super) fn of(mut self, access_key: &str) -> Self {
        self.access_key = Some(access_key.to_owned());
        self
    }
}
