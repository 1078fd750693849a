// The page as a notebook's widget, in a frame of its own; its state and Python's answers pass through here.

interface Model {
  get(name: string): string;
  set(name: string, value: string): void;
  save_changes(): void;
  send(content: unknown): void;
  on(event: string, heard: (content: unknown, buffers: readonly DataView[]) => void): void;
  off(event: string, heard: unknown): void;
}

interface Told {
  readonly kind: string;
  readonly link?: string;
  readonly picture?: string;
  readonly question?: unknown;
}

/** The height of the frame. */
const HEIGHT = 760;

function numbers(view: DataView): Float64Array {
  return new Float64Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}

function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  const frame = document.createElement("iframe");
  frame.title = "Fallline";
  frame.setAttribute("sandbox", "allow-scripts allow-downloads");
  frame.style.cssText = `width:100%;height:${HEIGHT}px;border:0;display:block`;
  // JupyterLab takes no keys for itself from inside.
  el.dataset.lmSuppressShortcuts = "true";
  const say = (message: object) => frame.contentWindow?.postMessage(message, "*");
  let told = "";
  const show = () => say({ kind: "show", link: model.get("link") });
  const changed = () => {
    if (model.get("link") !== told) show();
  };
  const answer = (content: unknown, buffers: readonly DataView[]) =>
    say({ ...(content as object), arrays: buffers.map(numbers) });
  const hear = ({ source, data }: MessageEvent<Told>) => {
    if (source !== frame.contentWindow) return;
    if (data.kind === "ready") show();
    if (data.kind === "ask") model.send(data.question);
    if (data.kind === "shown") {
      still.hidden = true;
      told = data.link ?? "";
      model.set("link", told);
      model.set("picture", data.picture ?? "");
      model.save_changes();
    }
  };
  addEventListener("message", hear);
  model.on("change:link", changed);
  model.on("msg:custom", answer);
  frame.srcdoc = model.get("html");
  // What was last seen, until the page shows itself: for ever, where only Python could compute it and there is none.
  const still = document.createElement("img");
  still.alt = frame.title;
  still.src = model.get("picture");
  still.style.cssText = "position:absolute;inset:0;width:100%;height:100%;object-fit:contain;background:Canvas";
  still.hidden = !model.get("picture");
  // The picture beside the widget serves where it cannot run.
  const style = document.createElement("style");
  style.textContent = `img.${model.get("mark")}{display:none}`;
  document.head.append(style);
  el.style.position = "relative";
  el.append(frame, still);
  return () => {
    style.remove();
    removeEventListener("message", hear);
    model.off("change:link", changed);
    model.off("msg:custom", answer);
  };
}

export default { render };
