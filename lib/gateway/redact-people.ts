/**
 * Mail addresses, and, by their surroundings only, postal addresses and names of people. Names and addresses have no checksum: what
 * is found here is sure to be one, but many are not found, and a workspace that needs all of them must keep its calls local.
 */
import { allPatterns } from '@openredaction/openredaction'
import type { Found } from '#lib/shared/secrets.ts'

const localEnd = /[\p{L}\p{N}.!#$%&'*+/=?^_{|}~-]{1,64}$/u
const domainStart =
  /^(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.){1,8}(?:xn--[a-z0-9-]{2,59}|\p{L}{2,24})(?![\p{L}\p{N}@])/u

/** Mail addresses. Looks only around each `@`, so a text without one costs nothing. */
export const findEmails = (text: string): Found[] => {
  const found: Found[] = []
  let from = 0
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    const local = localEnd.exec(text.slice(Math.max(from, at - 64), at))?.[0].replace(/^[.'*/=?&|{}#!$%^~-]+/, '') ?? ''
    const domain = domainStart.exec(text.slice(at + 1, at + 256))?.[0] ?? ''
    if (!local || !domain || local.endsWith('.')) continue
    from = at + 1 + domain.length
    found.push({ start: at - local.length, end: from })
  }
  return found
}

const word = "\\p{Lu}[\\p{L}'’-]{0,30}"
const words = (most: number): string => `${word}(?: ${word}){0,${most - 1}}`
const streetWord =
  'Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Court|Ct|Boulevard|Blvd|Way|Place|Pl|Square|Sq|Squares|Streets|Terrace|Close|Crescent|Highway|Hwy|Parkway|Pkwy|str|u|tér|utca|út|kapu|tie|katu'
const streetBefore =
  'Rue|Via|Viale|Calle|Rua|Avenida|Avenue|Boulevard|Piazza|Plaza|Plac|Place|Ulica|ul\\.|Chemin|Route|Quai|Praça|Travessa|Corso|Largo|Camino|Paseo'
const joinedStreet =
  '(?:straße|strasse|str\\.|gasse|weg|platz|allee|gatan|vägen|gata|gate|vej|veien|vegen|gade|katu|tie|kuja|polku|laan|straat|plein|utca|ulica|vænget|tova|ova|maantee|tänav|tn)'
const room = '(?:[,\\s]{1,3}(?:Apt|Apartment|Suite|Ste|Unit|Flat|Room|Box)\\.? ?#?\\d{1,5}[A-Za-z]?){0,2}'

// biome-ignore format: one line reads as one pattern
const addressShapes: readonly RegExp[] = [
  new RegExp(`(?<![\\p{L}\\p{N}.$€£])\\d{1,6}(?: \\d{1,5})? ${words(4)} (?:${streetWord})(?![\\p{L}])\\.?(?: \\d{1,4}[a-z]?\\b)?${room}`, 'gu'),
  new RegExp(`(?<![\\p{L}\\p{N}])(?:\\d{1,6} ){0,2}(?:${streetBefore}) (?:(?:de|des|du|del|della|da|do|dos|la|le|al|of) ){0,2}${words(4)}(?:,? \\d{1,5}[a-z]?\\b)${room}`, 'gu'),
  new RegExp(`(?<![\\p{L}\\p{N}])(?:\\d{1,6} ){0,2}\\p{Lu}\\p{Ll}{1,24}${joinedStreet} \\d{1,4}[a-z]?(?![\\p{L}\\p{N}])${room}`, 'gu'),
  /(?<![\p{L}\p{N}])(?:PSC \d{1,5}, Box \d{1,5}|Unit \d{1,5},? Box \d{1,5}|Postbox \d{1,6}|Postfach \d[\d ]{0,8}|P\.? ?O\.? ?Box \d{1,6})(?:\s{1,3}(?:APO|FPO|DPO) A[AEP] \d{5})?/giu,
  /(?<![\p{L}\p{N}])(?:Apt|Apartment|Suite)\.? #?\d{1,5}(?!\p{L})/gu,
  /(?<=(?:\bzip(?: ?code)?|\bpost(?:al)? ?code|\bplz)(?: is)?[: ]{1,3})\d{3,6}(?:[ -]\d{2,4})?(?!\d)/giu,
]
const libraryTypes = new Set(['ADDRESS_STREET', 'ADDRESS_PO_BOX'])
const libraryShapes = allPatterns
  .filter(({ type }) => libraryTypes.has(type))
  .map(({ regex }) => new RegExp(regex.source, regex.flags))

const all = (text: string, shapes: readonly RegExp[]): Found[] =>
  shapes.flatMap((shape) =>
    [...text.matchAll(shape)].map(({ index, 0: found }) => ({ start: index, end: index + found.length })),
  )

/** Streets with numbers, post boxes, flats and named postal codes. */
export const findAddresses = (text: string): Found[] => all(text, [...addressShapes, ...libraryShapes])

const given = `${word}(?: ${word}| \\p{Lu}\\.?){0,3}`
// biome-ignore format: one line reads as one pattern
const nameShapes: readonly RegExp[] = [
  new RegExp(`(?<=(?<!\\p{L})(?:Mr|Mrs|Ms|Miss|Dr|Prof|Professor|Herr|Frau|Monsieur|Madame|Mme|Señor|Señora|Sra?)\\.? )${given}`, 'gu'),
  new RegExp(`(?<=(?<!\\p{L})(?:[Mm]y name is|[Nn]ame is|name's|[Ii]ch hei(?:ß|ss)e|[Jj]e m'appelle|[Mm]e llamo) )${given}`, 'gu'),
  new RegExp(`(?<=(?<!\\p{L})(?:Name|Full name|User|Customer|Patient|Employee|Contact|Signed|Author|Directed By|From|Dear|Regards,?|Sincerely,?)(?::[ \\t]{1,4}|,?\\n|(?<=Dear) ))${word}(?: ${word}| \\p{Lu}\\.?){1,3}`, 'gu'),
  new RegExp(`(?<=(?<!\\p{L})(?:I'm|I am|[Tt]his is) )${word}(?: ${word}| \\p{Lu}\\.?){1,2}`, 'gu'),
  new RegExp(`(?<!\\p{L})${word}(?: ${word}| \\p{Lu}\\.?){1,2}(?= (?:lives at|'s (?:address|phone|email)))`, 'gu'),
]

/** Names of people that a title or a phrase ("my name is") announces. */
export const findPeople = (text: string): Found[] => all(text, nameShapes)
