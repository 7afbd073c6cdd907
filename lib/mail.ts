/**
 * Mail to people: plain text, one person a mail, over the server that SMTP_URL names. What must arrive is a job: queued in the
 * transaction that causes it, sealed at rest because it may hold a link that opens something, tried again for a day while the server
 * is away. Without SMTP_URL nothing is sent, and links are handed over by people.
 */
import { createTransport } from 'nodemailer'
import SmtpTransport from 'nodemailer/lib/smtp-transport/index.js'
import { z } from 'zod'
import { database, type Tx } from '#db/client.ts'
import { noteMailFailure } from '#db/queries/invitations.ts'
import { env } from './env.ts'
import { enqueue, type JobPayload } from './jobs.ts'
import { log } from './log.ts'
import { sealing } from './sealing.ts'

export type Mail = { to: string; subject: string; text: string }
/** `failure` is in words, for people; `again`: the same mail may well arrive later. */
export type MailResult = { sent: boolean; failure?: string; again?: boolean }

type MailSettings = { url: string; from: string }
type MailLimits = { connectMs: number; greetingMs: number; idleMs: number; totalMs: number }

const defaultLimits: MailLimits = { connectMs: 10_000, greetingMs: 10_000, idleMs: 20_000, totalMs: 45_000 }
const subjectCharsMax = 200
const sealedFor = 'mail'

/** A line of a header: whatever would end it, or could not be seen in it, becomes a space. */
const headerLine = (text: string): string =>
  text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
    .slice(0, subjectCharsMax)

type SmtpError = Error & { code?: string; responseCode?: number; command?: string }

/** What went wrong and whether trying again can help. The server's own words are for the log: they repeat addresses. */
const wordsOf = (error: SmtpError): Required<Omit<MailResult, 'sent'>> => {
  const { code, responseCode = 0, command } = error
  if (code === 'EAUTH')
    return { failure: 'The mail server refused the user name or password in SMTP_URL.', again: true }
  if (code === 'ETLS') return { failure: 'The mail server offers no safe connection, as SMTP_URL asks.', again: true }
  if (responseCode >= 500 && command === 'RCPT TO')
    return { failure: 'The mail server refused to deliver to this address. Check how it is written.', again: false }
  if (responseCode >= 500)
    return { failure: 'The mail server refused the mail. Perhaps it does not know MAIL_FROM.', again: true }
  if (responseCode >= 400) return { failure: 'The mail server cannot take the mail just now.', again: true }
  if (code === 'ETIMEDOUT') return { failure: 'The mail server did not answer in time.', again: true }
  return { failure: 'The mail server could not be reached.', again: true }
}

const deadline = (ms: number): { passed: Promise<never>; clear: () => void } => {
  const passed = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => passed.reject(Object.assign(new Error('the mail took too long'), { code: 'ETIMEDOUT' })),
    ms,
  )
  return { passed: passed.promise, clear: () => clearTimeout(timer) }
}

/** A way to send over one server. The URL says how safely: `smtps:` from the first byte, `smtp:` with STARTTLS where offered. */
export const createMailer = ({ url, from }: MailSettings, limits: Partial<MailLimits> = {}) => {
  const { connectMs, greetingMs, idleMs, totalMs } = { ...defaultLimits, ...limits }
  // Made here: given an address, `createTransport` would forget every other option.
  const transport = createTransport(
    new SmtpTransport({
      url,
      connectionTimeout: connectMs,
      dnsTimeout: connectMs,
      greetingTimeout: greetingMs,
      socketTimeout: idleMs,
    }),
  )
  return async ({ to, subject, text }: Mail): Promise<MailResult> => {
    if (!z.email().safeParse(to).success)
      return { sent: false, failure: 'That is no address that mail can be sent to.', again: false }
    const late = deadline(totalMs)
    const sending = transport.sendMail({
      from,
      // As an object it is one address, whatever is in it.
      to: { name: '', address: to },
      subject: headerLine(subject),
      text,
      headers: { 'Auto-Submitted': 'auto-generated' },
      disableFileAccess: true,
      disableUrlAccess: true,
    })
    // Told below, or too late to be told.
    sending.catch(() => undefined)
    try {
      await Promise.race([sending, late.passed])
      return { sent: true }
    } catch (thrown) {
      const error: SmtpError = thrown instanceof Error ? thrown : new Error(String(thrown))
      log.warn({ code: error.code, responseCode: error.responseCode }, 'a mail was not sent')
      return { sent: false, ...wordsOf(error) }
    } finally {
      late.clear()
    }
  }
}

let held: ReturnType<typeof createMailer> | undefined

export const isMailSet = (): boolean => env().mail !== null

/** Sends now and says how it went; never throws. What must not be lost is for `queueMail`. */
export const sendMail = async (mail: Mail): Promise<MailResult> => {
  const settings = env().mail
  if (!settings)
    return { sent: false, failure: 'No mail server is set up (SMTP_URL). Hand the link over yourself.', again: false }
  held ??= createMailer(settings)
  return held(mail)
}

/** The address of a page as a mail says it. Never made of what a request says of itself: its Host is anybody's to choose. */
export const publicAddress = (path: string): string => {
  const { authUrl, port } = env()
  return new URL(path, authUrl ?? `http://localhost:${port}`).href
}

/** Puts a mail into the transaction that causes it. With `invitationId` it is not sent once that invitation is over, and failures are told there. */
export const queueMail = (tx: Tx, mail: Mail, invitationId: string | null = null): Promise<void> =>
  enqueue(tx, 'mail.send', { sealed: sealing().seal(JSON.stringify(mail), sealedFor), invitationId })

const mailSchema = z.strictObject({ to: z.string(), subject: z.string(), text: z.string() })
const unsealed = (sealed: string): Mail | null => {
  try {
    return mailSchema.parse(JSON.parse(sealing().open(sealed, sealedFor)))
  } catch {
    return null
  }
}

/** The job: sends a queued mail. Throws when it is to be tried again. */
export const deliverMail = async (
  { sealed, invitationId }: JobPayload<'mail.send'>,
  send: (mail: Mail) => Promise<MailResult> = sendMail,
): Promise<void> => {
  const { db } = database()
  const note = async (failure: string | null): Promise<boolean> =>
    invitationId === null || (await noteMailFailure(db, invitationId, failure))
  const mail = unsealed(sealed)
  if (!mail) {
    await note('The e-mail cannot be read any more: AUTH_SECRET has changed. Invite again.')
    return
  }
  if (!(await note('The e-mail is being sent.'))) return
  const { sent, failure = 'The mail server could not be reached.', again = false } = await send(mail)
  await note(sent ? null : again ? `${failure} It is tried again.` : failure)
  // In our words: the queue keeps them.
  if (!sent && again) throw new Error(failure)
}

/** The job after the last try: says so where the person who invited will look. */
export const giveUpMail = async ({ invitationId }: JobPayload<'mail.given-up'>): Promise<void> => {
  if (invitationId)
    await noteMailFailure(
      database().db,
      invitationId,
      'The mail server could not be reached for a day, so the e-mail was given up. Invite again, or hand over the link.',
    )
}
