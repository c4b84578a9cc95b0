/** The parts of a session name, from CircleCI's environment variables. An unknown part is omitted. */
export interface JobNames {
  /** The repository's name: `CIRCLE_PROJECT_REPONAME`. */
  readonly project?: string;
  /** `CIRCLE_JOB`. */
  readonly job?: string;
  /** The pipeline's id, a UUID: `CIRCLE_PIPELINE_ID`. */
  readonly pipeline?: string;
}

const MAX_SESSION_NAME_LENGTH = 64;

/**
 * The session name of a job: `project.job.pipeline`, so that CloudTrail shows which job made a request. 2–64 characters
 * of `[\w+=,.@-]`. If it is too long, project and job are truncated, the longer one first, but not the pipeline's id.
 *
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 */
export function sessionName(names: JobNames): string {
  const pipeline = valid(names.pipeline).slice(0, 36);
  const room = MAX_SESSION_NAME_LENGTH - pipeline.length - 2;
  const [project, job] = [valid(names.project), valid(names.job)];
  const half = Math.floor(room / 2);
  const projectPart = project.slice(0, Math.max(half, room - job.length));
  const jobPart = job.slice(0, room - projectPart.length);
  const name = [projectPart, jobPart, pipeline].filter((part) => part !== "").join(".");
  return name.length < 2 ? `circleci${name}` : name;
}

function valid(name = ""): string {
  return name.replace(/[^A-Za-z0-9_+=,.@-]+/g, "-");
}
