//! Links SVT-AV1 where `scripts/setup` found it: `PICTOR_SVT_AV1` is the folder of `libSvtAv1Enc.so`. Without it AVIF is
//! libaom's alone.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=PICTOR_SVT_AV1");
    println!("cargo::rustc-check-cfg=cfg(svt_av1)");
    let Some(folder) = std::env::var("PICTOR_SVT_AV1").ok().filter(|folder| !folder.is_empty()) else { return };
    println!("cargo::rustc-cfg=svt_av1");
    println!("cargo::rustc-link-search=native={folder}");
    println!("cargo::rustc-link-lib=dylib=SvtAv1Enc");
    // Beside the binary where it was moved, else where it was built.
    for place in ["$ORIGIN", "$ORIGIN/../lib", &folder] {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{place}");
    }
}
