import { terminalOf } from "../../keyless/cli/lib/terminal";

test.each([
  [{ isTTY: true }, {}, true],
  [{ isTTY: true }, { NO_COLOR: "" }, true],
  [{ isTTY: true }, { NO_COLOR: "0" }, false],
  [{}, {}, false],
])("the stream %j with the environment %j has colors: %s", (stream, env, colors) => {
  const terminal = terminalOf(undefined, stream, env);
  expect(terminal.colors).toBe(colors);
  expect(terminal.paint.bad("text")).toBe(colors ? "\u001b[31mtext\u001b[39m" : "text");
});

test.each([
  [{ columns: 120 }, { COLUMNS: "60" }, 120],
  [{}, { COLUMNS: "60" }, 60],
  [{}, { COLUMNS: "wide" }, 80],
  [{}, {}, 80],
])("the stream %j with the environment %j is %d columns wide", (stream, env, columns) => {
  expect(terminalOf(undefined, stream, env).columns).toBe(columns);
});

test("a file has no colors and no width", () => {
  const { colors, columns } = terminalOf("review.md", { isTTY: true, columns: 120 }, {});
  expect([colors, columns]).toEqual([false, Number.POSITIVE_INFINITY]);
});
