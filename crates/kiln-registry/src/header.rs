use kiln_fetch::http::Response;
use kiln_fetch::http::header::HeaderName;

/// A header of an answer, where it is a text.
pub(crate) fn text(response: &Response, name: HeaderName) -> Option<String> {
    response.headers().get(name)?.to_str().ok().map(str::to_owned)
}
