//! The vendors' own SDKs, from their registry, against the running service.

use std::path::Path;
use std::process::Command;

use crate::support::{Pictor, site};

#[tokio::test(flavor = "multi_thread")]
async fn python_sdks_are_served() {
    let config = site("kind = \"dir\"\npath = \"DEMO\"");
    let folder = tempfile::tempdir().unwrap();
    let styles = "[site.styles]\nmanage = \"anyone\"\nrules.card = \"image/resize,m_fill,w_300,h_200/format,avif\"\n";
    let state = format!("[state]\npath = \"{}\"\n", folder.path().join("state.db").display());
    let pictor = Pictor::start(&format!("{config}{styles}{state}")).await;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut python = Command::new(root.join(".deps/venv/bin/python"));
    python.arg(root.join("tests/sdk/python.py")).arg(pictor.public.port().to_string()).arg(folder.path());
    let output = tokio::task::spawn_blocking(move || python.output()).await.unwrap();
    let output = output.expect("the SDKs' Python; run scripts/setup test");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", said(&output.stdout), said(&output.stderr));
}
