//! What cannot be served ends the start, with a reason; `check` finds the same.

use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::support::{demo, free};

fn site(more: &str) -> String {
    format!(
        "[[site]]\nname = \"t\"\nhosts = [\"*\"]\n[site.origin]\nkind = \"dir\"\npath = \"{}\"\n{more}",
        demo().display()
    )
}

fn server(more: &str) -> String {
    format!("[server]\nlisten = [\"{}\"]\nadmin = \"{}\"\n{more}", free(), free())
}

/// Runs a command over a configuration until it ends by itself.
fn run(command: &str, folder: &Path, text: &str) -> Output {
    let file = folder.join("pictor.toml");
    std::fs::write(&file, text).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_pictor"));
    child.args([command, "--config"]).arg(&file).stdin(Stdio::null()).output().unwrap()
}

/// Both `serve` and `check` fail, `check` with the line, and nothing is said to listen.
fn both_refuse(folder: &Path, text: &str, line: usize, why: &str) {
    for command in ["serve", "check"] {
        let output = run(command, folder, text);
        let (said, wrong) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(!output.status.success(), "{command} of\n{text}\n{said}{wrong}");
        assert!(wrong.contains(why), "{command} of\n{text}\nsays {wrong}\nwant {why}");
        assert!(!said.contains("listens on"), "{command}: {said}");
        if command == "check" {
            assert!(wrong.contains(&format!("line {line}: ")), "{text}\nsays {wrong}\nwant line {line}");
        }
    }
}

#[test]
fn a_taken_port_ends_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = held.local_addr().unwrap();
    for text in [
        format!("[server]\nlisten = [\"{}\", \"{taken}\"]\nadmin = \"{}\"\n{}", free(), free(), site("")),
        format!("[server]\nlisten = [\"{}\"]\nadmin = \"{taken}\"\n{}", free(), site("")),
    ] {
        let output = run("serve", folder.path(), &text);
        let wrong = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success());
        assert!(wrong.contains(&format!("cannot listen on {taken}: the address is in use")), "{wrong}");
        assert!(!String::from_utf8_lossy(&output.stdout).contains("listens on"));
        // It may be the service itself that has it: a warning.
        let output = run("check", folder.path(), &text);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(String::from_utf8_lossy(&output.stderr).contains("warning: cannot listen on"));
    }
}

#[test]
fn certificates_that_cannot_be_used_end_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        std::fs::File::create(folder.path().join(name)).unwrap().write_all(text.as_bytes()).unwrap();
    };
    file("empty.pem", "");
    file("broken.pem", "-----BEGIN CERTIFICATE-----\nnonsense!\n-----END CERTIFICATE-----\n");
    let tls = |chain: &str, key: &str| {
        let more = format!("listen_tls = [\"{}\"]\ncertificate = \"{chain}\"\nprivate_key = \"{key}\"\n", free());
        format!("{}{}", server(&more), site(""))
    };
    both_refuse(folder.path(), &tls("nowhere.pem", "key.pem"), 5, "nowhere.pem");
    both_refuse(folder.path(), &tls("empty.pem", "key.pem"), 5, "there is no certificate in it");
    both_refuse(folder.path(), &tls("broken.pem", "key.pem"), 5, "broken.pem");
}

#[test]
fn what_serve_finds_wrong_check_finds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(
        path.join("note.txt"),
        "this is no state of ours, but a text that is long enough for a header\n".repeat(99),
    )
    .unwrap();
    // The comment and the site's name are there to be mistaken for the setting.
    let state = |file: &str| format!("# path = \"{file}\"\n{}[state]\npath = \"{file}\"\n{}", server(""), site(""));
    both_refuse(path, &state("nowhere/state.db"), 6, "nowhere/state.db");
    both_refuse(path, &state("note.txt"), 6, "note.txt");
    let formats = |names: &str| format!("{}{}", server(""), site(&format!("[site.negotiate]\nformats = [{names}]\n")));
    both_refuse(path, &formats("\"avif\", \"svg\""), 11, "\"svg\" cannot be written");
    both_refuse(path, &formats("\"jxl\""), 11, "\"jxl\" cannot be written");
    both_refuse(path, &formats("\"tpg\""), 11, "\"tpg\" cannot be written");
    let output = run("check", path, &format!("{}{}", server(""), site("")));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!path.join("state.db").exists(), "a check makes nothing");
}
