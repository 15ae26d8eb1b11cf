//! The `pictor` command.

fn main() -> std::process::ExitCode {
    pictor::cli::run()
}
