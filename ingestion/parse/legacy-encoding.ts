/** Which of the encodings before UTF-8 bytes are in: one in which they are valid and read like the language it was made for. */

type Candidate = {
  label: string
  /** Letters that make up much of any text in it. */
  common: ReadonlySet<string>
  /** The share of them that text in it has at least. */
  shareMin: number
  /** Languages in Latin letters: accents stand alone between plain letters. */
  isLatin?: boolean
}

const setOf = (letters: string): ReadonlySet<string> => new Set(letters)

const kana =
  'あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほまみむめもやゆよらりるれろわをんがぎぐげござじずぜぞだでどばびぶべぼぱぴぷぺぽっゃゅょアイウエオカキクケコサシスセソタチツテトナニネノハヒフヘホマミムメモヤユヨラリルレロワンガギグゲゴザジズゼゾダデドバビブベボパピプペポッャュョー、。「」'
const hangul =
  '이다는을의에가고하지한로도은를기사대서어나해자리그인수시아들있정일부보전과라장여원제으스구주상소우니면게동성비관할유공구만화조연생계위문적용경안것었'
const simplified =
  '的一是不了在人有我他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可里后小么心多天而能好都然没日于起还发成事只作当想看文无开手十用主行方又如前所本见经头面公同三已老从动两长，。、'
const traditional =
  '的一是不了在人有我他這中大來上國個到說們為子和你地出道也時年得就那要下以生會自著去之過家學對可裡後小麼心多天而能好都然沒日於起還發成事只作當想看文無開手十用主行方又如前所本見經頭面公同三已老從動兩長，。、'
const russian = 'оеаинтсрвлкмдпуяызьбгчйх'
const western = 'äöüßéèêëàâáíìîïóòôúùûñçåæøœãõÄÖÜÉ’‘“”„«»–—…€£°§·'

/** In the order in which they are tried; of equals the first is taken. */
const candidates: readonly Candidate[] = [
  { label: 'windows-1252', common: setOf(western), shareMin: 0.5, isLatin: true },
  {
    label: 'windows-1250',
    common: setOf('ąćęłńóśźżáčďéěíňřšťúůýžöüőűäăşţâîĄĆĘŁŃÓŚŹŻČŘŠŽ„”–'),
    shareMin: 0.6,
    isLatin: true,
  },
  {
    label: 'iso-8859-2',
    common: setOf('ąćęłńóśźżáčďéěíňřšťúůýžöüőűäăşţâîĄĆĘŁŃÓŚŹŻČŘŠŽ'),
    shareMin: 0.6,
    isLatin: true,
  },
  { label: 'windows-1254', common: setOf('çğıöşüÇĞİÖŞÜâî’“”'), shareMin: 0.7, isLatin: true },
  { label: 'shift_jis', common: setOf(kana), shareMin: 0.25 },
  { label: 'euc-jp', common: setOf(kana), shareMin: 0.25 },
  { label: 'gb18030', common: setOf(simplified), shareMin: 0.12 },
  { label: 'big5', common: setOf(traditional), shareMin: 0.12 },
  { label: 'euc-kr', common: setOf(hangul), shareMin: 0.25 },
  { label: 'windows-1251', common: setOf(russian), shareMin: 0.6 },
  { label: 'koi8-r', common: setOf(russian), shareMin: 0.6 },
  { label: 'iso-8859-5', common: setOf(russian), shareMin: 0.6 },
  { label: 'ibm866', common: setOf(russian), shareMin: 0.6 },
  { label: 'windows-1253', common: setOf('αοιετσνηυρπκμλςάέήίόύώω'), shareMin: 0.6 },
  { label: 'windows-1255', common: setOf('יוהלאמרתבשנעםדחקפג'), shareMin: 0.6 },
  { label: 'windows-1256', common: setOf('اليمونرتبةعدسفهكقحج'), shareMin: 0.6 },
]

const sampleBytes = 65_536
/** Text in another script has at least one letter of it for so many Latin ones, in names and marks. */
const strangeToPlain = 8
const plainLetter = /[a-zA-Z]/

/** How much of what is not ASCII is what a text in this encoding is made of, from 0 to 1; 0 when the bytes are invalid in it. */
const likeness = (sample: Uint8Array, { label, common, shareMin, isLatin }: Candidate): number => {
  let text: string
  try {
    // The sample may end in the middle of a letter.
    text = new TextDecoder(label, { fatal: true }).decode(sample, { stream: true })
  } catch {
    return 0
  }
  let strange = 0
  let plain = 0
  let usual = 0
  const letters = [...text]
  letters.forEach((letter, index) => {
    if (letter < '\u0080') {
      if (plainLetter.test(letter)) plain += 1
      return
    }
    strange += 1
    if (!common.has(letter)) return
    const before = letters[index - 1] ?? ' '
    const after = letters[index + 1] ?? ' '
    const standsAlone =
      (before < '\u0080' || after < '\u0080') && (plainLetter.test(before + after) || /\s/.test(before + after))
    if (!isLatin || standsAlone) usual += 1
  })
  // A single odd sign in an English text makes it no Russian one.
  if (!isLatin && (strange < 3 || strange * strangeToPlain < plain)) return 0
  const share = strange > 0 ? usual / strange : 0
  return share >= shareMin ? share : 0
}

/** A label for `TextDecoder`; Windows-1252, which is what "Latin-1" files are, when nothing fits better. `bytes` are not UTF-8. */
export const legacyEncodingOf = (bytes: Uint8Array): string => {
  const sample = bytes.subarray(0, sampleBytes)
  let best = { label: 'windows-1252', share: 0 }
  for (const candidate of candidates) {
    const share = likeness(sample, candidate)
    if (share > best.share) best = { label: candidate.label, share }
  }
  return best.label
}
