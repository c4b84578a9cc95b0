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
  /** What the path contains. Default: every path. */
  readonly path?: string;
  /** `hang`: there is no response; `cut`: the connection ends within the body. */
  readonly status: number | "hang" | "cut";
  readonly message?: string;
  readonly headers?: { readonly [name: string]: string };
  /** Whether the request is executed and only its response is lost. Default: false. */
  readonly executed?: boolean;
}

/** What another job or a user does immediately before one request is executed. */
interface Interruption {
  readonly method: string;
  /** What the path contains. Default: every path. */
  readonly path?: string;
  readonly action: () => void;
}

type Answer = readonly [status: number, body: unknown, headers?: { readonly [name: string]: string }];

const NOT_FOUND: Answer = [404, { message: "Not Found" }];

/** A server with the part of GitHub's API that reviews use, for one pull request: paged comments, limits and faults. */
export class GitHub {
  readonly comments: Comment[] = [];
  readonly requests: string[] = [];
  readonly faults: Fault[] = [];
  readonly interruptions: Interruption[] = [];
  /** The labels of the pull request, and the events of its timeline; see {@link label}. */
  readonly labels: string[] = [];
  readonly timeline: unknown[] = [];
  readonly reviews: unknown[] = [];
  /** The pushes that the repository's activity lists. Undefined if the token cannot read it. */
  pushes: { readonly actor: string; readonly ref: string; readonly after: string }[] | undefined;
  /** The author of the pull request. */
  opener = "author";
  /** The permissions of the users on the repository. */
  readonly permissions: { [login: string]: string } = { boss: "write" };
  /** The open pull requests. The comments belong to #7. */
  readonly pulls = [{ number: 7, ref: "feature", sha: "abc" }];
  /** The login of the token. Undefined for the token of an app, which may not read it by REST. */
  login: string | undefined = "keyless-bot";
  /** The author of the comments that are created. */
  author = "keyless-bot";
  /** The login that GraphQL returns. Undefined if there is no GraphQL. */
  viewer: string | undefined;
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

  /** The head of pull request #7. */
  set head(sha: string) {
    for (const pull of this.pulls) if (pull.number === 7) pull.sha = sha;
  }

  /** Sets a label, or removes it, as a user does. Null: a user who was deleted later. */
  label(name: string, login: string | null = "boss", event: "labeled" | "unlabeled" = "labeled"): void {
    const actor = login === null ? null : userOf(login);
    this.timeline.push({ event, label: { name }, actor });
    const others = this.labels.filter((each) => each !== name);
    this.labels.splice(0, this.labels.length, ...others, ...(event === "labeled" ? [name] : []));
  }

  add(body: string, login = this.author): Comment {
    const id = this.nextId++;
    const comment = {
      id,
      body,
      user: userOf(login),
      html_url: `https://x/${id}`,
    };
    this.comments.push(comment);
    return comment;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = "";
    for await (const part of request) text += part;
    const { method = "", url = "" } = request;
    const path = url.split("?")[0] ?? "";
    this.requests.push(`${method} ${path}`);
    if (this.isSilent) return;
    const take = <T extends Fault | Interruption>(from: T[]): T | undefined => {
      const at = from.findIndex((each) => each.method === method && path.includes(each.path ?? ""));
      return at < 0 ? undefined : from.splice(at, 1)[0];
    };
    take(this.interruptions)?.action();
    const fault = take(this.faults);
    const send = ([status, body, headers]: Answer) => {
      response.writeHead(status, { "content-type": "application/json; charset=utf-8", ...headers });
      response.end(status === 204 ? "" : JSON.stringify(body));
    };
    const answer =
      fault && !fault.executed ? undefined : this.route(method, new URL(url, `http://${request.headers.host}`), text);
    if (fault?.status === "hang") return;
    if (fault?.status === "cut") {
      response.writeHead(200, { "content-type": "application/json", "content-length": "1000" });
      response.write("[", () => response.destroy());
      return;
    }
    if (fault) send([fault.status, { message: fault.message ?? (fault.executed ? "lost" : "fault") }, fault.headers]);
    else if (answer) send(answer);
  }

  private route(method: string, url: URL, text: string): Answer {
    const path = url.pathname.replace(/^\/api(\/v3)?\//, "").replace(/^\//, "");
    if (path === "user")
      return this.login ? [200, { login: this.login }] : [403, { message: "Resource not accessible by integration" }];
    if (path === "graphql") return this.viewer ? [200, { data: { viewer: { login: this.viewer } } }] : NOT_FOUND;
    const [, resource = ""] = /^repos\/acme\/infra\/(.*)$/.exec(path) ?? [];
    const [, username] = /^collaborators\/([^/]+)\/permission$/.exec(resource) ?? [];
    if (username) {
      const permission = this.permissions[decodeURIComponent(username)];
      return permission ? [200, { permission }] : NOT_FOUND;
    }
    if (resource === "pulls") return [200, this.pulls.map(pull).filter(hasHead(url))];
    if (resource === "pulls/7") {
      const [found] = this.pulls.filter(({ number }) => number === 7).map(pull);
      const labels = this.labels.map((name) => ({ name }));
      return [200, { ...found, labels, user: userOf(this.opener) }];
    }
    if (resource === "pulls/7/reviews") return page(url, this.reviews);
    if (resource === "issues/7/timeline") return page(url, this.timeline);
    if (resource === "activity" && this.pushes !== undefined) {
      const isRequested = (name: "actor" | "ref", value: string) => [null, value].includes(url.searchParams.get(name));
      const found = this.pushes.filter((push) => isRequested("actor", push.actor) && isRequested("ref", push.ref));
      return page(
        url,
        found.map((push) => ({ ...push, actor: userOf(push.actor) })),
      );
    }
    if (resource === "issues/7/comments" && method === "GET") return page(url, this.comments);
    if (resource === "issues/7/comments") return this.write(text, (body) => this.add(body));
    const [, comment] = /^issues\/comments\/(\d+)$/.exec(resource) ?? [];
    const at = this.comments.findIndex(({ id }) => id === Number(comment));
    const found = this.comments[at];
    if (found === undefined) return NOT_FOUND;
    if (method === "PATCH") return this.write(text, (body) => Object.assign(found, { body }));
    this.comments.splice(at, 1);
    return [204, null];
  }

  private write(text: string, done: (body: string) => Comment): Answer {
    const { body } = JSON.parse(text) as { body: string };
    if (body.length > this.bodyLimit)
      return [422, { message: `Body is too long (maximum is ${this.bodyLimit} characters)` }];
    return [201, done(body)];
  }
}

/** A user. The name of an app's bot ends with `[bot]`. */
function userOf(login: string) {
  return { login, type: login.endsWith("[bot]") ? "Bot" : "User" };
}

function pull({ number, ref, sha }: GitHub["pulls"][number]) {
  return { number, head: { ref, sha } };
}

/** GitHub ignores a filter that has no owner. */
function hasHead(url: URL): (pull: { readonly head: { readonly ref: string } }) => boolean {
  const [, branch] = /^acme:(.*)$/.exec(url.searchParams.get("head") ?? "") ?? [];
  return ({ head }) => branch === undefined || head.ref === branch;
}

function page(url: URL, all: readonly unknown[]): Answer {
  const size = Number(url.searchParams.get("per_page") ?? 30);
  const number = Number(url.searchParams.get("page") ?? 1);
  const next = new URL(url);
  next.searchParams.set("page", String(number + 1));
  const more = number * size < all.length;
  return [200, all.slice((number - 1) * size, number * size), more ? { link: `<${next}>; rel="next"` } : {}];
}
