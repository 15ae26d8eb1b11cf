//! The parameters of a request by their decoded names, and what stores take each name for.

use crate::sign::encode::form_decode;

/// A query's parameters besides rules, signatures and tokens: decoded once, as a store decodes them (`+` is a space), in
/// their order. A parameter without `=` has an empty value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query(Vec<(Vec<u8>, Vec<u8>)>);

/// Fields of an answer that a parameter can set.
const OVERRIDES: [&str; 6] = [
    "response-content-type",
    "response-content-language",
    "response-expires",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
];

/// What the parameters of a list of objects, versions or uploads are called.
const LISTS: &[&str] = &[
    "list-type",
    "prefix",
    "delimiter",
    "marker",
    "max-keys",
    "encoding-type",
    "start-after",
    "continuation-token",
    "fetch-owner",
    "versions",
    "key-marker",
    "version-id-marker",
    "uploads",
    "upload-id-marker",
    "max-uploads",
];

/// What the settings of a bucket are called.
const BUCKET_SETTINGS: &[&str] = &[
    "accelerate",
    "acl",
    "analytics",
    "cors",
    "encryption",
    "id",
    "intelligent-tiering",
    "inventory",
    "lifecycle",
    "location",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "replication",
    "requestPayment",
    "tagging",
    "versioning",
    "website",
];

/// What the settings of an object are called, and the parameters of the list of an upload's parts.
const OBJECT_SETTINGS: &[&str] = &[
    "acl",
    "attributes",
    "encoding-type",
    "legal-hold",
    "max-parts",
    "part-number-marker",
    "retention",
    "tagging",
    "torrent",
    "uploadId",
];

/// Of lists and settings, the names that clients use for nothing else: with a value, too, they are no mere cache busters.
const CORE: &[&str] = &[
    "acl",
    "attributes",
    "continuation-token",
    "cors",
    "delete",
    "delimiter",
    "encryption",
    "fetch-owner",
    "key-marker",
    "legal-hold",
    "lifecycle",
    "list-type",
    "location",
    "logging",
    "marker",
    "max-keys",
    "notification",
    "object-lock",
    "policy",
    "prefix",
    "publicAccessBlock",
    "replication",
    "restore",
    "retention",
    "select",
    "select-type",
    "start-after",
    "symlink",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versioning",
    "versions",
    "website",
];

/// What else a store of any vendor takes for something other than an object's bytes.
const OTHERS: &[&str] = &[
    "append",
    "asyncFetch",
    "asyncProcessConfiguration",
    "bucketInfo",
    "callback",
    "callback-var",
    "cname",
    "comp",
    "css",
    "datapolicy",
    "delete",
    "domain",
    "endTime",
    "httpsConfig",
    "image_process",
    "img",
    "live",
    "metaQuery",
    "objectInfo",
    "objectMeta",
    "origin",
    "payer",
    "position",
    "processConfiguration",
    "qosInfo",
    "qos",
    "qosRequester",
    "queue",
    "recycle",
    "referer",
    "regionList",
    "rename",
    "resourceGroup",
    "restore",
    "rtc",
    "seal",
    "security",
    "select",
    "select-type",
    "sequential",
    "startTime",
    "stat",
    "status",
    "style",
    "styleName",
    "symlink",
    "transferAcceleration",
    "udf",
    "userDefinedLogFieldsConfig",
    "versioned",
    "vip",
    "vod",
    "worm",
    "wormExtend",
    "wormId",
    "x-oss-async-process",
    "x-oss-process",
    "x-oss-traffic-limit",
    "x-oss-write-get-object-response",
];

/// What an anonymous client says along and stores ignore.
const IDLE: &[&str] = &["x-id"];

/// What a name stands for at a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sense {
    /// `versionId`.
    Version,
    /// `partNumber`.
    PartNumber,
    /// A field of the answer.
    Override,
    /// Something other than an object's bytes.
    Reserved,
    /// Known, and of no effect.
    Idle,
    /// No store's.
    Unknown,
}

impl Query {
    /// Of the pieces between a query's ampersands.
    pub fn of<'a>(pieces: impl IntoIterator<Item = &'a str>) -> Self {
        let pairs = pieces.into_iter().filter(|piece| !piece.is_empty()).map(|piece| {
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            (form_decode(name), form_decode(value))
        });
        Self(pairs.collect())
    }

    /// Whether a parameter has this name.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name.as_bytes())
    }

    /// The value of the first parameter of this name, as text; empty where it stands without one.
    pub fn text(&self, name: &str) -> Option<String> {
        let (_, value) = self.0.iter().find(|(known, _)| known == name.as_bytes())?;
        Some(String::from_utf8_lossy(value).into_owned())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_slice(), value.as_slice()))
    }
}

/// What a store takes a parameter for. Names that mean something are matched in any case where that makes them reserved, and
/// to the letter where it makes them harmless: stores differ, and the safe reading wins. Vendors write what is no plain read
/// as a name without a value, so that a common word with one (`?status=1`) is a cache buster.
pub(super) fn sense(name: &[u8], value: &[u8]) -> Sense {
    match name {
        b"versionId" => return Sense::Version,
        b"partNumber" => return Sense::PartNumber,
        _ => {}
    }
    let is = |known: &&str| name.eq_ignore_ascii_case(known.as_bytes());
    if OVERRIDES.iter().any(is) {
        Sense::Override
    } else if CORE.iter().any(is)
        || value.is_empty() && [LISTS, BUCKET_SETTINGS, OBJECT_SETTINGS, OTHERS].iter().any(|list| list.iter().any(is))
    {
        Sense::Reserved
    } else if IDLE.iter().any(is) {
        Sense::Idle
    } else {
        Sense::Unknown
    }
}

/// Whether a parameter belongs to reading a bucket's lists and settings, or an object's.
pub(super) fn reads_settings(name: &[u8], bucket: bool) -> bool {
    let is = |known: &&str| name == known.as_bytes();
    match bucket {
        true => LISTS.iter().any(is) || BUCKET_SETTINGS.iter().any(is),
        false => OBJECT_SETTINGS.iter().any(is),
    }
}
