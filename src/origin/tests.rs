//! Building stores from configuration.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::config::origin::Timeouts;

fn s3(access: (Option<&str>, Option<&str>), secret: (Option<&str>, Option<&str>)) -> OriginConfig {
    OriginConfig::S3 {
        endpoint: "http://127.0.0.1:9000".into(),
        bucket: "photos".into(),
        region: "us-east-1".into(),
        path_style: true,
        access_key_env: access.0.map(str::to_owned),
        secret_key_env: secret.0.map(str::to_owned),
        access_key_file: access.1.map(PathBuf::from),
        secret_key_file: secret.1.map(PathBuf::from),
        timeouts: Timeouts::default(),
    }
}

fn failure(config: &OriginConfig, base: &Path) -> String {
    build(config, base).map(|_| ()).unwrap_err().report()
}

#[test]
fn secrets_come_from_files_beside_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ak"), "AKIDEXAMPLE\n").unwrap();
    std::fs::write(folder.path().join("sk"), "hush-hush\n").unwrap();
    let origin = build(&s3((None, Some("ak")), (None, Some("sk"))), folder.path()).unwrap();
    assert!(origin.upstream().unwrap().signs());
    let printed = format!("{origin:?}");
    assert!(printed.contains("AKIDEXAMPLE") && !printed.contains("hush"), "{printed}");
}

#[test]
fn without_keys_nothing_is_signed() {
    let origin = build(&s3((None, None), (None, None)), Path::new("/")).unwrap();
    assert!(!origin.upstream().unwrap().signs());
}

#[test]
fn a_missing_secret_names_its_place() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("empty"), "\n").unwrap();
    std::fs::write(folder.path().join("ak"), "AK").unwrap();
    let base = folder.path();
    let message = failure(&s3((Some("PICTOR_TEST_UNSET"), None), (None, None)), base);
    assert!(message.contains("access_key_env") && message.contains("PICTOR_TEST_UNSET"), "{message}");
    let message = failure(&s3((None, Some("gone")), (None, None)), base);
    assert!(message.contains("access_key_file") && message.contains("gone"), "{message}");
    let message = failure(&s3((None, Some("empty")), (None, None)), base);
    assert!(message.contains("is empty"), "{message}");
    assert!(failure(&s3((None, Some("ak")), (None, None)), base).contains("no secret key"));
    assert!(failure(&s3((Some("A"), Some("ak")), (None, None)), base).contains("keep one"));
}

#[test]
fn addresses_are_checked() {
    let http = |url: &str| OriginConfig::Http { url: url.into(), timeouts: Timeouts::default() };
    for url in ["photos", "ftp://a/", "http://", "http://a/?q=1", "http://a/#x"] {
        assert!(failure(&http(url), Path::new("/")).contains("site.origin.url"), "{url}");
    }
    let message = failure(&http("http://user:hush@a/"), Path::new("/"));
    assert!(!message.contains("hush"), "{message}");
    let dir = OriginConfig::Dir { path: "does-not-exist".into() };
    assert!(failure(&dir, Path::new("/")).contains("does-not-exist"));
}

/// What a site had from one bucket is never another's, and the same bucket is told the same in every process.
#[test]
fn stores_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("b")).unwrap();
    let store = |kind: &str, rest: &str| {
        let config: OriginConfig = toml::from_str(&format!("kind = \"{kind}\"\n{rest}")).unwrap();
        build(&config, folder.path()).unwrap().store()
    };
    let same = store("s3", "endpoint = \"http://e.example\"\nbucket = \"a\"");
    let spelt = "endpoint = \"http://E.example:80/\"\nbucket = \"a\"\nregion = \"elsewhere\"";
    assert_eq!(same, store("s3", spelt));
    let all = [
        same,
        store("s3", "endpoint = \"http://e.example\"\nbucket = \"b\""),
        store("s3", "endpoint = \"https://e.example\"\nbucket = \"a\""),
        store("s3", "endpoint = \"http://e.example:81\"\nbucket = \"a\""),
        store("s3", "endpoint = \"http://e.example\"\nbucket = \"a\"\npath_style = false"),
        store("http", "url = \"http://e.example/a\""),
        store("http", "url = \"http://e.example/\""),
        store("dir", "path = \".\""),
        store("dir", "path = \"b\""),
    ];
    assert_eq!(all.iter().collect::<std::collections::HashSet<_>>().len(), all.len());
}
