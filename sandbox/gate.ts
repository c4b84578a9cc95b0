import { close, endpointOf, forward, type HttpRequest, type HttpResponse, serve } from "./http";

export interface Gate {
  /** The address that clients use instead of moto's. */
  readonly endpoint: string;
  stop(): Promise<void>;
}

/** Access keys that make their bearer the administrator of an account of the local AWS. */
export function accountKeys(accountId: string): { accessKeyId: string; secretAccessKey: string } {
  return { accessKeyId: `AKIADMIN${accountId}`, secretAccessKey: "no-secret-on-the-local-aws" };
}

/** Starts the gate in front of moto. */
export async function startGate(moto: string): Promise<Gate> {
  let turn: Promise<unknown> = Promise.resolve();
  const server = await serve((request) => {
    const answer = turn.then(() => handle(moto, request));
    turn = answer.catch(() => {});
    return answer;
  });
  return { endpoint: endpointOf(server), stop: () => close(server) };
}

async function handle(moto: string, request: HttpRequest): Promise<HttpResponse> {
  const [, account] = /AKIADMIN(\d{12})/.exec(request.headers.authorization ?? "") ?? [];
  const headers = { ...request.headers, ...(account && { "x-moto-account-id": account }) };
  return forward(moto, { ...request, headers });
}
