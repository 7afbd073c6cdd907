/** Who asks, and the doors. */
export {
  accountData,
  askForReset,
  changeOwnPassword,
  demoAccounts,
  endOtherSessions,
  endOwnSession,
  openForm,
  providerName,
  providerSignIn,
  signInWithCode,
  signInWithPassword,
  signOutEverywhere,
  signOutHere,
} from './account.ts'
export { createApiKey, revokeOwnKey } from './api-keys.ts'
export { action, currentViewer, errorResponse, page, route } from './doors.ts'
export { completeSetup, isLinkOpen, makeResetLink, resetPassword, sendResetLink } from './password.ts'
export { currentSession, handlers, waitingHere } from './session.ts'
export { beginSecondStep, confirmBegunStep, endSecondStep } from './totp.ts'
