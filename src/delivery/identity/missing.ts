/**
 * The permission that an answer says is missing: nothing else of the answer is kept, so it may be logged.
 */
export interface Missing {
  /** As a policy writes it: `logs:PutLogEvents`. */
  readonly action: string
  readonly resource?: string
}

/** AWS's words; a resource is an ARN. */
const AWS =
  /is not authorized to perform: ([a-z0-9-]{1,40}:\w{1,80})(?: on resource: (?:"|&quot;)?(arn:[\w+=,.@/:*#-]{1,400}))?/

export function missingIn(text: string): Missing | undefined {
  const [, action, resource] = AWS.exec(text) ?? []
  if (action === undefined) return undefined
  return { action, ...(resource && { resource: resource.replace(/\.$/, '') }) }
}
