// Texts for the clipboard.
import { element } from "./dom.ts";
import { STRINGS } from "./strings.ts";

/** Copy a text and tell of it; where the browser keeps the clipboard from pages, the text is shown instead. */
export async function copy(text: string, told: HTMLElement): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    told.textContent = STRINGS.copied;
  } catch {
    const field = element("textarea", { readonly: true, rows: 8, "aria-label": STRINGS.toCopy });
    field.value = text;
    told.replaceChildren(field);
    field.select();
  }
}
