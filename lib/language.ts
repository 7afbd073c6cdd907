/**
 * Which language a text is in, good enough for one short question and quick enough for every passage. Scripts decide first, then
 * the small words, letters and endings that a language cannot do without; a longer text that these leave open is judged by its
 * trigrams. Only the first 3,000 characters are read.
 */
import { francAll } from 'franc-min'

const charsRead = 3_000
/** Trigrams say little about less. */
const trigramCharsMin = 80
/**
 * Of a language whose small words are not known here, trigrams alone say something when the next language stays below this share of
 * it: on sentences it has .55 to .84, on lists of names and of parts .92 and more.
 */
const trigramRivalMax = 0.88

/**
 * Small words by language, without those that are English words too, except where the language needs them. A word that several
 * languages have counts for each of them by its share.
 */
const smallWords: Record<string, string> = {
  en: 'the of and to in is was were are for with on at by from that this it as an be or not what which who whom whose when where why how did does do many much has have had can could will would should about than their his her they we you i my your our after before between into during first there other most more also if but a all any been may must no only so some such then these those up out over under while each both per use used using',
  de: 'der die das und ist war waren für mit auf von zu im den dem des ein eine einer einem einen nicht was welche welcher welches welchen wer wen wem wann wo warum wie viele viel hat haben hatte hatten wird werden wurde wurden kann können aus bei nach über vor zwischen durch sich auch als an am es er sie ich wir ihr ihre sein seine oder aber wenn dass zum zur um bis gegen ohne unter noch nur so sehr in man mehr sind welchem wieviel wogegen weshalb werden manche heißt gibt beim vom worauf woran wofür womit wovon worin wohin wodurch woraus wozu woher oft laut statt wessen dieser diese dieses jeder jede alle nenne dauert muss müssen darf dürfen soll sollen keine mein meine steht bekomme',
  es: 'el la los las de del y es fue fueron para con en por un una uno que qué quién quiénes cuál cuáles cuándo cuánto cuántos cuánta cuántas dónde cómo se su sus no más como al lo le les este esta estos estas entre sobre también pero ha han había hay ser son era muy sin desde hasta durante o cuando donde según tiene a yo nos me puede antes después',
  fr: 'le la les de du des et est était sont pour avec en par un une que qui quoi quel quelle quels quelles quand où comment combien pourquoi ne pas plus au aux dans sur se sa son ses ce cette ces il elle ils elles nous vous je leur leurs ont été être avoir entre mais ou comme d l qu n s c j a sans sous depuis après avant peut fait lors très même aussi',
  it: 'il lo la i gli le di del della dei delle dello degli e è era sono per con in da dal dalla un uno una che chi cosa quale quali quando dove come perché quanto quanti quante non più nel nella nei nelle al alla ai alle si suo sua suoi loro ha hanno stato stata essere tra fra ma o anche questo questa sul sulla ci se io noi dopo prima può',
  pt: 'o a os as de do da dos das e é foi foram para com em por um uma que quem qual quais quando onde como quanto quantos quantas não mais no na nos nas ao aos à às se seu sua seus suas ele ela eles elas são era entre sobre também mas ou ser ter há tem pelo pela pelos pelas este esta isso muito sem até depois você eu pode',
  nl: 'de het een en van is was waren voor met op in te aan bij dat die dit wat wie welke wanneer waar waarom hoe veel hoeveel niet zijn werd werden wordt worden heeft hebben had kan kunnen uit naar over door om als ook er hij zij ze ik wij we je jij u mijn hun haar of maar dan nog meer tussen na tot deze geen onder',
  sv: 'och att det den en ett är var som för med på av till från i om vad vem vilka vilken vilket när hur många mycket inte har hade kan kunde ska skulle blev blir eller men vid efter under mellan han hon de vi jag du ni sig sin sina också där varför över utan mer än detta denna',
  da: 'og at det den en et er var som for med på af til fra i om hvad hvem hvilke hvilken hvilket hvornår hvor hvordan mange meget ikke har havde kan kunne skal skulle blev bliver eller men ved efter under mellem han hun de vi jeg du sig sin også hvorfor over uden mere end dette denne være',
  no: 'og at det den en et er var som for med på av til fra i om hva hvem hvilke hvilken hvilket når hvor hvordan mange mye ikke har hadde kan kunne skal skulle ble blir eller men ved etter under mellom han hun de vi jeg du seg sin også hvorfor over uten mer enn dette denne være ei ein eit ikkje',
  fi: 'ja on oli ovat olivat ei että se ne hän he joka jotka mikä mitä mitkä kuka ketkä milloin missä mistä mihin miksi miten kuinka monta moni paljon kun jos tai mutta myös sekä kuin niin nyt vain ole olla ollut voi voivat minä sinä me te tämä tuo nämä sen sitä joiden jonka ennen jälkeen kanssa mukaan',
  pl: 'i w na z do jest był była było były są nie się że to co kto kogo który która które których jaki jaka jakie jakich kiedy gdzie dlaczego jak ile od po za przez dla o u ze przy jego jej ich ten ta tego tej tych oraz lub ale czy może mogą został została tylko także między pod nad po przed aby jako ma mają',
  cs: 'a v na z do je byl byla bylo byli jsou ne se že to co kdo koho který která které kterých jaký jaká jaké kdy kde proč jak kolik od po za pro o u ze při jeho její jejich ten ta toho té těch nebo ale může mohou jen také mezi pod nad před aby jako má mají s k i si být podle však',
  sk: 'a v na z do je bol bola bolo boli sú nie sa že to čo kto koho ktorý ktorá ktoré ktorých aký aká aké kedy kde prečo ako koľko od po za pre o u zo pri jeho jej ich ten tá toho tej tých alebo ale môže môžu len tiež medzi pod nad pred aby má majú s k i si byť podľa však',
  hu: 'a az és hogy nem is egy volt voltak van vannak mi mit ki kit melyik mely milyen mikor hol miért hogyan hány mennyi meg el de vagy ha csak mint már még után előtt között alatt ez ezt azt ezek azok lehet kell szerint által ő ők én mi ti nagyon több',
  ro: 'și si în de la cu pe din pentru este a fost au sunt nu se că ce cine care când unde cum cât câți câte un o unei unui al ale ai lui sau dar mai prin după între sub până fi are avea acest această acestea cea cel cei cele eu noi ei el ea între despre fără',
  tr: 've bir bu için ile da de ne kim kaç hangi nasıl nerede neden niçin zaman mi mı mu mü değil olarak olan oldu olduğu gibi daha çok en kadar sonra önce ya veya ama var yok ben sen o biz siz onlar şu her hiç ki idi göre arasında tarafından',
  ca: 'el la els les de del i és va era amb per un una que qui què quin quina quins quan on com quants quantes no més al als a en se seu seva seus són ha han entre sobre també però o aquest aquesta dels pel',
  hr: 'i u na je su se da što tko koji koja koje kojih kada gdje zašto kako koliko od do za po s iz o ne nije bio bila bilo bili ili ali samo između pod nad prije nakon kao ima može biti njegov njezin također ovaj ova ovo te',
  id: 'yang dan di dari ke untuk dengan pada adalah ini itu tidak apa siapa kapan dimana mana mengapa bagaimana berapa akan telah sudah oleh sebagai dalam atau tetapi juga karena ada dapat bisa mereka kami kita saya anda lebih antara setelah sebelum seperti',
  vi: 'và của là có không được cho trong một các những người này đó với khi để từ đã tại ai gì nào đâu sao bao nhiêu như thế về ở ra vào hay hoặc nhưng cũng tôi bạn năm theo trên',
  et: 'ja on oli ei et see need kes mis mida millal kus miks kuidas mitu palju kui või aga ka nii siis oma ta nad ma sa me te pärast enne vahel ning olid',
  lt: 'ir yra buvo ne kad tai kas ką kuris kuri kurie kada kur kodėl kaip kiek iš į su be per po prie nuo iki bet ar taip pat jis ji jie mes jūs už apie',
  lv: 'un ir bija ne ka tas kas ko kurš kura kuri kad kur kāpēc kā cik no uz ar bez par pie līdz bet vai arī viņš viņa mēs jūs pēc pirms starp',
  ru: 'и в на с по не что это как кто кого какой какая какие каких какое каком какому какого какую какова каков году насколько когда где почему сколько из за от до для к о об у был была было были есть он она они его её их мы вы я или но же бы также между при после перед во со чем который которая которые которого этот эта эти только может чему кому',
  uk: 'і в на з по не що це як хто кого який яка які яких яке коли де чому скільки із за від до для к про у був була було були є він вона вони його її їх ми ви я або але ж би також між при після перед та й чим цей ця ці тільки може щоб',
  bg: 'и в на с по не че това как кой коя кои кое кога къде защо колко от за до при към е беше бяха са той тя те му ѝ им ние вие аз или но също между след преди със във което който която които този тази тези само може да се ще',
  sr: 'и у на је су се да што ко који која које којих када где зашто како колико од до за по с из о не није био била било били или али само између под над пре после као има може бити његов такође овај ова ово те',
  be: 'і ў у на з па не што гэта як хто каго які якая якія калі дзе чаму колькі за ад да для аб быў была было былі ён яна яны яго яе іх мы вы я або але ж таксама паміж пры пасля перад',
  mk: 'и во на со по не дека ова како кој која кои кое кога каде зошто колку од за до при кон е беше беа се тој таа тие ние вие јас или но исто меѓу по пред што само може да ќе',
}

/** Letters that few languages have; each word that holds one is a hint. */
const letters: readonly (readonly [RegExp, string])[] = [
  [/ß/u, 'de'],
  [/[äöü]/u, 'de'],
  [/[äö]/u, 'sv fi et'],
  [/å/u, 'sv da no'],
  [/[æø]/u, 'da no'],
  [/[ñ]/u, 'es'],
  [/[áíóú]/u, 'es pt hu cs sk'],
  [/[ãõ]/u, 'pt'],
  [/ç/u, 'fr pt tr ca'],
  [/[èêëîïûùœ]/u, 'fr'],
  [/[èìòù]/u, 'it ca'],
  [/[łżźśćńąę]/u, 'pl'],
  [/[řěů]/u, 'cs'],
  [/[čšž]/u, 'cs sk hr lt lv'],
  [/[ľĺŕô]/u, 'sk'],
  [/[őű]/u, 'hu'],
  [/[ășțşţâ]/u, 'ro'],
  [/[ğışö]/u, 'tr'],
  [/[đ]/u, 'hr vi'],
  [/[ạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹơư]/u, 'vi'],
  [/õ/u, 'et'],
  [/[ėųįū]/u, 'lt'],
  [/[āēģķļņ]/u, 'lv'],
  [/[ыэё]/u, 'ru be'],
  [/[їєґ]/u, 'uk'],
  [/ў/u, 'be'],
  [/і/u, 'uk be'],
  [/[ђћџљњј]/u, 'sr mk'],
  [/[ђћ]/u, 'sr'],
  [/[ѓќѕ]/u, 'mk'],
  [/[ъщ]/u, 'bg'],
]

/** Endings of longer words; weaker than a small word. */
const endings: readonly (readonly [RegExp, string])[] = [
  [
    /(?:ing|ings|tion|tions|ed|ly|ness|ship|ght|th|ck|sh|ies|ee|oo.|ences?|ances?|ous|ful|ity|ive|ment|ments|ers|ics?|al|als|age|ies|ism|ists?|ays?|ys)$|['’]s$|^(?:wh|th|kn|wr)/u,
    'en',
  ],
  [/(?:ung|ungen|keit|heit|lich|isch|ische|schen|ieren|chen|tät|tzt)$/u, 'de'],
  [/(?:ción|ciones|ando|iendo|idad|ado|ados|ada|adas|illo|aron|ieron|ía)$/u, 'es'],
  [/(?:tion|eux|euse|ement|aire|ique|iques|ée|ées|ité|eur|eurs|ois)$/u, 'fr'],
  [/(?:zione|zioni|mente|ità|ato|ata|etto|ezza|aggio|ndo|gli|cchi)$/u, 'it'],
  [/(?:ção|ções|mente|dade|ando|endo|inho|ou|aram|ria)$/u, 'pt'],
  [/(?:ij|ijk|lijk|lijke|heid|ingen|aar|oor|eren|isch|sch|uur|oek)$/u, 'nl'],
  [/(?:arna|orna|ning|het|skt|ande|ades|ligt)$/u, 'sv'],
  [/(?:erne|ede|else|ning|hed|eren|igt)$/u, 'da'],
  [/(?:ene|ede|else|ning|het|eren|lig)$/u, 'no'],
  [/(?:ssa|ssä|sta|stä|lla|llä|nen|iin|een|kset|ista|ien)$/u, 'fi'],
  [/(?:ość|ego|ych|owa|ami|ach|ów|ski|nie|sz|cz|rz)$/u, 'pl'],
  [/(?:ost|ého|ých|ách|ova|ský|ní|ou|ích)$/u, 'cs'],
  [/(?:osť|ého|ých|ách|ova|ský|ie|ou)$/u, 'sk'],
  [/(?:ban|ben|nak|nek|ság|ség|ról|ből|hoz|ott|ett|tól)$/u, 'hu'],
  [/(?:ului|elor|ilor|ul|ție|ării|esc|ească)$/u, 'ro'],
  [/(?:lar|ler|dır|dir|ları|leri|mış|miş|yor|nda|nde|lık|lik)$/u, 'tr'],
  [/(?:ий|ого|ая|ую|ые|ых|ость|ение|ения|ться|ать|ил|ал|или|али|ии|ой|ей)$/u, 'ru'],
  [/(?:ння|ого|ти|ість|ська|ський|ів|ої)$/u, 'uk'],
]

/** Of a script's languages the one that a text without any sign is most likely in. */
const likeliest = { latin: 'en', cyrillic: 'ru' } as const
const likeliestShare = 0.3

const vietnameseMarks = /[\u0300-\u0323ăâđêôơưáàãéèíìóòõúùýạ-ỹ]/iu

const wordShare = 1
const letterShare = 0.7
const endingShare = 0.4

/** Each small word with its languages, by one look-up a word. */
const languagesOfWord = (() => {
  const found = new Map<string, string[]>()
  for (const [language, words] of Object.entries(smallWords))
    for (const word of new Set(words.split(' '))) {
      const languages = found.get(word)
      if (languages) languages.push(language)
      else found.set(word, [language])
    }
  return found
})()

const splitHints = (hints: typeof letters) =>
  hints.map(([sign, languages]) => ({ sign, languages: languages.split(' ') }))
const letterHints = splitHints(letters)
const endingHints = splitHints(endings)

/** Scripts that one language has, or nearly one; which of the others it is, letters tell. */
const scripts: readonly (readonly [RegExp, string])[] = [
  [/\p{Script=Hangul}/gu, 'ko'],
  [/\p{Script=Thai}/gu, 'th'],
  [/\p{Script=Arabic}/gu, 'ar'],
  [/\p{Script=Hebrew}/gu, 'he'],
  [/\p{Script=Greek}/gu, 'el'],
  [/\p{Script=Devanagari}/gu, 'hi'],
  [/\p{Script=Bengali}/gu, 'bn'],
  [/\p{Script=Gujarati}/gu, 'gu'],
  [/\p{Script=Gurmukhi}/gu, 'pa'],
  [/\p{Script=Tamil}/gu, 'ta'],
  [/\p{Script=Telugu}/gu, 'te'],
  [/\p{Script=Kannada}/gu, 'kn'],
  [/\p{Script=Malayalam}/gu, 'ml'],
  [/\p{Script=Sinhala}/gu, 'si'],
  [/\p{Script=Georgian}/gu, 'ka'],
  [/\p{Script=Armenian}/gu, 'hy'],
  [/\p{Script=Khmer}/gu, 'km'],
  [/\p{Script=Lao}/gu, 'lo'],
  [/\p{Script=Myanmar}/gu, 'my'],
  [/\p{Script=Ethiopic}/gu, 'am'],
]

/** franc's three letters where ISO 639-1 has two; what is missing here stays `und`. */
const shortCodes: Record<string, string> = {
  eng: 'en',
  deu: 'de',
  spa: 'es',
  fra: 'fr',
  ita: 'it',
  por: 'pt',
  nld: 'nl',
  swe: 'sv',
  pol: 'pl',
  ces: 'cs',
  hun: 'hu',
  ron: 'ro',
  tur: 'tr',
  ind: 'id',
  zlm: 'ms',
  vie: 'vi',
  swh: 'sw',
  hau: 'ha',
  som: 'so',
  yor: 'yo',
  zul: 'zu',
  tgl: 'tl',
  hrv: 'hr',
  bos: 'bs',
  srp: 'sr',
  azj: 'az',
  uzn: 'uz',
  jav: 'jv',
  sun: 'su',
  ibo: 'ig',
  kin: 'rw',
  mad: 'id',
  lin: 'ln',
  run: 'rn',
  nya: 'ny',
  rus: 'ru',
  ukr: 'uk',
  bel: 'be',
  bul: 'bg',
  kaz: 'kk',
}

const count = (text: string, sign: RegExp): number => text.match(sign)?.length ?? 0

const ofHan = (text: string): string => (/[\p{Script=Hiragana}\p{Script=Katakana}]/u.test(text) ? 'ja' : 'zh')

const ofArabic = (text: string): string => {
  if (/[ٹڈڑےں]/u.test(text)) return 'ur'
  return /[پچژگ]/u.test(text) || count(text, /[کی]/gu) > count(text, /[كي]/gu) ? 'fa' : 'ar'
}

/** The best of the scores and how far it stands above the next. */
const ranked = (scores: ReadonlyMap<string, number>): { language: string; score: number; next: number } => {
  let language = 'und'
  let score = 0
  let next = 0
  for (const [candidate, reached] of scores)
    if (reached > score) {
      next = score
      score = reached
      language = candidate
    } else if (reached > next) next = reached
  return { language, score, next }
}

/** The language that trigrams speak for; `und` when it has small words and the text none of them, or when they speak for several. */
const ofTrigrams = (text: string, words: readonly string[], scores: ReadonlyMap<string, number>): string => {
  const [[code, own] = ['und', 0], [, rival] = ['und', 0]] = francAll(text)
  const judged = shortCodes[code] ?? 'und'
  // Names and numbers have trigrams of some language too; a sentence of it would have its small words.
  if (smallWords[judged]) return (scores.get(judged) ?? 0) > words.length * signShareMin ? judged : 'und'
  return rival <= own * trigramRivalMax ? judged : 'und'
}

const scoreWords = (words: readonly string[]): Map<string, number> => {
  const scores = new Map<string, number>()
  const give = (languages: readonly string[], points: number): void => {
    for (const language of languages) scores.set(language, (scores.get(language) ?? 0) + points)
  }
  for (const word of words) {
    const languages = languagesOfWord.get(word)
    if (languages) give(languages, (word.length === 1 ? wordShare / 2 : wordShare) / Math.sqrt(languages.length))
    // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII has none of these letters
    if (!/^[\x00-\x7f]*$/.test(word))
      for (const hint of letterHints)
        if (hint.sign.test(word)) give(hint.languages, letterShare / Math.sqrt(hint.languages.length))
    if (!languages && word.length > 3)
      for (const hint of endingHints) if (hint.sign.test(word)) give(hint.languages, endingShare)
  }
  return scores
}

/** Enough for a short question: one small word of its own, or some signs that no other language shares. */
const scoreMin = 0.7
/** The least that a language's signs are of a text's words; a name alone among many words is no sign. */
const signShareMin = 0.08

const ofWords = (text: string, lettersCount: number): string => {
  // Each once: a name that a list repeats is no more of a sign for it.
  const words = [
    ...new Set(
      text
        .toLowerCase()
        .split(/[^\p{L}'’]+|(?<=(?<!\p{L})(?:qu|[dlnscj]))['’]/u)
        .filter(Boolean),
    ),
  ]
  // Lone letters are small words of some languages; a text of little else is a list.
  const listed = words.filter(({ length }) => length === 1).length * 2 > words.length
  const scores = scoreWords(listed ? words.filter(({ length }) => length > 1) : words)
  // It is never written without its marks; many a name has one of its small words.
  if (!vietnameseMarks.test(text)) scores.delete('vi')
  if (/[¿¡]/.test(text)) scores.set('es', (scores.get('es') ?? 0) + wordShare)
  const likely = /\p{Script=Cyrillic}/u.test(text) ? likeliest.cyrillic : likeliest.latin
  scores.set(likely, (scores.get(likely) ?? 0) + likeliestShare)
  const { language, score, next } = ranked(scores)
  if (score >= scoreMin && score > next * 1.2 && score >= words.length * 0.12) return language
  if (lettersCount >= trigramCharsMin) {
    const judged = ofTrigrams(text, words, scores)
    if (judged !== 'und') return judged
  }
  return score >= scoreMin && score > next && score >= words.length * signShareMin ? language : 'und'
}

/** The text's language as ISO 639-1, or `und` when it is too short or it cannot be told. Never throws. */
export const detectLanguage = (text: string): string => {
  const sample = text.length > charsRead ? text.slice(0, charsRead) : text
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is Latin script
  if (!/^[\x00-\x7f]*$/.test(sample)) {
    const all = count(sample, /\p{L}/gu)
    const han = count(sample, /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/gu)
    // A sign of these says as much as some letters of an alphabet.
    if (han * 3 > all - han) return ofHan(sample)
    for (const [sign, language] of scripts)
      if (count(sample, sign) * 2 > all) return language === 'ar' ? ofArabic(sample) : language
    return ofWords(sample, all)
  }
  return ofWords(sample, sample.length)
}

/** PostgreSQL's text search configurations that cut words of a language to their stems. */
const textConfigs = new Map(
  Object.entries({
    ar: 'arabic',
    ca: 'catalan',
    da: 'danish',
    de: 'german',
    el: 'greek',
    en: 'english',
    es: 'spanish',
    eu: 'basque',
    fi: 'finnish',
    fr: 'french',
    ga: 'irish',
    hi: 'hindi',
    hu: 'hungarian',
    hy: 'armenian',
    id: 'indonesian',
    it: 'italian',
    lt: 'lithuanian',
    ne: 'nepali',
    nl: 'dutch',
    no: 'norwegian',
    pt: 'portuguese',
    ro: 'romanian',
    ru: 'russian',
    sr: 'serbian',
    sv: 'swedish',
    ta: 'tamil',
    tr: 'turkish',
    yi: 'yiddish',
  }),
)

/** PostgreSQL's text search configuration for a language of `detectLanguage`; `simple` for those without one. */
export const textConfigOf = (language: string): string => textConfigs.get(language) ?? 'simple'
