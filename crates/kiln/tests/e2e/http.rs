//! HTTP servers of this process, for services that tests play.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A request as a test looks at it.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    /// The type of the body.
    pub(crate) kind: String,
    /// Fields of the query and of a form, decoded.
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) authorization: Option<String>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn field(&self, name: &str) -> &str {
        let field = self.fields.iter().find(|(key, _)| key == name);
        field.map_or("", |(_, value)| value)
    }
}

/// What is answered.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// Announces one byte more than is sent.
    pub(crate) cut: bool,
}

impl Response {
    pub(crate) fn json(status: u16, value: &serde_json::Value) -> Self {
        Self { status, headers: Vec::new(), body: value.to_string().into_bytes(), cut: false }
    }

    pub(crate) fn status(status: u16) -> Self {
        Self::json(status, &serde_json::json!({ "message": format!("status {status}") }))
    }

    pub(crate) fn to(location: &str) -> Self {
        Self { headers: vec![("location", location.to_owned())], ..Self::status(303) }
    }
}

/// A server on a free port of this machine that remembers what it was asked. It ends with the process.
pub(crate) struct Http {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Http {
    pub(crate) fn start(answer: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (answer, log) = (Arc::new(answer), seen.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (answer, log) = (answer.clone(), log.clone());
                std::thread::spawn(move || {
                    let Some(request) = read(&stream) else { return };
                    log.lock().unwrap().push(request.clone());
                    drop(write(&stream, &answer(&request)));
                });
            }
        });
        Self { url, seen }
    }

    pub(crate) fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }
}

/// Stands in front of the service at `upstream` (`http://HOST:PORT/…`): hands on the first question, and gives everybody
/// its answer.
pub(crate) fn repeating(upstream: &str) -> Http {
    let host = upstream.trim_start_matches("http://").split('/').next().unwrap().to_owned();
    let first: Mutex<Option<Response>> = Mutex::new(None);
    Http::start(move |request| first.lock().unwrap().get_or_insert_with(|| handed_on(&host, request)).clone())
}

fn handed_on(host: &str, request: &Request) -> Response {
    let mut stream = TcpStream::connect(host).unwrap();
    let Request { method, path, kind, body, .. } = request;
    let head = format!(
        "host: {host}\r\nconnection: close\r\ncontent-type: {kind}\r\ncontent-length: {}",
        body.len()
    );
    write!(stream, "{method} {path} HTTP/1.1\r\n{head}\r\n\r\n").unwrap();
    stream.write_all(body).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let at = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let status = String::from_utf8_lossy(&answer[9..12]).parse().unwrap();
    Response { status, headers: Vec::new(), body: answer[at + 4..].to_vec(), cut: false }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut lines = reader.by_ref().lines().map_while(Result::ok);
    let first = lines.next()?;
    let mut words = first.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        })
        .collect();
    let header = |name: &str| headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let length = header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = Vec::new();
    reader.take(length).read_to_end(&mut body).ok()?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let kind = header("content-type").unwrap_or_default();
    let form =
        if kind.contains("form") { String::from_utf8_lossy(&body).into_owned() } else { String::new() };
    let fields = query.split('&').chain(form.split('&')).filter_map(|field| field.split_once('='));
    let fields = fields.map(|(key, value)| (key.to_owned(), decoded(value))).collect();
    Some(Request {
        method,
        path: path.to_owned(),
        kind,
        fields,
        authorization: header("authorization"),
        body,
    })
}

fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).unwrap()
}

fn write(mut stream: &TcpStream, response: &Response) -> std::io::Result<()> {
    let length = response.body.len() + usize::from(response.cut);
    write!(stream, "HTTP/1.1 {} x\r\nconnection: close\r\ncontent-length: {length}\r\n", response.status)?;
    if response.headers.iter().all(|(name, _)| *name != "content-type") {
        write!(stream, "content-type: application/json\r\n")?;
    }
    for (name, value) in &response.headers {
        write!(stream, "{name}: {value}\r\n")?;
    }
    stream.write_all(b"\r\n")?;
    stream.write_all(&response.body)
}
