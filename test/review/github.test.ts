import { commentId, markOutdatedComments, postComment } from "../../keyless/review/github/comment";
import { grantedOverrides } from "../../keyless/review/github/overrides";
import { findPullRequest, type PullRequest } from "../../keyless/review/github/pull-request";
import { GitHub } from "../e2e/github";

const PAGE = "https://github.com/acme/infra/pull/7";
/** SHAs of commits: the head of the pull request at first, an earlier one and a later one. */
const [HEAD, EARLIER, LATER] = ["abc", "0e0", "1a1"];

jest.setTimeout(30_000);

let github: GitHub;
let api: string;

beforeEach(async () => {
  github = new GitHub();
  api = await github.start();
});

afterEach(() => github.stop());

/** The pull request of a job with this commit, and with further variables. */
async function pullRequestOf(
  commit = HEAD,
  { timeLimitMs = 60_000, requestTimeLimitMs = 10_000, ...env }: { [variable: string]: string | number } = {},
): Promise<PullRequest> {
  const variables = { GITHUB_TOKEN: "secret", GITHUB_API_URL: api, CIRCLE_PULL_REQUEST: PAGE, CIRCLE_SHA1: commit };
  const limits = { timeLimitMs: Number(timeLimitMs), requestTimeLimitMs: Number(requestTimeLimitMs) };
  const found = await findPullRequest({ ...variables, ...(env as NodeJS.ProcessEnv) }, limits);
  if (found === undefined) throw new Error("no pull request");
  return found;
}

describe("the pull request", () => {
  const found = async (env: NodeJS.ProcessEnv) => {
    const { owner, repo, number, commit } = (await findPullRequest({ GITHUB_TOKEN: "secret", ...env })) ?? {};
    return { owner, repo, number, commit };
  };
  const none = { owner: undefined, repo: undefined, number: undefined, commit: undefined };

  test.each([
    [PAGE, "https://api.github.com"],
    ["https://acme.ghe.com/acme/infra/pull/7/", "https://api.acme.ghe.com"],
    ["https://github.example.com/acme/infra/pull/7", "https://github.example.com/api/v3"],
  ])("%s has the API %s", async (url, apiUrl) => {
    const pullRequest = await findPullRequest({ CIRCLE_PULL_REQUEST: url, GH_TOKEN: "token" });
    expect(pullRequest).toMatchObject({ owner: "acme", repo: "infra", number: 7 });
    expect(pullRequest?.client.octokit.request.endpoint.DEFAULTS.baseUrl).toBe(apiUrl);
  });

  test.each([
    "https://github.com/acme/infra/issues/7",
    "http://github.com/acme/infra/pull/7",
    "https://github.com/acme/infra/pull/seven",
    "acme/infra#7",
  ])("%s is refused", async (url) => {
    await expect(findPullRequest({ GITHUB_TOKEN: "token" }, { url })).rejects.toThrow(
      /is not a pull request on GitHub/,
    );
  });

  test("does not exist in a job without branch and pull request", async () => {
    expect(await findPullRequest({ GITHUB_TOKEN: "token" })).toBeUndefined();
    expect(
      await findPullRequest({ CIRCLE_PROJECT_USERNAME: "acme", CIRCLE_PROJECT_REPONAME: "infra" }),
    ).toBeUndefined();
  });

  test("requires a token and a well-formed commit", async () => {
    await expect(findPullRequest({ CIRCLE_PULL_REQUEST: PAGE })).rejects.toThrow(/^no token: /);
    await expect(findPullRequest({ CIRCLE_PULL_REQUEST: PAGE, CIRCLE_SHA1: "a --> b" })).rejects.toThrow(
      '"a --> b" is not the SHA of a commit',
    );
  });

  describe("without CIRCLE_PULL_REQUEST", () => {
    const job = (more: NodeJS.ProcessEnv = {}) => ({
      GITHUB_API_URL: api,
      CIRCLE_BRANCH: "feature",
      CIRCLE_SHA1: HEAD,
      CIRCLE_REPOSITORY_URL: "git@github.com:acme/infra.git",
      ...more,
    });

    test.each([
      ["git@github.com:acme/infra.git"],
      ["https://github.com/acme/infra"],
      ["https://github.com/acme/infra.git"],
      ["ssh://git@github.com:22/acme/infra.git"],
    ])("is that of the branch in %s", async (url) => {
      expect(await found(job({ CIRCLE_REPOSITORY_URL: url }))).toEqual({
        owner: "acme",
        repo: "infra",
        number: 7,
        commit: HEAD,
      });
    });

    test("is that of the branch in the repository that CircleCI names", async () => {
      const project = { CIRCLE_PROJECT_USERNAME: "acme", CIRCLE_PROJECT_REPONAME: "infra" };
      expect(await found(job({ CIRCLE_REPOSITORY_URL: undefined, ...project }))).toMatchObject({ number: 7 });
    });

    test("is the one whose head is the commit, of several", async () => {
      github.pulls.push({ number: 8, ref: "feature", sha: LATER });
      expect(await found(job({ CIRCLE_SHA1: LATER }))).toMatchObject({ number: 8 });
    });

    test("must be chosen if several have the commit", async () => {
      github.pulls.push({ number: 8, ref: "feature", sha: HEAD });
      await expect(found(job())).rejects.toThrow(
        "branch feature has several pull requests, #7, #8: choose one by --pull-request",
      );
    });

    test("does not exist if no open pull request has the branch", async () => {
      expect(await found(job({ CIRCLE_BRANCH: "main" }))).toEqual(none);
      expect(await found(job({ CIRCLE_REPOSITORY_URL: undefined }))).toEqual(none);
    });

    test.each([
      ["no repository", { CIRCLE_REPOSITORY_URL: "git@gitlab.com:group/sub/infra.git" }, /CIRCLE_REPOSITORY_URL "git@/],
      ["no token", { GITHUB_TOKEN: "" }, /^no token: /],
      ["no access", { CIRCLE_REPOSITORY_URL: "https://github.com/acme/other" }, /acme\/other at .*404.*no access/],
    ])("is an error with %s", async (_, env, message) => {
      await expect(found(job(env))).rejects.toThrow(message);
    });
  });
});

describe("the id of a comment", () => {
  test("is made from the environments in any order", () => {
    expect(commentId(["prod", "dev", "prod"])).toBe("dev,prod");
    expect(commentId(["dev"])).not.toBe(commentId(["dev", "prod"]));
  });

  test("cannot end the hidden line, and is short", () => {
    expect(commentId(["a --> @b"])).toBe("a%20--%3E%20%40b");
    const many = Array.from({ length: 500 }, (_, at) => `environment-${at}`);
    expect(commentId(many).length).toBeLessThan(200);
    expect(commentId(many)).not.toBe(commentId(many.slice(1)));
  });
});

/** A job that posts a text. */
async function post(text: string, options: { readonly id?: string; readonly commit?: string } = {}) {
  const pullRequest = await pullRequestOf(options.commit);
  return postComment(pullRequest, { id: options.id ?? "dev", render: () => text });
}

async function markOutdated() {
  return markOutdatedComments(await pullRequestOf(""));
}

/** A comment as a job with this commit posted it. */
const posted = (text: string, { id = "dev", commit = HEAD, outdatedBy = "" } = {}) => {
  const hidden = `<!-- keyless review: ${id} -->\n<!-- commit ${commit}${outdatedBy && ` outdated by ${outdatedBy}`} -->\n`;
  const notice = `> ⚠️ **Outdated**: this comment describes commit ${commit}; the pull request's head is ${outdatedBy}.\n\n`;
  const line = `This comment describes commit ${commit}. A later commit is not reviewed until this line names it.\n`;
  return `${hidden}${outdatedBy && notice}${text}\n${line}`;
};

/** Removes the comments of this project, as a user or another job can at any time. */
const deleteOwn = () => {
  github.comments.splice(0, github.comments.length, ...github.comments.filter(({ user }) => user.login === "mallory"));
};

interface Scenario {
  readonly name: string;
  readonly act: () => Promise<unknown>;
  /** The comments at the end, in the order of their creation. */
  readonly expected: () => readonly string[];
}

const scenarios: readonly Scenario[] = [
  {
    name: "a first review creates the comment",
    act: () => post("first"),
    expected: () => [posted("first")],
  },
  {
    name: "a second review of the same commit updates it",
    act: async () => {
      const { url } = await post("first");
      expect(await post("second")).toEqual({ status: "current", url });
    },
    expected: () => [posted("second")],
  },
  {
    name: "a review of the next commit updates it",
    act: async () => {
      await post("first");
      github.head = LATER;
      await post("second", { commit: LATER });
    },
    expected: () => [posted("second", { commit: LATER })],
  },
  {
    name: "environments reviewed one after the other have a comment each",
    act: async () => {
      for (const id of ["dev", "prod", "dev", "prod"]) await post(`review of ${id}`, { id });
    },
    expected: () => [posted("review of dev"), posted("review of prod", { id: "prod" })],
  },
  {
    name: "environments reviewed at the same time have a comment each",
    act: async () => {
      await Promise.all(["dev", "prod", "stage"].map((id) => post(`review of ${id}`, { id })));
      github.comments.sort((a, b) => (a.body < b.body ? -1 : 1));
    },
    expected: () => ["dev", "prod", "stage"].map((id) => posted(`review of ${id}`, { id })),
  },
  {
    name: "concurrent jobs of the same environments leave one comment",
    act: () => Promise.all([post("same"), post("same"), post("same")]),
    expected: () => [posted("same")],
  },
  {
    name: "a job that creates the comment immediately before another one leaves one comment",
    act: async () => {
      github.interruptions.push({ method: "POST", action: () => github.add(posted("theirs")) });
      await post("ours");
    },
    expected: () => [posted("ours")],
  },
  {
    name: "duplicates of earlier jobs are replaced by the oldest",
    act: async () => {
      for (const text of ["old", "older"]) github.add(posted(text, { commit: EARLIER }));
      expect(await post("new")).toMatchObject({ url: "https://x/1" });
    },
    expected: () => [posted("new")],
  },
  {
    name: "a duplicate that another job deletes first is no error",
    act: async () => {
      for (const text of ["old", "older"]) github.add(posted(text, { commit: EARLIER }));
      github.interruptions.push({ method: "DELETE", action: () => void github.comments.splice(1, 1) });
      await post("new");
    },
    expected: () => [posted("new")],
  },
  {
    name: "a comment that is deleted between two reviews is created again",
    act: async () => {
      await post("first");
      deleteOwn();
      await post("second");
    },
    expected: () => [posted("second")],
  },
  {
    name: "a comment that is deleted between read and write is created again",
    act: async () => {
      await post("first");
      github.interruptions.push({ method: "PATCH", action: deleteOwn });
      await post("second");
    },
    expected: () => [posted("second")],
  },
  {
    name: "the comment of earlier versions is replaced",
    act: async () => {
      github.add("<!-- keyless review -->\nold");
      await Promise.all([post("dev"), post("prod", { id: "prod" })]);
      github.comments.sort((a, b) => (a.body < b.body ? -1 : 1));
    },
    expected: () => [posted("dev"), posted("prod", { id: "prod" })],
  },
  {
    name: "a user's comment with the marker is not ours",
    act: async () => {
      github.add(posted("forged"), "mallory");
      await post("ours");
    },
    expected: () => [posted("forged"), posted("ours")],
  },
  {
    name: "a quoted marker is not ours",
    act: async () => {
      github.add(`> ${posted("quoted").replaceAll("\n", "\n> ")}`);
      await post("ours");
    },
    expected: () => [`> ${posted("quoted").replaceAll("\n", "\n> ")}`, posted("ours")],
  },
  {
    name: "another bot's comment with the marker is not ours if the token is an app's",
    act: async () => {
      Object.assign(github, { login: undefined, author: "keyless[bot]", viewer: "keyless[bot]" });
      github.add(posted("another bot's"), "other[bot]");
      await post("first");
      await post("second");
      expect(github.requests.filter((request) => request.startsWith("POST /repos"))).toHaveLength(1);
    },
    expected: () => [posted("another bot's"), posted("second")],
  },
  {
    name: "another bot's comment with the marker is not ours if an app cannot read its login",
    act: async () => {
      Object.assign(github, { login: undefined, author: "keyless[bot]" });
      github.add(posted("another bot's"), "other[bot]");
      await post("first");
      await post("second");
    },
    expected: () => [posted("another bot's"), posted("second")],
  },
  {
    name: "a late job does not replace the review of the head",
    act: async () => {
      await post("of the head");
      expect(await post("late", { commit: EARLIER })).toEqual({ status: "not-posted", url: "https://x/1" });
    },
    expected: () => [posted("of the head")],
  },
  {
    name: "a late job does not replace the review of another commit, and marks it as outdated",
    act: async () => {
      await post("of abc");
      github.head = LATER;
      expect(await post("late", { commit: EARLIER })).toMatchObject({ status: "not-posted" });
    },
    expected: () => [posted("of abc", { outdatedBy: LATER })],
  },
  {
    name: "a late job whose comment is the first one states that it is outdated",
    act: async () => expect(await post("late", { commit: EARLIER })).toMatchObject({ status: "outdated" }),
    expected: () => [posted("late", { commit: EARLIER, outdatedBy: HEAD })],
  },
  {
    name: "a commit that is pushed while the comment is written makes it outdated",
    act: async () => {
      github.interruptions.push({
        method: "POST",
        action: () => {
          github.head = LATER;
        },
      });
      await post("ours");
    },
    expected: () => [posted("ours", { outdatedBy: LATER })],
  },
  {
    name: "a review of the head replaces an outdated one",
    act: async () => {
      github.add(posted("old", { commit: EARLIER, outdatedBy: HEAD }));
      await post("new");
    },
    expected: () => [posted("new")],
  },
  {
    name: "a push without a plan marks the comments of all environments as outdated, once",
    act: async () => {
      for (const id of ["dev", "prod"]) await post(`review of ${id}`, { id });
      github.add(posted("forged"), "mallory");
      github.head = LATER;
      expect(await markOutdated()).toEqual(["https://x/1", "https://x/2"]);
      expect(await markOutdated()).toEqual(["https://x/1", "https://x/2"]);
    },
    expected: () => [
      posted("review of dev", { outdatedBy: LATER }),
      posted("review of prod", { id: "prod", outdatedBy: LATER }),
      posted("forged"),
    ],
  },
  {
    name: "a commit that is the head again is not outdated any more",
    act: async () => {
      await post("review");
      github.head = LATER;
      await markOutdated();
      github.head = HEAD;
      expect(await markOutdated()).toEqual([]);
    },
    expected: () => [posted("review")],
  },
  {
    name: "a mark that another job writes at the same time does not hide the review of the head",
    act: async () => {
      github.add(posted("old", { commit: EARLIER }));
      const mark = { method: "GET", path: "pulls/7", action: () => {} };
      github.interruptions.push(mark, {
        method: "GET",
        path: "pulls/7",
        action: () =>
          Object.assign(github.comments[0] ?? {}, { body: posted("old", { commit: EARLIER, outdatedBy: HEAD }) }),
      });
      await post("new");
    },
    expected: () => [posted("new")],
  },
  {
    name: "a review of an unknown commit states that it is unknown",
    act: () => post("review", { commit: "" }),
    expected: () => [
      "<!-- keyless review: dev -->\n<!-- commit unknown -->\nreview\nThe commit that this comment describes is unknown.\n",
    ],
  },
  {
    name: "a token that cannot read the pull request still posts",
    act: async () => {
      for (let count = 0; count < 2; count++) github.faults.push({ method: "GET", path: "pulls/7", status: 403 });
      await post("review");
    },
    expected: () => [posted("review")],
  },
  ...[
    { method: "GET", status: 500 } as const,
    { method: "POST", status: 502 } as const,
    { method: "POST", status: 429 } as const,
  ].map((fault) => ({
    name: `status ${fault.status} of a ${fault.method} request is repeated`,
    act: async () => {
      github.faults.push(fault);
      await post("review");
    },
    expected: () => [posted("review")],
  })),
  {
    name: "a created comment whose response is lost is not created again",
    act: async () => {
      github.faults.push({ method: "POST", status: 502, executed: true });
      await post("once");
      expect(github.requests.filter((request) => request.startsWith("POST"))).toHaveLength(1);
    },
    expected: () => [posted("once")],
  },
  {
    name: "a list that is cut off is not taken for an empty one",
    act: async () => {
      await post("first");
      github.faults.push({ method: "GET", path: "comments", status: "cut" });
      await post("second");
      expect(github.requests.filter((request) => request.startsWith("POST"))).toHaveLength(1);
    },
    expected: () => [posted("second")],
  },
  {
    name: "a request without a response is repeated after its own time limit",
    act: async () => {
      github.faults.push({ method: "GET", status: "hang" }, { method: "POST", status: "hang", executed: true });
      await postComment(await pullRequestOf(HEAD, { requestTimeLimitMs: 300 }), { id: "dev", render: () => "once" });
    },
    expected: () => [posted("once")],
  },
  {
    name: "a secondary rate limit that ends in time is waited for",
    act: async () => {
      const message = "You have exceeded a secondary rate limit";
      github.faults.push({ method: "POST", status: 403, message, headers: { "retry-after": "1" } });
      await post("review");
    },
    expected: () => [posted("review")],
  },
  {
    name: "a comment that GitHub rejects as too long is rendered shorter",
    act: async () => {
      github.bodyLimit = 20_000;
      const render = (limit: number) => "x".repeat(limit);
      await postComment(await pullRequestOf(), { id: "dev", render });
      github.head = LATER;
      await markOutdated();
    },
    expected: () => [posted("x".repeat(65_536 / 4 - 1_000), { outdatedBy: LATER })],
  },
];

test.each(scenarios)("$name", async ({ act, expected }) => {
  await act();
  expect(github.comments.map(({ body }) => body)).toEqual(expected());
});

describe("a request that cannot succeed", () => {
  const later = String(Math.floor(Date.now() / 1_000) + 3_600);
  test.each([
    ["401", { status: 401 }, /401: .*the token is invalid or expired/],
    ["403", { status: 403 }, /403: .*pull-requests: write/],
    ["404", { status: 404 }, /acme\/infra#7 at http:.*404: .*no such pull request/],
    [
      "a rate limit of an hour",
      { status: 403, headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": later } },
      /rate limit is exceeded/,
    ],
    [
      "a secondary rate limit of an hour",
      { status: 403, message: "You have exceeded a secondary rate limit", headers: { "retry-after": "3600" } },
      /rate limit is exceeded/,
    ],
    ["429 with a wait of an hour", { status: 429, headers: { "retry-after": "3600" } }, /rate limit is exceeded/],
    ["503 with a wait of an hour", { status: 503, headers: { "retry-after": "3600" } }, /rate limit is exceeded/],
  ])("is not repeated after %s", async (_name, fault, message) => {
    github.faults.push({ method: "POST", ...fault });
    await expect(post("x")).rejects.toThrow(message);
    expect(github.requests.filter((request) => request.startsWith("POST"))).toHaveLength(1);
  });

  test("fails at the time limit if GitHub does not answer", async () => {
    github.isSilent = true;
    const started = Date.now();
    const pullRequest = await pullRequestOf(HEAD, { timeLimitMs: 700, requestTimeLimitMs: 200 });
    await expect(postComment(pullRequest, { id: "dev", render: () => "x" })).rejects.toThrow(
      /no response: no complete answer in time \(the time limit is exceeded/,
    );
    expect(Date.now() - started).toBeLessThan(3_000);
  });

  test("shares the time limit with the requests after it", async () => {
    github.isSilent = true;
    const pullRequest = await pullRequestOf(HEAD, { timeLimitMs: 300 });
    await expect(postComment(pullRequest, { id: "dev", render: () => "x" })).rejects.toThrow(/time limit/);
    const started = Date.now();
    await expect(grantedOverrides(pullRequest, ["approval"])).rejects.toThrow(/time limit/);
    expect(Date.now() - started).toBeLessThan(200);
  });

  test("reports a host that does not exist", async () => {
    const pullRequest = await pullRequestOf(HEAD, { GITHUB_API_URL: "http://github.invalid", timeLimitMs: 1_000 });
    await expect(postComment(pullRequest, { id: "dev", render: () => "x" })).rejects.toThrow(
      /at http:\/\/github\.invalid: no response: .*github\.invalid/,
    );
  });
});

describe("overrides", () => {
  const approval = { state: "APPROVED", user: { login: "boss" }, commit_id: HEAD, author_association: "NONE" };
  const by = (login: string) => ({ ...approval, user: { login }, author_association: "OWNER" });
  const granted = async (commit = HEAD) => grantedOverrides(await pullRequestOf(commit), ["approval"]);

  const withLabel = async (name = "reviewed") => grantedOverrides(await pullRequestOf(), [`label:${name}`]);

  test("are the requested labels that the pull request has", async () => {
    github.label("reviewed");
    github.label("documentation");
    expect(await grantedOverrides(await pullRequestOf(), ["label:reviewed", "label:other"])).toEqual({
      granted: ["label:reviewed"],
      notCounted: [],
    });
  });

  test.each(["Reviewed", "access: reviewed, twice", "🔐 #1 %2F/../", "a&b=c?d", "überprüft"])(
    "include the label %s, in any case",
    async (name) => {
      github.label(name);
      expect((await withLabel(name.toLowerCase())).granted).toHaveLength(1);
      expect((await withLabel(`${name}x`)).granted).toEqual([]);
    },
  );

  test("include the label whose assignment is on a later page", async () => {
    github.timeline.push(...Array.from({ length: 120 }, () => ({ event: "committed", sha: EARLIER })));
    github.label("reviewed");
    expect((await withLabel()).granted).toEqual(["label:reviewed"]);
  });

  test("a label counts only if a user with write permission added it", async () => {
    github.label("reviewed", "keyless-bot");
    github.label("reviewed", "keyless-bot", "unlabeled");
    github.label("other", "keyless-bot");
    expect((await withLabel()).granted).toEqual([]);
    github.label("reviewed", "boss");
    github.label("other", "keyless-bot");
    expect((await withLabel()).granted).toEqual(["label:reviewed"]);
  });

  test.each([
    ["the token's user", "keyless-bot", "it is the user of the token"],
    ["a bot", "renovate[bot]", "only people can approve"],
    ["the author", "author", "the author cannot approve"],
    ["a user with triage permission", "reader", "permission read is not write"],
    ["a user without permission", "stranger", "the token cannot read the permission (404)"],
    ["a deleted user", null, "permissions cannot be read"],
  ])("do not include a label that %s set, also after a user with write permission", async (_name, login, reason) => {
    Object.assign(github.permissions, {
      reader: "read",
      author: "admin",
      "keyless-bot": "write",
      "renovate[bot]": "write",
    });
    github.label("reviewed", "boss");
    github.label("reviewed", "boss", "unlabeled");
    github.label("reviewed", login);
    expect(await withLabel()).toEqual({
      granted: [],
      notCounted: [`the label reviewed, set by ${login ?? "an unknown user"}, does not count: ${reason}`],
    });
  });

  test("do not include a label that the timeline does not contain, or that was removed", async () => {
    github.labels.push("reviewed");
    expect(await withLabel()).toMatchObject({ granted: [], notCounted: [expect.stringContaining("an unknown user")] });
    github.label("reviewed");
    github.label("reviewed", "boss", "unlabeled");
    expect(await withLabel()).toEqual({ granted: [], notCounted: [] });
  });

  test("are an error if the timeline cannot be read", async () => {
    github.label("reviewed");
    github.faults.push({ method: "GET", path: "timeline", status: 403, message: "denied" });
    await expect(withLabel()).rejects.toThrow(/403: denied/);
  });

  test.each([
    ["a user with write permission approves the head", [approval]],
    ["the user then comments", [approval, { ...approval, state: "COMMENTED" }]],
    ["the user approves after requesting changes", [{ ...approval, state: "CHANGES_REQUESTED" }, approval]],
    ["another user's approval does not count", [by("reader"), approval]],
    ["a deleted user has approved too", [{ ...approval, user: null }, approval]],
    ["the user approved an earlier commit before", [{ ...approval, commit_id: EARLIER }, approval]],
  ])("include the approval if %s", async (_name, reviews) => {
    github.permissions.reader = "read";
    github.reviews.push(...reviews);
    expect((await granted()).granted).toEqual(["approval"]);
  });

  test("include the approval on a later page", async () => {
    github.reviews.push(...Array.from({ length: 120 }, () => ({ ...approval, state: "COMMENTED" })), approval);
    expect((await granted()).granted).toEqual(["approval"]);
  });

  test.each([
    ["an earlier commit was approved", [{ ...approval, commit_id: EARLIER }], "it is for commit 0e0"],
    ["the author approved", [by("author")], "the author cannot approve"],
    ["a member with read permission approved", [by("reader")], "permission read is not write"],
    ["a user without permission approved", [by("guest")], "permission none is not write"],
    ["the permission cannot be read", [by("stranger")], "the token cannot read the permission (404)"],
    ["a bot approved", [{ ...approval, user: { login: "boss", type: "Bot" } }], "only people can approve"],
    ["a deleted user approved", [{ ...approval, user: null }], "permissions cannot be read"],
    ["the user withdrew the approval", [approval, { ...approval, state: "CHANGES_REQUESTED" }], undefined],
    ["the approval was dismissed", [{ ...approval, state: "DISMISSED" }], undefined],
  ])("do not include the approval if %s", async (_name, reviews, reason) => {
    Object.assign(github.permissions, { reader: "read", author: "admin", guest: "none", "keyless-bot": "admin" });
    github.reviews.push(...reviews);
    expect(await granted()).toEqual({
      granted: [],
      notCounted: reason === undefined ? [] : [expect.stringContaining(reason)],
    });
  });

  test("an approval by the user of the review's token does not count", async () => {
    github.permissions["keyless-bot"] = "admin";
    github.reviews.push(by("keyless-bot"));
    expect(await granted()).toEqual({
      granted: [],
      notCounted: [expect.stringContaining("it is the user of the token")],
    });
  });

  test("do not include the approval of a commit that was not reviewed", async () => {
    github.reviews.push({ ...approval, commit_id: LATER });
    github.head = LATER;
    expect(await granted(HEAD)).toEqual({
      granted: [],
      notCounted: ["the approval of boss does not count: the review is of commit abc, the pull request's head is 1a1"],
    });
  });

  test("do not include an approval if the reviewed commit is unknown", async () => {
    github.reviews.push(approval);
    expect(await granted("")).toMatchObject({ granted: [], notCounted: [expect.stringContaining("--commit")] });
  });

  test("do not include the approval of the user who pushed the head, as far as the token can read pushes", async () => {
    github.reviews.push(approval);
    github.pushes = [{ actor: "boss", ref: "refs/heads/feature", after: EARLIER }];
    expect((await granted()).granted).toEqual(["approval"]);
    github.pushes.push({ actor: "boss", ref: "refs/heads/feature", after: HEAD });
    expect(await granted()).toEqual({
      granted: [],
      notCounted: ["the approval of boss does not count: the user pushed the pull request's head"],
    });
  });

  test("do not include any on a pull request that the token's user opened", async () => {
    github.reviews.push(approval);
    github.opener = "keyless-bot";
    expect(await granted()).toMatchObject({ granted: [], notCounted: [expect.stringContaining("user of the token")] });
  });

  test("include an approval if the token is that of an app, which cannot read its user", async () => {
    github.reviews.push(approval);
    github.login = undefined;
    expect((await granted()).granted).toEqual(["approval"]);
  });

  test("are an error if permissions cannot be read because of a rate limit", async () => {
    github.reviews.push(approval);
    github.faults.push({ method: "GET", path: "permission", status: 403, headers: { "retry-after": "3600" } });
    await expect(granted()).rejects.toThrow(/rate limit is exceeded/);
  });
});
