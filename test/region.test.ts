/** Regions and services, as the names of endpoints say them. */
import t from 'tap'
import { domainOf, placeOf, REGION, regionOf } from '../src/region.ts'

t.test('an endpoint of AWS names its region and its service', async t => {
  for (const [host, region, service] of [
    ['logs.eu-central-1.amazonaws.com', 'eu-central-1', 'logs'],
    ['logs-fips.us-gov-west-1.amazonaws.com', 'us-gov-west-1', 'logs'],
    ['logs.eu-central-1.api.aws', 'eu-central-1', 'logs'],
    ['logs.cn-north-1.amazonaws.com.cn', 'cn-north-1', 'logs'],
    ['vpce-0a1b2c-3d4e.logs.eu-central-1.vpce.amazonaws.com', 'eu-central-1', 'logs'],
    ['search-app-abcdef.eu-central-1.es.amazonaws.com', 'eu-central-1', 'es'],
    ['abcdef0123.eu-central-1.aoss.amazonaws.com', 'eu-central-1', 'aoss'],
    ['app-0123.eu-central-1.osis.amazonaws.com', 'eu-central-1', 'osis'],
    ['firehose.us-east-1.amazonaws.com', 'us-east-1', 'firehose'],
    ['s3.eu-west-3.amazonaws.com', 'eu-west-3', 's3'],
    ['my.logs.s3.eu-west-3.amazonaws.com', 'eu-west-3', 's3'],
    ['logs.s3.dualstack.eu-west-3.amazonaws.com', 'eu-west-3', 's3'],
    ['aps-workspaces.eu-west-3.amazonaws.com', 'eu-west-3', 'aps'],
    ['abc.lambda-url.eu-west-3.on.aws', 'eu-west-3', 'lambda'],
    ['abc.execute-api.eu-west-3.amazonaws.com', 'eu-west-3', 'execute-api'],
  ] as const) {
    t.same(placeOf(host), { region, service }, host)
  }
  t.same(placeOf('my-bucket.s3.amazonaws.com'), { service: 's3' })
})

t.test('a name of somebody else’s says nothing', async t => {
  for (const host of ['logs.example.com', '127.0.0.1', 'logs.eu-central-1.amazonaws.com.example.com', '']) {
    t.same(placeOf(host), {}, host)
  }
})

t.test('regions of all partitions are regions, and what is nearly one is none', async t => {
  for (const region of ['eu-central-1', 'us-gov-east-1', 'cn-northwest-1', 'ap-southeast-4', 'eusc-de-east-1']) {
    t.match(region, REGION)
  }
  for (const region of ['eu-central', 'eu-central-1a', 'EU-CENTRAL-1', 'frankfurt', '']) t.notMatch(region, REGION)
  t.equal(domainOf('cn-north-1'), 'amazonaws.com.cn')
  t.equal(domainOf('eu-central-1'), 'amazonaws.com')
})

t.test('the pod’s region is the one that AWS’s webhooks set', async t => {
  t.equal(regionOf({ AWS_REGION: 'eu-central-1', AWS_DEFAULT_REGION: 'us-east-1' }), 'eu-central-1')
  t.equal(regionOf({ AWS_REGION: '', AWS_DEFAULT_REGION: 'us-east-1' }), 'us-east-1')
  t.equal(regionOf({}), undefined)
})
