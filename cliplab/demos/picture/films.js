// @ts-check
// Films: a picture in all its steps. Those of late are kept, by what makes them.

/** @import { Contexts, Painter, PaintRequest, ReadPrompt } from "../lib/pictures.js" */
/** @import { Film, State } from "./types.js" */

const FILMS_KEPT = 40; // the latest used

/**
 * What makes the two films: without weights, and with them. They are one where all are 1.
 *
 * @param {ReadPrompt} read
 * @param {State} state
 */
export function filmKeys({ ids, weights }, { seed, guidance, method }) {
  const plain = [ids, seed, guidance].join(" ");
  return [plain, weights.every((w) => w === 1) ? plain : [plain, weights, method].join(" ")];
}

/** Only whole films are kept. */
export function createFilmStore() {
  /** @type {Map<string, Film>} */
  const kept = new Map();
  /**
   * @param {string} key
   * @returns {Film}
   */
  function find(key) {
    const film = kept.get(key);
    if (!film) return { key, latents: [], pictures: new Map() };
    kept.delete(key);
    kept.set(key, film);
    return film;
  }
  return {
    /** @param {string} key */
    has: (key) => kept.has(key),
    /**
     * The two films with these keys, or one twice, which are now the latest used; new ones where
     * there are none.
     *
     * @param {string[]} keys
     * @returns {Film[]}
     */
    findAll([plain, weighted]) {
      const film = find(plain);
      return [film, weighted === plain ? film : find(weighted)];
    },
    /** @param {Film} film */
    keep(film) {
      kept.set(film.key, film);
      const [oldest] = kept.keys();
      if (kept.size > FILMS_KEPT) kept.delete(oldest);
    },
  };
}

/**
 * What the painter is asked for: a film without weights, or with them.
 *
 * @param {boolean} isPlain
 * @param {ReadPrompt} read
 * @param {Contexts} contexts   of that prompt
 * @param {State} state
 * @returns {PaintRequest}
 */
function filmRequest(isPlain, read, contexts, { seed, guidance, method }) {
  if (isPlain) return { context: contexts.plain, seed, guidance };
  return method === "attention"
    ? { context: contexts.plain, factors: read.weights, seed, guidance }
    : { context: contexts[method], seed, guidance };
}

/**
 * Paints films of one prompt at the same time, and keeps them; none that is cancelled.
 *
 * @param {Painter} painter
 * @param {ReturnType<typeof createFilmStore>} store
 * @param {Film[]} films
 * @param {{
 *   read: ReadPrompt,
 *   state: State,
 *   cancelled: () => boolean,
 *   onStep: (film: Film, step: number, done: number) => void,
 * }} how   onStep hears of each step of each film, and how many all of them have done
 */
export async function paintFilms(painter, store, films, { read, state, cancelled, onStep }) {
  if (!films.length) return;
  const contexts = await painter.contexts(read);
  const [plainKey] = filmKeys(read, state);
  const stepsDone = () => Math.min(...films.map(({ latents }) => Math.max(latents.length - 1, 0)));
  await Promise.all(
    films.map(async (film) => {
      const latents = await painter.paint({
        ...filmRequest(film.key === plainKey, read, contexts, state),
        cancelled,
        onStep(step, made) {
          film.latents[step] = made;
          onStep(film, step, stepsDone());
        },
      });
      if (latents) store.keep(Object.assign(film, { latents }));
    }),
  );
}

/**
 * Fetches the rest of the painter while the reader looks, by a step that nobody sees.
 *
 * @param {Painter} painter
 * @param {ReadPrompt} read
 * @param {State} state
 */
export async function warmUp(painter, read, { seed, guidance }) {
  let done = 0;
  try {
    const { plain } = await painter.contexts(read);
    await painter.paint({ context: plain, seed, guidance, cancelled: () => done++ > 0 });
  } catch {
    // It is said when a picture is asked for.
  }
}

/**
 * A step of a film as pixels.
 *
 * @param {Painter} painter
 * @param {Film} film
 * @param {number} step
 */
export function pictureOf(painter, { latents, pictures }, step) {
  const known = pictures.get(step);
  if (known) return known;
  const made = painter.pixels([latents[step]]).then(([pixels]) => pixels);
  pictures.set(step, made);
  made.catch(() => pictures.delete(step)); // to be tried again
  return made;
}
