//! The part of HTTP/1.1 that kube uses: requests with a length, answers with a length or in chunks.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use serde_json::Value as Json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;

/// A request.
#[derive(Debug, Clone)]
pub(super) struct HttpRequest {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: BTreeMap<String, String>,
    pub(super) content_type: String,
    pub(super) body: Vec<u8>,
}

/// An answer.
pub(super) enum HttpReply {
    /// A document.
    Json(u16, Json),
    /// Plain text.
    Text(String),
    /// Documents, one per line, until their sender is dropped.
    Lines(UnboundedReceiver<Json>),
    /// Nothing, and the connection is closed.
    Nothing,
}

/// Answers every connection, without end.
pub(super) async fn serve(listener: TcpListener, answer: Arc<dyn Fn(&HttpRequest) -> HttpReply + Send + Sync>) {
    // Stopping the server ends its responses too.
    let mut conversations = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let answer = Arc::clone(&answer);
        conversations.spawn(async move {
            // A client that leaves is no concern of the server's.
            let _ = converse(stream, answer.as_ref()).await;
        });
    }
}

async fn converse(stream: TcpStream, answer: &(dyn Fn(&HttpRequest) -> HttpReply + Send + Sync)) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read(&mut stream).await? {
        match answer(&request) {
            HttpReply::Json(status, document) => write(stream.get_mut(), status, &document).await?,
            HttpReply::Text(text) => {
                let head =
                    format!("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n", text.len());
                stream.get_mut().write_all(format!("{head}{text}").as_bytes()).await?;
            }
            HttpReply::Lines(mut lines) => {
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
                stream.get_mut().write_all(head.as_bytes()).await?;
                while let Some(line) = lines.recv().await {
                    let line = format!("{line}\n");
                    let chunk = format!("{:x}\r\n{line}\r\n", line.len());
                    stream.get_mut().write_all(chunk.as_bytes()).await?;
                }
                stream.get_mut().write_all(b"0\r\n\r\n").await?;
            }
            HttpReply::Nothing => return Ok(()),
        }
    }
    Ok(())
}

async fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Option<HttpRequest>> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let (method, target) = (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or_default().to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let query = query.split('&').filter_map(|pair| pair.split_once('='));
    Ok(Some(HttpRequest {
        method,
        path: decoded(path),
        query: query.map(|(name, value)| (decoded(name), decoded(value))).collect(),
        content_type: headers.remove("content-type").unwrap_or_default(),
        body,
    }))
}

async fn write(stream: &mut TcpStream, status: u16, document: &Json) -> io::Result<()> {
    let body = document.to_string();
    let head =
        format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    // In one segment: a second one would wait until the client acknowledges the first, up to 40 ms.
    stream.write_all(format!("{head}{body}").as_bytes()).await
}

/// Decodes percent encoding.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match (first, hex) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
                continue;
            }
            (b'+', _) => bytes.push(b' '),
            _ => bytes.push(first),
        }
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
