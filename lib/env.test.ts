import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { parseEnv, settingNames } from './env.ts'

const example = readFileSync('.env.example', 'utf8')
const documented = [...example.matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, name = '', value = '']) => ({ name, value }))

test('.env.example lists every setting once and nothing else', () => {
  expect(documented.map(({ name }) => name).sort()).toEqual([...settingNames].sort())
})

test('.env.example shows the defaults: reading it is the same as setting nothing', () => {
  expect(parseEnv(Object.fromEntries(documented.map(({ name, value }) => [name, value])))).toEqual(parseEnv({}))
})

test('an empty value is the same as none', () => {
  expect(parseEnv({ PORT: '', DATABASE_URL: '', DEMO: '' })).toEqual(parseEnv({}))
})

test('names every fault at once', () => {
  const read = () =>
    parseEnv({ PORT: '99999', DATABASE_URL: 'mysql://host/db', LOG_LEVEL: 'loud', AUTH_SECRET: 'short' })
  for (const name of ['PORT', 'DATABASE_URL', 'LOG_LEVEL', 'AUTH_SECRET'])
    expect(read).toThrow(new RegExp(`^ {2}${name}: `, 'm'))
})

test('never repeats a secret in the words of a fault', () => {
  expect(() => parseEnv({ AUTH_SECRET: 'hunter2-hunter2' })).not.toThrow(/hunter2/)
})

test('shows the demo where the database is ours, and on a server only when it is asked for', () => {
  const server = { DATABASE_URL: 'postgres://host/db' }
  expect(parseEnv({}).demo).toBe(true)
  expect(parseEnv({ DEMO: '0' }).demo).toBe(false)
  expect(parseEnv(server).demo).toBe(false)
  expect(parseEnv({ ...server, DEMO: '1' }).demo).toBe(true)
})

test('folders are absolute, so that a change of the working directory moves nothing', () => {
  expect(parseEnv({ DATA_DIR: 'somewhere' }).dataDir).toBe(resolve('somewhere'))
})

test.each([
  ['localhost:3310', { host: 'localhost', port: 3310 }],
  ['[::1]:3310', { host: '::1', port: 3310 }],
  ['/run/clamav/clamd.ctl', { path: '/run/clamav/clamd.ctl' }],
])('a scanner is found at %s', (address, clamdAddress) =>
  expect(parseEnv({ CLAMD_ADDRESS: address })).toMatchObject({ clamdAddress }),
)

test.each(['localhost', 'localhost:0', ':3310', 'clamd.ctl', 'http://localhost:3310'])('%s is no scanner', (address) =>
  expect(() => parseEnv({ CLAMD_ADDRESS: address })).toThrow(/CLAMD_ADDRESS: /),
)
