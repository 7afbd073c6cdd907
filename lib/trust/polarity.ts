/**
 * Which way a sentence points: does it say more or less, is or is not, all or some? By lists of words, so that the same sentence
 * always points the same way. English; a sentence in another language points nowhere, and nothing is held against it.
 */
const oneOf = (words: string): RegExp => new RegExp(`\\b(?:${words.trim().replace(/\s+/g, '|')})\\b`, 'giu')

const ups = oneOf(`
  increas\\w* rais(?:e[sd]?|ing) ris(?:e[sn]?|ing) rose grow(?:s|th|ing|n)? grew higher? highest greater? more gain\\w* elevat\\w*
  enhanc\\w* promot\\w* improv\\w* stimulat\\w* activat\\w* induc\\w* up-?regulat\\w* facilitat\\w* accelerat\\w* boost\\w* strengthen\\w*
  expand\\w* expansion enlarg\\w* extend\\w* exten(?:sion|sive) support(?:s|ed|ing)? benefi\\w* protect\\w* effective\\w* success\\w*
  allow\\w* enabl\\w* permit\\w* positive\\w* longer faster stronger better larger above over exceed\\w* maxim\\w* most abundan\\w*
  amplif\\w* potentiat\\w* sensiti[sz]\\w* augment\\w* restor\\w*`)
const downs = oneOf(`
  decreas\\w* reduc\\w* low lower(?:s|ed|ing)? lowest less(?:er|en\\w*)? fewer few least fall(?:s|en|ing)? fell drop\\w* shrink\\w*
  declin\\w* diminish\\w* inhibit\\w* suppress\\w* impair\\w* block\\w* prevent\\w* down-?regulat\\w* attenuat\\w* abrogat\\w* abolish\\w*
  slow(?:s|ed|er|ing)? delay\\w* limit\\w* restrict\\w* weaken\\w* worse\\w* poor\\w* loss lose[sd]? losing lost lack\\w* absen\\w*
  deficien\\w* deplet\\w* defect\\w* disrupt\\w* fail\\w* forbid\\w* prohibit\\w* ban(?:s|ned)? refus\\w* reject\\w* negative\\w* shorter
  smaller below under minim\\w* rare\\w* ineffective\\w* unsuccessful\\w* harm\\w* insensitiv\\w* resist\\w* repress\\w* silenc\\w*
  knock\\w* ablat\\w* antagonis\\w* mitigat\\w* hinder\\w* hamper\\w* counteract\\w*`)
const nots =
  /\b(?:not|no|never|none|neither|nor|without|cannot|nothing|nobody|hardly|barely|unlikely|unable|unrelated|independent(?:ly)?(?= of)|instead of|rather than|un(?:affected|changed|associated|involved|necessary))\b|n['’]t\b/giu
const sures =
  /\b(?:all|always|every|only|must|entire(?:ly)?|complete(?:ly)?|fully|exclusively|solely|certain(?:ly)?|never|none|any|definitely|essential|required?|necessary)\b/giu

const count = (text: string, words: RegExp): number => text.match(words)?.length ?? 0

export type Direction = {
  ups: number
  downs: number
  nots: number
  /** Words that leave no exception. */
  sures: number
  /** 1 or -1: which way it points once everything that turns a meaning round has turned it; 0 where nothing says which way. */
  sign: number
}

export const directionOf = (text: string): Direction => {
  const found = { ups: count(text, ups), downs: count(text, downs), nots: count(text, nots), sures: count(text, sures) }
  const turned = (found.downs + found.nots) % 2 === 1
  return { ...found, sign: found.ups + found.downs === 0 ? 0 : turned ? -1 : 1 }
}
