/** What lies between the page and a window that wants an answer first. */
export const overlayClasses = 'appear fixed inset-0 z-50 bg-black/35 dark:bg-black/55'
