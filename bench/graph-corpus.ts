/**
 * A made-up company with known chains: who leads what, what is made and kept where, who owns which policy. What is asked in two
 * steps is answered by a passage that does not name what the question names. Every tenth fact is worded so that patterns miss it.
 */

/** A linear congruential generator (Numerical Recipes): the same company on every run. */
export const createRandom = (seed: number): ((below: number) => number) => {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const words = (text: string): string[] => text.split(' ')

const firstNames = words(
  'Marta Jonas Piotr Helena Karl Aino Ruth Tomas Ines Viktor Greta Emil Nadia Oskar Lucia Henrik Sofia Anton Clara Pavel',
)
const lastNames = words(
  'Keller Brandt Nowak Prado Strasser Virtanen Aigner Lindqvist Moreau Sokolov Hansen Ferrari Petrov Larsen Romano Berg Duarte Weiss Novak Janssen',
)
const teamWords = words(
  'Firmware Optics Logistics Billing Platform Testing Hydraulics Tooling Metrology Packaging Robotics Coatings Drives Sensors Imaging Welding Casting Assembly Robustness Translation Training Payroll Planning Sourcing',
)
const productWords = words(
  'Aquila Borealis Cygnus Draco Eridanus Fornax Gemini Hydra Indus Lyra Mensa Norma Octans Pavo Pyxis Scutum Tucana Vela Volans Vulpecula',
)
const siteWords = words(
  'Lund Graz Leiria Curitiba Malmö Porto Turku Brno Gdansk Verona Nantes Aarhus Bergen Tampere Ostrava Ghent',
)
const supplierWords = words(
  'Nordwind Halvard Castell Brennan Ostrom Valdera Kestrel Marlow Quintero Sundberg Tessaro Ulmen',
)
const policyWords = words(
  'Travel Badge Password Waste Noise Overtime Parking Visitor Backup Disposal Chemical Gift Courier Fire',
)

export type Question = {
  text: string
  hops: 1 | 2
  /** The passage that answers it. */
  answer: string
  /** Whether the sentence that a second step needs is one that patterns are not made for. */
  hard: boolean
}
export type Company = { documents: { name: string; passages: string[] }[]; questions: Question[] }

const filler = [
  'Figures of the quarter are kept for ten years and are open to the auditors at any time.',
  'Changes of this page are announced on the intranet a week before they count.',
  'Where a form is missing, the desk on the ground floor has copies of all of them.',
  'Older editions are kept in the archive and are not to be used any more.',
  'Nothing in it replaces what the law of the country says.',
]

export const makeCompany = (): Company => {
  const random = createRandom(7)
  const pick = <Item>(from: readonly Item[], at: number): Item => {
    const item = from[at % from.length]
    if (item === undefined) throw new Error('nothing to pick from')
    return item
  }
  const any = <Item>(from: readonly Item[]): Item => pick(from, random(from.length))

  const people = lastNames.flatMap((last, at) =>
    [0, 1, 2].map((shift) => `${pick(firstNames, at + shift * 7)} ${last}`),
  )
  const teams = teamWords.map((word) => `${word} Team`)
  const products = productWords.map((word, at) => `${word} ${pick(['H', 'K', 'T'], at)}-${20 + at * 3}`)
  const policies = policyWords.map((word) => `${word} Policy`)
  const suppliers = supplierWords.map((word, at) => `${word} ${pick(['GmbH', 'Ltd', 'AB'], at)}`)

  const passages: string[] = []
  const questions: Question[] = []
  let facts = 0
  /** Says a fact in one of several ways; every tenth time in one that has no pattern. */
  const say = (ways: readonly string[], hardWay: string): { passage: string; hard: boolean } => {
    facts += 1
    const hard = facts % 10 === 0
    const passage = [any(filler), hard ? hardWay : any(ways), any(filler)].join(' ')
    passages.push(passage)
    return { passage, hard }
  }
  const ask = (text: string, hops: 1 | 2, answer: string, hard = false): void => {
    questions.push({ text, hops, answer, hard })
  }

  const phoneOf = new Map<string, string>()
  const officeOf = new Map<string, string>()
  for (const person of people) {
    const extension = 2_000 + random(7_000)
    const office = say(
      [
        `${person} sits in room ${100 + random(800)} on most days.`,
        `The desk of ${person} is in room ${100 + random(800)}.`,
      ],
      `Room ${100 + random(800)}: ${person}.`,
    ).passage
    const phone = say(
      [`${person} can be reached at extension ${extension}.`, `The telephone extension of ${person} is ${extension}.`],
      `Extension ${extension} rings at the desk of ${person}.`,
    ).passage
    phoneOf.set(person, phone)
    officeOf.set(person, office)
    say(
      [`${person} joined in ${1990 + random(30)} and speaks three languages.`],
      `Since ${1990 + random(30)} on the payroll: ${person}.`,
    )
    ask(`What is the telephone extension of ${person}?`, 1, phone)
  }
  const hoursOf = new Map<string, string>()
  for (const site of siteWords) {
    const hours = say(
      [
        `The gate in ${site} opens at ${4 + random(5)} in the morning.`,
        `In ${site} the gate opens at ${4 + random(5)}.`,
      ],
      `Opening of the gate, ${site}: ${4 + random(5)}.`,
    ).passage
    hoursOf.set(site, hours)
    say(
      [
        `Parking in ${site} costs ${1 + random(9)} a day.`,
        `Visitors pay ${1 + random(9)} a day for parking in ${site}.`,
      ],
      `Parking, ${site}: ${1 + random(9)} a day.`,
    )
    ask(`When does the gate in ${site} open?`, 1, hours)
  }
  const insuranceOf = new Map<string, string>()
  for (const supplier of suppliers) {
    const insurance = say(
      [
        `The insurance of ${supplier} ends in ${2027 + random(9)}.`,
        `${supplier} is insured until ${2027 + random(9)}.`,
      ],
      `Insured until ${2027 + random(9)}: ${supplier}.`,
    ).passage
    insuranceOf.set(supplier, insurance)
    say(
      [`${supplier} is paid within ${10 + random(50)} days.`],
      `Terms of payment, ${supplier}: ${10 + random(50)} days.`,
    )
  }
  for (const [at, team] of teams.entries()) {
    const lead = pick(people, at * 2 + 1)
    const { passage, hard } = say(
      [
        `The ${team} is led by ${lead}.`,
        `${lead} is the head of the ${team}.`,
        `${lead} leads the ${team}.`,
        `The head of the ${team} is ${lead}.`,
      ],
      `Questions about the ${team}? They all end up somewhere, and somebody has to sort them. For years now that has been ${lead}.`,
    )
    ask(`Who is the head of the ${team}?`, 1, passage)
    ask(`What is the telephone extension of the head of the ${team}?`, 2, phoneOf.get(lead) ?? '', hard)
    ask(`In which room does the head of the ${team} sit?`, 2, officeOf.get(lead) ?? '', hard)
  }
  for (const [at, product] of products.entries()) {
    const [site, supplier, team] = [pick(siteWords, at * 3), pick(suppliers, at * 5), pick(teams, at)]
    const made = say(
      [
        `The ${product} is built in ${site}.`,
        `The ${product} is made in ${site}.`,
        `The plant in ${site} builds the ${product}.`,
      ],
      `${product}. Place of origin on the label: see ${site}.`,
    )
    const supplied = say(
      [
        `${supplier} supplies the housing of the ${product}.`,
        `The housing of the ${product} is supplied by ${supplier}.`,
      ],
      `${product}. Housings come on Mondays. The van says ${supplier}.`,
    )
    say(
      [`The ${team} maintains the ${product}.`, `The ${product} is maintained by the ${team}.`],
      `${product}: ${team}.`,
    )
    ask(`Where is the ${product} built?`, 1, made.passage)
    ask(`When does the gate open at the place where the ${product} is built?`, 2, hoursOf.get(site) ?? '', made.hard)
    ask(
      `Until when is the supplier of the housing of the ${product} insured?`,
      2,
      insuranceOf.get(supplier) ?? '',
      supplied.hard,
    )
  }
  for (const [at, policy] of policies.entries()) {
    const owner = pick(people, at * 3)
    const { passage, hard } = say(
      [
        `The ${policy} is owned by ${owner}.`,
        `${owner} owns the ${policy}.`,
        `${owner} is responsible for the ${policy}.`,
      ],
      `The ${policy} has an owner. It is not the board. Ask ${owner}.`,
    )
    ask(`Who owns the ${policy}?`, 1, passage)
    ask(`What is the telephone extension of the owner of the ${policy}?`, 2, phoneOf.get(owner) ?? '', hard)
  }
  // Facts of one thing are spread over documents.
  const documents = Array.from({ length: 40 }, (_, at) => ({
    name: `note-${at + 1}`,
    passages: passages.filter((__, index) => index % 40 === at),
  }))
  return { documents, questions }
}

/** Passages about many things that answer nothing: what a search has to get through. */
export const makeNoise = (count: number): string[] => {
  const random = createRandom(99)
  const any = (from: readonly string[]): string => from[random(from.length)] ?? ''
  const verbs = words('visited called paid advised audited supported followed replaced')
  return Array.from({ length: count }, () => {
    const name = () => `${any(firstNames)} ${any(lastNames)}`
    return `${name()} ${any(verbs)} the ${any(teamWords)} Team in ${any(siteWords)}. ${name()} ${any(verbs)} ${any(supplierWords)} ${any(words('GmbH Ltd AB'))}. ${any(filler)}`
  })
}
