/** What an absolute path is, wherever one is configured. */
export const ABSOLUTE_PATH = /^\/[^\0]*$/
