//! Every object store against the same suite, and against servers that misbehave.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::path::Path;
use std::sync::Arc;

use pictor::config::OriginConfig;
use pictor::config::origin::Timeouts;
use pictor::origin::Origin;
use support::conformance::{self, Store};
use support::scripted::ScriptedOrigin;
use support::weed::Weed;

#[path = "origins/folder.rs"]
mod folder;
#[path = "origins/hostile.rs"]
mod hostile;
#[path = "origins/s3.rs"]
mod s3;

fn build(config: &OriginConfig) -> Arc<dyn Origin> {
    pictor::origin::build(config, Path::new("/")).unwrap()
}

fn http(url: &str, timeouts: Timeouts) -> Arc<dyn Origin> {
    build(&OriginConfig::Http { url: url.into(), timeouts })
}

#[tokio::test]
async fn a_folder_conforms() {
    let folder = tempfile::tempdir().unwrap();
    let origin = build(&OriginConfig::Dir { path: folder.path().into() });
    conformance::check(&Store { origin, lists: true, keeps_headers: false }).await;
}

#[tokio::test]
async fn an_http_server_conforms() {
    let server = ScriptedOrigin::start();
    let origin = http(&format!("{}/some/prefix/", server.url()), Timeouts::default());
    conformance::check(&Store { origin, lists: false, keeps_headers: true }).await;
    assert!(server.seen().iter().all(|seen| seen.target.starts_with("/some/prefix/")));
    assert!(server.seen().iter().all(|seen| seen.header("accept-encoding") == Some("identity")));
}

#[tokio::test]
async fn s3_conforms_path_style() {
    let origin = build(&Weed::shared().bucket("conform-path", true));
    conformance::check(&Store { origin, lists: true, keeps_headers: true }).await;
}

#[tokio::test]
async fn s3_conforms_virtual_host_style() {
    let origin = build(&Weed::shared().bucket("conform-host", false));
    conformance::check(&Store { origin, lists: true, keeps_headers: true }).await;
}
