/**
 * People over answers. Guarantees: what is held is shown by a decision alone, and that decision holds for exactly the content that was
 * decided on; nobody decides on an answer to their own question; of two who decide at once one wins and the other is told who and
 * when; a reviewer sees an item only when everything it draws from is open to them. It does not decide what is held: policy does.
 */
export { contentHash, reviewOf, riskOf } from './open.ts'
