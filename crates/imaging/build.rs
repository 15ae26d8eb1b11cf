//! Links SVT-AV1 where `scripts/setup` found it, says where libheif lies, and tells the program which versions of the
//! codecs that are crates it is built with.

use std::path::{Path, PathBuf};

/// Crates that are codecs, or bring one: what the lock file says of them becomes `PICTOR_<NAME>`.
const CODECS: [&str; 4] = ["jpegli-sys", "turbojpeg-sys", "libaom-sys", "libwebp-sys"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    versions();
    libjpeg_turbo();
    println!("cargo::rustc-check-cfg=cfg(svt_av1)");
    let mut folders = Vec::new();
    // The folder of `libSvtAv1Enc.so`. Without it AVIF is libaom's alone.
    if let Some(folder) = folder("PICTOR_SVT_AV1") {
        println!("cargo::rustc-cfg=svt_av1");
        println!("cargo::rustc-link-search=native={folder}");
        println!("cargo::rustc-link-lib=dylib=SvtAv1Enc");
        folders.push(folder);
    }
    // The folder of libheif, of what it needs and of dav1d, where they are not the system's; libheif-sys links the first.
    if let Some(folder) = folder("PICTOR_LIBHEIF") {
        println!("cargo::rustc-link-search=native={folder}");
        folders.push(folder);
    }
    // The tests of this crate look there; programs are told by this crate's name for links.
    for folder in &folders {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{folder}");
    }
    println!("cargo::metadata=FOLDERS={}", folders.join(":"));
    for variable in ["PICTOR_LIBHEIF", "PICTOR_SVT_AV1", "LIB_AOM_STATIC_LIB_PATH"] {
        let from = match folder(variable) {
            Some(folder) if folder.contains("/.deps/") => "unpacked by scripts/setup",
            Some(_) => "the system",
            None if variable == "PICTOR_LIBHEIF" => "the system",
            None => "",
        };
        println!("cargo::rustc-env={variable}_FROM={from}");
    }
}

fn folder(variable: &str) -> Option<String> {
    println!("cargo::rerun-if-env-changed={variable}");
    std::env::var(variable).ok().filter(|folder| !folder.is_empty())
}

fn versions() {
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.lock");
    println!("cargo::rerun-if-changed={}", lock.display());
    let text = std::fs::read_to_string(lock).unwrap_or_default();
    for name in CODECS {
        let mut lines = text.lines().skip_while(|line| *line != format!("name = \"{name}\"")).skip(1);
        let version = lines.next().and_then(|line| line.strip_prefix("version = \"")?.strip_suffix('"'));
        let variable = name.replace('-', "_").to_ascii_uppercase();
        println!("cargo::rustc-env=PICTOR_{variable}={}", version.unwrap_or("unknown"));
    }
}

/// libjpeg-turbo does not tell its version when it runs; the header that it was built with does.
fn libjpeg_turbo() {
    println!("cargo::rerun-if-env-changed=DEP_TURBOJPEG_INCLUDE");
    let folders = std::env::var("DEP_TURBOJPEG_INCLUDE").unwrap_or_default();
    let version = folders.split(',').find_map(|folder| {
        let text = std::fs::read_to_string(PathBuf::from(folder).join("jconfig.h")).ok()?;
        Some(text.lines().find_map(|line| line.strip_prefix("#define LIBJPEG_TURBO_VERSION "))?.trim().to_owned())
    });
    println!("cargo::rustc-env=PICTOR_LIBJPEG_TURBO={}", version.as_deref().unwrap_or("unknown"));
}
