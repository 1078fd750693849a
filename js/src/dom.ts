// Elements made in one expression.

type Child = Node | string | null;

/** An element with attributes and children; an attribute that is false or null is left out, true stands alone. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string | number | boolean | null> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false && value !== null) made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** A drawing of strokes on a square of 24 units, as on buttons. */
export function icon(path: string): SVGSVGElement {
  const made = document.createElement("template");
  made.innerHTML = `<svg viewBox="0 0 24 24" aria-hidden="true" class="icon"><path d="${path}"/></svg>`;
  return made.content.firstElementChild as SVGSVGElement;
}

export const ICONS = {
  play: "M7 4.5v15l12-7.5z",
  pause: "M8 5v14M16 5v14",
  first: "M6 5v14M19 5l-9 7 9 7z",
  back: "M16 5l-9 7 9 7z",
  forward: "M8 5l9 7-9 7z",
  last: "M18 5v14M5 5l9 7-9 7z",
  undo: "M9 14l-5-5 5-5M4 9h10a6 6 0 010 12h-3",
  redo: "M15 14l5-5-5-5M20 9H10a6 6 0 000 12h3",
  share: "M12 15V4M8 8l4-4 4 4M5 13v6h14v-6",
  add: "M12 5v14M5 12h14",
  remove: "M6 6l12 12M18 6L6 18",
  best: "M12 3.5l2.6 5.6 6 .7-4.5 4.1 1.2 6-5.3-3-5.3 3 1.2-6L3.4 9.8l6-.7z",
  whole: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  theme: "M12 4a8 8 0 100 16zM12 4a8 8 0 010 16",
  light: "M12 8a4 4 0 100 8 4 4 0 000-8zM12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M5 19l2-2M17 7l2-2",
  dark: "M20 14.500A8.500 8.500 0 119.500 4a7 7 0 0010.500 10.500z",
  eye: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 9a3 3 0 100 6 3 3 0 000-6z",
  hidden:
    "M4 4l16 16M9.5 6c.8-.3 1.600-.5 2.500-.5 6 0 9.500 6.500 9.500 6.500a17 17 0 01-3 3.700M6 8a17 17 0 00-3.500 4S6 18.500 12 18.500c1 0 2-.2 2.900-.5",
} as const;

/** A button with a drawing, named for readers of the screen and by its tooltip. */
export function iconButton(name: keyof typeof ICONS, label: string, press: () => void): HTMLButtonElement {
  const made = element("button", { type: "button", class: "icon-button", "aria-label": label, title: label });
  made.append(icon(ICONS[name]));
  made.addEventListener("click", press);
  return made;
}

/** Change the drawing and the name of such a button. */
export function relabel(button: HTMLButtonElement, name: keyof typeof ICONS, label: string): void {
  if (button.getAttribute("aria-label") === label) return;
  button.setAttribute("aria-label", label);
  button.title = label;
  button.replaceChildren(icon(ICONS[name]));
}

/** The options of a selection: [value, text] each. */
export function options(pairs: Iterable<readonly [string, string]>): HTMLOptionElement[] {
  return [...pairs].map(([value, text]) => element("option", { value }, text));
}
