import { count } from "../../text";
import type { Danger, RoleAccess, Source } from "../matrix";

/** Lines about a source or a role, in addition to its refs or policies. */
interface Notes {
  readonly warnings: readonly string[];
  readonly limits: readonly string[];
}

/** For a source whose trust policy has a condition on the project's id. */
export const PROJECT_ID_NOTE = "project-id pinned";

/** Whether a source is open, how many users it is limited to, and whether the project's id is a condition of its own. */
export function sourceNotes({ open, users, pinsProjectId }: Source): Notes {
  return {
    warnings: open ? ["anyone with push access"] : [],
    limits: [
      ...(users === undefined ? [] : [`only if started by ${count(users.length, "user")}`]),
      ...(pinsProjectId ? [PROJECT_ID_NOTE] : []),
    ],
  };
}

const DANGERS: { readonly [danger in Danger]: string } = {
  administrator: "ADMINISTRATOR of the account",
  "possible-administrator": "may be an ADMINISTRATOR of the account",
  "open-write": "anyone with push access may write",
};

/** The dangers of a role, and the limits of its permissions. */
export function roleNotes({ capabilities, dangers, boundary }: RoleAccess): Notes {
  return {
    warnings: dangers.map((danger) => DANGERS[danger]),
    limits: [
      ...(capabilities.length === 0 ? ["nothing: it has no policy"] : []),
      ...(boundary === undefined ? [] : [`never more than ${boundary} allows`]),
    ],
  };
}
