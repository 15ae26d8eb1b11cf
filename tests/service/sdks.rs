//! The vendors' own SDKs, from their registry, against the running service.

use std::path::Path;
use std::process::Command;

use crate::shared::weed::Weed;
use crate::support::{Pictor, site, until};

#[tokio::test(flavor = "multi_thread")]
async fn python_sdks_are_served() {
    serve(".deps/venv/bin/python", "python.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn node_sdks_are_served() {
    serve("node", "node.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn python_sdks_upload_in_parts() {
    upload(".deps/venv/bin/python", "parts.py", "parts-python").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn node_sdks_upload_in_parts() {
    upload("node", "parts.mjs", "parts-node").await;
}

/// Runs a client's script against the demo, with the port and a folder for what it downloads.
async fn serve(program: &'static str, script: &str) {
    let config = site("kind = \"dir\"\npath = \"DEMO\"");
    let folder = tempfile::tempdir().unwrap();
    let styles = "[site.styles]\nmanage = \"anyone\"\nrules.card = \"image/resize,m_fill,w_300,h_200/format,avif\"\n";
    let state = format!("[state]\npath = \"{}\"\n", folder.path().join("state.db").display());
    let pictor = Pictor::start(&format!("{config}{styles}{state}")).await;
    run(&pictor, program, script, folder.path()).await;
}

/// Runs a client's script against a bucket of a real S3 server that anybody may change.
async fn upload(program: &'static str, script: &str, bucket: &str) {
    let weed = tokio::task::spawn_blocking(Weed::shared).await.unwrap();
    weed.bucket(bucket, true);
    let origin = format!(
        "kind = \"s3\"\nendpoint = \"{}\"\nbucket = \"{bucket}\"\naccess_key_file = \"{}\"\nsecret_key_file = \"{}\"",
        weed.endpoint(),
        weed.access_key_file().display(),
        weed.secret_key_file().display()
    );
    let open = "[site.access]\nanonymous_write = true\nanonymous_list = true\n";
    let pictor = Pictor::start(&format!("{}{open}", site(&origin))).await;
    until("what to tell the SDKs is said", || pictor.logged("refuses parts of less than 5 MiB")).await;
    let folder = tempfile::tempdir().unwrap();
    run(&pictor, program, script, folder.path()).await;
}

async fn run(pictor: &Pictor, program: &'static str, script: &str, folder: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let inside = root.join(program);
    let mut command = Command::new(if inside.exists() { inside.as_path() } else { Path::new(program) });
    command.arg(root.join("tests/sdk").join(script)).arg(pictor.public.port().to_string()).arg(folder);
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}; run scripts/setup test"));
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", said(&output.stdout), said(&output.stderr));
}
