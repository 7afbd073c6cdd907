import { describe, expect, test } from 'vitest'
import { addressBlock, addressHeader, settleForwarding } from './client-address.ts'

const settled = (headers: Record<string, string | string[]>, socket: string | undefined, trustedProxies: number) => {
  const copy: Record<string, string | string[] | undefined> = { ...headers }
  settleForwarding(copy, socket, trustedProxies)
  return copy
}

describe('without proxies of ours', () => {
  const forged = {
    [addressHeader]: '198.51.100.1',
    'x-forwarded-for': '198.51.100.2',
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'https',
    forwarded: 'for=198.51.100.3',
    'x-real-ip': '198.51.100.4',
    'cf-connecting-ip': '198.51.100.5',
    host: 'here.example',
  }

  test('CVE-2026-39411: no header that a client sets says who it is or where it comes from', () => {
    expect(settled(forged, '203.0.113.9', 0)).toEqual({ [addressHeader]: '203.0.113.9', host: 'here.example' })
  })

  test('a forged address is gone also when the socket has none', () => {
    expect(settled(forged, undefined, 0)).toEqual({ host: 'here.example' })
  })
})

describe('behind proxies of ours', () => {
  test.each([
    ['the client is what the only proxy saw', '203.0.113.7', 1, '203.0.113.7'],
    ['what the client wrote on the left is not counted', '198.51.100.1, 203.0.113.7', 1, '203.0.113.7'],
    ['two proxies are skipped from the right', '198.51.100.1, 203.0.113.7, 10.0.0.2', 2, '203.0.113.7'],
    ['ports and brackets are no part of an address', '[2001:db8::7]:4711', 1, '2001:db8::7'],
    ['an IPv4 address in IPv6 dress is the IPv4 address', '::ffff:203.0.113.7', 1, '203.0.113.7'],
    ['a chain that is too short falls back to who connected', '203.0.113.7', 3, '10.0.0.1'],
    ['what is no address falls back to who connected', 'unknown', 1, '10.0.0.1'],
    ['an empty chain falls back to who connected', '', 1, '10.0.0.1'],
  ])('%s', (_, chain, proxies, address) => {
    expect(settled({ 'x-forwarded-for': chain }, '::ffff:10.0.0.1', proxies)[addressHeader]).toBe(address)
  })
})

test('attempts are counted by IPv4 address, and by the /64 of IPv6', () => {
  expect(addressBlock('203.0.113.7')).toBe('203.0.113.7')
  const block = addressBlock('2001:db8:1:2:aaaa::1')
  expect(addressBlock('2001:0db8:1:2::ffff')).toBe(block)
  expect(addressBlock('2001:db8:1:3::1')).not.toBe(block)
  expect(addressBlock('2001:db8::1')).toBe('2001:db8:0:0::/64')
})
