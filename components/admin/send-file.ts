'use client'
import { workspaceHeader } from '#components/shell/shown-workspace.ts'
import type { PublicError } from '#lib/shared/errors.ts'
import type { SendFile } from './upload-queue.ts'

const lost: PublicError = {
  code: 'internal',
  message: 'The connection broke before the whole file was there. Check it and try again.',
  retryable: true,
}

/** Sends one file. XMLHttpRequest, because `fetch` does not say how much of a body has been sent. Never throws. */
export const sendFile: SendFile = ({ file, target }, { onProgress, signal }) =>
  new Promise((resolve) => {
    const form = new FormData()
    // Fields before the file: the server reads the body as it comes.
    for (const [name, value] of Object.entries(target)) form.append(name, value)
    form.append('file', file, file.name)
    const request = new XMLHttpRequest()
    request.open('POST', '/api/documents')
    for (const [name, value] of Object.entries(workspaceHeader())) request.setRequestHeader(name, value)
    request.responseType = 'json'
    request.upload.onprogress = (event) => onProgress(Math.min(event.loaded, file.size))
    request.onerror = () => resolve({ ok: false, error: lost })
    request.onabort = () => resolve({ ok: false, error: lost })
    request.onload = () => {
      const body = request.response as { error?: PublicError; outcome?: string } | null
      if (request.status < 300 && body?.outcome) resolve({ ok: true, value: request.response })
      else resolve({ ok: false, error: body?.error ?? lost })
    }
    signal.addEventListener('abort', () => request.abort(), { once: true })
    request.send(form)
  })
