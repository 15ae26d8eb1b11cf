//! README.md is true: every line of its blocks of commands is run against the demo, and gives what the text says.

use std::path::Path;
use std::process::{Command, Output};

use pictor::imaging::{encode, probe};
use pictor::plan::Format;

use crate::support::{Pictor, demo, have, missing};

const README: &str = include_str!("../../README.md");
const CONFIGURATION: &str = include_str!("../../conf/pictor.toml");

/// What is not run here: building, testing, and a service that is running already.
const LEFT: [&str; 4] =
    ["make run", "make test", "target/release/pictor serve --config conf/mine.toml", "pictor serve --config my.toml"];

/// Parts of a line, and what its standard output has to hold.
const SAID: [(&str, &[&str]); 12] = [
    ("?imageInfo'", &["\"format\":", "jpeg", "\"width\":", "2400"]),
    ("resize,w_0'", &["HTTP/1.1 400", "<Code>InvalidArgument</Code>", "x-oss-request-id"]),
    ("-H 'Accept: image/avif", &["HTTP/1.1 200", "content-type: image/avif", "vary: accept"]),
    ("8081/metrics", &["pictor_requests_total"]),
    ("pictor explain 'image", &["ignored     resize: l and s", "result      heif 923x600", "resize to 923x600"]),
    ("explain --list", &["imageMogr2/thumbnail", "image/watermark"]),
    ("pictor codecs", &["libheif", "libwebp"]),
    ("pictor translate '", &["imageMogr2/thumbnail/300x200", "format/webp"]),
    ("pictor translate - --to", &[]),
    ("pictor replay", &["2 pairs: 2 agree, 0 differ"]),
    ("pictor check", &[]),
    ("-X PUT", &[]),
];

/// Pictures that lines write: width, height and frames.
const MADE: [(&str, (u32, u32, u32)); 9] = [
    ("out.heic", (1067, 600, 1)),
    ("out.webp", (300, 300, 1)),
    ("thumb.webp", (300, 169, 1)),
    ("card.avif", (300, 200, 1)),
    ("moving.avif", (240, 160, 12)),
    ("tiny.webp", (60, 34, 1)),
    ("marked.jpg", (2400, 1350, 1)),
    ("logo.jpg", (900, 506, 1)),
    ("out.avif", (1200, 800, 1)),
];

/// The lines of the blocks, without what is said beside them.
fn commands() -> Vec<String> {
    let blocks = README.split("```").skip(1).step_by(2);
    let lines = blocks.flat_map(str::lines).map(|line| line.split("   #").next().unwrap().trim());
    lines.filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

fn run(folder: &Path, line: &str) -> Output {
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-e", "-c", line]).current_dir(folder).env("PATH", path).env("CURL_HOME", folder);
    shell.env_remove("http_proxy").output().unwrap()
}

#[tokio::test]
async fn every_command_of_the_readme_does_what_is_said() {
    if !have("curl") {
        return missing("curl");
    }
    let here = |text: &str| {
        let text = text.replace("\"demo\"                     # rel", &format!("\"{}\" # rel", demo().display()));
        text.replace("127.0.0.1:8080", "PUBLIC").replace("127.0.0.1:8081", "ADMIN")
    };
    // The demo, with the state that the text asks for where it sets a style.
    let kept = here(CONFIGURATION).replace("# path = \"/var/lib/pictor/state.db\"", "path = \"state.db\"");
    assert_ne!(kept, here(CONFIGURATION));
    let pictor = Pictor::start(&kept).await;
    let (public, admin) = (pictor.public.to_string(), pictor.admin.to_string());
    let placed = |text: &str| text.replace("127.0.0.1:8080", &public).replace("127.0.0.1:8081", &admin);

    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let link = |from: &Path, to: &str| std::os::unix::fs::symlink(from, folder.path().join(to)).unwrap();
    std::fs::create_dir_all(folder.path().join("target/release")).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_pictor"));
    link(program, "pictor");
    link(program, "target/release/pictor");
    std::fs::create_dir_all(folder.path().join("conf")).unwrap();
    link(&demo(), "conf/demo");
    file("conf/pictor.toml", CONFIGURATION);
    file("my.toml", &here(CONFIGURATION).replace("PUBLIC", &public).replace("ADMIN", &admin));
    let url = |rule: &str| format!("http://{public}/sample.jpg?{rule}\n");
    file("urls.txt", &[url("x-oss-process=image/resize,w_300,h_200"), url("imageMogr2/thumbnail/300x")].concat());
    file(".curlrc", "noproxy = \"*\"\nsilent\nshow-error\n");

    let commands = commands();
    assert!(commands.len() > 25, "{commands:?}");
    for line in LEFT {
        assert!(commands.iter().any(|command| command == line), "{line} is not in README.md");
    }
    for line in commands.iter().filter(|line| !LEFT.contains(&line.as_str())) {
        let output = run(folder.path(), &placed(line));
        let (said, wrong) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        if line.contains("heic") && line.starts_with("curl") && !encode::writable(Format::Heif) {
            continue;
        }
        assert!(output.status.success(), "{line}: {}\n{said}{wrong}", output.status);
        let wanted = SAID.iter().find(|(part, _)| line.contains(part));
        let made = MADE.iter().find(|(name, _)| line.split(' ').any(|word| word == *name));
        let more = ["sed ", "curl -X PUT"].iter().any(|start| line.starts_with(start));
        assert!(wanted.is_some() || made.is_some() || more, "nothing is known of {line}");
        for part in wanted.map(|(_, parts)| *parts).unwrap_or_default() {
            assert!(said.to_lowercase().contains(&part.to_lowercase()), "{line}: no {part} in\n{said}{wrong}");
        }
        if let Some((name, (width, height, frames))) = made {
            let bytes = std::fs::read(folder.path().join(name)).unwrap();
            let source = probe(&bytes).unwrap_or_else(|_| panic!("{line}: {}", String::from_utf8_lossy(&bytes))).source;
            let extension = name.rsplit('.').next().unwrap();
            assert_eq!(Some(source.format), Format::from_name(extension), "{line}");
            assert_eq!((source.width, source.height, source.frames), (*width, *height, *frames), "{line}");
            std::fs::remove_file(folder.path().join(name)).unwrap();
        }
    }
    for (name, holds) in
        [("translated.tsv", "image/resize,w_300"), ("report/index.html", "<html"), ("conf/mine.toml", "\npath = ")]
    {
        let text = std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(text.contains(holds), "{name}: {text}");
    }
}
