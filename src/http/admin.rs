//! The admin listener: `/metrics`, `/healthz`, `/readyz`. An address of its own; never public.

use std::sync::Arc;

use async_trait::async_trait;
use http::{Response, StatusCode, header};
use pingora::apps::http_app::ServeHttp;
use pingora::protocols::http::ServerSession;

use super::App;

/// The admin application.
pub struct Admin {
    pub(super) app: Arc<App>,
}

fn text(status: StatusCode, media_type: &'static str, body: Vec<u8>) -> Response<Vec<u8>> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let length = response.body().len();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(media_type));
    headers.insert(header::CONTENT_LENGTH, header::HeaderValue::from(length));
    response
}

const PLAIN: &str = "text/plain; charset=utf-8";

#[async_trait]
impl ServeHttp for Admin {
    async fn response(&self, session: &mut ServerSession) -> Response<Vec<u8>> {
        let head = session.req_header();
        if head.method != http::Method::GET && head.method != http::Method::HEAD {
            return text(StatusCode::METHOD_NOT_ALLOWED, PLAIN, b"only GET\n".to_vec());
        }
        let shield = &self.app.shield;
        match head.uri.path() {
            "/healthz" => text(StatusCode::OK, PLAIN, b"ok\n".to_vec()),
            "/readyz" => {
                let status = shield.engine().status();
                match status.workers {
                    0 => text(StatusCode::SERVICE_UNAVAILABLE, PLAIN, b"no worker is ready\n".to_vec()),
                    workers => text(StatusCode::OK, PLAIN, format!("ready, {workers} workers\n").into_bytes()),
                }
            }
            "/metrics" => {
                let status = shield.engine().status();
                match self.app.metrics.expose(&status, shield.cache.weights(), shield.under_way()) {
                    Ok(body) => text(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", body),
                    Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, PLAIN, format!("{error}\n").into_bytes()),
                }
            }
            _ => text(StatusCode::NOT_FOUND, PLAIN, b"/metrics /healthz /readyz\n".to_vec()),
        }
    }
}
