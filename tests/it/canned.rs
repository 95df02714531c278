//! A server that answers with what a test gave it, whatever is asked: for replies no sandbox gives.

use std::io::{BufRead, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What to do with a request.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Status, header lines, body.
    Reply(u16, Vec<(&'static str, String)>, String),
    /// Read the request, then close without a word.
    Hangup,
}

impl Answer {
    pub fn json(status: u16, body: &str) -> Self {
        Answer::Reply(
            status,
            vec![("content-type", "application/json".into())],
            body.into(),
        )
    }

    pub fn html(status: u16, body: &str) -> Self {
        Answer::Reply(
            status,
            vec![("content-type", "text/html".into())],
            body.into(),
        )
    }
}

/// Answers in order, the last one for ever; keeps what was asked.
pub struct Canned {
    pub address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Canned {
    pub fn start(answers: Vec<Answer>) -> Self {
        Canned::serve(move |index, _| answers[index.min(answers.len() - 1)].clone())
    }

    /// Answers by what the request says.
    pub fn by(answer: impl Fn(&str) -> Answer + Send + 'static) -> Self {
        Canned::serve(move |_, request| answer(request))
    }

    fn serve(answer: impl Fn(usize, &str) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("bound");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = requests.clone();
        std::thread::spawn(move || {
            for (index, stream) in listener.incoming().enumerate() {
                let Ok(stream) = stream else { continue };
                // A client that leaves early is what some tests are about.
                let _ = serve(stream, |request| answer(index, request), &seen);
            }
        });
        Canned { address, requests }
    }

    /// The requests so far: request line, headers and body as they came.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("not poisoned").clone()
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn serve(
    mut stream: TcpStream,
    answer: impl FnOnce(&str) -> Answer,
    seen: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let request = read_request(&mut stream)?;
    let answer = answer(&request);
    seen.lock().expect("not poisoned").push(request);
    let Answer::Reply(status, headers, body) = answer else {
        return Ok(());
    };
    let mut head = format!(
        "HTTP/1.1 {status} Canned\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    stream.write_all(format!("{head}\r\n{body}").as_bytes())
}

fn read_request(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .and_then(|(_, value)| value.trim().parse::<usize>().ok())
                .unwrap_or(0);
            if body.len() >= length {
                return Ok(text);
            }
        }
        match stream.read(&mut buffer)? {
            0 => return Ok(text),
            n => bytes.extend_from_slice(&buffer[..n]),
        }
    }
}

/// The next request of a connection that goes on: its head as it came, and its body. `None` at the end.
pub fn next_request(reader: &mut impl BufRead) -> std::io::Result<Option<(String, Vec<u8>)>> {
    let mut head = String::new();
    while reader.read_line(&mut head)? > 0 && !head.ends_with("\r\n\r\n") {}
    if head.is_empty() {
        return Ok(None);
    }
    let length = header(&head, "content-length").and_then(|text| text.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    Ok(Some((head, body)))
}

/// The first header of this name.
pub fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    let lines = head.lines().filter_map(|line| line.split_once(':'));
    let mut values = lines.filter(|(own, _)| own.eq_ignore_ascii_case(name));
    values.next().map(|(_, value)| value.trim())
}
