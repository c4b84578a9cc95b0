import { createServer, type IncomingMessage, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

/** A request with its complete body. Header names are in lower case. */
export interface HttpRequest {
  readonly method: string;
  /** Path and query, unchanged. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** Hop-by-hop headers, which a proxy does not forward (RFC 9110, section 7.6.1). */
const hopByHop = ["connection", "keep-alive", "transfer-encoding", "expect", "upgrade"];

/** Serves on a free port of 127.0.0.1. If the handler throws, the response is 500 with the error. */
export async function serve(handle: (request: HttpRequest) => Promise<HttpResponse>): Promise<Server> {
  const server = createServer(async (incoming, outgoing) => {
    const answer = await readRequest(incoming).then(handle).catch(failure);
    outgoing.writeHead(answer.status, answer.headers);
    outgoing.end(answer.body);
  });
  // Longer than the clients' own limit: a request fails if the server closes its idle connection first.
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", resolve);
  });
  return server;
}

async function readRequest(incoming: IncomingMessage): Promise<HttpRequest> {
  const { method = "GET", url = "/" } = incoming;
  const headers = incoming.headers as Record<string, string | undefined>;
  return { method, url, headers: withoutHopByHop(headers), body: await buffer(incoming) };
}

function failure(error: Error): HttpResponse {
  return { status: 500, headers: { "content-type": "text/plain" }, body: Buffer.from(String(error.stack ?? error)) };
}

/** Forwards a request to another server unchanged, and returns its response. */
export function forward(endpoint: string, { method, url, headers, body }: HttpRequest): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    // A URL parser would normalize the path, but `a/../b` and `%2F` are valid in S3 keys.
    const { hostname, port } = new URL(endpoint);
    const length = body.length > 0 || headers["content-length"] ? { "content-length": String(body.length) } : {};
    const outgoing = request({ hostname, port, method, path: url, headers: { ...headers, ...length } }, (answer) => {
      buffer(answer).then((body) => resolve(received(answer, body)), reject);
    });
    outgoing.on("error", reject).end(body);
  });
}

function received(answer: IncomingMessage, body: Buffer): HttpResponse {
  return { status: answer.statusCode ?? 502, headers: withoutHopByHop(answer.headers), body };
}

function withoutHopByHop<T>(headers: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !hopByHop.includes(name)));
}

/** The URL of a listening server. */
export function endpointOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Closes a server and its open connections. */
export function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
