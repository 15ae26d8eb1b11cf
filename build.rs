//! Lets the program find the libraries of its codecs.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Said by the build script of `pictor-imaging`: the folders in which the linker found them, in order.
    println!("cargo::rerun-if-env-changed=DEP_PICTOR_CODECS_FOLDERS");
    let folders = std::env::var("DEP_PICTOR_CODECS_FOLDERS").unwrap_or_default();
    // Beside the program where it was moved, else where it was built.
    for place in ["$ORIGIN", "$ORIGIN/../lib"].into_iter().chain(folders.split(':').filter(|folder| !folder.is_empty()))
    {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{place}");
    }
}
