//! Services, threads, and the way down.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use pingora::apps::HttpServerOptions;
use pingora::protocols::http::v2::server::H2Options;
use pingora::proxy::HttpProxy;
use pingora::server::configuration::ServerConf;
use pingora::server::{ExecutionPhase, RunArgs, Server};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::App;
use super::admin::Admin;
use super::front::{Census, ConnectionBounds, Doors, Front, Listening};
use super::pass::Resolver;
use super::proxy::Proxy;
use crate::config::ServerConfig;

/// Tries of one request at the origin. pingora tries again only what can be repeated, and only where a kept connection
/// turned out to be closed; [`Proxy`] sees to it that the second try takes a new one.
const TRIES: usize = 2;

/// Connections for the operator: the public ones cannot use them up.
const ADMIN_CONNECTIONS: usize = 256;

/// Descriptors of a request that goes through to the origin: its client's, and the origin's with its second owner.
const FILES_EACH: u64 = 3;

/// Descriptors that connections of clients must leave to workers, originals and the state.
const SPARE_FILES: u64 = 512;

/// Serves until a signal says stop: SIGTERM lets requests in flight finish within the grace, SIGINT does not.
pub fn run(app: Arc<App>, config: &ServerConfig, doors: Doors) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = if config.threads == 0 { cores } else { config.threads };
    let conf = ServerConf {
        threads,
        work_stealing: true,
        grace_period_seconds: Some(config.grace.as_secs().max(1)),
        graceful_shutdown_timeout_seconds: Some(1),
        max_retries: TRIES,
        upstream_keepalive_pool_size: 256,
        ..ServerConf::default()
    };
    let mut server = Server::new_with_opt_and_conf(None, conf);
    server.bootstrap();

    let bounds = ConnectionBounds::of(config);
    let proxy = proxy(app.clone(), config, server.configuration.clone());
    let census = Census::new(places(config.max_connections), config.max_connections_per_client);
    let (metrics, shield) = (app.metrics.clone(), app.shield.clone());
    let public = Listening::new(
        "pictor",
        threads,
        doors.public,
        Front::new(proxy, bounds),
        bounds,
        census.clone(),
        metrics.clone(),
        Arc::new(move || shield.results.tight()),
    );
    let accepting = public.accepting();
    let wanted = public.doors();
    server.add_service(public);

    let answers = Front::new(Admin { app: app.clone(), accepting, wanted }, bounds);
    let census = Census::new(ADMIN_CONNECTIONS, 0);
    server.add_service(Listening::new("admin", 1, doors.admin, answers, bounds, census, metrics, Arc::new(|| false)));

    leave_early(&server, app, config.grace);
    server.run(RunArgs::default());
}

/// The shield as an application of pingora's.
pub(super) fn proxy(app: Arc<App>, config: &ServerConfig, conf: Arc<ServerConf>) -> HttpProxy<Proxy> {
    let mut proxy = HttpProxy::new(Proxy { app, resolver: Resolver::default() }, conf);
    proxy.handle_init_modules();
    let mut options = HttpServerOptions::default();
    options.h2c = true;
    proxy.server_options = Some(options);
    let mut h2 = H2Options::new();
    // The library answers 431 itself; 32 bytes are counted for each field besides its own (RFC 9113 §6.5.2).
    h2.max_header_list_size(u32::try_from(config.max_header).unwrap_or(u32::MAX).saturating_add(8 << 10));
    h2.max_concurrent_streams(100);
    proxy.h2_options = Some(h2);
    proxy
}

/// How many connections of clients there can be: as configured, or as the system's limit of open files allows.
fn places(configured: Option<usize>) -> usize {
    let limit = getrlimit(Resource::Nofile);
    // The soft limit is for programs that cannot deal with more.
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let files = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    let (wanted, possible) = (configured.unwrap_or(ServerConfig::MAX_CONNECTIONS), possible(files));
    match configured {
        _ if wanted <= possible => {}
        Some(configured) => {
            tracing::warn!(
                configured,
                possible,
                files,
                "server.max_connections is more than open files allow (ulimit -n)"
            );
        }
        None => tracing::info!(possible, files, "as many connections as open files allow (ulimit -n)"),
    }
    wanted.min(possible)
}

/// How many connections so many open files allow; `None`: without a limit.
fn possible(files: Option<u64>) -> usize {
    let Some(files) = files else { return usize::MAX };
    usize::try_from(files.saturating_sub(SPARE_FILES) / FILES_EACH).unwrap_or(usize::MAX).max(64)
}

/// pingora sleeps through the whole grace even when nothing is in flight; this thread ends the process as soon as the
/// last request has been answered.
fn leave_early(server: &Server, app: Arc<App>, grace: Duration) {
    let mut phases = server.watch_execution_phase();
    std::thread::spawn(move || {
        loop {
            match phases.blocking_recv() {
                Ok(ExecutionPhase::GracefulTerminate) => break,
                Ok(_) => {}
                Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {}
                Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
            }
        }
        let started = Instant::now();
        tracing::info!(in_flight = app.in_flight.load(Ordering::Acquire), "stopping");
        // Requests whose bytes were on their way when the signal came still get in.
        let mut quiet_since = Instant::now();
        while started.elapsed() < grace && quiet_since.elapsed() < Duration::from_millis(300) {
            if app.in_flight.load(Ordering::Acquire) > 0 {
                quiet_since = Instant::now();
            }
            #[allow(clippy::disallowed_methods, reason = "on a thread of its own, which does nothing else")]
            std::thread::sleep(Duration::from_millis(20));
        }
        tracing::info!(left = app.in_flight.load(Ordering::Acquire), "stopped");
        #[allow(clippy::disallowed_methods, reason = "every request has been answered; pingora would sleep on")]
        std::process::exit(0);
    });
}
