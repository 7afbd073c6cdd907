const covering = '[role="dialog"][data-state="open"], [role="alertdialog"], [role="menu"]'
/** A source that lies over the lower part of a small screen covers nothing: the keys stay the page's. */
const source = '[aria-label="Document"]'

/** Whether a dialog or a menu lies over the page: keys are then theirs. */
export const isCovered = (): boolean =>
  [...document.querySelectorAll(covering)].some((one) => one.querySelector(source) === null)
