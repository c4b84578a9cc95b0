/** What a session name tells, by CircleCI's variables; a part that is unknown is left out. */
export interface JobNames {
  /** The repository's name: `CIRCLE_PROJECT_REPONAME`. */
  readonly project?: string;
  /** `CIRCLE_JOB`. */
  readonly job?: string;
  /** The pipeline's id, a UUID: `CIRCLE_PIPELINE_ID`. */
  readonly pipeline?: string;
}

const LONGEST = 64;

/**
 * The name of a job's session, 2–64 characters of `[\w+=,.@-]`: `project.job.pipeline`, so that CloudTrail tells which
 * job did something. Too long, project and job are cut, the longer one first; the pipeline's id stays whole.
 *
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 */
export function sessionName(names: JobNames): string {
  const pipeline = valid(names.pipeline).slice(0, 36);
  const room = LONGEST - pipeline.length - 2;
  const [project, job] = [valid(names.project), valid(names.job)];
  const half = Math.floor(room / 2);
  const ofProject = project.slice(0, Math.max(half, room - job.length));
  const ofJob = job.slice(0, room - ofProject.length);
  const name = [ofProject, ofJob, pipeline].filter((part) => part !== "").join(".");
  return name.length < 2 ? `circleci${name}` : name;
}

function valid(name = ""): string {
  return name.replace(/[^A-Za-z0-9_+=,.@-]+/g, "-");
}
