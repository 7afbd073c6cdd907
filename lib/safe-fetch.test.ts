import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import {
  AnswerTooLarge,
  addressKind,
  checkAddress,
  checkedLookup,
  createSafeFetch,
  RefusedAddress,
  type Resolve,
} from './safe-fetch.ts'

/** Address, whether it is called for everybody, whether for a provider that is marked local. */
const table: [address: string, open: boolean, local: boolean][] = [
  // Public.
  ['https://api.openai.com/v1', true, true],
  ['http://8.8.8.8/', true, true],
  ['https://1.1.1.1:8443/v1', true, true],
  ['https://[2606:4700:4700::1111]/', true, true],
  ['https://172.15.255.255/', true, true],
  ['https://172.32.0.1/', true, true],
  ['https://11.0.0.1/', true, true],
  ['https://100.63.255.255/', true, true],
  ['https://100.128.0.1/', true, true],
  ['https://localhost.example.com/', true, true],
  // This machine, in its many ways to be written.
  ['http://localhost:11434/v1', false, true],
  ['http://LOCALHOST/', false, true],
  ['http://localhost./', false, true],
  ['http://ollama.localhost/', false, true],
  ['http://127.0.0.1:11434/v1', false, true],
  ['http://127.1/', false, true],
  ['http://127.255.255.254/', false, true],
  ['http://2130706433/', false, true],
  ['http://0x7f000001/', false, true],
  ['http://0x7f.0.0.1/', false, true],
  ['http://0177.0.0.1/', false, true],
  ['http://017700000001/', false, true],
  ['http://127.0.0.1./', false, true],
  ['http://①②⑦.⓪.⓪.①/', false, true],
  ['http://%31%32%37.0.0.1/', false, true],
  ['http://[::1]/', false, true],
  ['http://[0:0:0:0:0:0:0:1]:8080/', false, true],
  // Private networks.
  ['http://10.0.0.1/', false, true],
  ['http://10.255.255.255/', false, true],
  ['http://172.16.0.1/', false, true],
  ['http://172.31.255.255/', false, true],
  ['http://192.168.0.1:8000/v1', false, true],
  ['http://3232235521/', false, true],
  ['http://[fc00::1]/', false, true],
  ['http://[fd12:3456:789a::1]/', false, true],
  // Where clouds keep credentials, and what is link-local: never.
  ['http://169.254.169.254/latest/meta-data/', false, false],
  ['http://2852039166/', false, false],
  ['http://0xa9fea9fe/', false, false],
  ['http://169.254.1.1/', false, false],
  ['http://168.63.129.16/', false, false],
  ['http://100.100.100.200/latest/meta-data/', false, false],
  ['http://192.0.0.192/opc/v2/', false, false],
  ['http://[fd00:ec2::254]/', false, false],
  ['http://[fd00:0ec2:0:0:0:0:0:254]/', false, false],
  ['http://[fd20:ce::254]/', false, false],
  ['http://[fe80::1]/', false, false],
  ['http://[febf::1]/', false, false],
  ['http://[fec0::1]/', false, false],
  // Carrier-grade NAT, unspecified, broadcast, multicast, reserved, documentation.
  ['http://100.64.0.1/', false, false],
  ['http://100.127.255.255/', false, false],
  ['http://0.0.0.0:11434/', false, false],
  ['http://0/', false, false],
  ['http://0.1.2.3/', false, false],
  ['http://255.255.255.255/', false, false],
  ['http://224.0.0.1/', false, false],
  ['http://239.255.255.250/', false, false],
  ['http://240.0.0.1/', false, false],
  ['http://192.0.2.1/', false, false],
  ['http://198.18.0.1/', false, false],
  ['http://198.51.100.1/', false, false],
  ['http://203.0.113.9/', false, false],
  ['http://192.88.99.1/', false, false],
  ['http://[::]/', false, false],
  ['http://[ff02::1]/', false, false],
  ['http://[2001:db8::1]/', false, false],
  ['http://[100::1]/', false, false],
  // IPv4 inside IPv6.
  ['http://[::ffff:127.0.0.1]/', false, false],
  ['http://[::ffff:7f00:1]/', false, false],
  ['http://[::ffff:169.254.169.254]/', false, false],
  ['http://[::ffff:8.8.8.8]/', false, false],
  ['http://[::ffff:0:127.0.0.1]/', false, false],
  ['http://[::127.0.0.1]/', false, false],
  ['http://[::a9fe:a9fe]/', false, false],
  ['http://[64:ff9b::127.0.0.1]/', false, false],
  ['http://[64:ff9b::a9fe:a9fe]/', false, false],
  ['http://[64:ff9b:1::a00:1]/', false, false],
  ['http://[2002:7f00:1::]/', false, false],
  ['http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/', false, false],
  ['http://[4000::1]/', false, false],
  // Not for the web, or not an address.
  ['ftp://example.com/', false, false],
  ['file:///etc/passwd', false, false],
  ['gopher://127.0.0.1:6379/_INFO', false, false],
  ['data:text/plain,hello', false, false],
  ['javascript:alert(1)', false, false],
  ['ws://example.com/', false, false],
  ['https://user:password@example.com/', false, false],
  ['https://api.openai.com@127.0.0.1/', false, false],
  ['http://[fe80::1%25eth0]/', false, false],
  ['http://256.256.256.256/', false, false],
  ['//example.com/', false, false],
  ['example.com', false, false],
  ['', false, false],
]

const allowed = (address: string, local: boolean): boolean => {
  try {
    checkAddress(address, { local })
    return true
  } catch (error) {
    expect(error).toBeInstanceOf(RefusedAddress)
    expect((error as Error).message.length).toBeGreaterThan(20)
    return false
  }
}

describe('addresses that people set', () => {
  it.each(table)('%s: open %j, local %j', (address, open, local) => {
    expect(allowed(address, false)).toBe(open)
    expect(allowed(address, true)).toBe(local)
  })

  it('is a table worth its name', () => expect(table.length).toBeGreaterThanOrEqual(80))

  it('takes what is no address for one that is never called', () => {
    for (const nothing of ['', 'localhost', '1.2.3.4.5', 'fe80::1%eth0x:y']) expect(addressKind(nothing)).toBe('never')
  })
})

const servers: Server[] = []
const serve = async (listener: RequestListener): Promise<number> => {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}
afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
})

const answers = (...addresses: string[]): Resolve => {
  let asked = 0
  return () => {
    const address = addresses[Math.min(asked++, addresses.length - 1)] ?? ''
    return Promise.resolve([{ address, family: address.includes(':') ? 6 : 4 }])
  }
}

describe('names', () => {
  it('are judged by every address they have', async () => {
    const mixed: Resolve = () =>
      Promise.resolve([
        { address: '8.8.8.8', family: 4 },
        { address: '10.0.0.1', family: 4 },
      ])
    await expect(createSafeFetch({ resolve: mixed })('http://mixed.example/')).rejects.toThrow(RefusedAddress)
    await expect(
      createSafeFetch({ resolve: answers('::ffff:169.254.169.254'), local: true })('http://meta.example/'),
    ).rejects.toThrow(RefusedAddress)
  })

  it('that change from a public to a private answer are refused at the connection that would go there', async () => {
    const lookup = checkedLookup(answers('8.8.8.8', '127.0.0.1'), false)
    const ask = () =>
      new Promise<unknown>((resolve) =>
        lookup('rebind.example', { all: true }, (error, found) => resolve(error ?? found)),
      )
    expect(await ask()).toEqual([{ address: '8.8.8.8', family: 4 }])
    expect(await ask()).toMatchObject({ message: expect.stringContaining('rebind.example (127.0.0.1)') })
  })

  it('that change their answer between two requests gain nothing', async () => {
    const port = await serve((_, response) => response.setHeader('connection', 'close').end('ok'))
    const rebound = createSafeFetch({ resolve: answers('127.0.0.1', '169.254.169.254'), local: true })
    expect(await (await rebound(`http://rebind.example:${port}/`)).text()).toBe('ok')
    await expect(rebound(`http://rebind.example:${port}/`)).rejects.toThrow(/rebind\.example \(169\.254\.169\.254\)/)
  })

  it('are asked once a connection, and that answer is what is connected to', async () => {
    const port = await serve((_, response) => response.end('ok'))
    let asked = 0
    const resolve: Resolve = () => {
      asked += 1
      return Promise.resolve([{ address: asked === 1 ? '127.0.0.1' : '169.254.169.254', family: 4 }])
    }
    const response = await createSafeFetch({ resolve, local: true })(`http://pinned.example:${port}/`)
    expect(await response.text()).toBe('ok')
    expect(asked).toBe(1)
  })

  it('that nobody has are told as such', async () => {
    const none: Resolve = () => Promise.reject(Object.assign(new Error('none'), { code: 'ENOTFOUND' }))
    await expect(createSafeFetch({ resolve: none })('http://nobody.example/')).rejects.toMatchObject({
      cause: { code: 'ENOTFOUND' },
    })
  })
})

describe('redirects', () => {
  const local = createSafeFetch({ local: true })
  const key = { headers: { authorization: 'Bearer sk-1', 'x-api-key': 'sk-2', accept: 'text/plain' } }

  it('are followed three times and not four', async () => {
    const port = await serve((request, response) => {
      const left = Number(request.url?.slice(1))
      if (left === 0) response.end('there')
      else response.writeHead(302, { location: `/${left - 1}` }).end()
    })
    expect(await (await local(`http://127.0.0.1:${port}/3`)).text()).toBe('there')
    await expect(local(`http://127.0.0.1:${port}/4`)).rejects.toThrow('more than 3 times')
  })

  it.each([
    'http://169.254.169.254/latest/meta-data/',
    'file:///etc/passwd',
    'http://[::ffff:127.0.0.1]/',
    'http://a:b@127.0.0.1/',
    'http://[',
  ])('to %s are refused', async (location) => {
    const port = await serve((_, response) => response.writeHead(302, { location }).end())
    await expect(local(`http://127.0.0.1:${port}/`)).rejects.toThrow(RefusedAddress)
  })

  it('from a public name to a private address are refused', async () => {
    let inside = 0
    const target = await serve((_, response) => {
      inside += 1
      response.end()
    })
    const port = await serve((_, response) =>
      response.writeHead(307, { location: `http://intranet.example:${target}/` }).end(),
    )
    const resolve: Resolve = (host) =>
      Promise.resolve([{ address: host === 'start.example' ? '127.0.0.1' : '100.64.0.7', family: 4 }])
    await expect(createSafeFetch({ resolve, local: true })(`http://start.example:${port}/`)).rejects.toThrow(
      '100.64.0.7',
    )
    expect(inside).toBe(0)
  })

  it('to another origin carry no credentials, and no body at all', async () => {
    const seen: (string | undefined)[] = []
    const target = await serve((request, response) => {
      seen.push(
        request.headers.authorization,
        request.headers['x-api-key'] as string | undefined,
        request.headers.accept,
      )
      response.end('done')
    })
    const port = await serve((_, response) =>
      response.writeHead(307, { location: `http://127.0.0.1:${target}/` }).end(),
    )
    expect(await (await local(`http://127.0.0.1:${port}/`, key)).text()).toBe('done')
    expect(seen).toEqual([undefined, undefined, 'text/plain'])
    await expect(local(`http://127.0.0.1:${port}/`, { ...key, method: 'POST', body: 'a document' })).rejects.toThrow(
      'goes only to the address that was set',
    )
    expect(seen).toHaveLength(3)
  })

  it('within an origin keep what 307 keeps and drop what 303 drops', async () => {
    const seen: string[] = []
    const port = await serve(async (request, response) => {
      let body = ''
      for await (const chunk of request) body += String(chunk)
      seen.push(`${request.method} ${request.url} ${body} ${request.headers.authorization}`)
      if (request.url === '/end') return void response.end('done')
      response.writeHead(request.url === '/kept' ? 307 : 303, { location: '/end' }).end()
    })
    for (const path of ['kept', 'dropped'])
      await local(`http://127.0.0.1:${port}/${path}`, { ...key, method: 'POST', body: 'text' })
    expect(seen).toEqual([
      'POST /kept text Bearer sk-1',
      'POST /end text Bearer sk-1',
      'POST /dropped text Bearer sk-1',
      'GET /end  Bearer sk-1',
    ])
  })
})

describe('answers', () => {
  it('stream as they come', async () => {
    let release: () => void = () => undefined
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    const port = await serve(async (_, response) => {
      response.write('first')
      await released
      response.end('second')
    })
    const response = await createSafeFetch({ local: true })(`http://127.0.0.1:${port}/`)
    const reader = (response.body ?? new ReadableStream<Uint8Array>()).getReader()
    const text = async () => new TextDecoder().decode((await reader.read()).value)
    expect(await text()).toBe('first')
    release()
    expect(await text()).toBe('second')
  })

  it('end at their bound, also when they never end by themselves', async () => {
    let gone = false
    const port = await serve((_, response) => {
      const more = setInterval(() => response.write('x'.repeat(10_000)), 1)
      response.on('close', () => {
        gone = true
        clearInterval(more)
      })
    })
    const response = await createSafeFetch({ local: true, bytesMax: 50_000 })(`http://127.0.0.1:${port}/`)
    await expect(response.text()).rejects.toThrow(AnswerTooLarge)
    await expect.poll(() => gone).toBe(true)
  })

  it('that do not come in time end', async () => {
    const port = await serve(async (_, response) => {
      response.write('x')
      await pause(5_000, undefined, { ref: false })
    })
    const response = await createSafeFetch({ local: true, totalMs: 60 })(`http://127.0.0.1:${port}/`)
    await expect(response.text()).rejects.toMatchObject({ name: 'TimeoutError' })
  })

  it('stop when the caller stops', async () => {
    let gone = false
    const port = await serve((_, response) => {
      response.write('x')
      response.on('close', () => {
        gone = true
      })
    })
    const abort = new AbortController()
    const response = await createSafeFetch({ local: true })(`http://127.0.0.1:${port}/`, { signal: abort.signal })
    const read = response.text()
    abort.abort()
    await expect(read).rejects.toMatchObject({ name: 'AbortError' })
    await expect.poll(() => gone).toBe(true)
  })

  it('without a body, and of every status, are responses like any other', async () => {
    const port = await serve((request, response) => response.writeHead(Number(request.url?.slice(1))).end())
    for (const status of [200, 204, 304, 401, 500])
      expect((await createSafeFetch({ local: true })(`http://127.0.0.1:${port}/${status}`)).status).toBe(status)
  })
})
