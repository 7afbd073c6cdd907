/** What the browser does before anything of a page runs. */
import { config } from 'zod/v4/core'

// Else it tries whether it may make functions out of text, which the content policy refuses, and reports as an attack.
config({ jitless: true })
