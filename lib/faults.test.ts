import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const faults = join(import.meta.dirname, 'faults.ts')

/** A process of its own: these events end the one they happen in. */
const end = async (fault: string, drain: string, graceMs = 5_000) => {
  const program = `
    const { endOnFault } = await import(${JSON.stringify(faults)})
    let ready = true
    const drain = async () => { ready = false; process.stdout.write('ready ' + ready + '\\n'); ${drain} }
    endOnFault(drain, ${graceMs})
    setInterval(() => {}, 1000)
    setTimeout(() => { ${fault} }, 5)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    env: { ...process.env, LOG_LEVEL: 'info' },
  })
  const said = { stdout: '', stderr: '' }
  child.stdout.on('data', (data) => {
    said.stdout += String(data)
  })
  child.stderr.on('data', (data) => {
    said.stderr += String(data)
  })
  const [code] = (await once(child, 'close')) as [number]
  const lines = said.stderr.split('\n').filter((line) => line.startsWith('{'))
  return { code, stdout: said.stdout, fatal: lines.map((line) => JSON.parse(line) as { level: number; msg: string }) }
}

test.each([
  ['an exception', `throw new Error('nobody catches me')`],
  ['a rejection', `Promise.reject(new Error('nobody catches me'))`],
])('%s that nothing handled is logged, drains and ends with status 1', async (_, fault) => {
  const { code, stdout, fatal } = await end(
    fault,
    `await new Promise((done) => setTimeout(done, 20)); process.stdout.write('drained')`,
  )
  expect(code).toBe(1)
  expect(stdout).toBe('ready false\ndrained')
  expect(fatal).toMatchObject([
    { level: 60, msg: 'a fault that nothing handled', err: { message: 'nobody catches me' } },
  ])
})

test('a drain that fails or never ends does not keep the process', async () => {
  const fault = `throw new Error('first')`
  expect(await end(fault, `throw new Error('second')`)).toMatchObject({
    code: 1,
    fatal: [{}, { msg: 'stopping failed' }],
  })
  expect((await end(fault, 'await new Promise(() => {})', 50)).code).toBe(1)
})
