/** What to do about an identity that cannot be had, in one sentence, by the code of the failure. */

/** The first that fits. */
const ADVICE: readonly (readonly [code: RegExp, advice: string])[] = [
  [
    /^aws_none$/,
    'this pod has no AWS identity: annotate its service account with eks.amazonaws.com/role-arn or create a Pod Identity association, and start the pod anew',
  ],
  [/^aws_incomplete_environment$/, 'AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY belong together, and one is not set'],
  [/^aws_CREDENTIALS_UNREADABLE$/, 'the file of the token or of a key cannot be read: is its volume mounted?'],
  [/^aws_ended$/, 'the keys that were obtained have ended already: is the node’s clock right?'],
  [
    /^aws_sts_AccessDenied$/,
    'the role’s trust policy does not let this service account assume it: allow sts:AssumeRoleWithWebIdentity to system:serviceaccount:NAMESPACE:NAME of this cluster’s OIDC provider',
  ],
  [
    /^aws_sts_ExpiredTokenException$/,
    'the token in AWS_WEB_IDENTITY_TOKEN_FILE has expired: it is a projected volume that the kubelet renews, and no copy of one',
  ],
  [
    /^aws_sts_(InvalidIdentityToken|IDPRejectedClaim)$/,
    'the cluster’s OIDC provider is not known to this account, or the token’s audience is not sts.amazonaws.com: create the provider in IAM',
  ],
  [/^aws_sts_IDPCommunicationError$/, 'AWS cannot reach the cluster’s OIDC issuer'],
  [/^aws_sts_ValidationError$/, 'AWS_ROLE_ARN is not the ARN of a role'],
  [
    /^aws_sts_RegionDisabledException$/,
    'STS is not activated in this region: activate it in the account, or set auth.aws.stsEndpoint',
  ],
  [/^aws_sts_(ENOTFOUND|EAI_\w+)$/, 'there is no STS of this region: is auth.aws.region (or AWS_REGION) spelt right?'],
  [/^aws_sts_proxy_/, 'the proxy does not let the request to STS through: allow it, or name it in NO_PROXY'],
  [
    /^aws_sts_\w*CERT\w*$/,
    'something between here and STS shows a certificate of its own: see tls.ca, or let STS bypass it',
  ],
  [/^aws_sts_(http_|unreadable)/, 'what answers in the place of STS is not STS: is a proxy in between?'],
  [/^aws_sts_/, 'STS cannot be reached: allow egress to sts.REGION.amazonaws.com:443, or create its VPC endpoint'],
  [
    /^aws_container_http_4/,
    'the Pod Identity agent gives no keys: does the association name this namespace and service account?',
  ],
  [/^aws_container_uri_unusable$/, 'AWS_CONTAINER_CREDENTIALS_FULL_URI may be https://, or an address beside the pod'],
  [
    /^aws_container_/,
    'the Pod Identity agent (169.254.170.23:80) cannot be reached: does it run on this node, and does a NetworkPolicy allow it?',
  ],
  [/^aws_instance_no_role$/, 'this node has no instance profile with a role'],
  [
    /^aws_instance_/,
    'the instance metadata cannot be reached from the pod: the node’s hop limit is 1, or access is blocked',
  ],
]

export function identityAdvice(code: string): string | undefined {
  return ADVICE.find(([pattern]) => pattern.test(code))?.[1]
}
