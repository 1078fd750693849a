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

/** The height of the frame at first, and at most as a share of the notebook's. */
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
  const show = () => say({ kind: "show", link: model.get("link") });
  const answer = (content: unknown, buffers: readonly DataView[]) =>
    say({ ...(content as object), arrays: buffers.map(numbers) });
  const hear = ({ source, data }: MessageEvent<Told>) => {
    if (source !== frame.contentWindow) return;
    if (data.kind === "ready") show();
    if (data.kind === "ask") model.send(data.question);
    if (data.kind === "shown") {
      model.set("link", data.link ?? "");
      model.set("picture", data.picture ?? "");
      model.save_changes();
    }
  };
  addEventListener("message", hear);
  model.on("change:link", show);
  model.on("msg:custom", answer);
  frame.srcdoc = model.get("html");
  el.append(frame);
  return () => {
    removeEventListener("message", hear);
    model.off("change:link", show);
    model.off("msg:custom", answer);
  };
}

export default { render };
