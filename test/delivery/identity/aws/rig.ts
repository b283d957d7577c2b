/** What issues keys of AWS, as its manuals show it. The keys are no keys. */
import type { Answer } from '../../../../src/backends/backend.ts'
import type { Question } from '../../../../src/delivery/identity/aws/sources.ts'

export const ROLE = 'arn:aws:iam::111122223333:role/app'

export const isoOf = (time: number): string => new Date(time).toISOString().replace(/\.\d+Z$/, 'Z')

/** An answer of AssumeRoleWithWebIdentity. */
export function assumed(name: string, end: number, headers: Record<string, string> = {}): Answer {
  return {
    status: 200,
    headers: { 'content-type': 'text/xml', ...headers },
    body: `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleWithWebIdentityResult>
    <SubjectFromWebIdentityToken>system:serviceaccount:shop:web</SubjectFromWebIdentityToken>
    <Audience>sts.amazonaws.com</Audience>
    <AssumedRoleUser><Arn>arn:aws:sts::111122223333:assumed-role/app/x</Arn><AssumedRoleId>AROAEXAMPLE:x</AssumedRoleId></AssumedRoleUser>
    <Credentials>
      <SessionToken>token-of-${name}</SessionToken>
      <SecretAccessKey>secret-of-${name}</SecretAccessKey>
      <Expiration>${isoOf(end)}</Expiration>
      <AccessKeyId>${name}</AccessKeyId>
    </Credentials>
  </AssumeRoleWithWebIdentityResult>
</AssumeRoleWithWebIdentityResponse>`,
  }
}

export function refusedBySts(status: number, code: string, message = 'no'): Answer {
  const body = `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`
  return { status, headers: { 'content-type': 'text/xml' }, body }
}

/** An answer of the Pod Identity agent, of ECS and of instance metadata. */
export function keysInJson(name: string, end: number): Answer {
  const keys = { AccessKeyId: name, SecretAccessKey: `secret-of-${name}`, Token: `token-of-${name}` }
  return { status: 200, headers: {}, body: JSON.stringify({ Code: 'Success', ...keys, Expiration: isoOf(end) }) }
}

type Reply = { readonly kind: 'answer'; readonly answer: Answer } | { readonly kind: 'failure'; readonly code: string }

/** Answers questions in turn, the last one for ever, and keeps them. */
export function asker(...answers: readonly (Answer | string)[]) {
  const questions: Question[] = []
  const ask = async (question: Question): Promise<Reply> => {
    questions.push(question)
    const answer = answers[Math.min(questions.length, answers.length) - 1]!
    return typeof answer === 'string' ? { kind: 'failure', code: answer } : { kind: 'answer', answer }
  }
  return { questions, ask }
}
