import { type AddressInfo, createServer, type Server } from 'node:net'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { afterEach, expect, test } from 'vitest'
import { createMailer } from './mail.ts'

const from = 'Footnote <footnote@corp.example>'
type Received = { from: string; to: string[]; raw: string }

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()))
})

const startSmtp = async (options: SMTPServerOptions = {}): Promise<{ url: string; received: Received[] }> => {
  const received: Received[] = []
  const server = new SMTPServer({
    authOptional: true,
    closeTimeout: 20,
    disabledCommands: ['STARTTLS'],
    onData: (stream, session, done) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope
        received.push({
          from: mailFrom ? mailFrom.address : '',
          to: rcptTo.map(({ address }) => address),
          raw: Buffer.concat(chunks).toString('utf8'),
        })
        done()
      })
    },
    ...options,
  })
  server.on('error', () => undefined)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => new Promise((resolve) => server.close(() => resolve(undefined))))
  return { url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`, received }
}

const startSilent = async (): Promise<string> => {
  const server: Server = createServer((socket) => {
    socket.on('error', () => undefined)
    closing.push(async () => socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => new Promise((resolve) => server.close(resolve)))
  return `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const headersOf = (raw: string): string => raw.slice(0, raw.indexOf('\r\n\r\n'))
const mail = { to: 'new@corp.example', subject: 'Come in', text: 'Open <b>this</b> & that.' }

test('a mail arrives as it was written, as text and nothing else', async () => {
  const { url, received } = await startSmtp()
  expect(await createMailer({ url, from })(mail)).toEqual({ sent: true })
  expect(received).toHaveLength(1)
  expect(received[0]).toMatchObject({ from: 'footnote@corp.example', to: ['new@corp.example'] })
  const raw = received[0]?.raw ?? ''
  expect(raw).toContain('Open <b>this</b> & that.')
  expect(headersOf(raw)).toMatch(/^Content-Type: text\/plain/m)
  expect(raw).not.toMatch(/text\/html|multipart/)
})

test('line breaks in what people are called make no header and no second address', async () => {
  const { url, received } = await startSmtp()
  const hostile = 'Eve\r\nBcc: victim@corp.example\r\n\r\nbody\u2028X\u0000'
  expect(await createMailer({ url, from })({ ...mail, subject: `${hostile} invites you` })).toEqual({ sent: true })
  expect(received[0]?.to).toEqual(['new@corp.example'])
  expect(headersOf(received[0]?.raw ?? '')).not.toMatch(/^Bcc/im)
  expect(received[0]?.raw).toContain('Open <b>this</b>')
})

test.each(['a@corp.example,b@corp.example', 'a@corp.example\r\nRCPT TO:<b@corp.example>', '"x" <a@corp.example>', ''])(
  'what is not one address is not sent to: %j',
  async (to) => {
    const { url, received } = await startSmtp()
    expect(await createMailer({ url, from })({ ...mail, to })).toMatchObject({ sent: false, again: false })
    expect(received).toEqual([])
  },
)

test('a refused recipient is told in words that name nobody, and is not tried again', async () => {
  const { url } = await startSmtp({
    onRcptTo: (address, _, done) =>
      done(Object.assign(new Error(`5.1.1 no such mailbox ${address.address}`), { responseCode: 550 })),
  })
  const result = await createMailer({ url, from })(mail)
  expect(result).toMatchObject({ sent: false, again: false })
  expect(result.failure).toContain('refused to deliver to this address')
  expect(result.failure).not.toContain('corp.example')
})

test('a server that is busy is asked again later', async () => {
  const { url } = await startSmtp({
    onRcptTo: (_, __, done) => done(Object.assign(new Error('greylisted'), { responseCode: 451 })),
  })
  expect(await createMailer({ url, from })(mail)).toMatchObject({ sent: false, again: true })
})

test('a wrong password is told as such', async () => {
  const { url } = await startSmtp({
    authOptional: false,
    allowInsecureAuth: true,
    onAuth: (_, __, done) => done(new Error('no')),
  })
  const result = await createMailer({ url: url.replace('//', '//user:wrong@'), from })(mail)
  expect(result).toMatchObject({ sent: false, again: true })
  expect(result.failure).toContain('SMTP_URL')
  expect(result.failure).not.toContain('wrong')
})

test('a server that hangs is given up in time', async () => {
  const url = await startSilent()
  const beganMs = performance.now()
  expect(await createMailer({ url, from }, { greetingMs: 80 })(mail)).toEqual({
    sent: false,
    failure: 'The mail server did not answer in time.',
    again: true,
  })
  expect(performance.now() - beganMs).toBeLessThan(2_000)
})

test('a server that drips is given up in all', async () => {
  const { url } = await startSmtp({ onMailFrom: () => undefined })
  expect(await createMailer({ url, from }, { totalMs: 150 })(mail)).toMatchObject({ sent: false, again: true })
})

test('nobody there is no server that refused', async () => {
  const url = await startSilent()
  await Promise.all(closing.splice(0).map((close) => close()))
  expect(await createMailer({ url, from })(mail)).toEqual({
    sent: false,
    failure: 'The mail server could not be reached.',
    again: true,
  })
})

test('a server without TLS gets nothing when TLS is insisted on', async () => {
  const { url, received } = await startSmtp()
  expect(await createMailer({ url: `${url}?requireTLS=true`, from })(mail)).toMatchObject({ sent: false, again: true })
  expect(received).toEqual([])
})
