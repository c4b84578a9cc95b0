import { once } from "node:events";
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

const badRequest: HttpResponse = { status: 400, headers: {}, body: Buffer.from("a header occurs more than once") };

/**
 * Serves on a free port of 127.0.0.1. If the handler throws, the response is 500 with the error; 400 for a request that
 * repeats a header.
 */
export async function serve(handle: (request: HttpRequest) => Promise<HttpResponse>): Promise<Server> {
  const server = createServer(async (incoming, outgoing) => {
    const answer = await readRequest(incoming)
      .then((request) => (request === undefined ? badRequest : handle(request)))
      .catch((error: Error) => ({
        status: 500,
        headers: { "content-type": "text/plain" },
        body: Buffer.from(String(error.stack ?? error)),
      }));
    outgoing.writeHead(answer.status, answer.headers).end(answer.body);
  });
  // Longer than the clients' own limit: a request fails if the server closes its idle connection first.
  server.keepAliveTimeout = 120_000;
  await once(server.listen(0, "127.0.0.1"), "listening");
  return server;
}

/** Undefined if a header occurs more than once: servers use different occurrences of it. */
async function readRequest(incoming: IncomingMessage): Promise<HttpRequest | undefined> {
  const { method = "GET", url = "/" } = incoming;
  const names = incoming.rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
  if (new Set(names).size < names.length) return undefined;
  const headers = incoming.headers as Record<string, string | undefined>;
  return { method, url, headers: withoutHopByHop(headers), body: await buffer(incoming) };
}

/** Sends a request to another server, and returns its response. */
export async function forward(endpoint: string, { method, url, headers, body }: HttpRequest): Promise<HttpResponse> {
  // A URL parser would normalize the path, but `a/../b` and `%2F` are valid in S3 keys.
  const { hostname, port } = new URL(endpoint);
  const hasBody = body.length > 0 || method === "POST" || method === "PUT";
  const all = { ...headers, "content-length": hasBody ? String(body.length) : undefined };
  const sent = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  const outgoing = request({ hostname, port, method, path: url, headers: sent }).end(body);
  const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
  const received = await buffer(answer);
  return { status: answer.statusCode ?? 502, headers: withoutHopByHop(answer.headers), body: received };
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
