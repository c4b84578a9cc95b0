import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const root = join(__dirname, "..");
const documents = execFileSync("git", ["ls-files", "*.md"], { cwd: root, encoding: "utf8" }).trim().split("\n");

function read(document: string): string {
  return readFileSync(join(root, document), "utf8");
}

/** GitHub's id of a heading: lower case, no punctuation, hyphens for spaces. */
function anchors(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

const { stdout: help } = spawnSync(process.execPath, [join(root, "keyless/cli/keyless.js"), "--help"], {
  encoding: "utf8",
});
const commands = [...help.matchAll(/^ {2}([a-z]+)/gm)].map(([, name]) => name);

test("docs/architecture.md names only source files that exist", () => {
  const files = execFileSync("git", ["ls-files", "*.ts"], { cwd: root, encoding: "utf8" }).trim().split("\n");
  const named = [...read("docs/architecture.md").matchAll(/`([\w./-]+\.ts)`/g)].map(([, name = ""]) => name);
  expect(named.filter((name) => !files.some((file) => `/${file}`.endsWith(`/${name}`)))).toEqual([]);
});

test("the documents and the commands are found", () => {
  expect(commands).toContain("explain");
  expect(documents).toContain("README.md");
});

describe.each(documents)("%s", (document) => {
  const text = read(document);

  test("links only to files and headings that exist", () => {
    const links = [...text.matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]*))?\)/g)];
    const broken = links.filter(([, path = "", anchor]) => {
      const file = path === "" ? document : join(dirname(document), path);
      return !existsSync(join(root, file)) || (anchor !== undefined && !anchors(read(file)).includes(anchor));
    });
    expect(broken.map(([link]) => link)).toEqual([]);
  });

  test("names only files of the repository that exist", () => {
    const paths = [...text.matchAll(/`((?:keyless|stacks|test|docs|examples)\/[\w./-]*)`/g)].map(
      ([, path = ""]) => path,
    );
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  test("names only commands that exist", () => {
    const named = [...text.matchAll(/(?:`(?:npx )?|npx |\$ )keyless ([a-z]+)/g)].map(([, name]) => name);
    expect(named.filter((name) => !commands.includes(name))).toEqual([]);
  });
});

/** Guides whose samples are all run by a test. */
const RUN = ["README.md", ...["access", "explain", "lint", "review", "sandbox"].map((name) => `docs/${name}.md`)];

test("every output that the guides show is held by a test", () => {
  const tests = execFileSync("git", ["ls-files", "test/e2e/*.ts"], { cwd: root, encoding: "utf8" }).trim().split("\n");
  const held = [
    ...tests
      .map(read)
      .join("")
      .matchAll(/\bsample\(\s*"([\w-]+)",\s*"(.*?)",?\s*\)/g),
  ].map(([, page = "", start = ""]) => `docs/${page}.md: ${start.replaceAll("\\n", "\n")}`);
  const shown = documents
    .filter((document) => !RUN.includes(document) && !document.startsWith("test/"))
    .flatMap((document) =>
      [...read(document).matchAll(/^( *)```(\w*)\n(.*?)^\1```$/gms)].flatMap(
        ([, indent = "", language = "", block = ""]) =>
          ["", "console", "diff"].includes(language) ? `${document}: ${block.slice(indent.length)}` : [],
      ),
    );
  expect(shown.filter((block) => !held.some((start) => block.startsWith(start)))).toEqual([]);
});

test("docs/pipelines.md names messages that the commands print", () => {
  const [, rows = ""] = /^\| message \|.*\n.*\n((?:\|.*\n)+)/m.exec(read("docs/pipelines.md")) ?? [];
  const messages = [...rows.matchAll(/^\| `(.*?)`/gm)].map(([, message = ""]) => message);
  const files = execFileSync("git", ["ls-files", "keyless/*.ts"], { cwd: root, encoding: "utf8" }).trim().split("\n");
  const source = files.map(read).join("");
  expect(messages).not.toHaveLength(0);
  expect(messages.filter((message) => !source.includes(message))).toEqual([]);
});
