type DemoDocument = { file: string; title: string; collection: string }
type DemoQuestion = { question: string; document: string; contains: string }

export const demoDocuments: readonly DemoDocument[] = [
  { file: 'employee-handbook.docx', title: 'Employee handbook', collection: 'Handbook' },
  { file: 'expenses-faq.txt', title: 'Expenses: questions that come up often', collection: 'Handbook' },
  { file: 'h-40-service-manual.pdf', title: 'H-40 service manual', collection: 'Service' },
  { file: 'release-notes.html', title: 'HaldenOS release notes, versions 4.0 to 4.6', collection: 'Service' },
  { file: 'security-policy.md', title: 'Information security policy', collection: 'Policies' },
  { file: 'price-list.csv', title: 'Price list 2026', collection: 'Sales' },
]

/**
 * Questions that the corpus answers, each with a phrase of the passage that answers it. The first four are suggested
 * on an empty chat, so they come from four different documents.
 */
export const demoQuestions: readonly DemoQuestion[] = [
  {
    question: 'How many days of leave do I get in my first calendar year?',
    document: 'employee-handbook.docx',
    contains: '2.5 working days of leave for each full month worked',
  },
  {
    question: 'What does error E13 on the H-40 mean, and what should I do?',
    document: 'h-40-service-manual.pdf',
    contains: 'Belt slip',
  },
  {
    question: 'Who has to sign off a transfer of Restricted data?',
    document: 'security-policy.md',
    contains: 'data owner and head of information security, both in writing',
  },
  {
    question: 'What does an H-40 cost in Brazil, and how much is the service plan?',
    document: 'price-list.csv',
    contains: '97700',
  },
  {
    question: 'Until when can I use leave that I carried over from last year?',
    document: 'employee-handbook.docx',
    contains: 'they must be taken by 31 March',
  },
  {
    question: 'What is the hotel limit per night in Portugal?',
    document: 'employee-handbook.docx',
    contains: '125 euros',
  },
  {
    question: 'From which day of illness do I need a medical certificate in Graz?',
    document: 'employee-handbook.docx',
    contains: 'from the third calendar day of illness',
  },
  {
    question: 'How can I report a breach of law anonymously?',
    document: 'employee-handbook.docx',
    contains: 'also anonymously',
  },
  {
    question: 'How much paid leave does the second parent get after a birth?',
    document: 'employee-handbook.docx',
    contains: 'The second parent has six weeks at full pay',
  },
  {
    question: 'What notice must an employee in Leiria give after two years?',
    document: 'employee-handbook.docx',
    contains: '60 days from 2 years',
  },
  {
    question: 'For how many days a year may I work from another European country?',
    document: 'employee-handbook.docx',
    contains: 'for up to 20 working days in a calendar year',
  },
  {
    question: 'How tight must the bolts be that hold the H-40 to the bench?',
    document: 'h-40-service-manual.pdf',
    contains: '42 N·m',
  },
  {
    question: 'How often must the H-40 be calibrated?',
    document: 'h-40-service-manual.pdf',
    contains: 'every 12 months or after 50,000 cycles, whichever comes first',
  },
  {
    question: 'In which order are the six transducer flange screws tightened?',
    document: 'h-40-service-manual.pdf',
    contains: '1, 4, 2, 5, 3, 6',
  },
  {
    question: 'Which part number does the reinforced drive belt have?',
    document: 'h-40-service-manual.pdf',
    contains: 'HP-4010',
  },
  {
    question: 'How long must I wait after pulling the plug before I open the housing?',
    document: 'h-40-service-manual.pdf',
    contains: 'wait 60 seconds',
  },
  {
    question: 'How often are the firmware signing keys rotated?',
    document: 'security-policy.md',
    contains: 'rotated every 90 days',
  },
  {
    question: 'How quickly must a security incident be reported?',
    document: 'security-policy.md',
    contains: 'within 4 hours of being noticed',
  },
  {
    question: 'How long are unsuccessful job applications kept?',
    document: 'security-policy.md',
    contains: '6 months',
  },
  {
    question: 'For how long can a security exception be valid?',
    document: 'security-policy.md',
    contains: 'valid for at most six months and may be renewed once',
  },
  {
    question: 'What is the lead time for an H-200 ordered from Japan?',
    document: 'price-list.csv',
    contains: '4713000',
  },
  {
    question: 'Why do I have to install HaldenOS 4.4 before any later version?',
    document: 'release-notes.html',
    contains: 'carry the certificate of their signing key',
  },
  {
    question: 'Which measurement error was corrected in HaldenOS 4.2?',
    document: 'release-notes.html',
    contains: 'up to 0.3 % too low',
  },
  {
    question: 'What do I do if I have lost a receipt for more than 15 euros?',
    document: 'expenses-faq.txt',
    contains: 'Own receipt',
  },
]

/** Some are far from the corpus, and some sound like it but ask for what none of the documents says. */
export const unanswerableQuestions: readonly string[] = [
  'What is the capital of Mongolia?',
  'How do I bake sourdough bread?',
  'Who won the football World Cup in 1998?',
  'Can you recommend a good novel for the holidays?',
  'What was the total revenue of Halden Instruments in 2025?',
  'What does an H-40 cost in India?',
  'What does error E31 on the H-40 mean?',
  'May I bring my dog to the office?',
  'When will HaldenOS 5.0 be released?',
  'What is the blood alcohol limit for drivers in Portugal?',
  'How much does a seat on the Graz works bus cost?',
  'What is the salary of the head of information security?',
]
