import { type EnvironmentReview, gains, isQuiet, type Review } from "./review";

/** When each condition applies to an environment. */
const APPLIES = {
  "gains-access": ({ access }: EnvironmentReview) => gains(access).length > 0,
  "could-not-tell": ({ access }: EnvironmentReview) => access.some(({ effect }) => effect === "unknown"),
  admin: ({ access }: EnvironmentReview) => gains(access).some(({ administrator }) => administrator),
  "administrator-roles": ({ administratorRoles, boundaryChanges }: EnvironmentReview) =>
    administratorRoles.length + boundaryChanges.length > 0,
  destroys: ({ counts }: EnvironmentReview) => counts.destroy > 0,
  replaces: ({ counts }: EnvironmentReview) => counts.replace > 0,
  drift: ({ counts }: EnvironmentReview) => counts.drift > 0,
  incomplete: ({ errored, complete }: EnvironmentReview) => errored || !complete,
  changes: (environment: EnvironmentReview) => !isQuiet(environment),
} as const;

/** A condition of `--fail-on`. */
export type GateCondition = keyof typeof APPLIES;

/** All conditions, in the order of the help. */
export const GATE_CONDITIONS = Object.keys(APPLIES) as readonly GateCondition[];

/** Where conditions apply, e.g. `gains-access in prod`. Empty if none does: then the gate is open. */
export function reasonsToClose({ environments }: Review, conditions: readonly GateCondition[]): readonly string[] {
  return conditions.flatMap((condition) =>
    environments.filter(APPLIES[condition]).map(({ environment }) => `${condition} in ${environment}`),
  );
}
