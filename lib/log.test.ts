import { expect, test } from 'vitest'
import { createLog } from './log.ts'
import { noteTrace, withRequest } from './request-context.ts'

const lines: string[] = []
const log = createLog((line) => lines.push(line), { level: 'info', secrets: ['a-secret-of-the-installation'] })
const last = (): Record<string, unknown> => JSON.parse(lines.at(-1) ?? '') as Record<string, unknown>

test('a line carries the ids of its request and of the trace that it began', () => {
  withRequest({ requestId: 'r1', address: null }, () => {
    log.info({ n: 1 }, 'before')
    expect(last()).toMatchObject({ requestId: 'r1', n: 1, msg: 'before' })
    expect(last()).not.toHaveProperty('traceId')
    noteTrace('t1')
    log.info('after')
    expect(last()).toMatchObject({ requestId: 'r1', traceId: 't1', msg: 'after' })
  })
  log.info('outside')
  expect(last()).not.toHaveProperty('requestId')
})

test('one call is one line, whatever is in it', () => {
  const before = lines.length
  log.error({ err: new Error('a\n{"level":60,"msg":"forged"}\u001b[2J') }, 'words\r\nmore')
  expect(lines).toHaveLength(before + 1)
  expect(lines.at(-1)?.trimEnd()).not.toMatch(/\p{Cc}/u)
  expect(last()).toMatchObject({ level: 50, msg: 'words␍␊more', err: { type: 'Error' } })
})

test('an error alone, words alone and anything else are scrubbed too', () => {
  const secret = 'a-secret-of-the-installation'
  log.error(new Error(`failed with ${secret}`))
  log.warn(`failed with ${secret}`)
  log.info({ deep: { list: [{ value: secret }] } }, `and ${secret}`)
  expect(lines.slice(-3).join('')).not.toContain(secret)
  expect(last()).toMatchObject({ deep: { list: [{ value: '[secret]' }] }, msg: 'and [secret]' })
})
