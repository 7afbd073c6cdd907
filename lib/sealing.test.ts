import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createSealing } from './sealing.ts'
import { AppError } from './shared/errors.ts'

const secret = 'a secret of an installation, 32+ characters'
const { seal, open } = createSealing(secret)
const failure = (run: () => unknown): unknown => {
  try {
    return run()
  } catch (error) {
    return error
  }
}

describe('sealing', () => {
  it('opens what it sealed, and never seals twice alike', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.string(), (plain, boundTo) => {
        const sealed = seal(plain, boundTo)
        expect(open(sealed, boundTo)).toBe(plain)
        expect(sealed).not.toBe(seal(plain, boundTo))
      }),
    )
  })

  it('opens after a restart and on another replica', () => {
    expect(createSealing(secret).open(seal('sk-1234', 'p'), 'p')).toBe('sk-1234')
  })

  it('refuses each single changed byte, in words and without the key', () => {
    const sealed = seal('sk-secret-1234', 'p')
    const bytes = Buffer.from(sealed.slice(3), 'base64url')
    for (let at = 0; at < bytes.length; at++) {
      const altered = Buffer.from(bytes)
      altered[at] = (altered[at] ?? 0) ^ 1
      const error = failure(() => open(`v1.${altered.toString('base64url')}`, 'p'))
      expect(error).toBeInstanceOf(AppError)
      expect((error as AppError).publicMessage).toContain('Enter the key again')
      expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('sk-secret')
    }
  })

  it.each(['', 'v1.', 'v1.AAAA', 'v2.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'sk-plain'])(
    'refuses %j as sealed',
    (sealed) => {
      expect(failure(() => open(sealed, 'p'))).toMatchObject({ code: 'model-misconfigured' })
    },
  )

  it('refuses another purpose, another installation and a shortened tag', () => {
    const sealed = seal('sk-1234', 'provider-1 https://api.example.com')
    expect(failure(() => open(sealed, 'provider-1 https://evil.example.com'))).toBeInstanceOf(AppError)
    expect(
      failure(() => createSealing(`${secret}!`).open(sealed, 'provider-1 https://api.example.com')),
    ).toBeInstanceOf(AppError)
    expect(failure(() => open(sealed.slice(0, -6), 'provider-1 https://api.example.com'))).toBeInstanceOf(AppError)
  })

  it('shows nothing of the key in the sealed text', () => {
    expect(seal('sk-very-recognisable', 'p')).not.toContain('recognisable')
  })
})
