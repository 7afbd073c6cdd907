/** The look a person chose: a cookie read on the server, so that the first paint is right without a script. */
const themes = ['system', 'light', 'dark'] as const
export type Theme = (typeof themes)[number]

export const themeCookie = 'footnote-theme'

/** Anything that is not a theme follows the machine. */
export const parseTheme = (value: string | undefined): Theme => themes.find((theme) => theme === value) ?? 'system'

/** Browser only: shows the theme at once and remembers it for a year. */
export const setTheme = (theme: Theme): void => {
  const root = document.documentElement
  root.classList.remove(...themes)
  root.classList.add(theme)
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every browser yet
  document.cookie = `${themeCookie}=${theme}; path=/; max-age=31536000; samesite=lax`
}
