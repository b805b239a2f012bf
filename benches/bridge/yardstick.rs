//! The yardstick: a raw tonic service that answers GetVariable, SetVariable and Ping with fixed messages.
//!
//! `bridge yardstick SOCKET per-core|multi`. Per core: a current-thread runtime for each core but one, which is the
//! layout of our server.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request as HttpRequest, Response as HttpResponse};
use snakepit::proto::{Any, bridge as pb};
use tokio::{net::UnixListener, runtime::Builder};
use tokio_stream::wrappers::UnixListenerStream;
use tonic::{
    Request, Response, Status,
    body::Body,
    server::{Grpc, NamedService, UnaryService},
    transport::Server,
};
use tonic_prost::ProstCodec;

/// The variable that it answers with: the same bytes that our server sends for the bench's variable.
pub fn variable() -> pb::Variable {
    pb::Variable {
        id: "var_learning_rate_1".to_owned(),
        name: "learning_rate".to_owned(),
        r#type: "float".to_owned(),
        value: Some(Any {
            type_url: "type.googleapis.com/snakepit.float".to_owned(),
            value: Bytes::from_static(b"0.001"),
        }),
        constraints_json: "{}".to_owned(),
        last_updated_at: Some(prost_types::Timestamp {
            seconds: 1_790_000_000,
            nanos: 123_456_789,
        }),
        created_at: Some(prost_types::Timestamp {
            seconds: 1_790_000_000,
            nanos: 123_456_789,
        }),
        revision: 2,
        changed_by: "uid:0".to_owned(),
        ..Default::default()
    }
}

/// Serves until it is killed.
pub fn serve(arguments: &[String]) {
    let [socket, layout] = arguments else {
        panic!("yardstick SOCKET per-core|multi")
    };
    let listener = std::os::unix::net::UnixListener::bind(socket).expect("the socket is free");
    listener
        .set_nonblocking(true)
        .expect("a socket can be made non-blocking");
    println!("ready");
    if layout == "multi" {
        let runtime = Builder::new_multi_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(answer(listener));
        return;
    }
    let fronts =
        std::thread::available_parallelism().map_or(1, |cores| usize::from(cores).saturating_sub(1).max(1));
    let threads: Vec<_> = (0..fronts)
        .map(|_| {
            let listener = listener.try_clone().expect("a socket can be shared");
            std::thread::spawn(move || {
                let runtime = Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .expect("a runtime");
                runtime.block_on(answer(listener));
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("a front ends well");
    }
}

async fn answer(listener: std::os::unix::net::UnixListener) {
    let listener = UnixListener::from_std(listener).expect("a listener");
    let incoming = UnixListenerStream::new(listener);
    Server::builder()
        .add_service(Echo)
        .serve_with_incoming(incoming)
        .await
        .expect("the yardstick serves");
}

#[derive(Clone)]
struct Echo;

impl NamedService for Echo {
    const NAME: &'static str = "snakepit.bridge.BridgeService";
}

struct Get;

impl UnaryService<pb::GetVariableRequest> for Get {
    type Response = pb::GetVariableResponse;
    type Future = Ready<Result<Response<Self::Response>, Status>>;

    fn call(&mut self, _: Request<pb::GetVariableRequest>) -> Self::Future {
        let reply = pb::GetVariableResponse {
            variable: Some(variable()),
            revision: 2,
            epoch: 7,
            ..Default::default()
        };
        ready(Ok(Response::new(reply)))
    }
}

struct Set;

impl UnaryService<pb::SetVariableRequest> for Set {
    type Response = pb::SetVariableResponse;
    type Future = Ready<Result<Response<Self::Response>, Status>>;

    fn call(&mut self, _: Request<pb::SetVariableRequest>) -> Self::Future {
        let reply = pb::SetVariableResponse {
            success: true,
            new_version: 7,
            version64: 7,
            revision: 9,
            durability: 1,
            ..Default::default()
        };
        ready(Ok(Response::new(reply)))
    }
}

impl<B> tower::Service<HttpRequest<B>> for Echo
where
    B: http_body::Body + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Send + 'static,
{
    type Response = HttpResponse<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequest<B>) -> Self::Future {
        let get = request.uri().path().ends_with("/GetVariable");
        Box::pin(async move {
            Ok(if get {
                Grpc::new(ProstCodec::default()).unary(Get, request).await
            } else {
                Grpc::new(ProstCodec::default()).unary(Set, request).await
            })
        })
    }
}
