/**
 * What a question or an answer is about, of the subjects that a policy can name. By words and phrases in English, German, French and
 * Spanish: one that stands for the subject by itself, or several that only lean to it, more of them the longer the text is. No
 * model is asked, so it costs nothing, is the same every time, and can be told in a sentence; what speaks around every such word is missed.
 */
import { type PolicyTopic, policyTopics } from '#lib/shared/policy-contract.ts'
import { cleanUntrusted } from './injection.ts'
import { foldedWords } from './intent.ts'

/** As `foldedWords` writes them, separated by bars; `*` stands for any ending. */
type Lexicon = { telling: string; leaning: string }

const lexicons: Readonly<Record<PolicyTopic, Lexicon>> = {
  medical: {
    telling: `diagnos*|symptom*|dosage|overdose*|side effects|contraindicat*|prescription drug*|prescribed medic*|antibiotic*|antidepressant*|
      ibuprofen|paracetamol|acetaminophen|aspirin|insulin|chemotherap*|vaccin*|miscarriage|pregnan*|blood pressure|heart attack|stroke symptoms|
      diabet*|asthma|migraine*|epilep*|tumou?r|cancer|infection*|medical advice|see a doctor|mg per day|milligram* of|
      nebenwirkung*|dosierung*|schwanger*|bluthochdruck|krebs|impfung*|impfstoff*|herzinfarkt|arzneimittel*|medikament*|
      effets secondaires|posologie|enceinte|ordonnance medicale|cancer|vaccin*|efectos secundarios|embaraz*|presion arterial|vacuna*|medicamento*`,
    leaning: `doctor|physician|medicine|medication*|treatment*|therap*|patient*|disease*|illness*|pain|painful|fever|rash|tablet*|pill|pills|dose|doses|
      surgery|hospital|clinical|nurse|headache*|nausea|allerg*|arzt|arztin|schmerz*|fieber|krankheit*|tablette*|behandlung|medecin|douleur*|fievre|
      maladie*|traitement|medico|dolor|fiebre|enfermedad*|tratamiento`,
  },
  legal: {
    telling: `lawsuit*|legal advice|sue|sued|suing|litigation|attorney*|solicitor*|barrister*|plaintiff*|defendant*|subpoena*|court case|court order|
      take legal action|press charges|is it legal|is it illegal|against the law|statute of limitations|legally liable|wrongful dismissal|injunction*|
      rechtsanwalt*|klage einreichen|verklag*|rechtsberatung|gerichtsverfahren|strafbar|avocat*|poursuivre en justice|conseil juridique|proces judiciaire|
      abogado*|demanda judicial|asesoria legal|demandar a`,
    leaning: `lawyer*|court|courts|judge|liable|liability|breach|damages|statute*|jurisdiction*|lawful|unlawful|legal|legally|illegal|contract law|
      tribunal|prosecut*|settlement|indemnit*|gericht|gesetz*|haftung|anwalt|vertragsbruch|tribunal|loi|responsabilite|juge|juez|ley|responsabilidad`,
  },
  financial: {
    telling: `should i invest|invest in|investment advice|financial advice|stock tip*|buy stock*|sell stock*|buy shares|sell shares|share price|
      stock market|mutual fund*|index fund*|hedge fund*|cryptocurrenc*|bitcoin|ethereum|mortgage rate*|pension fund*|day trading|portfolio allocation|
      tax advice|capital gains|retirement savings|aktienkauf|aktien kaufen|geldanlage*|anlageberatung|steuerberatung|wertpapier*|
      conseil en investissement|acheter des actions|bourse|placement financier|invertir en|comprar acciones|bolsa de valores|asesoria financiera`,
    leaning: `invest|investing|investment*|stock|stocks|shares|bond|bonds|dividend*|portfolio*|fund|funds|loan*|mortgage*|interest rate*|
      tax|taxes|savings|yield|broker*|credit score|aktie|aktien|zinsen|kredit*|rendite|dividende*|actions|credit|impots|acciones|prestamo*|impuestos`,
  },
  employment: {
    telling: `fired|firing|get fired|lay off|layoff*|laid off|redundanc*|terminate an employee|termination of employment|notice period|severance*|
      salary of|salaries|wage dispute|pay rise|raise my salary|performance review*|performance improvement plan|disciplinar*|harass*|discriminat*|
      works council|maternity leave|parental leave|sick leave|job applicant*|reject* candidate*|hire or not|promotion decision|
      kundig*|entlass*|abfindung*|betriebsrat|abmahnung*|elternzeit|gehaltserhohung|licenciement*|licencier|conge maternite|harcelement|
      despid*|indemnizacion por despido|baja por maternidad|acoso laboral`,
    leaning: `employee*|employer*|employment|salary|wage|wages|manager|contract|probation|resign*|dismiss*|hr|hiring|applicant*|overtime|bonus|
      mitarbeiter*|arbeitgeber|gehalt|lohn|arbeitsvertrag|salaire|employeur|contrat de travail|salario|empleador|contrato laboral`,
  },
  security: {
    telling: `exploit*|vulnerabilit*|zero day|0day|cve|malware|ransomware|phishing|sql injection|cross site scripting|xss|privilege escalation|
      penetration test*|pentest*|backdoor*|botnet*|brute force|bypass authentication|disable the firewall|data breach|security incident*|
      private key*|signing key*|api key*|access token*|password hash*|sicherheitslucke*|schadsoftware|datenpanne|vulnerabilite*|faille de securite|
      logiciel malveillant|vulnerabilidad*|brecha de seguridad`,
    leaning: `hack*|attack*|attacker*|firewall*|encrypt*|credential*|password*|secret*|threat*|intrusion*|antivirus|vpn|mfa|two factor|
      angriff*|passwort*|verschlussel*|attaque*|mot de passe|ataque*|contrasena*`,
  },
  'self-harm': {
    telling: `suicid*|kill myself|killing myself|end my life|ending my life|take my own life|hurt myself|hurting myself|harm myself|self harm*|
      cut myself|cutting myself|want to die|wish i was dead|wish i were dead|no reason to live|better off dead|starve myself|
      selbstmord*|suizid*|mich umbringen|umbringen will|nicht mehr leben|selbstverletz*|ritze mich|me suicider|me tuer|mettre fin a mes jours|
      envie de mourir|me faire du mal|suicidio|suicidarme|quitarme la vida|matarme|quiero morir|hacerme dano`,
    leaning: '',
  },
}

const patternOf = (phrases: string): RegExp | null => {
  const all = phrases
    .split('|')
    .map((phrase) => phrase.trim().replace(/\s+/g, ' '))
    .filter(Boolean)
  // Ours alone, and without a nesting that could backtrack.
  return all.length === 0
    ? null
    : new RegExp(`(?<=^| )(?:${all.map((phrase) => phrase.replaceAll('*', '[^ ]*')).join('|')})(?=$| )`, 'gu')
}

const patterns = policyTopics.map((topic) => ({
  topic,
  telling: patternOf(lexicons[topic].telling),
  leaning: patternOf(lexicons[topic].leaning),
}))

const found = (pattern: RegExp | null, text: string): string[] => [
  ...new Set(pattern ? [...text.matchAll(pattern)].map(([words]) => words) : []),
]

/** A word that tells counts as much as two that lean. */
const tellingWorth = 2
const enough = 2
/** In a longer text it takes one more for each so many words: a word in passing is no subject. */
const wordsAStep = 120
const wordsMax = 20_000

export type TopicFinding = { topic: PolicyTopic; words: string[] }

/** The subjects of a text, with the words that say so; of `among` where somebody cares about a few, or about none. */
export const topicsOf = (text: string, among: readonly PolicyTopic[] = policyTopics): TopicFinding[] => {
  if (among.length === 0) return []
  const all = foldedWords(cleanUntrusted(text)).slice(0, wordsMax)
  const folded = all.join(' ')
  const least = enough + Math.floor(all.length / wordsAStep)
  return patterns.flatMap(({ topic, telling, leaning }) => {
    if (!among.includes(topic)) return []
    const tells = found(telling, folded)
    const leans = found(leaning, folded).filter((word) => !tells.includes(word))
    // Whoever speaks of harming themselves does so once, however long the rest is.
    const needed = topic === 'self-harm' ? enough : least
    return tells.length * tellingWorth + leans.length >= needed ? [{ topic, words: [...tells, ...leans] }] : []
  })
}
