//! What a request is, and the answer to those that are answered here: pictures, facts, calls for styles, files of a folder.

use std::sync::Arc;

use http::{Method, StatusCode};
use pingora::proxy::Session;

use super::Proxy;
use super::context::RequestContext;
use crate::access::{self, Pass, Query};
use crate::error::Error;
use crate::http::answer::{self, Response};
use crate::http::incoming::{self, Image, Incoming};
use crate::http::pass::Outgoing;
use crate::http::writes::Writes;
use crate::http::{framing, image, local, styles};
use crate::shield::{CacheStatus, Failure};
use crate::site::Site;
use crate::telemetry::RequestOutcome;

impl Proxy {
    /// Decides, and answers what is answered here. `Ok(false)`: through to the origin.
    pub(super) async fn handle(&self, session: &mut Session, context: &mut RequestContext) -> Result<bool, Error> {
        let app = &self.app;
        let head = session.req_header();
        let host = incoming::host(head)?;
        framing::check(head, app.max_header)?;
        let site = &incoming::site(host, &app.sites)?;
        context.site = Some(site.clone());
        let target = incoming::target(&head.uri);
        // Before anything can be refused.
        context.telling.negotiable = incoming::negotiates_plain(head, &target, site);
        let read = incoming::read(head, target, site).map_err(|(dialect, error)| {
            context.dialect = dialect;
            error
        })?;
        match read {
            Incoming::Image(image) => self.picture(session, context, site, image).await,
            Incoming::Original(pass) => self.pass(session, context, site, pass, RequestOutcome::Original).await,
            Incoming::Styles(grant, query) => self.styles(session, context, site, grant, &query).await,
            Incoming::Pass(pass) => self.pass(session, context, site, pass, RequestOutcome::Passed).await,
        }
    }

    /// A picture, or facts about it.
    async fn picture(
        &self,
        session: &mut Session,
        context: &mut RequestContext,
        site: &Arc<Site>,
        mut image: Box<Image>,
    ) -> Result<bool, Error> {
        context.dialect = image.dialect;
        context.rule = Some(image.question.canonical.clone());
        context.telling.negotiable = image.question.class.is_some();
        let answer = match image::ask(&self.app, session, &image).await {
            Ok(answer) => answer,
            Err(Failure { error, status }) => {
                let instead = match image.dialect {
                    Some(_) => image::forgiven(error.kind),
                    None => image::original_instead(error.kind),
                };
                if let Some(pass) = image.original.take().filter(|_| instead) {
                    return self.pass(session, context, site, pass, RequestOutcome::Original).await;
                }
                context.telling.cache = Some(status);
                return Err(error);
            }
        };
        context.telling.cache = Some(answer.status);
        let mut response = image::dress(session, &answer, &image.question, image.dialect, &context.request_id)?;
        answer::override_fields(&mut response.head, image.grant.overrides());
        context.made(&answer.variant);
        let (status, meta) = (response.head.status, &answer.variant.meta);
        let whole = status == StatusCode::OK && !response.body.is_empty() && meta.format.is_some();
        let unmodified = status == StatusCode::NOT_MODIFIED;
        let outcome = if unmodified { RequestOutcome::NotModified } else { RequestOutcome::Ok };
        write(session, context, response, outcome).await;
        if whole && !context.client_gone {
            context.saved = meta.source_bytes.saturating_sub(context.sent);
        }
        Ok(true)
    }

    /// A vendor's call for the styles of a site that lets anyone make it.
    async fn styles(
        &self,
        session: &mut Session,
        context: &mut RequestContext,
        site: &Site,
        _: access::StylesGrant,
        query: &Query,
    ) -> Result<bool, Error> {
        let body = styles::StyleCallBody::receive(session.as_downstream_mut()).await?;
        let method = session.req_header().method.as_str();
        let (dialect, result) = styles::call(&self.app, site, method, query, &body).await;
        context.dialect = dialect;
        let (status, body) = result?;
        let response = styles::response(dialect, status, body, &context.request_id)?;
        write(session, context, response, RequestOutcome::Styles).await;
        Ok(true)
    }

    /// To the origin: what is not for us, or the untouched original in place of a picture that failed.
    async fn pass(
        &self,
        session: &mut Session,
        context: &mut RequestContext,
        site: &Arc<Site>,
        pass: Pass,
        outcome: RequestOutcome,
    ) -> Result<bool, Error> {
        if let Some(request) = &context.request {
            request.passes();
        }
        let head = session.req_header();
        context.outcome = Some(outcome);
        context.speaks = incoming::spoken(head, &site.language);
        context.telling.cache = Some(match head.method {
            Method::GET | Method::HEAD => CacheStatus::Bypass,
            _ => CacheStatus::Method,
        });
        context.writes = Writes::of(site, &self.app.shield, &head.method, &pass).map(Box::new);
        if let Some(upstream) = site.origin.upstream() {
            context.upstream = Some(Box::new(Outgoing::new(upstream, head, pass)?));
            return Ok(false);
        }
        let (status, sent) = local::serve(session, &self.app.shield, site, &pass, &context.telling).await?;
        (context.status, context.sent) = (Some(status), sent);
        Ok(true)
    }
}

/// Writes an answer that is made here, and takes note of it.
pub(super) async fn write(
    session: &mut Session,
    context: &mut RequestContext,
    response: Response,
    outcome: RequestOutcome,
) {
    context.status = Some(response.head.status.as_u16());
    context.outcome = Some(outcome);
    match answer::write(session, response, &context.telling).await {
        Ok(sent) => context.sent = sent,
        Err(_) => context.client_gone = true,
    }
}
