// An oracle for what may be sent to a store with Pictor's signature: written on its own, from the configuration's words, and
// used by unit tests and by the fuzzer.

/// What a site opens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Opens {
    pub anonymous: bool,
    pub write: bool,
    pub list: bool,
    pub overrides: bool,
    pub protect: bool,
}

impl Opens {
    /// All thirty-two.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..32_u8).map(|bits| Self {
            anonymous: bits & 1 != 0,
            write: bits & 2 != 0,
            list: bits & 4 != 0,
            overrides: bits & 8 != 0,
            protect: bits & 16 != 0,
        })
    }

    /// The site's sections of a configuration.
    pub fn toml(self) -> String {
        let Self { anonymous, write, list, overrides, protect } = self;
        format!(
            "[site.access]\nanonymous = {anonymous}\nanonymous_write = {write}\nanonymous_list = {list}\n\
             anonymous_overrides = {overrides}\n[site.styles]\nprotect = {protect}\nseparators = \"!\"\n\
             rules.small = \"imageMogr2/thumbnail/20x/ignore-error/1\"\n"
        )
    }
}

fn decode(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let hex = text.get(at + 1..at + 3).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (bytes[at], hex) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 3;
            }
            (byte, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

fn is_picture(key: &[u8]) -> bool {
    let lower = String::from_utf8_lossy(key).to_ascii_lowercase();
    let file = lower.rsplit('/').next().unwrap_or_default().to_owned();
    [".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif", ".heic", ".svg", ".tiff"].iter().any(|end| file.ends_with(end))
}

/// Why one request that passes through may not. `target` begins with the bucket's path.
pub fn wrong(opens: Opens, method: &str, target: &str, fields: &[(String, String)], bucket: &str) -> Option<String> {
    let say = |why: &str| Some(format!("{why}: {method} {target} {fields:?} under {opens:?}"));
    if !opens.anonymous {
        return say("nothing is open");
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let Some(key) = path.strip_prefix(bucket) else { return say("another bucket") };
    let key = decode(key);
    if key.split(|byte| *byte == b'/' || *byte == b'\\').any(|part| part == b"." || part == b"..") {
        return say("a dot segment");
    }
    let no_key = key.iter().all(|byte| *byte == b'/');
    let mut names: Vec<String> = query
        .split('&')
        .filter(|piece| !piece.is_empty())
        .map(|piece| String::from_utf8_lossy(&decode(piece.split('=').next().unwrap_or_default())).into_owned())
        .collect();
    names.sort();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        return say("a parameter stands twice");
    }
    let plain = |name: &String| {
        name == "versionId" || name == "partNumber" || (name.starts_with("response-") && opens.overrides)
    };
    let listed = |name: &String| {
        let known = "list-type prefix delimiter marker max-keys encoding-type start-after continuation-token fetch-owner \
                     versions key-marker version-id-marker uploads upload-id-marker max-uploads accelerate acl analytics cors \
                     encryption id intelligent-tiering inventory lifecycle location logging metrics notification object-lock \
                     ownershipControls policy policyStatus publicAccessBlock replication requestPayment tagging versioning \
                     website attributes legal-hold max-parts part-number-marker retention torrent uploadId";
        plain(name) || known.split_whitespace().any(|known| known == name)
    };
    let fine = match method {
        "GET" | "HEAD" if opens.list => names.iter().all(listed),
        "GET" | "HEAD" => !no_key && names.iter().all(plain),
        "OPTIONS" => names.is_empty() && (!no_key || opens.list),
        "PUT" | "POST" | "DELETE" if opens.write => {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            matches!(
                (method, no_key, names.as_slice()),
                ("PUT", false, [] | ["partNumber", "uploadId"])
                    | ("POST", false, ["uploads"] | ["uploadId"])
                    | ("POST", true, ["delete"])
                    | ("DELETE", false, [] | ["versionId"] | ["uploadId"])
            )
        }
        _ => false,
    };
    if !fine {
        return say("not open");
    }
    let reads = method == "GET" || method == "HEAD";
    // What tells a picture without an extension is the type that the store says.
    if opens.protect && reads && names.iter().any(|name| name.to_ascii_lowercase().contains("content-type")) {
        return say("a type of the client's choice");
    }
    if opens.protect && reads && is_picture(&key) {
        return say("a protected picture");
    }
    for (name, value) in fields {
        let name = name.to_ascii_lowercase();
        if name == "range" && (method != "GET" || (opens.protect && value.contains(','))) {
            return say("a range");
        }
        if name == "x-amz-copy-source" && opens.protect {
            return say("a copy");
        }
        let owners =
            ["acl", "grant", "tagging", "lock", "bypass", "website", "mfa", "retention", "kms", "object-ownership"];
        let vendor = name.starts_with("x-amz-") || name.starts_with("x-cos-") || name.starts_with("x-oss-");
        if vendor && !name.starts_with("x-amz-meta-") && owners.iter().any(|word| name.contains(word)) {
            return say("a field of the owner");
        }
        let own = ["x-amz-date", "x-amz-content-sha256"];
        if reads && vendor && !own.contains(&name.as_str()) && !name.contains("checksum") && !name.contains("customer")
        {
            return say("a field of a write");
        }
    }
    if fields.iter().filter(|(name, _)| name == "authorization").count() != 1 {
        return say("not signed once");
    }
    None
}
