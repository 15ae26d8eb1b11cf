//! The vendors' own SDKs as judges: what they sign holds, and nothing that differs from it in what is covered does.
//! `tests/sdk/signatures.py` and `signatures.mjs` make the requests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use serde::Deserialize;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::Digest;

use super::at_hand::missing;
use super::chunks::ChunkReader;
use super::trial_tests::Trial;
use super::{AccessKey, Clock, Covered, Credentials, Scheme, Secret, SignedBody, Verified, Why};

#[derive(Debug, Clone, Deserialize)]
struct Signed {
    sdk: String,
    scheme: String,
    presigned: bool,
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    token: Option<String>,
    now: i64,
    key: String,
    bucket: String,
    region: String,
    body: Option<String>,
}

/// The requests that a script makes; none where the SDKs are not here.
fn requests(program: &str, script: &str, part: &str) -> Vec<Signed> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let inside = root.join(program);
    if !root.join(if program == "node" { ".deps/node/node_modules/ali-oss" } else { program }).exists() {
        missing("the vendors' SDKs (.deps)");
        return Vec::new();
    }
    let program = if inside.exists() { inside } else { program.into() };
    let output = Command::new(&program).arg(root.join("tests/sdk").join(script)).arg(part).output().unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    let lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
}

impl Signed {
    fn trial(&self) -> Trial {
        let (host, rest) = self.url.split_once("://").unwrap().1.split_once('/').unwrap();
        let named = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("host"));
        let host = named.map_or(host, |(_, host)| host);
        let mut trial = Trial::new(&self.method, &format!("/{rest}"), &[host]);
        for (name, value) in &self.headers {
            trial.field(name, value);
        }
        (trial.bucket, trial.region) = (self.bucket.clone(), self.region.clone());
        trial.key = Some(self.key.clone().into_bytes());
        trial
    }

    fn keys(&self) -> Vec<AccessKey> {
        let pair = |id: &str, secret: &str| Credentials { access_key: id.into(), secret_key: Secret::new(secret) };
        let key = AccessKey::new(pair("LTAIexample", "ExampleSecretKey0123456789"));
        let token = self.token.as_ref().map(Secret::new);
        vec![AccessKey::new(pair("other", "other")), AccessKey { token, ..key }]
    }
}

/// Every change of one thing that is covered, with what it is.
fn changes(signed: &Trial, covered: &Covered) -> Vec<(String, Trial)> {
    let mut changed = Vec::new();
    let mut add = |what: String, trial: Trial| changed.push((what, trial));
    let method = if signed.method == "GET" { "PUT" } else { "GET" };
    add("the method".into(), Trial { method: method.into(), ..signed.clone() });
    let path = signed.path();
    let mut other = signed.clone();
    other.target = signed.target.replacen(path, &format!("{path}x"), 1);
    other.key = signed.key.as_ref().map(|key| [key.as_slice(), b"x"].concat());
    add("the path".into(), other);

    let pieces: Vec<&str> = signed.query().split('&').filter(|piece| !piece.is_empty()).collect();
    let with = |pieces: &[String]| Trial { target: format!("{path}?{}", pieces.join("&")), ..signed.clone() };
    for (place, piece) in pieces.iter().enumerate().filter(|(place, _)| covered.parameter(*place)) {
        let owned: Vec<String> = pieces.iter().map(|piece| (*piece).to_owned()).collect();
        let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
        let variants = [format!("{name}={value}x"), format!("{name}x={value}"), format!("{name}={value}&{piece}")];
        for variant in variants {
            let mut pieces = owned.clone();
            pieces[place] = variant;
            add(format!("the parameter {piece}"), with(&pieces));
        }
        let mut fewer = owned;
        fewer.remove(place);
        add(format!("without the parameter {piece}"), with(&fewer));
    }
    for name in signed.headers.keys().filter(|name| covered.field(name.as_str()) && *name != "host") {
        let mut other = signed.clone();
        let value = [signed.headers[name].as_bytes(), b"x"].concat();
        other.headers.insert(name, value.as_slice().try_into().unwrap());
        add(format!("the field {name}"), other);
        let mut other = signed.clone();
        other.headers.remove(name);
        add(format!("without the field {name}"), other);
    }
    if covered.field("host") {
        add("the host".into(), Trial { hosts: vec!["elsewhere.example.com".into()], ..signed.clone() });
    }
    changed
}

/// Verifies all requests of a scheme, and that no change of them is taken. Gives how many there were of each SDK.
fn judge(
    scheme: Scheme,
    name: &str,
    all: &[Signed],
    see: impl Fn(&Signed, &Trial, &Verified<'_>),
) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for signed in all.iter().filter(|signed| signed.scheme == name) {
        let (trial, keys, clock) = (signed.trial(), signed.keys(), Clock::at(signed.now));
        let verified = match trial.check(&keys, &clock) {
            Ok(verified) => verified,
            Err(denied) => {
                let told = denied.compared.as_ref().map(|told| {
                    let canonical =
                        String::from_utf8_lossy(told.canonical_request.as_deref().unwrap_or_default()).into_owned();
                    format!("{}\n--\n{canonical}", String::from_utf8_lossy(&told.string_to_sign))
                });
                panic!("{:?}\n{signed:#?}\n{}", denied.why, told.unwrap_or_default())
            }
        };
        assert_eq!((verified.scheme, verified.presigned, verified.key), (scheme, signed.presigned, 1), "{signed:?}");
        see(signed, &trial, &verified);
        for (what, other) in changes(&trial, &verified.covered) {
            assert!(
                other.check(&keys, &clock).is_err(),
                "{what} was changed, and it still holds: {signed:?}\n{other:?}"
            );
        }
        let late = trial.check(&keys, &Clock::at(verified.expires + 1)).unwrap_err().why;
        assert!(matches!(late, Why::Expired(_) | Why::Skewed), "{late:?}");
        assert!(trial.check(&keys, &Clock::at(verified.expires)).is_ok());
        assert_eq!(trial.check(&[], &clock).unwrap_err().why, Why::UnknownKey);
        let wrong = Credentials { access_key: "LTAIexample".into(), secret_key: Secret::new("other") };
        assert_eq!(trial.check(&[AccessKey::new(wrong)], &clock).unwrap_err().why, Why::Mismatch);
        if signed.token.is_some() {
            let mut other = signed.keys();
            other[1].token = Some(Secret::new("other"));
            assert_eq!(trial.check(&other, &clock).unwrap_err().why, Why::Token);
        }
        *counts.entry(signed.sdk.clone()).or_default() += 1;
    }
    counts
}

#[test]
fn cos_python_and_node_are_verified_and_made_alike() {
    let mut all = requests(".deps/venv/bin/python", "signatures.py", "cos");
    let node = requests("node", "signatures.mjs", "cos");
    let both = !all.is_empty() && !node.is_empty();
    all.extend(node);
    let alike = std::cell::Cell::new(0);
    let counts = judge(Scheme::Cos, "cos", &all, |signed, trial, _| {
        let Some(value) = trial.value_of("authorization").filter(|_| !signed.presigned) else { return };
        // Our own signer, asked for the same window and shown the host as that SDK has signed it.
        let value = std::str::from_utf8(value).unwrap();
        let window =
            value.split("q-sign-time=").nth(1).and_then(|rest| rest.split('&').next()?.split_once(';')).unwrap();
        let window = (window.0.parse().unwrap(), window.1.parse().unwrap());
        let mut trial = trial.clone();
        if signed.sdk == "cos-python" {
            trial.hosts[0] = trial.hosts[0].split(':').next().unwrap().to_owned();
        }
        let ours = trial.message(|message| super::cos::authorize(message, &signed.keys()[1].credentials, window));
        alike.set(alike.get() + usize::from(ours == value));
    });
    if both {
        assert!(counts["cos-python"] > 400 && counts["cos-nodejs"] > 200, "{counts:?}");
        assert!(alike.get() > 300, "{} of {counts:?}", alike.get());
    }
}

/// What a request carries in its header, without the names of the fields that are signed besides: SDKs do not sort them.
fn signature_of(value: &[u8]) -> String {
    let text = String::from_utf8(value.to_vec()).unwrap();
    let part =
        text.split([',', ' ']).find_map(|part| part.strip_prefix("Signature=").or(part.strip_prefix("Signature:")));
    part.map_or_else(|| text.clone(), str::to_owned)
}

/// Judges the requests of one version of OSS's signatures, and compares ours with those that stand in headers.
fn oss(
    scheme: Scheme,
    name: &str,
    ours: impl Fn(&super::Message<'_>, &Credentials, &[&str]) -> String,
) -> BTreeMap<String, usize> {
    // Asked once for all versions.
    static ALL: OnceLock<Vec<Signed>> = OnceLock::new();
    let python = |part| requests(".deps/venv/bin/python", "signatures.py", part);
    let all =
        ALL.get_or_init(|| [python("oss_one"), python("oss_two"), requests("node", "signatures.mjs", "oss")].concat());
    judge(scheme, name, all, |signed, trial, verified| {
        let Some(value) = trial.value_of("authorization").filter(|_| !signed.presigned) else { return };
        let additional: Vec<&str> =
            verified.covered.fields.iter().map(String::as_str).filter(|name| *name != "date").collect();
        let made = trial.message(|message| ours(message, &signed.keys()[1].credentials, &additional));
        assert_eq!(signature_of(made.as_bytes()), signature_of(value), "{signed:?}");
    })
}

#[test]
fn oss_v1_sdks_are_verified_and_made_alike() {
    let counts = oss(Scheme::OssV1, "oss-v1", |message, credentials, _| super::oss_v1::authorize(message, credentials));
    assert!(
        counts.is_empty() || counts["oss2"] > 600 && counts["alibabacloud-oss-v2"] > 200 && counts["ali-oss"] > 140,
        "{counts:?}"
    );
}

#[test]
fn oss_v2_sdk_is_verified_and_made_alike() {
    let counts = oss(Scheme::OssV2, "oss-v2", super::oss_v2::authorize);
    assert!(counts.is_empty() || counts["oss2"] > 600, "{counts:?}");
}

#[test]
fn oss_v4_sdks_are_verified_and_made_alike() {
    let counts = oss(Scheme::OssV4, "oss-v4", super::oss_v4::authorize);
    assert!(
        counts.is_empty() || counts["oss2"] > 600 && counts["alibabacloud-oss-v2"] > 250 && counts["ali-oss"] > 140,
        "{counts:?}"
    );
}

#[test]
fn boto3_is_verified_with_its_bodies() {
    let all = requests(".deps/venv/bin/python", "signatures.py", "aws");
    let chunks = std::cell::Cell::new(0);
    let counts = judge(Scheme::SigV4, "sigv4", &all, |signed, trial, verified| {
        let body = signed.body.as_ref().map(|body| STANDARD.decode(body).unwrap()).unwrap_or_default();
        match &verified.body {
            SignedBody::Unsigned => assert!(signed.presigned),
            SignedBody::Sha256(hash) => assert_eq!(hash[..], sha2::Sha256::digest(&body)[..], "{signed:?}"),
            SignedBody::UnsignedChunks => {
                let said = trial.value_of("x-amz-decoded-content-length").unwrap();
                let said = std::str::from_utf8(said).unwrap().parse().unwrap();
                let (mut reader, mut rest, mut decoded) = (ChunkReader::new(None, Some(said)), &body[..], Vec::new());
                while !rest.is_empty() {
                    let (taken, data) = reader.take(rest).unwrap();
                    decoded.extend_from_slice(data);
                    rest = &rest[taken..];
                }
                assert_eq!(decoded, b"body".repeat(decoded.len() / 4));
                assert_eq!(reader.finish().unwrap()[0].0, "x-amz-checksum-crc32");
                chunks.set(chunks.get() + 1);
            }
            SignedBody::Chunks(_) => panic!("boto3 signs no chunks"),
        }
    });
    assert!(counts.is_empty() || counts["boto3"] > 400, "{counts:?}");
    assert!(counts.is_empty() || chunks.get() > 10, "{} in chunks", chunks.get());
}
