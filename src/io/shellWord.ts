/** A word of a command to be pasted: quoted where a shell would read it as several, or as something else. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./~-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
