import { findPullRequest, grantedOverrides, type PullRequest, postComment } from "../../keyless/review/github";
import { GitHub } from "../e2e/github";

const MARKER = "<!-- keyless review -->";

let github: GitHub;
let pullRequest: PullRequest;

beforeEach(async () => {
  github = new GitHub();
  pullRequest = { apiUrl: await github.start(), owner: "acme", repo: "infra", number: 7, token: "secret-token" };
});

afterEach(() => github.stop());

describe("the URL of a pull request", () => {
  test.each([
    ["https://github.com/acme/infra/pull/7", "https://api.github.com"],
    ["https://acme.ghe.com/acme/infra/pull/7/", "https://api.acme.ghe.com"],
    ["https://github.example.com/acme/infra/pull/7", "https://github.example.com/api/v3"],
  ])("%s has the API %s", (url, apiUrl) => {
    const env = { CIRCLE_PULL_REQUEST: url, GH_TOKEN: "token" };
    expect(findPullRequest(env)).toEqual({ apiUrl, owner: "acme", repo: "infra", number: 7, token: "token" });
  });

  test("does not determine the API if the API is given", () => {
    const env = { GITHUB_TOKEN: "token", GITHUB_API_URL: "http://proxy" };
    expect(findPullRequest(env, "https://github.com/acme/infra/pull/7")?.apiUrl).toBe("http://proxy");
  });

  test.each([
    "https://github.com/acme/infra/issues/7",
    "http://github.com/acme/infra/pull/7",
    "https://github.com/acme/infra/pull/seven",
    "acme/infra#7",
  ])("%s is refused", (url) => {
    expect(() => findPullRequest({ GITHUB_TOKEN: "token" }, url)).toThrow(/is not a pull request on GitHub/);
  });
});

test("a job without a pull request has none, and one without a token is an error", () => {
  expect(findPullRequest({ GITHUB_TOKEN: "token" })).toBeUndefined();
  expect(() => findPullRequest({ CIRCLE_PULL_REQUEST: "https://github.com/acme/infra/pull/7" })).toThrow(/^no token: /);
});

describe("the comment", () => {
  test("is created, then updated", async () => {
    const url = await postComment(pullRequest, () => "first");
    expect(await postComment(pullRequest, () => "second")).toBe(url);
    expect(github.comments.map(({ body }) => body)).toEqual([`${MARKER}\nsecond`]);
  });

  test("is looked for again before a failed request is repeated", async () => {
    github.faults.push({ method: "POST", status: 502, executed: true });
    await postComment(pullRequest, () => "once");
    expect(github.comments).toHaveLength(1);
    expect(github.requests.filter((request) => request.startsWith("POST"))).toHaveLength(1);
  });

  test("leaves the comments of other users alone, whatever they contain", async () => {
    const forged = github.add(`${MARKER}\nforged`, "mallory");
    await postComment(pullRequest, () => "ours");
    expect(forged.body).toContain("forged");
    expect(github.comments).toHaveLength(2);
  });

  test("replaces duplicates of earlier jobs", async () => {
    const [kept] = [github.add(`${MARKER}\nold`), github.add(`${MARKER}\nolder`)];
    await postComment(pullRequest, () => "new");
    expect(github.comments).toEqual([{ ...kept, body: `${MARKER}\nnew` }]);
  });

  test("is rendered shorter if GitHub rejects it as too long", async () => {
    github.bodyLimit = 20_000;
    await postComment(pullRequest, (limit) => "x".repeat(limit));
    expect(github.comments[0]?.body).toHaveLength(65_536 / 4);
  });

  test.each([
    ["401", { status: 401 }, /401: .*the token is invalid or expired/],
    ["403", { status: 403 }, /403: .*pull-requests: write/],
    ["404", { status: 404 }, /acme\/infra#7 at http:.*404: .*no such pull request/],
  ])("is not attempted again after status %s", async (_status, fault, message) => {
    github.faults.push({ method: "POST", ...fault });
    await expect(postComment(pullRequest, () => "x")).rejects.toThrow(message);
    expect(github.requests.filter((request) => request.startsWith("POST"))).toHaveLength(1);
  });

  test("fails at once if a rate limit does not end within the time limit", async () => {
    const headers = {
      "x-ratelimit-remaining": "0",
      "x-ratelimit-reset": String(Math.floor(Date.now() / 1_000) + 3_600),
    };
    github.faults.push({ method: "GET", status: 403, headers });
    await expect(postComment(pullRequest, () => "x")).rejects.toThrow(/rate limit is exceeded/);
    expect(github.requests).toHaveLength(1);
  });

  test("fails at the time limit if GitHub does not answer", async () => {
    github.isSilent = true;
    await expect(postComment({ ...pullRequest, timeLimitMs: 200 }, () => "x")).rejects.toThrow(
      /time limit is exceeded/,
    );
    expect(github.requests).toHaveLength(1);
  });
});

describe("overrides", () => {
  const approval = { state: "APPROVED", user: { login: "boss" }, commit_id: "abc", author_association: "MEMBER" };

  test("are the requested labels that the pull request has", async () => {
    github.labels.push("reviewed", "documentation");
    expect(await grantedOverrides(pullRequest, ["label:reviewed", "label:other"])).toEqual(["label:reviewed"]);
  });

  test.each([
    ["a member approves the head commit", [approval]],
    ["a member approves, then comments", [approval, { ...approval, state: "COMMENTED" }]],
  ])("are granted if %s", async (_name, reviews) => {
    github.reviews.push(...reviews);
    expect(await grantedOverrides(pullRequest, ["approval"])).toEqual(["approval"]);
  });

  test.each([
    ["a member approves an earlier commit", [{ ...approval, commit_id: "old" }]],
    ["the author approves", [{ ...approval, user: { login: "author" } }]],
    ["a user without write access approves", [{ ...approval, author_association: "NONE" }]],
    ["a member withdraws the approval", [approval, { ...approval, state: "CHANGES_REQUESTED" }]],
  ])("are not granted if %s", async (_name, reviews) => {
    github.reviews.push(...reviews);
    expect(await grantedOverrides(pullRequest, ["approval"])).toEqual([]);
  });
});
