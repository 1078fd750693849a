// The word that is most like another, as Python's difflib finds it.
// Ratcliff and Metzener, Pattern matching: the gestalt approach (Dr. Dobb's Journal, 1988).

/** The closest of the words, if one is close; of equally close ones the last in the alphabet. */
export function closest(word: string, words: readonly string[]): string | undefined {
  let best: string | undefined;
  let most = 0.6;
  for (const other of [...words].sort()) {
    const likeness = (2 * matches(other, word)) / (other.length + word.length);
    if (likeness >= most) [best, most] = [other, likeness];
  }
  return best;
}

/** How many letters of the two match: the longest common part, and likewise on both sides of it. */
function matches(a: string, b: string): number {
  let [size, first, second] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    for (let j = 0; j < b.length; j++) {
      let k = 0;
      while (i + k < a.length && a[i + k] === b[j + k]) k++;
      if (k > size) [size, first, second] = [k, i, j];
    }
  }
  if (!size) return 0;
  const before = matches(a.slice(0, first), b.slice(0, second));
  return size + before + matches(a.slice(first + size), b.slice(second + size));
}
