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
  [
    /^(google|azure)_CREDENTIALS_UNREADABLE$/,
    'a file of the identity cannot be used: is its volume mounted, and is it the file of an identity?',
  ],
  [/^(google|azure)_\w*HTTPS_EXPECTED$/, 'a token or a key would go out unencrypted: the address needs https://'],
  [
    /^google_metadata_(unexpected_server|ENOTFOUND|EAI_\w+)$/,
    'this is no machine of Google Cloud, or its metadata server is hidden: give auth.google.credentialsFile',
  ],
  [
    /^google_metadata_(http_40[34]|invalid_\w+)$/,
    'the metadata server gives this pod no token: does the node pool have Workload Identity (GKE_METADATA), and may the Kubernetes service account use the one it is annotated with (roles/iam.workloadIdentityUser)?',
  ],
  [
    /^google_metadata_/,
    'the metadata server cannot be reached: allow egress to 169.254.169.252:988 and 169.254.169.254:80',
  ],
  [
    /^google_sts_invalid_(grant|target|request)$/,
    'STS does not accept the pod’s token: do its issuer and audience match the provider of the pool, and does the provider’s condition let it in?',
  ],
  [
    /^google_impersonation_http_403$/,
    'the federated identity may not act as the service account: grant roles/iam.workloadIdentityUser on it to the principal of the pool',
  ],
  [/^google_impersonation_http_404$/, 'there is no such service account to act as'],
  [
    /^google_token_invalid_grant$/,
    'the key is not accepted: it has been deleted or disabled, or its service account has',
  ],
  [/^google_token_invalid_scope$/, 'auth.google.scopes names a scope that there is not'],
  [/^google_(sts|impersonation|token)_(http_|unreadable)/, 'what answers is not Google: is a proxy in between?'],
  [
    /^google_(sts|impersonation|token)_/,
    'Google’s token servers cannot be reached: allow egress to sts, oauth2 and iamcredentials.googleapis.com:443',
  ],
  [
    /^azure_none$/,
    'this pod has no Azure identity: label it azure.workload.identity/use: "true" and annotate its service account with azure.workload.identity/client-id, or give auth.azure',
  ],
  [/^azure_no_tenant$/, 'the identity’s tenant is missing: AZURE_TENANT_ID or auth.azure.tenantId'],
  [/^azure_no_client$/, 'the identity’s client id is missing: AZURE_CLIENT_ID or auth.azure.clientId'],
  [/^azure_token_AADSTS90002$/, 'there is no such tenant: AZURE_TENANT_ID or auth.azure.tenantId'],
  [/^azure_token_AADSTS700016$/, 'the tenant has no application or identity with this client id'],
  [/^azure_token_AADSTS500011$/, 'auth.azure.scope names a service that the tenant does not know'],
  [/^azure_token_AADSTS7000215$/, 'the client secret is wrong: it is the secret’s value, not its id'],
  [/^azure_token_AADSTS7000222$/, 'the client secret has ended: make a new one'],
  [
    /^azure_token_AADSTS7002[0-9]+$|^azure_token_AADSTS70021$/,
    'the identity has no federated credential for this pod: its issuer, subject (system:serviceaccount:NAMESPACE:NAME) and audience (api://AzureADTokenExchange) must be those of the token',
  ],
  [
    /^azure_token_AADSTS700024$/,
    'the pod’s token has ended: it is a projected volume that the kubelet renews, and no copy of one',
  ],
  [/^azure_token_AADSTS53003$/, 'a conditional access policy of the tenant forbids it'],
  [/^azure_token_AADSTS7000112$/, 'the application is disabled in the tenant'],
  [/^azure_token_(http_|unreadable)/, 'what answers is not Entra ID: is a proxy in between?'],
  [/^azure_token_/, 'Entra ID cannot be reached or refuses: allow egress to login.microsoftonline.com:443'],
  [/^azure_instance_http_400$/, 'this node has no such managed identity'],
  [/^azure_instance_/, 'the instance metadata cannot be reached from the pod'],
]

export function identityAdvice(code: string): string | undefined {
  return ADVICE.find(([pattern]) => pattern.test(code))?.[1]
}
