/** Whether a dialog or a menu lies over the page: keys are then theirs. */
export const isCovered = (): boolean =>
  document.querySelector('[role="dialog"][data-state="open"], [role="alertdialog"], [role="menu"]') !== null
