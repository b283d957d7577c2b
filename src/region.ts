/**
 * Regions of AWS: what their names look like, which one an endpoint is in, and for which service.
 *
 *     logs.eu-central-1.amazonaws.com                          logs        eu-central-1
 *     vpce-0a1b-x.logs.eu-central-1.vpce.amazonaws.com         logs        eu-central-1
 *     search-app-abc.eu-central-1.es.amazonaws.com             es          eu-central-1
 *     abc.eu-central-1.aoss.amazonaws.com                      aoss        eu-central-1
 *     bucket.s3.dualstack.eu-central-1.amazonaws.com           s3          eu-central-1
 *     abc.lambda-url.eu-central-1.on.aws                       lambda      eu-central-1
 */
import type { Environment } from './environment.ts'

/** Partitions name theirs alike: `us-gov-west-1`, `cn-north-1`, `eusc-de-east-1`. */
export const REGION = /^[a-z]{2,4}(-[a-z]+)+-\d$/

/** Domains that AWS serves services under. */
const DOMAIN = /\.(amazonaws\.com(\.cn)?|amazonaws\.eu|api\.aws|on\.aws|api\.amazonwebservices\.com\.cn)$/

/** Names of hosts that are not the names that requests are signed for. */
const SIGNED_AS: Readonly<Record<string, string>> = {
  'aps-workspaces': 'aps',
  'lambda-url': 'lambda',
}

export interface Place {
  readonly region?: string
  readonly service?: string
}

/** What the name of an endpoint says. Of one that AWS does not serve, that is nothing. */
export function placeOf(host: string): Place {
  if (!DOMAIN.test(host)) return {}
  const labels = host.replace(DOMAIN, '').split('.')
  const at = labels.findLastIndex(label => REGION.test(label))
  if (at === -1) return labels.includes('s3') ? { service: 's3' } : {}
  const behind = labels[at + 1]
  const before = labels.slice(0, at).filter(label => label !== 'dualstack')
  const name = (behind === undefined || behind === 'vpce' ? before.at(-1) : behind)?.replace(/-fips$/, '')
  return { region: labels[at]!, ...(name && { service: SIGNED_AS[name] ?? name }) }
}

/** The region that the pod is in, as AWS's webhooks say it. */
export function regionOf(env: Environment): string | undefined {
  return env['AWS_REGION'] || env['AWS_DEFAULT_REGION'] || undefined
}

/** The domain of a region's services. */
export function domainOf(region: string): string {
  if (region.startsWith('cn-')) return 'amazonaws.com.cn'
  return region.startsWith('eusc-') ? 'amazonaws.eu' : 'amazonaws.com'
}
