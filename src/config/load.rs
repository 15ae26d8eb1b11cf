//! From text to settings that hold together. Whatever is wrong is said with the line that it stands on.

use std::collections::HashMap;
use std::net::ToSocketAddrs;
use std::path::{Path, PathBuf};

use super::{Config, EngineConfig, Isolation, Manage, PluginConfig, RefererMode, SiteConfig, lines};
use crate::dialect::Dialect;
use crate::imaging::encode::writable;
use crate::plan::Format;

/// A configuration that holds together, and the folder that its relative paths start from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// The folder of the file.
    pub base: PathBuf,
}

/// Reads a file.
///
/// # Errors
/// A sentence that names the file, the line and what to do.
pub fn load(path: &Path) -> Result<Loaded, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let base = path.parent().map(Path::to_path_buf).unwrap_or_default();
    let config = parse(&text).map_err(|message| format!("{}: {message}", path.display()))?;
    Ok(Loaded { config, base })
}

/// Reads a text and checks it.
///
/// # Errors
/// A sentence with the line.
pub fn parse(text: &str) -> Result<Config, String> {
    let config: Config = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| lines::line_at(text, span.start));
        format!("line {line}: {}", error.message())
    })?;
    check(&config).map_err(|problem| said(text, &problem.at, &problem.message))?;
    Ok(config)
}

/// A complaint about a setting, with its line where it has one. `at`: the setting's path, `site[1].limits.max_frames`.
pub fn said(text: &str, at: &str, message: &str) -> String {
    match lines::line_of(text, at) {
        Some(line) => format!("line {line}: {message}"),
        None => message.to_owned(),
    }
}

/// What is wrong, and the path of the setting that it is wrong with.
struct Problem {
    message: String,
    at: String,
}

fn problem<T>(at: &str, message: String) -> Result<T, Problem> {
    Err(Problem { message, at: at.to_owned() })
}

fn check(config: &Config) -> Result<(), Problem> {
    let server = &config.server;
    let listed = |name: &'static str, list: &[String]| {
        let named = |(place, address): (usize, &String)| (format!("server.{name}[{place}]"), address.clone());
        list.iter().enumerate().map(named).collect::<Vec<_>>()
    };
    let mut addresses = listed("listen", &server.listen);
    addresses.extend(listed("listen_tls", &server.listen_tls));
    addresses.push(("server.admin".into(), server.admin.clone()));
    let mut taken = HashMap::new();
    for (at, address) in addresses {
        if address.to_socket_addrs().is_err() {
            let message = format!("\"{address}\" is not an address to listen on; write it as \"127.0.0.1:8080\"");
            return problem(&at, message);
        }
        let shared = address.ends_with(":0");
        match taken.insert(address.clone(), ()) {
            Some(()) if at == "server.admin" && !shared => {
                return problem(&at, "server.admin must be an address of its own: it is never public".into());
            }
            Some(()) if !shared => return problem(&at, format!("\"{address}\" is listened on twice")),
            _ => {}
        }
    }
    if server.listen.is_empty() && server.listen_tls.is_empty() {
        return problem(
            "server.listen",
            "server.listen and server.listen_tls are both empty: nobody could connect".into(),
        );
    }
    if !server.listen_tls.is_empty() && (server.certificate.is_none() || server.private_key.is_none()) {
        return problem(
            "server.listen_tls",
            "server.listen_tls needs server.certificate and server.private_key".into(),
        );
    }
    for (name, time) in [
        ("head_timeout", server.head_timeout),
        ("idle_timeout", server.idle_timeout),
        ("stall_timeout", server.stall_timeout),
    ] {
        if time.is_zero() {
            return problem(&format!("server.{name}"), format!("server.{name} is zero: no request could come in time"));
        }
    }
    if server.max_connections == Some(0) {
        return problem("server.max_connections", "server.max_connections is zero: nobody could connect".into());
    }
    let engine = &config.engine;
    if engine.workers > 1024 {
        return problem("engine.workers", format!("engine.workers = {}: more than 1024 is a mistake", engine.workers));
    }
    for (name, value, least) in [
        ("worker_memory", engine.worker_memory, 256 << 20),
        ("memory", engine.memory, 256 << 20),
        ("recycle_memory", engine.recycle_memory, 16 << 20),
        ("recycle_jobs", engine.recycle_jobs, 1),
    ] {
        if value < least {
            return problem(&format!("engine.{name}"), format!("engine.{name} is too small; at least {least}"));
        }
    }
    if engine.deadline.is_zero() {
        return problem("engine.deadline", "engine.deadline is zero: no conversion could ever end in time".into());
    }
    if config.cache.in_flight < 1 << 20 {
        return problem("cache.in_flight", "cache.in_flight is too small for any original; at least \"1MiB\"".into());
    }
    if config.cache.sending < 1 << 20 {
        return problem("cache.sending", "cache.sending is too small for any result; at least \"1MiB\"".into());
    }
    if let Some(plugin) = &engine.plugin {
        check_plugin(plugin, engine.isolation)?;
    }
    if config.sites.is_empty() {
        return problem("site", "no [[site]]: there is nothing to serve".into());
    }
    let (mut names, mut hosts) = (HashMap::new(), HashMap::new());
    for (place, site) in config.sites.iter().enumerate() {
        let here = format!("site[{place}]");
        check_site(site, &here, engine)?;
        if site.styles.manage == Manage::Anyone && config.state.path.is_none() {
            return problem(
                &format!("{here}.styles.manage"),
                "site.styles.manage needs state.path: styles that are set have to be kept".into(),
            );
        }
        let quoted = format!("\"{}\"", site.name);
        if names.insert(&site.name, ()).is_some() {
            return problem(&format!("{here}.name"), format!("a second site is named {quoted}"));
        }
        for (number, host) in site.hosts.iter().enumerate() {
            if hosts.insert(host.to_ascii_lowercase(), ()).is_some() {
                let message = format!("a second site answers to \"{host}\"");
                return problem(&format!("{here}.hosts[{number}]"), message);
            }
        }
    }
    Ok(())
}

fn check_plugin(plugin: &PluginConfig, isolation: Isolation) -> Result<(), Problem> {
    let path = plugin.path.display();
    if plugin.format != Format::Tpg {
        let name = plugin.format.name();
        return problem(
            "engine.plugin.format",
            format!("engine.plugin.format = \"{name}\": a plug-in can be for \"tpg\" alone"),
        );
    }
    if !plugin.path.is_absolute() {
        return problem(
            "engine.plugin.path",
            format!("engine.plugin.path = \"{path}\" must be a whole path, from / on"),
        );
    }
    if !plugin.path.is_file() {
        return problem("engine.plugin.path", format!("engine.plugin.path: there is no file {path}"));
    }
    if isolation == Isolation::Thread {
        let message = "engine.plugin needs engine.isolation = \"process\": it is not loaded into the service itself";
        return problem("engine.isolation", message.into());
    }
    Ok(())
}

fn check_site(site: &SiteConfig, here: &str, engine: &EngineConfig) -> Result<(), Problem> {
    let problem = |at: &str, message: String| problem(&format!("{here}.{at}"), message);
    let quoted = format!("\"{}\"", site.name);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if site.name.is_empty() || !site.name.bytes().all(plain) {
        return problem("name", format!("site name {quoted}: use letters, digits, '-', '_' and '.'"));
    }
    if site.hosts.is_empty() {
        return problem("hosts", format!("site {quoted} has no hosts: nobody could reach it"));
    }
    let unknown = |(_, name): &(usize, &String)| Dialect::from_name(name).is_none();
    if let Some((place, dialect)) = site.dialects.iter().enumerate().find(unknown) {
        return problem(
            &format!("dialects[{place}]"),
            format!("\"{dialect}\" is not a dialect; there are \"tencent\" and \"aliyun\""),
        );
    }
    let written = |format: Format| writable(format) || (format == Format::Tpg && engine.plugin.is_some());
    let idle = |(_, format): &(usize, &Format)| !written(**format);
    if let Some((place, format)) = site.negotiate.formats.iter().enumerate().find(idle) {
        let name = format.name();
        return problem(
            &format!("negotiate.formats[{place}]"),
            format!(
                "site {quoted}: negotiate.formats: \"{name}\" cannot be written by this build; see `pictor codecs`"
            ),
        );
    }
    let limits = &site.limits;
    for (name, value) in [
        ("max_source_bytes", limits.max_source_bytes),
        ("max_source_side", limits.max_source_side.into()),
        ("max_source_pixels", limits.max_source_pixels),
        ("max_output_side", limits.max_output_side.into()),
        ("max_advanced_side", limits.max_advanced_side.into()),
        ("max_output_pixels", limits.max_output_pixels),
        ("max_frames", limits.max_frames.into()),
    ] {
        if value == 0 {
            return problem(
                &format!("limits.{name}"),
                format!("site {quoted}: limits.{name} is zero, which would refuse every picture; use 1 or more"),
            );
        }
    }
    if let Some(inputs) = &limits.inputs {
        if inputs.is_empty() {
            return problem(
                "limits.inputs",
                format!("site {quoted}: limits.inputs names no format: nothing could be read"),
            );
        }
        for (format, read) in [(Format::Jxl, site.imaging.jxl), (Format::Svg, site.imaging.svg)] {
            let name = format.name();
            if let Some(place) = inputs.iter().position(|input| *input == format && !read) {
                let what =
                    format!("site {quoted}: limits.inputs names \"{name}\", which [site.imaging] {name} = true allows");
                return problem(&format!("limits.inputs[{place}]"), what);
            }
        }
    }
    if site.imaging.near_lossless > 99 {
        return problem(
            "imaging.near_lossless",
            format!("site {quoted}: imaging.near_lossless is 1 to 99, or 0 for no loss"),
        );
    }
    if site.imaging.auto_quality > 100 {
        return problem(
            "imaging.auto_quality",
            format!("site {quoted}: imaging.auto_quality is a SSIMULACRA2 of at most 100"),
        );
    }
    if let Err((at, error)) = site.language_or() {
        return problem(&at, format!("site {quoted}: {}", error.message));
    }
    let referers = &site.access.referers;
    if referers.mode == RefererMode::Allow && referers.hosts.is_empty() && !referers.empty {
        return problem(
            "access.referers.hosts",
            format!(
                "site {quoted}: access.referers: with mode = \"allow\", no hosts and empty = false every request would be refused; list hosts"
            ),
        );
    }
    let no_name = |(_, host): &(usize, &String)| host.is_empty() || host.contains(['/', ' ']);
    if let Some((place, host)) = referers.hosts.iter().enumerate().find(no_name) {
        return problem(
            &format!("access.referers.hosts[{place}]"),
            format!("site {quoted}: access.referers: {host:?} is no host name; write example.com"),
        );
    }
    if http::HeaderValue::from_str(&site.cache.cache_control).is_err() {
        return problem("cache.cache_control", format!("site {quoted}: cache.cache_control cannot stand in a header"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const SITE: &str = "[[site]]\nname = \"a\"\nhosts = [\"*\"]\n[site.origin]\nkind = \"dir\"\npath = \"x\"\n";

    fn error(text: &str) -> String {
        parse(text).unwrap_err()
    }

    #[test]
    fn the_least_configuration_is_one_site() {
        let config = parse(SITE).unwrap();
        assert_eq!(config.sites[0].dialects, ["tencent", "aliyun"]);
        assert_eq!(config.sites[0].limits.max_source_bytes, 32 << 20);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, want) in [
            (format!("[server]\nlistne = []\n{SITE}"), "line 2: unknown field `listne`"),
            (format!("[engine]\ndeadline = \"30\"\n{SITE}"), "line 2: \"30\": a time needs a unit"),
            (format!("[server]\nlisten = [\"nowhere\"]\n{SITE}"), "line 2: \"nowhere\" is not an address"),
            (format!("{SITE}{SITE}"), "line 8: a second site is named \"a\""),
            // The same text stands before, in other places and in comments.
            (
                format!(
                    "[server]\nadmin = \"127.0.0.1:1\" # deadline\n[engine]\n# deadline\ndeadline = \"0s\"\n{SITE}"
                ),
                "line 5: engine.deadline is zero",
            ),
            (
                format!(
                    "{SITE}[site.limits]\nmax_frames = 9\n{}[site.limits]\nmax_frames = 0\n",
                    SITE.replace("\"a\"", "\"b\"").replace('*', "b")
                ),
                "line 16: site \"b\": limits.max_frames is zero",
            ),
            (
                format!("{SITE}{}", SITE.replace("\"a\"", "\"b\"").replace("[\"*\"]", "[\n\"c\",\n\"*\",\n]")),
                "line 11: a second site answers to \"*\"",
            ),
            (
                format!("[server]\nlisten = [\n  \"127.0.0.1:1\",\n  \"127.0.0.1:1\",\n]\n{SITE}"),
                "line 4: \"127.0.0.1:1\" is listened on twice",
            ),
            (
                format!("[server]\nadmin = \"127.0.0.1:8080\"\n{SITE}"),
                "line 2: server.admin must be an address of its own",
            ),
            (format!("[server]\nstall_timeout = \"0s\"\n{SITE}"), "line 2: server.stall_timeout is zero"),
            (format!("[server]\nmax_connections = 0\n{SITE}"), "line 2: server.max_connections is zero"),
            (
                format!("{SITE}[site.negotiate]\nformats = [\"avif\",\n\"svg\"]\n"),
                "line 9: site \"a\": negotiate.formats: \"svg\" cannot be written",
            ),
            (SITE.replace("hosts", "dialects = [\"imgix\"]\nhosts"), "line 3: \"imgix\" is not a dialect"),
            (SITE.replace("dir", "ftp"), "line 5: unknown variant `ftp`"),
            (String::new(), "no [[site]]"),
            (format!("[cache]\nin_flight = \"1KiB\"\n{SITE}"), "line 2: cache.in_flight is too small"),
            (
                format!("{SITE}[site.styles.rules]\nsmall = \"imageMogr2/thumbnail/0x\"\n"),
                "line 8: site \"a\": style small: ",
            ),
            (format!("{SITE}[site.styles]\nseparators = \"+\"\n"), "line 8: site \"a\": `+` cannot separate a style"),
            (
                format!("[engine.plugin]\npath = \"/nowhere.so\"\nformat = \"tpg\"\n{SITE}"),
                "line 2: engine.plugin.path: there is no file /nowhere.so",
            ),
            (
                format!("[engine.plugin]\npath = \"a.so\"\nformat = \"tpg\"\n{SITE}"),
                "line 2: engine.plugin.path = \"a.so\" must",
            ),
            (
                format!("[engine.plugin]\npath = \"/a\"\nformat = \"jxl\"\n{SITE}"),
                "line 3: engine.plugin.format = \"jxl\"",
            ),
            (format!("{SITE}[site.limits]\nmax_frames = 0\n"), "line 8: site \"a\": limits.max_frames is zero"),
            (format!("{SITE}[site.limits]\ninputs = []\n"), "line 8: site \"a\": limits.inputs names no format"),
            (
                format!("{SITE}[site.limits]\ninputs = [\"jpeg\", \"jxl\"]\n"),
                "line 8: site \"a\": limits.inputs names \"jxl\"",
            ),
            (format!("{SITE}[site.limits]\ninputs = [\"jpg\"]\n"), "line 8: "),
        ] {
            let got = error(&text);
            assert!(got.contains(want), "{text}\n got: {got}\nwant: {want}");
        }
    }

    /// Around the faulty line the same names stand in a comment, in another site and in other tables.
    #[test]
    fn every_problem_points_to_the_line_of_its_own_setting() {
        let noise = "# in_flight, listen, name, hosts, formats, small\n";
        let other = "[site.limits]\nmax_frames = 9\nmax_source_side = 9\ninputs = [\"png\"]\n[site.negotiate]\n\
            formats = [\"png\"]\n[site.imaging]\nnear_lossless = 9\nauto_quality = 9\n[site.styles]\nseparators = \"-\"\n\
            [site.styles.rules]\nsmall = \"imageMogr2/thumbnail/9x\"\n[site.cache]\ncache_control = \"no-store\"\n";
        let good = SITE.replace("\"a\"", "\"b\"").replace('*', "b");
        for (table, line) in [
            ("server", "listen = [\"nowhere\"]"),
            ("server", "listen = []"),
            ("server", "listen_tls = [\"127.0.0.1:1\"]"),
            ("server", "admin = \"127.0.0.1:8080\""),
            ("server", "head_timeout = \"0s\""),
            ("server", "idle_timeout = \"0s\""),
            ("server", "stall_timeout = \"0s\""),
            ("server", "max_connections = 0"),
            ("engine", "workers = 2000"),
            ("engine", "worker_memory = \"1MiB\""),
            ("engine", "memory = \"1MiB\""),
            ("engine", "recycle_memory = \"1MiB\""),
            ("engine", "recycle_jobs = 0"),
            ("engine", "deadline = \"0s\""),
            ("cache", "in_flight = \"1KiB\""),
            ("cache", "sending = \"1KiB\""),
            ("site", "name = \"a b\""),
            ("site", "name = \"b\""),
            ("site", "hosts = []"),
            ("site", "hosts = [\"c\", \"B\"]"),
            ("site", "dialects = [\"imgix\"]"),
            ("site.negotiate", "formats = [\"png\", \"svg\"]"),
            ("site.limits", "max_source_bytes = \"0B\""),
            ("site.limits", "max_source_side = 0"),
            ("site.limits", "max_source_pixels = 0"),
            ("site.limits", "max_output_side = 0"),
            ("site.limits", "max_advanced_side = 0"),
            ("site.limits", "max_output_pixels = 0"),
            ("site.limits", "max_frames = 0"),
            ("site.limits", "inputs = []"),
            ("site.limits", "inputs = [\"png\", \"svg\"]"),
            ("site.imaging", "near_lossless = 100"),
            ("site.imaging", "auto_quality = 101"),
            ("site.styles", "separators = \"+\""),
            ("site.styles", "manage = \"anyone\""),
            ("site.styles.rules", "small = \"imageMogr2/thumbnail/0x\""),
            ("site.access.referers", "hosts = [\"a/b\"]"),
            ("site.cache", "cache_control = \"\\u0001\""),
        ] {
            let line = format!("{line} # here\n");
            let text = match table {
                "site" => {
                    let key = line.split(' ').next().unwrap_or_default();
                    let kept: String =
                        SITE.lines().filter(|kept| !kept.starts_with(key)).map(|kept| format!("{kept}\n")).collect();
                    format!("{noise}{good}{other}{}", kept.replace("[[site]]\n", &format!("[[site]]\n{line}")))
                }
                _ if table.starts_with("site.") => format!("{noise}{good}{other}{SITE}[{table}]\n{line}"),
                _ => format!("{noise}[{table}]\n{line}{SITE}"),
            };
            let wanted = 1 + text.lines().position(|line| line.ends_with("# here")).unwrap();
            let got = error(&text);
            assert!(got.starts_with(&format!("line {wanted}: ")), "{text}\n got: {got}\nwant: line {wanted}");
        }
    }
}
