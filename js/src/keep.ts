// What is shown as texts and files, to keep and to share.
import { csvOf, offer } from "./files.ts";
import { framesOf, record } from "./film.ts";
import type { Problem } from "./problem.ts";
import { pythonOf } from "./python_code.ts";
import { notInRecipes, recipeOf } from "./recipe.ts";
import type { Scene } from "./scene.ts";
import type { ShareActions } from "./share_menu.ts";
import { sheetOf } from "./sheet.ts";
import type { State } from "./state.ts";
import { STRINGS } from "./strings.ts";

/** What is shown, and how. */
export interface Shown {
  readonly problem: Problem;
  readonly state: State;
  readonly link: string;
  /** The runs, without what explains a step. */
  readonly scene: Scene;
  /** The number of the last step, and how many are played in a second. */
  readonly last: number;
  readonly speed: number;
  picture(): HTMLCanvasElement;
  drawing(): string;
  /** Show a step. */
  seek(step: number | null): void;
}

/** Arguments:
 *   now: what is shown at the moment.
 */
export function keeping(now: () => Shown): ShareActions {
  const sheet = () => {
    const { problem, state, scene, last, picture } = now();
    return sheetOf(picture(), problem, state, scene, last);
  };
  const text = (content: string, type: string, name: string) => offer(new Blob([content], { type }), name);
  return {
    link: () => `${location.href.split("#")[0]}#${now().link}`,
    python: () => pythonOf(now().state),
    png: () => sheet().toBlob((blob) => blob && offer(blob, "fallline.png")),
    svg: () => text(now().drawing(), "image/svg+xml", "fallline.svg"),
    csv: () => {
      const { problem, state, scene } = now();
      text(csvOf(problem, state, scene), "text/csv", "fallline.csv");
    },
    recipe: () => {
      const { state, problem } = now();
      const own = problem.elsewhere ? [problem.formula] : notInRecipes(state);
      if (own.length) return STRINGS.notInRecipes(own);
      text(recipeOf(state, problem.names), "application/toml", "fallline.toml");
      return null;
    },
    film: async (told, cancelled) => {
      const { state, last, speed, seek } = now();
      const draw = (step: number) => {
        seek(step);
        return sheet();
      };
      const film = await record(framesOf(last, speed), draw, told, cancelled);
      seek(state.at);
      if (film) offer(film, `fallline.${film.type.split("/")[1]}`);
    },
  };
}
