//! What only a folder can do wrong.

use std::os::unix::fs::symlink;

use bytes::Bytes;
use futures_util::StreamExt;
use pictor::config::OriginConfig;
use pictor::error::Kind;
use pictor::origin::{Fetched, ObjectKey, PutOptions, ReadConditions};

use super::build;
use super::support::conformance::{Store, key, whole};

#[tokio::test]
async fn links_may_not_lead_out() {
    let folder = tempfile::tempdir().unwrap();
    let (root, outside) = (folder.path().join("root"), folder.path().join("outside"));
    std::fs::create_dir_all(root.join("sub")).unwrap();
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("secret.jpg"), "secret").unwrap();
    std::fs::write(root.join("sub/real.jpg"), "real").unwrap();
    symlink(outside.join("secret.jpg"), root.join("file.jpg")).unwrap();
    symlink("../outside", root.join("folder")).unwrap();
    symlink(root.join("sub/real.jpg"), root.join("inside.jpg")).unwrap();
    symlink("loop.jpg", root.join("loop.jpg")).unwrap();
    symlink("nowhere", root.join("dangling.jpg")).unwrap();
    symlink("..", root.join("sub/up")).unwrap();
    let store = Store { origin: build(&OriginConfig::Dir { path: root.clone() }), lists: true, keeps_headers: false };

    for name in ["file.jpg", "folder/secret.jpg", "loop.jpg", "dangling.jpg", "sub/up/../../outside/secret.jpg"] {
        assert_eq!(whole(&store, &key(name)).await.unwrap_err().kind, Kind::NotFound, "{name}");
    }
    assert_eq!(whole(&store, &key("inside.jpg")).await.unwrap().1, "real");
    assert_eq!(whole(&store, &key("sub/up/sub/real.jpg")).await.unwrap().1, "real");
    let listed = store.origin.list("", None, 100).await.unwrap();
    assert_eq!(
        listed.entries.iter().map(|entry| entry.key.as_str()).collect::<Vec<_>>(),
        ["inside.jpg", "sub/real.jpg"]
    );

    let put = async |name: &str| store.origin.put(&key(name), Bytes::from_static(b"new"), &PutOptions::default()).await;
    assert_eq!(put("folder/new.jpg").await.unwrap_err().kind, Kind::BadRequest);
    assert_eq!(put("folder/deep/new.jpg").await.unwrap_err().kind, Kind::BadRequest);
    // Of a link that leads out, the link is replaced or removed, not what it leads to.
    put("file.jpg").await.unwrap();
    assert_eq!(std::fs::read_to_string(outside.join("secret.jpg")).unwrap(), "secret");
    store.origin.delete(&key("folder/secret.jpg")).await.unwrap();
    assert!(outside.join("secret.jpg").exists());
    assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 1);
}

#[tokio::test]
async fn only_files_are_objects() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("sub")).unwrap();
    std::fs::write(folder.path().join("sub/a.jpg"), "a").unwrap();
    std::fs::write(folder.path().join(".pictor-unfinished-1-1"), "half").unwrap();
    let fifo = std::process::Command::new("mkfifo").arg(folder.path().join("fifo.jpg")).status().unwrap();
    assert!(fifo.success());
    let store =
        Store { origin: build(&OriginConfig::Dir { path: folder.path().into() }), lists: true, keeps_headers: false };
    let long = "x".repeat(300);
    for name in ["sub", "sub/", "sub//a.jpg", "fifo.jpg", ".pictor-unfinished-1-1", "sub/a.jpg/", long.as_str()] {
        assert_eq!(whole(&store, &key(name)).await.unwrap_err().kind, Kind::NotFound, "{name}");
    }
    let options = PutOptions::default();
    for name in ["sub", "sub/", "sub/a.jpg/b", "../a", "a//b", long.as_str()] {
        let put = store.origin.put(&key(name), Bytes::from_static(b"x"), &options).await;
        assert_eq!(put.unwrap_err().kind, Kind::BadRequest, "{name}");
    }
    // Nothing is left of what could not be written.
    let names: Vec<_> = store.origin.list("", None, 100).await.unwrap().entries;
    assert_eq!(names.iter().map(|entry| entry.key.as_str()).collect::<Vec<_>>(), ["sub/a.jpg"]);
    let files = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(files, 3);
}

#[tokio::test]
async fn names_need_not_be_utf_8() {
    let folder = tempfile::tempdir().unwrap();
    let store =
        Store { origin: build(&OriginConfig::Dir { path: folder.path().into() }), lists: true, keeps_headers: false };
    let name = ObjectKey::from_raw_path("/%D6%D0.jpg").unwrap();
    store.origin.put(&name, Bytes::from_static(b"gbk"), &PutOptions::default()).await.unwrap();
    assert_eq!(whole(&store, &name).await.unwrap().1, "gbk");
}

/// A file that is written to while it is read ends in an error, before its last byte: longer, shorter, or the same.
#[tokio::test]
async fn a_file_that_changes_while_it_is_read_never_looks_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.bmp");
    let store =
        Store { origin: build(&OriginConfig::Dir { path: folder.path().into() }), lists: true, keeps_headers: false };
    let whole = vec![1_u8; 1 << 20];
    type Change = fn(&std::path::Path, &[u8]);
    let changes: [(&str, Change); 4] = [
        ("rewritten", |path, whole| std::fs::write(path, whole).unwrap()),
        ("longer", |path, _| {
            let mut file = std::fs::File::options().append(true).open(path).unwrap();
            std::io::Write::write_all(&mut file, b"more").unwrap();
        }),
        ("shorter", |path, _| std::fs::File::options().write(true).open(path).unwrap().set_len(600_000).unwrap()),
        ("empty", |path, _| std::fs::write(path, b"").unwrap()),
    ];
    for (what, change) in changes {
        std::fs::write(&path, &whole).unwrap();
        let fetched = store.origin.get(&key("a.bmp"), None, &ReadConditions::default()).await.unwrap();
        let Fetched::Object { mut body, .. } = fetched else { panic!("no conditions") };
        let mut seen = body.next().await.unwrap().unwrap().len();
        change(&path, &whole);
        let error = loop {
            match body.next().await {
                Some(Ok(chunk)) => seen += chunk.len(),
                Some(Err(error)) => break error,
                None => panic!("{what}: it looks whole"),
            }
        };
        assert_eq!(error.kind, Kind::OriginShort, "{what}");
        assert!(seen < whole.len(), "{what}: the last bytes are held back");
    }
    // Replaced, as a good writer does, it is read to its end.
    std::fs::write(&path, &whole).unwrap();
    let fetched = store.origin.get(&key("a.bmp"), None, &ReadConditions::default()).await.unwrap();
    let Fetched::Object { mut body, .. } = fetched else { panic!("no conditions") };
    let other = folder.path().join("other");
    std::fs::write(&other, b"new").unwrap();
    std::fs::rename(&other, &path).unwrap();
    let mut bytes = Vec::new();
    while let Some(chunk) = body.next().await {
        bytes.extend_from_slice(&chunk.unwrap());
    }
    assert_eq!(bytes, whole);
}

/// Two states of a file never have one tag, however soon one follows the other.
#[tokio::test]
async fn a_tag_names_one_state() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jpg");
    let store =
        Store { origin: build(&OriginConfig::Dir { path: folder.path().into() }), lists: true, keeps_headers: false };
    let mut tags = std::collections::HashSet::new();
    for state in 0..20_u8 {
        std::fs::write(&path, [state; 64]).unwrap();
        let (meta, bytes) = whole(&store, &key("a.jpg")).await.unwrap();
        assert_eq!(bytes, [state; 64][..]);
        assert!(tags.insert(meta.etag.unwrap()), "state {state} has the tag of another");
    }
}
