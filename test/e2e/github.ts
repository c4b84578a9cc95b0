import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

interface Comment {
  id: number;
  body: string;
  user: { login: string; type: string };
  html_url: string;
}

/** A response that replaces the response to one request. */
interface Fault {
  readonly method: string;
  readonly status: number;
  readonly message?: string;
  readonly headers?: { readonly [name: string]: string };
  /** Whether the request is executed and only its response is lost. Default: false. */
  readonly executed?: boolean;
}

/** A server with the part of GitHub's API that reviews use, for one pull request: paged comments, limits and faults. */
export class GitHub {
  readonly comments: Comment[] = [];
  readonly requests: string[] = [];
  readonly faults: Fault[] = [];
  readonly labels: string[] = [];
  readonly reviews: unknown[] = [];
  /** The login of the token. Undefined for the token of an app, which may not read it. */
  login: string | undefined = "keyless-bot";
  bodyLimit = 65_536;
  /** Whether requests get no response. */
  isSilent = false;
  private readonly server: Server = createServer((request, response) => void this.answer(request, response));
  private nextId = 1;

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  add(body: string, login = "keyless-bot"): Comment {
    const id = this.nextId++;
    const comment = {
      id,
      body,
      user: { login, type: login.endsWith("bot") ? "Bot" : "User" },
      html_url: `https://x/${id}`,
    };
    this.comments.push(comment);
    return comment;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = "";
    for await (const part of request) text += part;
    const { method = "", url = "" } = request;
    this.requests.push(`${method} ${url.split("?")[0]}`);
    if (this.isSilent) return;
    const fault = this.faults.findIndex((each) => each.method === method);
    const [matched] = fault < 0 ? [] : this.faults.splice(fault, 1);
    const send = (status: number, body: unknown, headers = {}) => {
      response.writeHead(status, { "content-type": "application/json; charset=utf-8", ...headers });
      response.end(status === 204 ? "" : JSON.stringify(body));
    };
    if (matched && !matched.executed)
      return send(matched.status, { message: matched.message ?? "fault" }, matched.headers);
    const [status, body, headers] = this.route(method, new URL(url, `http://${request.headers.host}`), text);
    return matched ? send(matched.status, { message: "lost" }) : send(status, body, headers);
  }

  private route(method: string, url: URL, text: string): [status: number, body: unknown, headers?: object] {
    const [, , path = ""] = /^(\/api\/v3)?\/(.*)$/.exec(url.pathname) ?? [];
    const [, comment] = /^repos\/acme\/infra\/issues\/comments\/(\d+)$/.exec(path) ?? [];
    if (path === "user")
      return this.login ? [200, { login: this.login }] : [403, { message: "Resource not accessible by integration" }];
    if (path === "repos/acme/infra/issues/7/comments" && method === "GET") return this.page(url);
    if (path === "repos/acme/infra/pulls/7") {
      const labels = this.labels.map((name) => ({ name }));
      return [200, { labels, user: { login: "author" }, head: { sha: "abc" } }];
    }
    if (path === "repos/acme/infra/pulls/7/reviews") return [200, this.reviews];
    if (path === "repos/acme/infra/issues/7/comments") return this.write(text, (body) => this.add(body));
    const at = this.comments.findIndex(({ id }) => id === Number(comment));
    const found = this.comments[at];
    if (found === undefined) return [404, { message: "Not Found" }];
    if (method === "PATCH") return this.write(text, (body) => Object.assign(found, { body }));
    this.comments.splice(at, 1);
    return [204, null];
  }

  private write(text: string, done: (body: string) => Comment): [number, unknown] {
    const { body } = JSON.parse(text) as { body: string };
    if (body.length > this.bodyLimit)
      return [422, { message: `Body is too long (maximum is ${this.bodyLimit} characters)` }];
    return [201, done(body)];
  }

  private page(url: URL): [number, unknown, object] {
    const size = Number(url.searchParams.get("per_page") ?? 30);
    const page = Number(url.searchParams.get("page") ?? 1);
    const next = new URL(url);
    next.searchParams.set("page", String(page + 1));
    const more = page * size < this.comments.length;
    return [200, this.comments.slice((page - 1) * size, page * size), more ? { link: `<${next}>; rel="next"` } : {}];
  }
}
