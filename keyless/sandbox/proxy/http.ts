import { createServer, type IncomingMessage, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

/** A request, whole: header names in lower case, the body as it came. */
export interface HttpRequest {
  readonly method: string;
  /** Path and query, as sent. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** Headers about one connection; they are not passed on, since each side of a proxy has its own. */
const hopByHop = ["connection", "keep-alive", "transfer-encoding", "expect", "upgrade"];

/** Serves on a free port of 127.0.0.1; a handler that fails answers 500. */
export async function serve(handle: (request: HttpRequest) => Promise<HttpResponse>): Promise<Server> {
  const server = createServer(async (incoming, outgoing) => {
    const answer = await read(incoming).then(handle).catch(failure);
    outgoing.writeHead(answer.status, answer.headers);
    outgoing.end(answer.body);
  });
  // Longer than clients keep an idle connection: one that is closed while they write to it fails their request.
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", resolve);
  });
  return server;
}

async function read(incoming: IncomingMessage): Promise<HttpRequest> {
  const { method = "GET", url = "/" } = incoming;
  const headers = incoming.headers as Record<string, string | undefined>;
  return { method, url, headers: withoutHopByHop(headers), body: await buffer(incoming) };
}

function failure(error: Error): HttpResponse {
  return { status: 500, headers: { "content-type": "text/plain" }, body: Buffer.from(String(error.stack ?? error)) };
}

/** Sends a request on to another server, byte for byte, and returns what that answers. */
export function forward(endpoint: string, { method, url, headers, body }: HttpRequest): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    // The path as sent, not as a URL parser would rewrite it: `a/../b` and `%2F` are keys of S3.
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

/** The address of a server that listens. */
export function endpointOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Closes a server and every connection that a client has kept open. */
export function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
