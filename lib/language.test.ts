import { describe, expect, it } from 'vitest'
import { detectLanguage, textConfigOf } from './language.ts'

const questions: [language: string, question: string][] = [
  ['en', 'How many days of leave do I get?'],
  ['en', 'Parental leave for adoptive parents'],
  ['de', 'Wie viele Urlaubstage stehen mir zu?'],
  ['es', '¿Cuántos días de vacaciones tengo al año?'],
  ['fr', 'Combien de jours de congé ai-je par an ?'],
  ['it', 'Quanti giorni di ferie ho ogni anno?'],
  ['pt', 'Quantos dias de férias tenho por ano?'],
  ['nl', 'Hoeveel vakantiedagen krijg ik per jaar?'],
  ['sv', 'Hur många semesterdagar får jag varje år?'],
  ['da', 'Hvor mange feriedage får jeg hvert år, og hvad koster det?'],
  ['no', 'Hvor mange feriedager får jeg, og hva koster det?'],
  ['fi', 'Kuinka monta lomapäivää minulla on vuodessa?'],
  ['pl', 'Ile dni urlopu mam w roku i kiedy mogę go wziąć?'],
  ['cs', 'Kolik dní dovolené mám za rok a kdy ji mohu čerpat?'],
  ['hu', 'Hány nap szabadság jár nekem egy évben?'],
  ['ro', 'Câte zile de concediu am pe an și când le pot lua?'],
  ['tr', 'Yılda kaç gün izin hakkım var ve ne zaman kullanabilirim?'],
  ['ru', 'Сколько дней отпуска мне положено?'],
  ['uk', 'Скільки днів відпустки мені належить і коли?'],
  ['el', 'Πόσες ημέρες άδειας έχω;'],
  ['ar', 'كم يوم إجازة لدي في السنة؟'],
  ['fa', 'چند روز مرخصی در سال دارم؟'],
  ['he', 'כמה ימי חופשה יש לי?'],
  ['hi', 'मुझे साल में कितने दिन की छुट्टी मिलती है?'],
  ['th', 'ฉันมีวันลากี่วันต่อปี'],
  ['zh', '我每年有多少天假期？'],
  ['ja', '年次休暇は何日ありますか？'],
  ['ko', '연차 휴가는 며칠인가요?'],
]

describe('detectLanguage', () => {
  it.each(questions)('knows a short question: %s', (language, question) => {
    expect(detectLanguage(question)).toBe(language)
  })

  it.each(['', '42', 'E-1042', '???', 'x', 'ISO 27001'])('does not guess from %j', (text) => {
    expect(detectLanguage(text)).toBe('und')
  })

  it.each([
    'name,city,amount\nAnna,Berlin,3\nOtto,Hanoi,4\nMing,Manila,5\nBao,Manila,9\nAnh Nguyen,Da Nang,11\n',
    'Banana Mango Ananas Papaya Guava Kiwi Cassava Mangosteen Tamarind Calamansi Durian Rambutan',
    'Bao Tran, Cho Theo',
    'Row A, Row B, Row C, Row D, Row E, Row F, Row G',
  ])('takes a list of names for no language: %j', (text) => {
    expect(detectLanguage(text)).toBe('und')
  })

  it('is not led astray by a name in another script', () => {
    expect(detectLanguage('What is the meaning of 侘寂 in the handbook?')).toBe('en')
    expect(detectLanguage('OpenAI 的 API 怎么用？')).toBe('zh')
  })

  it('judges a longer text by its trigrams where it knows no small words', () => {
    const swahili =
      'Wafanyakazi wote wanastahili likizo ya siku ishirini na moja kila mwaka, na wanaweza kuichukua wakati wowote baada ya kukubaliana na msimamizi wao wa kazi.'
    expect(detectLanguage(swahili)).toBe('sw')
    const filipino = 'Ang lahat ng empleyado ay may karapatan sa dalawampung araw na bakasyon bawat taon.'
    expect(detectLanguage(filipino)).toBe('tl')
    expect(detectLanguage('Tôi có bao nhiêu ngày nghỉ phép trong một năm?')).toBe('vi')
  })

  it('reads the beginning of a long text only', () => {
    expect(
      detectLanguage('The belt has slipped and must be tightened. '.repeat(200) + 'и это по-русски '.repeat(9_999)),
    ).toBe('en')
  })
})

it('names the text search configuration of a language, and none where PostgreSQL has none', () => {
  expect(['en', 'de', 'ru', 'ar'].map(textConfigOf)).toEqual(['english', 'german', 'russian', 'arabic'])
  expect(['zh', 'th', 'und', 'pl', 'constructor'].map(textConfigOf)).toEqual(Array(5).fill('simple'))
})
