//! The vendors' own SDKs, from their registry, against the running service.

use std::path::Path;
use std::process::Command;

use crate::support::{Pictor, site};

#[tokio::test(flavor = "multi_thread")]
async fn python_sdks_are_served() {
    serve(".deps/venv/bin/python", "python.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn node_sdks_are_served() {
    serve("node", "node.mjs").await;
}

/// Runs a client's script against the demo, with the port and a folder for what it downloads.
async fn serve(program: &'static str, script: &str) {
    let config = site("kind = \"dir\"\npath = \"DEMO\"");
    let folder = tempfile::tempdir().unwrap();
    let styles = "[site.styles]\nmanage = \"anyone\"\nrules.card = \"image/resize,m_fill,w_300,h_200/format,avif\"\n";
    let state = format!("[state]\npath = \"{}\"\n", folder.path().join("state.db").display());
    let pictor = Pictor::start(&format!("{config}{styles}{state}")).await;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let inside = root.join(program);
    let mut command = Command::new(if inside.exists() { inside.as_path() } else { Path::new(program) });
    command.arg(root.join("tests/sdk").join(script)).arg(pictor.public.port().to_string()).arg(folder.path());
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}; run scripts/setup test"));
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", said(&output.stdout), said(&output.stderr));
}
