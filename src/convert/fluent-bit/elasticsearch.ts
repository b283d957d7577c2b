/** The outputs es and opensearch of Fluent Bit. */
import { type BackendTree, basicOf, cloudEndpoint, credential, endpoint } from '../backends.ts'
import { made } from '../made.ts'
import type { Setting } from '../setting.ts'
import { address } from './address.ts'

const AWS = 'requests are not signed: a domain with fine-grained access control takes basic authentication'

export function elasticsearch(section: Setting, tree: BackendTree): string | undefined {
  if (section.at('aws_auth')?.flag() === true) return section.lose(AWS)
  endpoint(tree, address(section, 9200, section.at('path')?.text()), section.at('host') ?? section, 'elasticsearch')
  const cloud = section.at('cloud_id')
  const id = cloud?.raw()
  if (id !== undefined) cloudEndpoint(tree, id, cloud!)
  const login = section.at('cloud_auth')
  const [user, password] = login?.raw()?.split(':') ?? []
  if (user !== undefined && password !== undefined) {
    const { references } = section.context
    const secret = references.secretOf(password, login!, 'elasticsearch_password')
    tree['auth'] = made({ basic: { username: user, password: secret } }, login!)
  } else if (user !== undefined) login!.lose('it is no user with a password: name them under auth.basic')
  basicOf(tree, section.at('http_user'), section.at('http_passwd'), 'elasticsearch')
  credential(tree, 'apiKey', section.at('http_api_key'), 'elasticsearch_api_key')
  tree['index'] = indexOf(section)
  const pipeline = section.at('pipeline')
  const name = pipeline?.text()
  if (name !== undefined) tree['pipeline'] = made(name, pipeline!)
  const operation = section.at('write_operation')
  const verb = operation?.raw()?.toLowerCase()
  if (verb !== undefined && verb !== 'create' && verb !== 'index') operation!.lose('records are created, not changed')
  const generated = section.at('generate_id')
  if (generated?.flag() === true) generated.needless('ids are given: the same record has the same')
  const time = section.at('time_key')
  if (time?.raw() !== undefined && time.raw() !== '@timestamp') time.lose('the time is @timestamp')
  section.loseAll('ids are those of logshipper', 'id_key')
  section.loseAll('there are no tags', 'include_tag_key', 'tag_key')
  section.loseAll('names stay as they are; fields.rename gives others', 'replace_dots')
  section.needlessAll('times are sent as precisely as they are known', 'time_key_nanos', 'time_key_format')
  section.needlessAll('a record without a time has that of its reading', 'current_time_index')
  section.needlessAll('requests are not signed', 'aws_region', 'aws_service_name', 'aws_profile', 'aws_auth')
  return 'elasticsearch'
}

function indexOf(section: Setting): unknown {
  const index = section.at('index')
  const dated = section.at('logstash_format')
  if (dated?.flag() !== true) {
    section.needlessAll(
      'only logstash_format asks for it',
      'logstash_prefix',
      'logstash_dateformat',
      'logstash_prefix_key',
    )
    const name = index?.text() ?? 'fluent-bit'
    return made(
      name.replaceAll(/%([YmdH])/g, (_, sign: string) => `%{${DATE_PARTS[sign]}}`),
      index ?? section,
    )
  }
  index?.needless('logstash_format makes the name')
  const prefix = section.at('logstash_prefix')?.text() ?? 'logstash'
  const separator = section.at('logstash_prefix_separator')?.text() ?? '-'
  const key = section.at('logstash_prefix_key')
  const path = [...(key?.raw() ?? '').matchAll(/\['([^']+)'\]/g)].map(([, name]) => `[${name}]`)
  const field = key?.raw()?.replace(/^\$/, '').replace(/\[.*$/, '')
  const value = field === undefined ? prefix : `%{[${field}]${path.join('')}:${prefix}}`
  const form = (section.at('logstash_dateformat')?.raw() ?? '%Y.%m.%d').replaceAll(
    /%([YmdH])/g,
    (_, sign: string) => DATE_PARTS[sign]!,
  )
  return made(`${value}${separator}%{${form}}`, dated)
}

const DATE_PARTS: Readonly<Record<string, string>> = { Y: 'yyyy', m: 'MM', d: 'dd', H: 'HH' }
