//! A language model that takes its time: speaks OpenAI's streaming chat completions, and answers
//! every request with the same sentence after 300 ms.

use std::{
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

use crate::support::Result;

/// How long it thinks before its first word.
const THINKS: Duration = Duration::from_millis(300);

/// What it says.
pub(crate) const SAYS: &str = "Avec plaisir, pour combien de personnes";

/// Starts it in a thread of this process that ends with it.
pub(crate) fn start() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::spawn(move || {
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            loop {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                tokio::spawn(converse(stream));
            }
            #[expect(unreachable_code, reason = "names the error's type")]
            Ok::<(), std::io::Error>(())
        })
    });
    Ok(address)
}

async fn converse(stream: TcpStream) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let answer = answer();
    let mut body = Vec::new();
    while let Some(length) = read_head(&mut stream).await? {
        body.resize(length, 0);
        stream.read_exact(&mut body).await?;
        tokio::time::sleep(THINKS).await;
        stream.write_all(answer.as_bytes()).await?;
    }
    Ok(())
}

/// The length of the body that follows, or nothing when the connection is over.
async fn read_head(stream: &mut BufReader<TcpStream>) -> std::io::Result<Option<usize>> {
    let mut length = 0;
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let text = line.trim_end();
        if text.is_empty() {
            return Ok(Some(length));
        }
        if let Some((name, value)) = text.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().map_err(std::io::Error::other)?;
        }
    }
}

fn answer() -> String {
    let piece = |delta: &str, finish: &str| {
        format!(
            "data: {{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\
             \"model\":\"bench\",\"choices\":[{{\"index\":0,\"delta\":{delta},\
             \"finish_reason\":{finish}}}]}}\n\n"
        )
    };
    let mut events = piece("{\"role\":\"assistant\",\"content\":\"\"}", "null");
    for word in SAYS.split_inclusive(' ') {
        events += &piece(&format!("{{\"content\":\"{word}\"}}"), "null");
    }
    events += &piece("{\"content\":\" ?\"}", "null");
    events += &piece("{}", "\"stop\"");
    events += "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\
        \"model\":\"bench\",\"choices\":[],\"usage\":{\"prompt_tokens\":400,\
        \"completion_tokens\":9,\"total_tokens\":409}}\n\ndata: [DONE]\n\n";
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n\
         {:x}\r\n{events}\r\n0\r\n\r\n",
        events.len()
    )
}
